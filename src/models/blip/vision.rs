//! The vision tower of BLIP.

use candle_core::Tensor;

use super::BlipVisionConfig;
use crate::Result;
use crate::models::{Passage, Trace, check_pixels};
use crate::nn::{EncoderLayer, LayerNorm, PatchEmbed, SelfAttention, Sight, with_class_token};
use crate::weights::Scope;

/// Patches, a class token before them, positions, and transformer layers. Unlike CLIP's it normalises
/// every state at the end and none at the beginning.
#[derive(Debug, Clone)]
pub struct BlipVision {
    image_size: usize,
    patches: PatchEmbed,
    /// `(1, 1, width)`
    class: Tensor,
    /// `(1, 1 + patches, width)`
    positions: Tensor,
    layers: Vec<EncoderLayer>,
    post_norm: LayerNorm,
}

impl BlipVision {
    pub(super) fn load(config: &BlipVisionConfig, scope: &Scope<'_>) -> Result<Self> {
        let (width, patch) = (config.tower.hidden_size, config.patch_size);
        let positions = 1 + (config.image_size / patch).pow(2);
        let sizes = config.tower.sizes();

        let embeddings = scope.scope("embeddings");
        let layers = scope.scope("encoder.layers");
        Ok(Self {
            image_size: config.image_size,
            patches: PatchEmbed::load(&embeddings.scope("patch_embedding"), width, patch, true)?,
            class: embeddings.take("class_embedding", (1, 1, width))?,
            positions: embeddings.take("position_embedding", (1, positions, width))?,
            layers: (0..config.tower.layers)
                .map(|i| {
                    EncoderLayer::load(&layers.scope(i), &sizes, |scope, heads| {
                        SelfAttention::load_fused(scope, heads, ["qkv", "projection"])
                    })
                })
                .collect::<Result<_>>()?,
            post_norm: LayerNorm::load(&scope.scope("post_layernorm"), width, sizes.epsilon)?,
        })
    }

    /// Images before the first layer: pixels `(batch, 3, size, size)`.
    pub fn begin(&self, pixels: &Tensor) -> Result<Passage> {
        check_pixels(pixels, self.image_size)?;
        let (x, lengths) = with_class_token(&self.patches.forward(pixels)?, &self.class, &self.positions)?;
        Ok(Passage::new(x, lengths))
    }

    /// Takes images through one more layer. Returns how many layers are left.
    pub fn advance(&self, passage: &mut Passage) -> Result<usize> {
        passage.advance(&self.layers, |layer, passage| {
            layer.forward(&passage.states, Sight::Sequences(&passage.lengths))
        })
    }

    /// Goes back through one more layer. Returns how many layers are left.
    pub fn trace_back(&self, trace: &mut Trace) -> Result<usize> {
        trace.step(&self.layers)
    }

    /// Attention rollout of one image that keeps its states. Computes the layers that are left.
    pub fn rollout(&self, mut passage: Passage) -> Result<Trace> {
        while self.advance(&mut passage)? > 0 {}
        Trace::new(&passage, self.layers.len(), None)
    }

    /// The normalised states after the last layer, `(batch, 1 + patches, width)`. Computes the layers that are
    /// left.
    pub fn states(&self, mut passage: Passage) -> Result<Tensor> {
        while self.advance(&mut passage)? > 0 {}
        let x = self.post_norm.forward(&passage.states)?;
        let width = x.dim(1)?;
        Ok(x.reshape((passage.lengths.len(), (), width))?)
    }
}
