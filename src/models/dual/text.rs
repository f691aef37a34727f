//! The text tower of CLIP and of SigLIP.

use candle_core::Tensor;

use super::ClipTextConfig;
use crate::models::prefix_trie::PrefixTrie;
use crate::nn::{self, AttentionMask, Embedding, EncoderLayer, LayerNorm, Positions, RowCache};
use crate::weights::Scope;
use crate::{Error, ErrorKind, Result};

/// Texts that go through the layers together. More would not be faster, and need more memory.
pub(super) const TEXT_BATCH: usize = 64;
/// The same where texts are padded to their full length.
const PADDED_BATCH: usize = 16;

/// What texts begin with, as a causal tower has read it: the keys and values of each layer, kept from one call to the next.
#[derive(Debug, Default)]
pub struct TextPrefix {
    ids: Vec<u32>,
    layers: Vec<RowCache>,
}

/// Tokens, positions, and transformer layers.
#[derive(Debug, Clone)]
pub struct ClipText {
    pub(super) config: ClipTextConfig,
    tokens: Embedding,
    positions: Positions,
    pub(super) layers: Vec<EncoderLayer>,
    pub(super) final_norm: LayerNorm,
}

impl ClipText {
    /// The tower in `scope`, the file's `text_model`.
    pub(in crate::models) fn load(config: &ClipTextConfig, scope: &Scope<'_>) -> Result<Self> {
        let width = config.tower.hidden_size;
        let sizes = config.tower.sizes();
        let embeddings = scope.scope("embeddings");
        let positions = config.max_position_embeddings;
        let layers = scope.scope("encoder.layers");
        Ok(Self {
            config: config.clone(),
            tokens: Embedding::load(&embeddings.scope("token_embedding"), config.vocab_size, width)?,
            positions: Positions::load(&embeddings.scope("position_embedding"), positions, width)?,
            layers: (0..config.tower.layers)
                .map(|i| EncoderLayer::load(&layers.scope(i), &sizes, true, false))
                .collect::<Result<_>>()?,
            final_norm: LayerNorm::load(&scope.scope("final_layer_norm"), width, sizes.epsilon)?,
        })
    }

    /// The normalised states of texts of any lengths, those of one text after those of the other:
    /// `(tokens, width)`.
    pub fn states(&self, texts: &[&[u32]]) -> Result<Tensor> {
        for ids in texts {
            self.check(ids)?;
        }
        self.final_norm.forward(&self.after(texts, self.layers.len())?)
    }

    /// The states of texts after the first `layers`, not normalised, those of one text after those of the other.
    pub(super) fn after(&self, texts: &[&[u32]], layers: usize) -> Result<Tensor> {
        let mut layers = self.layers.iter().take(layers);
        if !self.config.causal {
            let lengths: Vec<usize> = texts.iter().map(|ids| ids.len()).collect();
            let sight = AttentionMask::Sequences(&lengths);
            return layers.try_fold(self.embed_all(texts)?, |x, layer| layer.forward(&x, sight));
        }
        let tree = PrefixTrie::of(texts);
        let visible = tree.visible();
        let x = layers.try_fold(self.embed(&tree.ids, &tree.positions())?, |x, layer| {
            layer.forward(&x, AttentionMask::Rows(&visible))
        })?;
        let rows: Vec<u32> = tree.ends.iter().flat_map(|&end| tree.paths[end as usize].clone()).collect();
        Ok(nn::select(&x, &rows)?)
    }

    /// What goes into the first layer, `(rows, width)`.
    fn embed(&self, ids: &[u32], positions: &[u32]) -> Result<Tensor> {
        Ok(nn::add(&self.tokens.forward(ids)?, &self.positions.at(positions)?)?)
    }

