//! Images on their way through the layers of a vision tower, and answers on their way back.

use candle_core::Tensor;

use crate::nn::{self, EncoderLayer};
use crate::{Error, ErrorKind, Result};

/// Images part of the way through a vision tower: what one layer hands to the next.
///
/// A large tower takes a second or more. Between two of its layers whoever waits can be told how far it is, or
/// say that nobody waits any longer.
#[derive(Debug, Clone)]
pub struct Passage {
    /// The states of all images, one after the other: `(rows, width)`.
    pub(super) states: Tensor,
    /// Rows of each image.
    pub(super) lengths: Vec<usize>,
    /// Layers that are done.
    pub(super) done: usize,
    /// The inputs of each layer that is done, where they are kept.
    kept: Option<Vec<Tensor>>,
}

impl Passage {
    /// Images before the first layer: their `states` `(rows, width)`, and how many rows each has.
    pub(super) fn new(states: Tensor, lengths: Vec<usize>) -> Self {
        Self { states, lengths, done: 0, kept: None }
    }

    /// Keeps the inputs of every layer from now on, for a [`Trace`]: as many numbers for each as there are in the
    /// states.
    pub fn keep(&mut self) {
        self.kept.get_or_insert_default();
    }

    /// Takes the images through one more of `layers` with `forward`. Returns how many layers are left.
    pub(super) fn advance(
        &mut self,
        layers: &[EncoderLayer],
        forward: impl FnOnce(&EncoderLayer, &Self) -> Result<Tensor>,
    ) -> Result<usize> {
        let Some(layer) = layers.get(self.done) else { return Ok(0) };
        let states = forward(layer, self)?;
        let inputs = std::mem::replace(&mut self.states, states);
        if let Some(kept) = &mut self.kept {
            kept.push(inputs);
        }
        self.done += 1;
        Ok(layers.len() - self.done)
    }

    /// The first row of each image, where the class token is.
    pub(super) fn firsts(&self) -> Vec<u32> {
        nn::firsts(&self.lengths)
    }
}

/// An answer on its way back through the layers of a vision tower, from the last to the first: how much the
/// class token's state has to do with each row of the inputs.
///
/// It is one row, which each layer multiplies with a matrix of its own: that of attention rollout (Abnar and
/// Zuidema, "Quantifying Attention Flow in Transformers", 2020), or, where the answer has a gradient, that of
/// Chefer, Gur and Wolf, "Generic Attention-model Explainability", 2021. As there is no need for other rows, no
/// matrix is ever multiplied with a matrix.
#[derive(Debug, Clone)]
pub struct Trace {
    /// The inputs of the layers that are left.
    inputs: Vec<Tensor>,
    /// For each row of the last inputs that were traced, what the class token has to do with it.
    weights: Vec<f32>,
    /// The gradient of the answer with respect to the outputs of the last layer that is left.
    gradient: Option<Vec<f32>>,
}

impl Trace {
    /// The way back of one image's `passage`, which has been through `layers` layers. `gradient`, where there is
    /// one, is that of the answer with respect to the class token's last state: `(width,)`.
    ///
    /// # Errors
    /// `ArgumentInvalid` where the passage is of several images, or has not kept every layer's inputs;
    /// `WeightsInvalid` where the last states are not all numbers, which a softmax would hide.
    pub(super) fn new(passage: &Passage, layers: usize, gradient: Option<Vec<f32>>) -> Result<Self> {
        let (Some(inputs), &[len]) = (&passage.kept, passage.lengths.as_slice()) else {
            return Err(untraceable());
        };
        if inputs.len() != layers || layers == 0 {
            return Err(untraceable());
        }
        if !passage.states.flatten_all()?.to_vec1::<f32>()?.iter().all(|x| x.is_finite()) {
            let message = "The weights give no finite numbers for this image.";
            return Err(Error::new(ErrorKind::WeightsInvalid, message));
        }
        let mut weights = vec![0.0; len];
        weights[0] = 1.0;
        let gradient = gradient.map(|mut first| {
            first.resize(len * first.len(), 0.0);
            first
        });
        Ok(Self { inputs: inputs.clone(), weights, gradient })
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

    /// The map: a number for each patch, row by row; the class token's own is left out.
    pub fn map(&self) -> &[f32] {
        &self.weights[1..]
    }
}

fn untraceable() -> Error {
    let message = "Only one image, whose states were kept from the first layer on, can be looked into.";
    Error::new(ErrorKind::ArgumentInvalid, message)
}
