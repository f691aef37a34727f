//! Vision towers: pixels in, features out, one layer at a time.
//!
//! ```text
//! pixels (b, 3, size, size) -> begin -> advance, once for each layer -> pooled (b, width)
//!                                                                    -> states (b, tokens, width)
//!                                                                    -> rollout, relevance: maps
//! ```
//!
//! What a model makes of a tower's features is the model's; what a tower is made of is nobody's but the tower's.

mod state;
mod trace;
mod transformer;

use candle_core::Tensor;

pub use state::EncoderState;
pub use trace::Trace;
pub use transformer::VisionTransformer;

use crate::{Error, ErrorKind, Result};

/// A vision tower of one of the kinds that there are.
#[derive(Debug, Clone)]
pub enum ImageTower {
    /// A vision transformer.
    Transformer(VisionTransformer),
}

impl ImageTower {
    /// Images before the first layer: pixels `(batch, 3, size, size)`.
    ///
    /// # Errors
    /// `ArgumentInvalid` where the pixels have another shape.
    pub fn begin(&self, pixels: &Tensor) -> Result<EncoderState> {
        match self {
            Self::Transformer(tower) => tower.begin(pixels),
        }
    }

    /// Takes images through one more layer. Returns how many layers are left.
    pub fn advance(&self, state: &mut EncoderState) -> Result<usize> {
        match self {
            Self::Transformer(tower) => tower.advance(state),
        }
    }

    /// `state` after all layers.
    fn complete(&self, mut state: EncoderState) -> Result<EncoderState> {
        while self.advance(&mut state)? > 0 {}
        Ok(state)
    }

    /// One vector for each image, `(batch, width)`: the normalised state of a transformer's class token. Computes the
    /// layers that are left.
    pub fn pooled(&self, state: EncoderState) -> Result<Tensor> {
        let state = self.complete(state)?;
        match self {
            Self::Transformer(tower) => tower.pooled(&state),
        }
    }

    /// A vector for each part of each image, `(batch, tokens, width)`: the normalised states of a transformer, the class
    /// token's first. Computes the layers that are left.
    pub fn states(&self, state: EncoderState) -> Result<Tensor> {
        let state = self.complete(state)?;
        match self {
            Self::Transformer(tower) => tower.states(&state),
        }
    }

    /// Attention rollout of one image that keeps its states. Computes the layers that are left.
    pub fn rollout(&self, state: EncoderState) -> Result<Trace> {
        let state = self.complete(state)?;
        match self {
            Self::Transformer(tower) => tower.rollout(&state),
        }
    }

    /// What of one image, which keeps its states, makes an answer: `gradient` makes it of the pooled vector
    /// `(1, width)`, as the gradient with respect to that. Computes the layers that are left.
    pub fn relevance(
        &self,
        state: EncoderState,
        gradient: impl FnOnce(&Tensor) -> Result<Vec<f32>>,
    ) -> Result<Trace> {
        let state = self.complete(state)?;
        match self {
            Self::Transformer(tower) => tower.relevance(&state, gradient),
        }
    }

    /// Goes back through one more layer. Returns how many layers are left.
    pub fn trace_back(&self, trace: &mut Trace) -> Result<usize> {
        match self {
            Self::Transformer(tower) => tower.trace_back(trace),
        }
    }

    /// The states of a transformer after its last layer, before the norm: pixels `(batch, 3, size, size)` to
    /// `(batch, 1 + patches, width)`.
    pub fn hidden_states(&self, pixels: &Tensor) -> Result<Tensor> {
        match self {
            Self::Transformer(tower) => tower.hidden_states(pixels),
        }
    }
}

/// Refuses `pixels` that are not `(batch, 3, size, size)`.
fn check_pixels(pixels: &Tensor, size: usize) -> Result<()> {
    match *pixels.dims() {
        [batch, 3, height, width] if batch > 0 && height == size && width == size => Ok(()),
        ref found => Err(Error::new(
            ErrorKind::ArgumentInvalid,
            format!("The model takes pixels of shape [batch, 3, {size}, {size}], not {found:?}."),
        )),
    }
}