    /// [`ClipText::embed`] of whole texts, one after the other.
    pub(super) fn embed_all(&self, texts: &[&[u32]]) -> Result<Tensor> {
        // Positions fit a `u32`: `config.json` may ask for 65,536 at most.
        let positions: Vec<u32> = texts.iter().flat_map(|ids| 0..ids.len() as u32).collect();
        self.embed(&texts.concat(), &positions)
    }

    /// The pooled states of texts of any lengths: `(texts, width)`.
    pub fn pooled(&self, texts: &[Vec<u32>]) -> Result<Tensor> {
        self.pooled_after(None, texts)
    }

    /// [`ClipText::pooled`] of texts that begin as those before did: what is kept of these in `prefix`, which is of this tower
    /// alone, is not computed again. Only a causal tower keeps anything.
    pub fn pooled_after(&self, mut prefix: Option<&mut TextPrefix>, texts: &[Vec<u32>]) -> Result<Tensor> {
        let size = if self.config.causal { TEXT_BATCH } else { PADDED_BATCH };
        let mut pooled = Vec::new();
        for batch in texts.chunks(size) {
            let last = batch.iter().map(|ids| self.last(ids)).collect::<Result<Vec<_>>>()?;
            let x = match prefix.as_deref_mut() {
                _ if !self.config.causal => self.whole(batch, &last)?,
                None => self.causal(&cut(batch, &last))?,
                Some(prefix) => self.causal_after(prefix, &cut(batch, &last))?,
            };
            pooled.push(self.final_norm.forward(&x)?);
        }
        if pooled.is_empty() {
            return Err(argument("There are no texts to encode."));
        }
        Ok(Tensor::cat(&pooled, 0)?)
    }

    /// The states of the last tokens of `texts`, of which each token sees those before it. Their common beginning is read
    /// first, as far as it is not in `prefix`, and is in it then.
    fn causal_after(&self, prefix: &mut TextPrefix, texts: &[&[u32]]) -> Result<Tensor> {
        // The last token of each is always read, for it is its state that is wanted.
        let most = texts.iter().map(|ids| ids.len() - 1).min().unwrap_or(0);
        let first = texts.first().copied().unwrap_or_default();
        let common = texts.iter().fold(&first[..most], |common, ids| &common[..agreeing(common, ids)]);
        self.read_prefix(prefix, common)?;

        let tails: Vec<&[u32]> = texts.iter().map(|ids| &ids[common.len()..]).collect();
        let tree = PrefixTrie::of(&tails);
        // Positions and rows fit a `u32`: a text has 65,536 tokens at most.
        let before = common.len() as u32;
        let positions: Vec<u32> = tree.positions().iter().map(|position| before + position).collect();
        let visible: Vec<Vec<u32>> = (tree.paths.iter())
            .map(|path| (0..before).chain(path.iter().map(|row| before + row)).collect())
            .collect();
        let mut x = self.embed(&tree.ids, &positions)?;
        let visible: Vec<&[u32]> = visible.iter().map(Vec::as_slice).collect();
        let mut layers = self.layers.iter().zip(prefix.layers.iter().cloned());
        let last = layers.next_back();
        // What comes after the beginning is another thing in each batch: it goes into copies.
        for (layer, mut cache) in layers {
            x = layer.forward_cached(&x, &mut cache, &visible)?;
        }
        let Some((layer, mut cache)) = last else { return Ok(nn::select(&x, &tree.ends)?) };
        let visible: Vec<&[u32]> = tree.ends.iter().map(|&end| visible[end as usize]).collect();
        layer.forward_cached_at(&x, &mut cache, &visible, &tree.ends)
    }

