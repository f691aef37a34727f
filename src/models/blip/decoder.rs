//! The text decoder of BLIP: a BERT that sees an image, or a question about one, through cross-attention.

use std::sync::Arc;

use candle_core::Tensor;

use super::layer::Layer;
use super::text::ImageKeyValues;
use super::{BlipTextConfig, argument};
use crate::Result;
use crate::kernels;
use crate::models::prefix_trie::PrefixTrie;
use crate::nn::{self, Activation, Embedding, KeyValues, LayerNorm, Linear, Positions, RowCache, Sizes};
use crate::weights::Scope;

/// Rows whose logits are computed at once where many are needed: each has as many as there are words.
const LOGIT_ROWS: usize = 32;

/// What the decoder remembers of the captions of one image: the image, and the tokens so far. Of the answers to one
/// question it is the question that is remembered in the image's place.
///
/// There is one caption at first, and as many as a search keeps after [`CaptionState::keep`]. Captions that
/// begin alike share that beginning.
#[derive(Debug, Clone)]
pub struct CaptionState {
    /// For each layer the keys and values of the image or the question.
    pub(super) image: Arc<[KeyValues]>,
    /// For each layer those of every token so far, of all captions.
    pub(super) tokens: Vec<RowCache>,
    /// Tokens so far, of all captions.
    rows: u32,
    /// For each caption the rows of its tokens, in order.
    captions: Vec<Vec<u32>>,
}

impl CaptionState {
    /// Number of tokens of each caption so far.
    pub fn len(&self) -> usize {
        self.captions.first().map_or(0, Vec::len)
    }

    /// Whether there are no tokens yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of captions.
    pub fn captions(&self) -> usize {
        self.captions.len()
    }

    /// Goes on with the captions `parents`, each as often as it is named, instead of those so far.
    pub fn keep(&mut self, parents: &[usize]) {
        self.captions = parents.iter().filter_map(|&i| self.captions.get(i).cloned()).collect();
    }

    /// The rows that each of the next tokens sees: `ids` of the only caption, or one for each caption.
    pub(super) fn extend(&mut self, ids: usize) -> Vec<Vec<u32>> {
        let mut visible = Vec::with_capacity(ids);
        for i in 0..ids {
            let caption = if self.captions.len() == 1 { 0 } else { i };
            self.captions[caption].push(self.rows);
            self.rows += 1;
            visible.push(self.captions[caption].clone());
        }
        visible
    }
}

/// Words, positions, causal transformer layers, and the layers that make logits of a state.
#[derive(Debug, Clone)]
pub(super) struct Decoder {
    config: BlipTextConfig,
    words: Embedding,
    pub(super) positions: Positions,
    norm: LayerNorm,
    pub(super) layers: Vec<Layer>,
    head: Head,
}

impl Decoder {
    /// The decoder in `scope`, the file's `text_decoder`. What it sees through cross-attention has width `other`.
    pub(super) fn load(text: &BlipTextConfig, other: usize, scope: &Scope<'_>) -> Result<Self> {
        let (width, sizes) = (text.tower.hidden_size, text.tower.sizes());
        let embeddings = scope.scope("bert.embeddings");
        let layers = scope.scope("bert.encoder.layer");
        let (words, output) = load_words(text, &embeddings, &scope.scope("cls.predictions"))?;
        Ok(Self {
            config: text.clone(),
            words,
            positions: Positions::load(
                &embeddings.scope("position_embeddings"),
                text.max_position_embeddings,
                width,
            )?,
            norm: LayerNorm::load(&embeddings.scope("LayerNorm"), width, sizes.epsilon)?,
            layers: (0..text.tower.layers)
                .map(|i| Layer::load(&layers.scope(i), &sizes, other))
                .collect::<Result<_>>()?,
            head: Head::load(&scope.scope("cls.predictions.transform"), &sizes, output)?,
        })
    }

    /// What captions see of `states` `(rows, other)`.
    pub(super) fn project(&self, states: &Tensor) -> Result<ImageKeyValues> {
        Ok(ImageKeyValues(self.layers.iter().map(|layer| layer.project_kv(states)).collect::<Result<_>>()?))
    }

    /// A caption without tokens of what was projected.
    pub(super) fn begin(&self, image: &ImageKeyValues) -> CaptionState {
        let tokens = vec![RowCache::default(); self.layers.len()];
        CaptionState { image: Arc::clone(&image.0), tokens, rows: 0, captions: vec![Vec::new()] }
    }

    /// Appends the tokens `ids` to the only caption and gives the logits `(vocab,)` of the token after the
    /// last of them.
    pub(super) fn step(&self, state: &mut CaptionState, ids: &[u32]) -> Result<Tensor> {
        let states = self.extend(state, ids)?;
        let last = states.narrow(0, ids.len() - 1, 1)?;
        Ok(self.head.forward(&last)?.flatten_all()?)
    }

    /// Appends `ids` and gives the logits after each of them, `(ids, vocab)`: one id for each caption, or any
    /// number of the only one.
    pub(super) fn step_all(&self, state: &mut CaptionState, ids: &[u32]) -> Result<Tensor> {
        self.head.forward(&self.extend(state, ids)?)
    }

