//! The text tower of CLIP.

use candle_core::Tensor;

use super::ClipTextConfig;
use crate::models::prefix_trie::PrefixTrie;
use crate::nn::{
    self, AttentionMask, Embedding, EncoderLayer, Heads, LayerNorm, Linear, Mlp, Positions, SelfAttention,
};
use crate::weights::Scope;
use crate::{Error, ErrorKind, Result};

/// Texts that go through the layers together. More would not be faster, and need more memory.
pub(super) const TEXT_BATCH: usize = 64;

/// Tokens, positions, and causal transformer layers.
#[derive(Debug, Clone)]
pub struct ClipText {
    config: ClipTextConfig,
    tokens: Embedding,
    positions: Positions,
    layers: Vec<EncoderLayer>,
    final_norm: LayerNorm,
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
                .map(|i| EncoderLayer::load(&layers.scope(i), &sizes, self_attention))
                .collect::<Result<_>>()?,
            final_norm: LayerNorm::load(&scope.scope("final_layer_norm"), width, sizes.epsilon)?,
        })
    }

    /// The tower in `scope`, by the names of `open_clip`'s state dict.
    pub(super) fn load_open_clip(config: &ClipTextConfig, scope: &Scope<'_>) -> Result<Self> {
        let width = config.tower.hidden_size;
        let sizes = config.tower.sizes();
        let positions = (config.max_position_embeddings, width);
        let layer = |i: usize| {
            let scope = scope.scope("transformer.resblocks").scope(i);
            let norm = |name| LayerNorm::load(&scope.scope(name), width, sizes.epsilon);
            let attention = scope.scope("attn");
            let all = Linear::new(
                attention.take_matrix("in_proj_weight", (3 * width, width))?,
                Some(attention.take_vector("in_proj_bias", 3 * width)?),
            );
            let output = Linear::load(&attention.scope("out_proj"), width, width)?;
            let up = Linear::load(&scope.scope("mlp.c_fc"), width, sizes.intermediate)?;
            let down = Linear::load(&scope.scope("mlp.c_proj"), sizes.intermediate, width)?;
            Ok(EncoderLayer::new(
                norm("ln_1")?,
                SelfAttention::fused(sizes.heads, all, output),
                norm("ln_2")?,
                Mlp::new(up, down, sizes.activation),
            ))
        };
        Ok(Self {
            config: config.clone(),
            tokens: Embedding::load(&scope.scope("token_embedding"), config.vocab_size, width)?,
            positions: Positions::new(scope.take("positional_embedding", positions)?),
            layers: (0..config.tower.layers).map(layer).collect::<Result<_>>()?,
            final_norm: LayerNorm::load(&scope.scope("ln_final"), width, sizes.epsilon)?,
        })
    }

    /// The normalised states of texts of any lengths, those of one text after those of the other:
    /// `(tokens, width)`.
    pub fn states(&self, texts: &[&[u32]]) -> Result<Tensor> {
        for ids in texts {
            self.check(ids)?;
        }
        let tree = PrefixTrie::of(texts);
        let (mut x, visible) = (self.embed(&tree)?, tree.visible());
        for layer in &self.layers {
            x = layer.forward(&x, AttentionMask::Rows(&visible))?;
        }
        let rows: Vec<u32> = tree.ends.iter().flat_map(|&end| tree.paths[end as usize].clone()).collect();
        self.final_norm.forward(&nn::select(&x, &rows)?)
    }

    /// What goes into the first layer, `(rows, width)`.
    fn embed(&self, tree: &PrefixTrie) -> Result<Tensor> {
        Ok(nn::add(&self.tokens.forward(&tree.ids)?, &self.positions.at(&tree.positions())?)?)
    }

    /// The pooled states of texts of any lengths: `(texts, width)`.
    ///
    /// The layers are causal, so what follows the pooled token changes nothing and is left out; and texts that
    /// begin alike, as prompts do, share the rows of that beginning. None is padded.
    pub fn pooled(&self, texts: &[Vec<u32>]) -> Result<Tensor> {
        let mut pooled = Vec::new();
        for batch in texts.chunks(TEXT_BATCH) {
            let mut parts = Vec::with_capacity(batch.len());
            for ids in batch {
                self.check(ids)?;
                let token = self.config.eos_token_id;
                let last = self.config.pooled(ids);
                let last = last.ok_or_else(|| argument(format!("A text has no end token ({token}).")))?;
                parts.push(&ids[..=last]);
            }
            let tree = PrefixTrie::of(&parts);
            let (mut x, visible) = (self.embed(&tree)?, tree.visible());
            if let Some((last, layers)) = self.layers.split_last() {
                for layer in layers {
                    x = layer.forward(&x, AttentionMask::Rows(&visible))?;
                }
                let visible: Vec<&[u32]> = tree.ends.iter().map(|&end| visible[end as usize]).collect();
                x = last.forward_at(&x, AttentionMask::Rows(&visible), &tree.ends)?;
            }
            pooled.push(self.final_norm.forward(&x)?);
        }
        if pooled.is_empty() {
            return Err(argument("There are no texts to encode."));
        }
        Ok(Tensor::cat(&pooled, 0)?)
    }

    fn check(&self, ids: &[u32]) -> Result<()> {
        let ClipTextConfig { max_position_embeddings: most, vocab_size, .. } = self.config;
        if ids.is_empty() || ids.len() > most {
            return Err(argument(format!("A text has {} tokens; the model takes 1 to {most}.", ids.len())));
        }
        match ids.iter().find(|&&id| id as usize >= vocab_size) {
            Some(id) => Err(argument(format!("The token {id} is not one of the model's {vocab_size}."))),
            None => Ok(()),
        }
    }
}

/// CLIP's names of the attention layers.
pub(super) fn self_attention(scope: &Scope<'_>, heads: Heads) -> Result<SelfAttention> {
    SelfAttention::load(scope, heads, ["q_proj", "k_proj", "v_proj", "out_proj"])
}

fn argument(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::ArgumentInvalid, message)
}