    /// Makes `prefix` that of `ids`: forgets what is not of it, and reads what is missing.
    fn read_prefix(&self, prefix: &mut TextPrefix, ids: &[u32]) -> Result<()> {
        let kept = agreeing(&prefix.ids, ids);
        prefix.ids.truncate(kept);
        prefix.layers.resize(self.layers.len(), RowCache::default());
        let width = self.config.tower.hidden_size;
        prefix.layers.iter_mut().for_each(|cache| cache.truncate(kept, width));
        let fresh = &ids[kept..];
        if fresh.is_empty() {
            return Ok(());
        }
        let rows: Vec<u32> = (0..ids.len() as u32).collect();
        let visible: Vec<&[u32]> = (kept..ids.len()).map(|row| &rows[..=row]).collect();
        let mut x = self.embed(fresh, &rows[kept..])?;
        for (layer, cache) in self.layers.iter().zip(&mut prefix.layers) {
            x = layer.forward_cached(&x, cache, &visible)?;
        }
        prefix.ids.extend(fresh);
        Ok(())
    }

    /// The position of `ids` that stands for the whole text.
    pub(super) fn last(&self, ids: &[u32]) -> Result<usize> {
        self.check(ids)?;
        self.config
            .pooled(ids)
            .ok_or_else(|| argument(format!("A text has no end token ({}).", self.config.eos_token_id)))
    }

    /// The states of the last tokens of `texts`, of which each token sees those before it.
    ///
    /// Texts that begin alike, as prompts do, share the rows of that beginning. None is padded.
    pub(super) fn causal(&self, texts: &[&[u32]]) -> Result<Tensor> {
        let tree = PrefixTrie::of(texts);
        let (mut x, visible) = (self.embed(&tree.ids, &tree.positions())?, tree.visible());
        if let Some((last, layers)) = self.layers.split_last() {
            for layer in layers {
                x = layer.forward(&x, AttentionMask::Rows(&visible))?;
            }
            let visible: Vec<&[u32]> = tree.ends.iter().map(|&end| visible[end as usize]).collect();
            x = last.forward_at(&x, AttentionMask::Rows(&visible), &tree.ends)?;
        }
        Ok(x)
    }

    /// The states at the positions `last` of texts of which each token sees all, padding included.
    pub(super) fn whole(&self, texts: &[Vec<u32>], last: &[usize]) -> Result<Tensor> {
        let texts: Vec<&[u32]> = texts.iter().map(Vec::as_slice).collect();
        let lengths: Vec<usize> = texts.iter().map(|ids| ids.len()).collect();
        let sight = AttentionMask::Sequences(&lengths);
        let mut x = self.embed_all(&texts)?;
        let starts = nn::segment_starts(&lengths);
        let at: Vec<u32> = starts.iter().zip(last).map(|(start, &last)| start + last as u32).collect();
        if let Some((last, layers)) = self.layers.split_last() {
            for layer in layers {
                x = layer.forward(&x, sight)?;
            }
            x = last.forward_at(&x, sight, &at)?;
        }
        Ok(x)
    }

    fn check(&self, ids: &[u32]) -> Result<()> {
        let ClipTextConfig { max_position_embeddings: most, vocab_size, .. } = self.config;
        check_ids(ids, most, vocab_size)
    }
}

/// Texts up to the positions `last`, at which they are pooled: in a causal tower what follows changes nothing.
fn cut<'a>(texts: &'a [Vec<u32>], last: &[usize]) -> Vec<&'a [u32]> {
    texts.iter().zip(last).map(|(ids, &last)| &ids[..=last]).collect()
}

/// How many tokens two texts have in common at their beginning.
fn agreeing(a: &[u32], b: &[u32]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

/// Refuses a text of no tokens, of more than `most`, or of one that is not below `vocab_size`.
pub(super) fn check_ids(ids: &[u32], most: usize, vocab_size: usize) -> Result<()> {
    if ids.is_empty() || ids.len() > most {
        return Err(argument(format!("A text has {} tokens; the model takes 1 to {most}.", ids.len())));
    }
    match ids.iter().find(|&&id| id as usize >= vocab_size) {
        Some(id) => Err(argument(format!("The token {id} is not one of the model's {vocab_size}."))),
        None => Ok(()),
    }
}

pub(super) fn argument(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::ArgumentInvalid, message)
}
