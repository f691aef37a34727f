//! The vision transformer (ViT) that CLIP, BLIP and ViT classifiers see with.

use candle_core::Tensor;

use super::{EncoderState, Trace, check_pixels};
use crate::Result;
use crate::nn::{AttentionMask, EncoderLayer, LayerNorm, PatchEmbed, with_class_token};

/// Patches, a class token before them, positions, and transformer layers. The families differ in the names of their
/// tensors, which their loaders know, and in what the fields say.
#[derive(Debug, Clone)]
pub struct VisionTransformer {
    pub(in crate::models) image_size: usize,
    pub(in crate::models) patches: PatchEmbed,
    /// `(1, 1, width)`
    pub(in crate::models) class: Tensor,
    /// `(1, 1 + patches, width)`
    pub(in crate::models) positions: Tensor,
    /// Before the first layer.
    pub(in crate::models) pre_norm: Option<LayerNorm>,
    pub(in crate::models) layers: Vec<EncoderLayer>,
    /// After the last layer.
    pub(in crate::models) post_norm: LayerNorm,
    /// Whether the class token's is all that is ever asked for of the last layer's states.
    pub(in crate::models) pools: bool,
}

impl VisionTransformer {
    /// The states after the last layer, before the norm: pixels `(batch, 3, size, size)` to
    /// `(batch, 1 + patches, width)`.
    pub fn hidden_states(&self, pixels: &Tensor) -> Result<Tensor> {
        let EncoderState { states: mut x, lengths, .. } = self.begin(pixels)?;
        for layer in &self.layers {
            x = layer.forward(&x, AttentionMask::Sequences(&lengths))?;
        }
        let width = x.dim(1)?;
        Ok(x.reshape((lengths.len(), (), width))?)
    }

    pub(super) fn begin(&self, pixels: &Tensor) -> Result<EncoderState> {
        check_pixels(pixels, self.image_size)?;
        let (x, lengths) = with_class_token(&self.patches.forward(pixels)?, &self.class, &self.positions)?;
        let x = if let Some(norm) = &self.pre_norm { norm.forward(&x)? } else { x };
        Ok(EncoderState::of_tokens(x, lengths))
    }

    pub(super) fn advance(&self, state: &mut EncoderState) -> Result<usize> {
        state.advance(&self.layers, |layer, state| {
            let (x, sight) = (&state.states, AttentionMask::Sequences(&state.lengths));
            if self.pools && state.done + 1 == self.layers.len() {
                layer.forward_at(x, sight, &state.segment_starts())
            } else {
                layer.forward(x, sight)
            }
        })
    }

    pub(super) fn trace_back(&self, trace: &mut Trace) -> Result<usize> {
        trace.step(&self.layers)
    }

    /// `state` has been through all layers, as in what follows.
    pub(super) fn rollout(&self, state: &EncoderState) -> Result<Trace> {
        Trace::new(state, self.layers.len(), None)
    }

    /// As [`ImageTower::relevance`](super::ImageTower::relevance) has it, of a tower that pools.
    pub(super) fn relevance(
        &self,
        state: &EncoderState,
        gradient: impl FnOnce(&Tensor) -> Result<Vec<f32>>,
    ) -> Result<Trace> {
        let pooled = self.post_norm.forward(&state.states)?;
        let gradient = self.post_norm.backward(&state.states, &gradient(&pooled)?)?;
        Trace::new(state, self.layers.len(), Some(gradient))
    }

    /// The normalised states of class tokens, `(batch, width)`.
    pub(super) fn pooled(&self, state: &EncoderState) -> Result<Tensor> {
        let x = if self.pools {
            &state.states
        } else {
            &crate::nn::select(&state.states, &state.segment_starts())?
        };
        self.post_norm.forward(x)
    }

    /// The normalised states of all tokens, `(batch, 1 + patches, width)`, of a tower that does not pool.
    pub(super) fn states(&self, state: &EncoderState) -> Result<Tensor> {
        let x = self.post_norm.forward(&state.states)?;
        let width = x.dim(1)?;
        Ok(x.reshape((state.lengths.len(), (), width))?)
    }
}
