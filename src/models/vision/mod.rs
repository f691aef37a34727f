//! Vision towers: pixels in, features out, one layer at a time.
//!
//! ```text
//! pixels (b, 3, size, size) -> begin -> advance, once for each layer -> pooled (b, width)
//!                                                                    -> states (b, tokens, width)
//!                                                                    -> rollout, relevance: maps
//! ```
//!
//! What a model makes of a tower's features is the model's; what a tower is made of is nobody's but the tower's.

mod config;
mod efficientnet;
mod head;
mod offload;
mod positions;
mod resnet;
mod state;
mod tokens;
mod trace;
mod transformer;

use candle_core::Tensor;

pub use config::{Architecture, FinalNorm, Pooling, TransformerConfig, VisionConfig};
pub use efficientnet::{EfficientNet, EfficientNetConfig};
pub use head::{ClassHead, ImageHead};
pub use offload::{KeyValuesDescription, TowerDescription, TowerParameter};
pub use resnet::{ResNet, ResNetConfig};
pub use state::EncoderState;
pub use tokens::{ImageTokens, TokenEncoder};
pub use trace::Trace;
pub use transformer::VisionTransformer;

use crate::nn;
use crate::{Error, ErrorKind, Result};

/// A vision tower of one of the kinds that there are.
#[derive(Debug, Clone)]
pub enum ImageTower {
    /// A vision transformer.
    Transformer(Box<VisionTransformer>),
    /// CLIP's ResNet.
    ResNet(ResNet),
    /// An EfficientNet-Lite.
    EfficientNet(EfficientNet),
}

impl ImageTower {
    /// Images before the first layer: pixels `(batch, 3, size, size)`.
    ///
    /// # Errors
    /// `ArgumentInvalid` where the pixels have another shape.
    pub fn begin(&self, pixels: &Tensor) -> Result<EncoderState> {
        match self {
            Self::Transformer(tower) => tower.begin(pixels),
            Self::ResNet(tower) => tower.begin(pixels),
            Self::EfficientNet(tower) => tower.begin(pixels),
        }
    }

    /// Takes images through one more layer: of a convolutional tower, one more block. Returns how many are left.
    pub fn advance(&self, state: &mut EncoderState) -> Result<usize> {
        match self {
            Self::Transformer(tower) => tower.advance(state),
            Self::ResNet(tower) => tower.advance(state),
            Self::EfficientNet(tower) => tower.advance(state),
        }
    }

    /// `state` after all layers.
    fn complete(&self, mut state: EncoderState) -> Result<EncoderState> {
        while self.advance(&mut state)? > 0 {}
        Ok(state)
    }

    /// One vector for each image, `(batch, width)`: the normalised state of a transformer's class token, what a ResNet's
    /// attention makes of its last map, or the mean of that of an EfficientNet. Computes the layers that are left.
    pub fn pooled(&self, state: EncoderState) -> Result<Tensor> {
        self.pool(&self.complete(state)?)
    }

    fn pool(&self, state: &EncoderState) -> Result<Tensor> {
        match self {
            Self::Transformer(tower) => tower.pooled(state),
            Self::ResNet(tower) => tower.pooled(state),
            Self::EfficientNet(_) => nn::global_avg_pool(&state.states),
        }
    }

    /// A vector for each part of each image, `(batch, parts, width)`: the normalised states of a transformer, the class
    /// token's first, or the last map of a convolutional tower, row by row. Computes the layers that are left.
    pub fn states(&self, state: EncoderState) -> Result<Tensor> {
        let state = self.complete(state)?;
        match self {
            Self::Transformer(tower) => tower.states(&state),
            Self::ResNet(_) | Self::EfficientNet(_) => {
                let (batch, height, width, channels) = state.states.dims4()?;
                Ok(state.states.reshape((batch, height * width, channels))?)
            }
        }
    }

    /// Attention rollout of one image that keeps its states. Computes the layers that are left.
    ///
    /// # Errors
    /// `ArgumentInvalid` of a convolutional tower, whose layers have no attention; otherwise as [`Trace`] has them.
    pub fn rollout(&self, state: EncoderState) -> Result<Trace> {
        match self {
            Self::Transformer(tower) => tower.rollout(&self.complete(state)?),
            Self::ResNet(_) | Self::EfficientNet(_) => Err(Error::new(
                ErrorKind::ArgumentInvalid,
                "The image tower of this model is made of convolutions, so there is no attention to roll out.",
            )),
        }
    }

    /// What of one image makes an answer: `gradient` makes it of the pooled vector `(1, width)`, as the gradient with
    /// respect to that. Computes the layers that are left.
    ///
    /// Of a transformer, whose states must be kept, it is the relevance of [`Trace`]. Of a convolutional tower it is
    /// Grad-CAM (Selvaraju et al., 2017) of the last map, which is complete at once.
    pub fn relevance(
        &self,
        state: EncoderState,
        gradient: impl FnOnce(&Tensor) -> Result<Vec<f32>>,
    ) -> Result<Trace> {
        let state = self.complete(state)?;
        match self {
            Self::Transformer(tower) => tower.relevance(&state, gradient),
            Self::ResNet(tower) => {
                let of_pooled = gradient(&tower.pooled(&state)?)?;
                let of_map = tower.backward(&state, &of_pooled)?;
                Trace::grad_cam(&state, &channel_means(&of_map, state.states.dim(3)?))
            }
            Self::EfficientNet(_) => {
                let (_, height, width, _) = state.states.dims4()?;
                let mut weights = gradient(&self.pool(&state)?)?;
                weights.iter_mut().for_each(|weight| *weight /= (height * width) as f32);
                Trace::grad_cam(&state, &weights)
            }
        }
    }

    /// Goes back through one more layer. Returns how many layers are left.
    pub fn trace_back(&self, trace: &mut Trace) -> Result<usize> {
        match self {
            Self::Transformer(tower) => tower.trace_back(trace),
            Self::ResNet(_) | Self::EfficientNet(_) => Ok(0),
        }
    }

    /// The states of a transformer after its last layer, before the norm, `(batch, 1 + patches, width)`; the last map of
    /// a convolutional tower as [`ImageTower::states`] has it. Pixels are `(batch, 3, size, size)`.
    pub fn hidden_states(&self, pixels: &Tensor) -> Result<Tensor> {
        match self {
            Self::Transformer(tower) => tower.hidden_states(pixels),
            Self::ResNet(_) | Self::EfficientNet(_) => self.states(self.begin(pixels)?),
        }
    }
}

/// The mean of each channel of a map, whose places come one after the other.
fn channel_means(map: &[f32], channels: usize) -> Vec<f32> {
    let mut means = vec![0.0; channels];
    map.chunks_exact(channels.max(1)).for_each(|place| nn::accumulate(&mut means, place));
    let places = (map.len() / channels.max(1)) as f32;
    means.iter_mut().for_each(|mean| *mean /= places);
    means
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
