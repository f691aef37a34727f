//! The vision tower of CLIP.

use candle_core::Tensor;

use super::ClipVisionConfig;
use super::text::self_attention;
use crate::Result;
use crate::models::{Passage, Trace, check_pixels};
use crate::nn::{EncoderLayer, LayerNorm, PatchEmbed, Sight, with_class_token};
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
        let (mut x, lengths) = self.embed(pixels)?;
        for layer in &self.layers {
            x = layer.forward(&x, Sight::Sequences(&lengths))?;
        }
        let width = x.dim(1)?;
        Ok(x.reshape((lengths.len(), (), width))?)
    }

    /// Images before the first layer: pixels `(batch, 3, height, width)`.
    pub fn begin(&self, pixels: &Tensor) -> Result<Passage> {
        let (x, lengths) = self.embed(pixels)?;
        Ok(Passage::new(x, lengths))
    }

    /// Takes images through one more layer. Returns how many layers are left.
    pub fn advance(&self, passage: &mut Passage) -> Result<usize> {
        passage.advance(&self.layers, |layer, passage| {
            let (x, sight) = (&passage.states, Sight::Sequences(&passage.lengths));
            if passage.done + 1 < self.layers.len() {
                layer.forward(x, sight)
            } else {
                // Of the last layer only the class token is asked for.
                layer.forward_at(x, sight, &passage.firsts())
            }
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

    /// The same of an answer with a gradient: `gradient` makes it of the class token's pooled state `(1, width)`, as
    /// the gradient with respect to that.
    pub(super) fn relevance(
        &self,
        mut passage: Passage,
        gradient: impl FnOnce(&Tensor) -> Result<Vec<f32>>,
    ) -> Result<Trace> {
        while self.advance(&mut passage)? > 0 {}
        let pooled = self.post_norm.forward(&passage.states)?;
        let gradient = self.post_norm.backward(&passage.states, &gradient(&pooled)?)?;
        Trace::new(&passage, self.layers.len(), Some(gradient))
    }

    /// What [`ClipVision::pool`] makes of [`ClipVision::states`], in less time: `(batch, width)`. Computes the
    /// layers that are left.
    pub fn pooled(&self, mut passage: Passage) -> Result<Tensor> {
        while self.advance(&mut passage)? > 0 {}
        self.post_norm.forward(&passage.states)
    }

    /// What goes into the first layer, `(rows, width)`, and how many rows each image has.
    fn embed(&self, pixels: &Tensor) -> Result<(Tensor, Vec<usize>)> {
        check_pixels(pixels, self.image_size)?;
        let (x, lengths) = with_class_token(&self.patches.forward(pixels)?, &self.class, &self.positions)?;
        Ok((self.pre_norm.forward(&x)?, lengths))
    }

    /// The normalised state of the class token: `(batch, 1 + patches, width)` to `(batch, width)`.
    pub fn pool(&self, states: &Tensor) -> Result<Tensor> {
        self.post_norm.forward(&states.narrow(1, 0, 1)?.squeeze(1)?)
    }
}
