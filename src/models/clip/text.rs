//! The text tower of CLIP.

use candle_core::Tensor;

use super::ClipTextConfig;
use crate::nn::{Embedding, EncoderLayer, Heads, LayerNorm, Positions, SelfAttention};
use crate::weights::Scope;
use crate::{Error, ErrorKind, Result};

/// Texts that go through the layers together. More would not be faster, and need more memory.
pub(super) const TEXT_BATCH: usize = 32;

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
    pub(super) fn load(config: &ClipTextConfig, scope: &Scope<'_>) -> Result<Self> {
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

    /// The normalised states of texts of any lengths, those of one text after those of the other:
    /// `(tokens, width)`.
    pub fn states(&self, texts: &[&[u32]]) -> Result<Tensor> {
        for ids in texts {
            self.check(ids)?;
        }
        let (mut x, lengths) = self.embed(texts)?;
        for layer in &self.layers {
            x = layer.forward(&x, &lengths, true)?;
        }
        self.final_norm.forward(&x)
    }

    /// What goes into the first layer for checked texts, `(tokens, width)`, and their lengths.
    fn embed(&self, texts: &[&[u32]]) -> Result<(Tensor, Vec<usize>)> {
        let lengths: Vec<usize> = texts.iter().map(|ids| ids.len()).collect();
        let positions =
            lengths.iter().map(|&len| self.positions.range(0, len)).collect::<Result<Vec<_>>>()?;
        Ok(((self.tokens.forward(&texts.concat())? + Tensor::cat(&positions, 0)?)?, lengths))
    }

    /// The pooled states of texts of any lengths: `(texts, width)`.
    ///
    /// The layers are causal, so what follows the pooled token changes nothing and is left out. Texts go
    /// through the layers one after the other in the same rows; none is padded.
    pub fn pooled(&self, texts: &[Vec<u32>]) -> Result<Tensor> {
        let mut pooled = Vec::new();
        for batch in texts.chunks(TEXT_BATCH) {
            let (mut parts, mut ends) = (Vec::with_capacity(batch.len()), Vec::with_capacity(batch.len()));
            let mut end = 0;
            for ids in batch {
                self.check(ids)?;
                let token = self.config.eos_token_id;
                let last = self.config.pooled(ids);
                let last = last.ok_or_else(|| argument(format!("A text has no end token ({token}).")))?;
                end += 1 + last;
                parts.push(&ids[..=last]);
                // A batch has fewer tokens than a `u32` counts.
                ends.push((end - 1) as u32);
            }
            let (mut x, lengths) = self.embed(&parts)?;
            let ends = Tensor::new(ends, x.device())?;
            if let Some((last, layers)) = self.layers.split_last() {
                for layer in layers {
                    x = layer.forward(&x, &lengths, true)?;
                }
                // The last token sees its whole text, so no mask is needed.
                x = last.forward_at(&x, &lengths, &ends)?;
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
