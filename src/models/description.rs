//! What another device is told of the layers that it computes.

use serde::Serialize;

use super::config::TowerConfig;
use crate::{Error, ErrorKind, Result};

/// What the layers of a transformer are.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LayersDescription {
    /// Width of the states.
    pub width: usize,
    /// Heads of the attention, of `width / heads` each; scores are divided by the square root of that.
    pub heads: usize,
    /// Width between the two layers of the MLP.
    pub intermediate: usize,
    /// Activation of the MLP, as [`Activation::name`](crate::nn::Activation::name) has it.
    pub activation: &'static str,
    /// Epsilon of the layer norms.
    pub epsilon: f64,
    /// Number of layers.
    pub layers: usize,
    /// Whether tokens see only those before them, and themselves.
    pub causal: bool,
}

impl LayersDescription {
    pub(super) fn of(tower: &TowerConfig, layers: usize, causal: bool) -> Self {
        Self {
            width: tower.hidden_size,
            heads: tower.heads,
            intermediate: tower.intermediate_size,
            activation: tower.activation.name(),
            epsilon: tower.layer_norm_eps,
            layers,
            causal,
        }
    }
}

/// A description as JSON, with names as JavaScript writes them.
pub fn to_json(description: &impl Serialize) -> Result<String> {
    serde_json::to_string(description).map_err(|cause| Error::new(ErrorKind::Internal, cause.to_string()))
}
