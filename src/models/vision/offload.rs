//! A vision transformer whose layers another device computes: a GPU.
//!
//! ```text
//! pixels -> begin -> patches ---------------> the other device: embedding, all layers
//!                                                                |
//!                    complete <--- states before the last norm --+
//!                       -> pooled, states, heads, as ever
//! ```
//!
//! The device is told what the tower is made of, and gets its parameters one by one. Nothing of the tower is given away by
//! that: it can go on itself at any time.

use std::borrow::Cow;

use candle_core::Tensor;
use serde::Serialize;

use super::{EncoderState, ImageTower, VisionTransformer};
use crate::models::LayersDescription;
use crate::nn::Parameter;
use crate::{Error, ErrorKind, Result};

/// What a vision transformer is made of.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TowerDescription {
    /// The layers.
    #[serde(flatten)]
    pub layers: LayersDescription,
    /// Patches of an image.
    pub patches: usize,
    /// Numbers of a patch: three channels, row by row each.
    pub inputs: usize,
    /// Rows before the patches: class token and registers.
    pub prefix: usize,
    /// Whether there is a layer norm before the first layer.
    pub pre_norm: bool,
    /// What texts see of images, where the tower is one of those of whose states they see keys and values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_values: Option<KeyValuesDescription>,
}

/// Keys and values of the states after the last norm: `key_values.0.key`, `key_values.0.value` and so on are the parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct KeyValuesDescription {
    /// Number of layers that have some.
    pub layers: usize,
    /// Width of keys, and of values.
    pub width: usize,
}

/// A parameter of a tower; some are put together from those of the file.
#[derive(Debug)]
pub enum TowerParameter<'a> {
    /// `(out, in)`, packed.
    Matrix(&'a crate::kernels::Matrix),
    /// Numbers, row by row.
    Values(Cow<'a, [f32]>),
}

impl<'a> From<Parameter<'a>> for TowerParameter<'a> {
    fn from(parameter: Parameter<'a>) -> Self {
        match parameter {
            Parameter::Matrix(matrix) => Self::Matrix(matrix),
            Parameter::Vector(values) => Self::Values(values.into()),
        }
    }
}

impl ImageTower {
    /// The tower, where another device can compute its layers: where it is a transformer.
    pub fn transformer(&self) -> Option<&VisionTransformer> {
        match self {
            Self::Transformer(tower) => Some(tower),
            Self::ResNet(_) | Self::EfficientNet(_) => None,
        }
    }
}

impl VisionTransformer {
    /// Width of the states.
    pub fn width(&self) -> usize {
        self.config.tower.hidden_size
    }

    /// What the tower is made of.
    pub fn description(&self) -> TowerDescription {
        let config = &self.config;
        TowerDescription {
            layers: LayersDescription::of(&config.tower, self.layers.len(), false),
            patches: config.patches(self.image_size),
            inputs: 3 * config.patch_size * config.patch_size,
            prefix: config.prefix(),
            pre_norm: config.pre_norm,
            key_values: None,
        }
    }

    /// The parameter `name`, where the tower has it: `patch_embedding` and `patch_embedding.bias`; `prefix`
    /// `(prefix, width)` and `positions` `(patches, width)`, which are added to the patches; `pre_norm.weight`, `.bias`, and
    /// the same of `post_norm`, which comes after the last layer;
    /// `layers.0.` and what [`EncoderLayer::parameter`](crate::nn::EncoderLayer::parameter) names.
    pub fn parameter(&self, name: &str) -> Result<Option<TowerParameter<'_>>> {
        let values = |tensor: &Tensor| Ok(Cow::Owned(tensor.flatten_all()?.to_vec1::<f32>()?));
        if name == "positions" {
            return Ok(Some(TowerParameter::Values(values(&self.positions)?)));
        }
        if name == "prefix" {
            let prefix = self.prefix.as_ref().map(values).transpose();
            return Ok(prefix
                .map_err(|error: candle_core::Error| Error::from(error))?
                .map(TowerParameter::Values));
        }
        let parameter = if let Some(rest) = name.strip_prefix("patch_embedding") {
            self.patches.parameter(rest)
        } else if let Some(rest) = name.strip_prefix("pre_norm") {
            self.pre_norm.as_ref().and_then(|norm| norm.parameter(rest))
        } else if let Some(rest) = name.strip_prefix("post_norm") {
            self.post_norm.parameter(rest)
        } else {
            let of_layer = name.strip_prefix("layers.").and_then(|rest| rest.split_once('.'));
            of_layer.and_then(|(i, rest)| self.layers.get(i.parse::<usize>().ok()?)?.parameter(rest))
        };
        Ok(parameter.map(TowerParameter::from))
    }

    /// The patches of images of which no layer is computed yet, `(batch, patches, 3 patch patch)`.
    ///
    /// # Errors
    /// `ArgumentInvalid` where one is.
    pub fn patches_of<'a>(&self, state: &'a EncoderState) -> Result<&'a Tensor> {
        if state.is_embedded {
            return Err(argument("A layer is computed already.".to_owned()));
        }
        Ok(&state.states)
    }

    /// The states after the layers that are computed, before the last norm, `(rows, width)`: what another device's are compared
    /// with.
    ///
    /// # Errors
    /// `ArgumentInvalid` where none is.
    pub fn states_of<'a>(&self, state: &'a EncoderState) -> Result<&'a Tensor> {
        if !state.is_embedded {
            return Err(argument("No layer is computed yet.".to_owned()));
        }
        Ok(&state.states)
    }

    /// Whether the states of all tokens are asked for, or those of the class tokens alone.
    pub fn wants_all(&self, state: &EncoderState) -> bool {
        !self.has_class_states(state)
    }

    /// Takes over what another device made of the images: the states after the last layer, before the norm, `(rows, width)`;
    /// of all tokens of each image or of the class tokens alone, as [`VisionTransformer::wants_all`] has it.
    ///
    /// # Errors
    /// `ArgumentInvalid` where there are more or fewer numbers than that, where not all are finite, or where the inputs of
    /// layers are to be kept, which the other device does not give back.
    pub fn complete(&self, state: &mut EncoderState, states: Vec<f32>) -> Result<()> {
        let width = self.config.tower.hidden_size;
        let rows: usize =
            if self.wants_all(state) { state.lengths.iter().sum() } else { state.lengths.len() };
        if states.len() != rows * width {
            return Err(argument(format!(
                "There are {} numbers of states, not {}.",
                states.len(),
                rows * width
            )));
        }
        if state.kept.is_some() || !states.iter().all(|x| x.is_finite()) {
            return Err(argument("The states are not those that were asked for.".to_owned()));
        }
        state.states = Tensor::from_vec(states, (rows, width), &candle_core::Device::Cpu)?;
        state.is_embedded = true;
        state.done = self.layers.len();
        Ok(())
    }
}

fn argument(message: String) -> Error {
    Error::new(ErrorKind::ArgumentInvalid, message)
}
