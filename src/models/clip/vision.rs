//! The vision tower of CLIP.

use candle_core::Tensor;

use super::ClipVisionConfig;
use super::text::self_attention;
use crate::Result;
use crate::models::check_pixels;
use crate::nn::{EncoderLayer, LayerNorm, PatchEmbed};
use crate::weights::Scope;

/// Patches, a class token before them, positions, and transformer layers.
#[derive(Debug, Clone)]
pub struct ClipVision {
    image_size: usize,
    patches: PatchEmbed,
    /// `(1, 1, width)`
    class: Tensor,
    /// `(1, 1 + patches, width)`
    positions: Tensor,
    /// The reference's spelling of this one is `pre_layrnorm`.
    pre_norm: LayerNorm,
    layers: Vec<EncoderLayer>,
    post_norm: LayerNorm,
}

impl ClipVision {
    pub(super) fn load(config: &ClipVisionConfig, scope: &Scope<'_>) -> Result<Self> {
        let (width, patch) = (config.tower.hidden_size, config.patch_size);
        let positions = 1 + (config.image_size / patch).pow(2);
        let sizes = config.tower.sizes();
        let norm = |name| LayerNorm::load(&scope.scope(name), width, sizes.epsilon);

        let embeddings = scope.scope("embeddings");
        let layers = scope.scope("encoder.layers");
        Ok(Self {
            image_size: config.image_size,
            patches: PatchEmbed::load(&embeddings.scope("patch_embedding"), width, patch, false)?,
            class: embeddings.take("class_embedding", width)?.reshape((1, 1, width))?,
            positions: embeddings.take("position_embedding.weight", (positions, width))?.unsqueeze(0)?,
            pre_norm: norm("pre_layrnorm")?,
            layers: (0..config.tower.layers)
                .map(|i| EncoderLayer::load(&layers.scope(i), &sizes, self_attention))
                .collect::<Result<_>>()?,
            post_norm: norm("post_layernorm")?,
        })
    }

    /// The states after the last layer: pixels `(batch, 3, height, width)` to `(batch, 1 + patches, width)`.
    pub fn states(&self, pixels: &Tensor) -> Result<Tensor> {
        let batch = check_pixels(pixels, self.image_size)?;
        let patches = self.patches.forward(pixels)?;
        let (_, count, width) = patches.dims3()?;
        let (length, rows) = (1 + count, batch * (1 + count));
        let x = Tensor::cat(&[&self.class.expand((batch, 1, width))?, &patches], 1)?;
        let x = x.broadcast_add(&self.positions)?.reshape((rows, width))?;
        let mut x = self.pre_norm.forward(&x)?;
        let lengths = vec![length; batch];
        for layer in &self.layers {
            x = layer.forward(&x, &lengths, false)?;
        }
        Ok(x.reshape((batch, length, width))?)
    }

    /// The normalised state of the class token: `(batch, 1 + patches, width)` to `(batch, width)`.
    pub fn pool(&self, states: &Tensor) -> Result<Tensor> {
        self.post_norm.forward(&states.narrow(1, 0, 1)?.squeeze(1)?)
    }
}
