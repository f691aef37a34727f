//! Feature maps as what texts attend to.

use std::sync::Arc;

use candle_core::Tensor;

use super::{EncoderState, ImageTower};
use crate::Result;
use crate::nn::{self, LayerNorm, Linear};
use crate::weights::Scope;

/// Makes tokens of a feature map: a linear layer and a layer norm for each place, and a position added. There is no class
/// token among them.
#[derive(Debug, Clone)]
pub struct ImageTokens {
    projection: Linear,
    norm: LayerNorm,
    /// `(places, width)`.
    positions: Tensor,
}

/// Epsilon of the layer norm.
const EPSILON: f64 = 1e-5;

impl ImageTokens {
    /// The layers in `scope`, the file's `image_tokens`, for maps of `places` places.
    pub(in crate::models) fn load(
        scope: &Scope<'_>,
        features: usize,
        places: usize,
        width: usize,
    ) -> Result<Self> {
        Ok(Self {
            projection: Linear::load(&scope.scope("projection"), features, width)?,
            norm: LayerNorm::load(&scope.scope("norm"), width, EPSILON)?,
            positions: scope.take("position_embedding", (places, width))?,
        })
    }

    /// Maps `(batch, places, features)` to `(batch, places, width)`.
    pub fn forward(&self, maps: &Tensor) -> Result<Tensor> {
        Ok(nn::add(&self.norm.forward(&self.projection.forward(maps)?)?, &self.positions)?)
    }
}

/// A tower and what texts attend to of its images.
#[derive(Debug, Clone)]
pub struct TokenEncoder {
    tower: Arc<ImageTower>,
    tokens: Option<ImageTokens>,
}

impl TokenEncoder {
    /// A tower whose states are the tokens, a class token first.
    pub(in crate::models) fn of_states(tower: ImageTower) -> Self {
        Self { tower: Arc::new(tower), tokens: None }
    }

    /// A tower of whose last map `tokens` makes them.
    pub(in crate::models) fn of_map(tower: Arc<ImageTower>, tokens: ImageTokens) -> Self {
        Self { tower, tokens: Some(tokens) }
    }

    /// The tower.
    pub fn tower(&self) -> &Arc<ImageTower> {
        &self.tower
    }

    /// How many of the tokens, the first ones, stand for no part of the image: 1 or 0.
    pub fn class_tokens(&self) -> usize {
        usize::from(self.tokens.is_none())
    }

    /// The tokens of images, `(batch, tokens, width)`. Computes the layers that are left.
    pub fn encode(&self, state: EncoderState) -> Result<Tensor> {
        let states = self.tower.states(state)?;
        match &self.tokens {
            None => Ok(states),
            Some(tokens) => tokens.forward(&states),
        }
    }
}
