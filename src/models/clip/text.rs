//! The text tower of CLIP.

use candle_core::Tensor;

use super::ClipTextConfig;
use crate::nn::{Embedding, EncoderLayer, Heads, LayerNorm, SelfAttention};
use crate::weights::Scope;
use crate::{Error, ErrorKind, Result};

/// Texts that go through the layers together. More would not be faster, and need more memory.
pub(super) const TEXT_BATCH: usize = 32;

/// Tokens, positions, and causal transformer layers.
#[derive(Debug, Clone)]
pub struct ClipText {
    config: ClipTextConfig,
    tokens: Embedding,
    positions: Embedding,
    layers: Vec<EncoderLayer>,
    final_norm: LayerNorm,
}

impl ClipText {
    pub(super) fn load(config: &ClipTextConfig, scope: &Scope<'_>) -> Result<Self> {
        let width = config.tower.hidden_size;
        let sizes = config.tower.sizes();
        let embeddings = scope.scope("embeddings");
        let table = |name, rows| Embedding::load(&embeddings.scope(name), rows, width);
        let layers = scope.scope("encoder.layers");
        Ok(Self {
            config: config.clone(),
            tokens: table("token_embedding", config.vocab_size)?,
            positions: table("position_embedding", config.max_position_embeddings)?,
            layers: (0..config.tower.layers)
                .map(|i| EncoderLayer::load(&layers.scope(i), &sizes, self_attention))
                .collect::<Result<_>>()?,
            final_norm: LayerNorm::load(&scope.scope("final_layer_norm"), width, sizes.epsilon)?,
        })
    }

    /// The normalised states of texts of one length: `(texts, length, width)`.
    pub fn states(&self, texts: &[&[u32]]) -> Result<Tensor> {
        let length = texts.first().map_or(0, |ids| ids.len());
        for ids in texts {
            self.check(ids)?;
            if ids.len() != length {
                return Err(argument("Texts that are encoded together must have the same number of tokens."));
            }
        }
        let tokens = self.tokens.forward(&texts.concat())?;
        let tokens = tokens.reshape((texts.len(), length, self.config.tower.hidden_size))?;
        let mut x = tokens.broadcast_add(&self.positions.range(0, length)?)?;
        for layer in &self.layers {
            x = layer.forward(&x, true)?;
        }
        self.final_norm.forward(&x)
    }

    /// The pooled states of texts of any lengths: `(texts, width)`.
    ///
    /// The layers are causal, so what follows the pooled token changes nothing and is left out. Texts of
    /// equal length go through the layers together; none is padded.
    pub fn pooled(&self, texts: &[Vec<u32>]) -> Result<Tensor> {
        let mut lengths = Vec::with_capacity(texts.len());
        for ids in texts {
            self.check(ids)?;
            let end = self.config.eos_token_id;
            let last = self.config.pooled(ids);
            lengths.push(1 + last.ok_or_else(|| argument(format!("A text has no end token ({end}).")))?);
        }
        let mut order: Vec<usize> = (0..texts.len()).collect();
        order.sort_by_key(|&i| lengths[i]);

        let mut pooled = Vec::new();
        for group in
            order.chunk_by(|&a, &b| lengths[a] == lengths[b]).flat_map(|group| group.chunks(TEXT_BATCH))
        {
            let ids: Vec<&[u32]> = group.iter().map(|&i| &texts[i][..lengths[i]]).collect();
            let last = lengths[group[0]] - 1;
            pooled.push(self.states(&ids)?.narrow(1, last, 1)?.squeeze(1)?);
        }
        if pooled.is_empty() {
            return Err(argument("There are no texts to encode."));
        }
        let mut rows = vec![0u32; order.len()];
        for (row, &i) in order.iter().enumerate() {
            // A `u32` counts more texts than fit in memory.
            rows[i] = row as u32;
        }
        let rows = Tensor::new(rows, pooled[0].device())?;
        // With one group the concatenation is a view of its states.
        Ok(Tensor::cat(&pooled, 0)?.contiguous()?.index_select(&rows, 0)?)
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