    /// For each of `texts`, of at least two tokens, the log-likelihood of what comes after its first token: the sum
    /// of the log-probabilities of those tokens, each given all before it. `start` has no tokens yet.
    ///
    /// Texts that begin alike share that beginning, and none is padded.
    pub(super) fn log_likelihoods(&self, start: &CaptionState, texts: &[Vec<u32>]) -> Result<Vec<f32>> {
        let mut given = Vec::with_capacity(texts.len());
        for ids in texts {
            self.config.check_text(ids)?;
            // Of the last token nothing is asked but its probability.
            given.push(&ids[..ids.len() - 1]);
        }
        if given.iter().any(|ids| ids.is_empty()) {
            return Err(argument("A text of one token has no likelihood."));
        }
        let tree = PrefixTrie::of(&given);
        // Which texts go on from each row, and with which token.
        let mut next: Vec<Vec<(usize, u32)>> = vec![Vec::new(); tree.ids.len()];
        for (text, (ids, &end)) in texts.iter().zip(&tree.ends).enumerate() {
            for (&row, &id) in tree.paths[end as usize].iter().zip(&ids[1..]) {
                next[row as usize].push((text, id));
            }
        }
        let x = self.embed(&tree.ids, &self.positions.at(&tree.positions())?)?;
        let states = self.through(x, &mut start.clone(), &tree.visible())?;
        let mut sums = vec![0.0; texts.len()];
        for (i, next) in next.chunks(LOGIT_ROWS).enumerate() {
            let logits = self.head.forward(&states.narrow(0, i * LOGIT_ROWS, next.len())?)?;
            for (logits, next) in logits.to_vec2::<f32>()?.iter().zip(next) {
                let log_probs = kernels::log_softmax(logits);
                for &(text, id) in next {
                    sums[text] += log_probs[id as usize];
                }
            }
        }
        Ok(sums)
    }

    /// Checks and appends `ids`: the states `(ids, width)` of the new tokens.
    fn extend(&self, state: &mut CaptionState, ids: &[u32]) -> Result<Tensor> {
        let (captions, past) = (state.captions(), state.len());
        if ids.is_empty() {
            return Err(argument("A caption is continued with at least one token."));
        }
        if captions != 1 && ids.len() != captions {
            return Err(argument(format!("Of {captions} captions each is continued with one token.")));
        }
        let each = if captions == 1 { ids.len() } else { 1 };
        let most = self.config.max_position_embeddings;
        if each > most.saturating_sub(past) {
            return Err(argument(format!("A caption has at most {most} tokens, the prompt included.")));
        }
        self.config.check_known(ids)?;
        let visible = state.extend(ids.len());
        let visible: Vec<&[u32]> = visible.iter().map(Vec::as_slice).collect();
        let x = self.embed(ids, &self.positions.range(past, each)?)?;
        self.through(x, state, &visible)
    }

    /// What goes into the first layer for `ids`, with a position for each or one for all: `(ids, width)`.
    pub(super) fn embed(&self, ids: &[u32], positions: &Tensor) -> Result<Tensor> {
        self.norm.forward(&nn::add(&self.words.forward(ids)?, positions)?)
    }

    /// Takes new tokens `x` through all layers; row `i` sees the rows `visible[i]` of `state`, its own among them.
    fn through(&self, mut x: Tensor, state: &mut CaptionState, visible: &[&[u32]]) -> Result<Tensor> {
        for (layer, (tokens, image)) in self.layers.iter().zip(state.tokens.iter_mut().zip(&*state.image)) {
            x = layer.decode(&x, tokens, visible, image)?;
        }
        Ok(x)
    }
}

/// One more layer on a state, then its product with a vector for each word.
#[derive(Debug, Clone)]
struct Head {
    dense: Linear,
    activation: Activation,
    norm: LayerNorm,
    output: Linear,
}

impl Head {
    fn load(scope: &Scope<'_>, sizes: &Sizes, output: Linear) -> Result<Self> {
        let width = sizes.heads.width;
        Ok(Self {
            dense: Linear::load(&scope.scope("dense"), width, width)?,
            activation: sizes.activation,
            norm: LayerNorm::load(&scope.scope("LayerNorm"), width, sizes.epsilon)?,
            output,
        })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let x = self.dense.forward_activated(x, self.activation)?;
        self.output.forward(&self.norm.forward(&x)?)
    }
}

/// The table of words and the output layer, which may be the same numbers under two names.
///
/// As in the reference, a file may have either name or both; where both are there and differ, both are
/// used. Where they are equal one of them is dropped: in the published captioners that is 94 MB.
fn load_words(
    text: &BlipTextConfig,
    embeddings: &Scope<'_>,
    head: &Scope<'_>,
) -> Result<(Embedding, Linear)> {
    let shape = (text.vocab_size, text.tower.hidden_size);
    let (words, decoder) = (embeddings.scope("word_embeddings"), head.scope("decoder"));

    // An older version of the reference keeps the bias of the output layer beside that layer.
    let bias = if decoder.contains("bias") {
        head.take_if_present("bias", text.vocab_size)?;
        decoder.take_vector("bias", text.vocab_size)?
    } else {
        head.take_vector("bias", text.vocab_size)?
    };
    let (table, output) = if text.tie_word_embeddings && !decoder.contains("weight") {
        let table = words.take_matrix("weight", shape)?;
        (table.clone(), table)
    } else if text.tie_word_embeddings && !words.contains("weight") {
        let table = decoder.take_matrix("weight", shape)?;
        (table.clone(), table)
    } else {
        let (table, output) = (words.take_matrix("weight", shape)?, decoder.take_matrix("weight", shape)?);
        if table == output { (table.clone(), table) } else { (table, output) }
    };
    Ok((Embedding::new(table), Linear::new(output, Some(bias))))
}
