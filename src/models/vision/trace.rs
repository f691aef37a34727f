//! Answers on their way back through the layers of a vision tower.

use candle_core::Tensor;

use super::EncoderState;
use crate::nn::EncoderLayer;
use crate::{Error, ErrorKind, Result};

/// An answer on its way back through the layers of a vision tower, from the last to the first: how much what
/// is pooled, mostly the class token's state, has to do with each row of the inputs.
///
/// It is one row, which each layer multiplies with a matrix of its own: that of attention rollout (Abnar and
/// Zuidema, "Quantifying Attention Flow in Transformers", 2020), or, where the answer has a gradient, that of
/// Chefer, Gur and Wolf, "Generic Attention-model Explainability", 2021. As there is no need for other rows, no
/// matrix is ever multiplied with a matrix.
#[derive(Debug, Clone)]
pub struct Trace {
    /// The inputs of the layers that are left.
    inputs: Vec<Tensor>,
    /// For each row of the last inputs that were traced, what is pooled has to do with it.
    weights: Vec<f32>,
    /// The gradient of the answer with respect to the outputs of the last layer that is left.
    gradient: Option<Vec<f32>>,
    /// How many of the rows, the first ones, are of no patch, and no part of the map.
    prefix: usize,
}

impl Trace {
    /// The way back of one image's `state`, which has been through `layers` layers. The first `prefix` of its rows are of
    /// no patch. `shares` says how much of what is pooled each row is; `gradient`, where there is one, is that of the
    /// answer with respect to the last states: `(rows width,)`.
    ///
    /// # Errors
    /// `ArgumentInvalid` where the state is of several images, or has not kept every layer's inputs;
    /// `WeightsInvalid` where the last states are not all numbers, which a softmax would hide.
    pub(super) fn new(
        state: &EncoderState,
        layers: usize,
        prefix: usize,
        shares: Vec<f32>,
        gradient: Option<Vec<f32>>,
    ) -> Result<Self> {
        let (Some(inputs), &[_]) = (&state.kept, state.lengths.as_slice()) else {
            return Err(untraceable());
        };
        if inputs.len() != layers || layers == 0 {
            return Err(untraceable());
        }
        if !state.states.flatten_all()?.to_vec1::<f32>()?.iter().all(|x| x.is_finite()) {
            return Err(not_finite());
        }
        Ok(Self { inputs: inputs.clone(), weights: shares, gradient, prefix })
    }

    /// Grad-CAM of the last map of one image, as a way back that is at its end: for each place the sum of its channels, each
    /// times its weight, or 0 where that is negative. The weight of a channel is the mean over the places of the
    /// answer's gradient.
    ///
    /// Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization", 2017.
    ///
    /// # Errors
    /// `ArgumentInvalid` where the state is of several images; `WeightsInvalid` where the map has what is not a number.
    pub(super) fn grad_cam(state: &EncoderState, weights: &[f32]) -> Result<Self> {
        let (1, channels) = (state.states.dim(0)?, state.states.dim(3)?) else { return Err(untraceable()) };
        let values = state.states.flatten_all()?.to_vec1::<f32>()?;
        let place = |place: &[f32]| place.iter().zip(weights).map(|(a, w)| a * w).sum::<f32>();
        let sums: Vec<f32> = values.chunks_exact(channels.max(1)).map(place).collect();
        // What is not a number would be hidden by the maximum.
        if sums.iter().any(|sum| !sum.is_finite()) {
            return Err(not_finite());
        }
        let map = sums.into_iter().map(|sum| sum.max(0.0)).collect();
        Ok(Self { inputs: Vec::new(), weights: map, gradient: None, prefix: 0 })
    }

    /// Goes back through one more of `layers`. Returns how many are left.
    pub(super) fn step(&mut self, layers: &[EncoderLayer]) -> Result<usize> {
        let Some(inputs) = self.inputs.pop() else { return Ok(0) };
        let layer = layers.get(self.inputs.len()).ok_or_else(untraceable)?;
        match &mut self.gradient {
            None => self.weights = layer.roll_out(&inputs, &self.weights)?,
            Some(gradient) => *gradient = layer.backward(&inputs, gradient, &mut self.weights)?,
        }
        Ok(self.inputs.len())
    }

    /// The map: a number for each patch, row by row; those of other tokens are left out.
    pub fn map(&self) -> &[f32] {
        &self.weights[self.prefix..]
    }
}

fn not_finite() -> Error {
    Error::new(ErrorKind::WeightsInvalid, "The weights give no finite numbers for this image.")
}

fn untraceable() -> Error {
    let message = "Only one image, whose states were kept from the first layer on, can be looked into.";
    Error::new(ErrorKind::ArgumentInvalid, message)
}
