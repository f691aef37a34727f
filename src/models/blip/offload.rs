//! What texts see of an image, where another device computes it behind the vision tower: the keys and values of
//! every layer, which are nothing but products of the image's states.

use candle_core::Tensor;

use super::layer::Layer;
use super::text::ImageKeyValues;
use super::{BlipAnswerer, BlipMatcher, BlipModel, argument};
use crate::Result;
use crate::models::vision::{KeyValuesDescription, TowerParameter};
use crate::nn::CrossAttention;

/// The layers of a model's texts, as far as they see images. It shares its weights with the model.
#[derive(Debug, Clone)]
pub struct ImageProjection(Vec<CrossAttention>);

impl ImageProjection {
    fn of(layers: &[Layer]) -> Self {
        Self(layers.iter().map(|layer| layer.cross.clone()).collect())
    }

    /// What it is, to be told with the tower.
    pub fn description(&self) -> KeyValuesDescription {
        let width = self.0.first().map_or(0, CrossAttention::width);
        KeyValuesDescription { layers: self.0.len(), width }
    }

    /// The parameter `name`, where there is one: `0.` and what [`CrossAttention::parameter`] names.
    pub fn parameter(&self, name: &str) -> Option<TowerParameter<'_>> {
        let (layer, rest) = name.split_once('.')?;
        self.0.get(layer.parse::<usize>().ok()?)?.parameter(rest).map(TowerParameter::from)
    }

    /// Keys and values of one layer side by side, `(rows, 2 width)`, as the model computes them of an image's `states`
    /// `(rows, vision width)`: what another device's are compared with.
    ///
    /// # Errors
    /// `ArgumentInvalid` where there is no such layer.
    pub fn project(&self, layer: usize, states: &Tensor) -> Result<Tensor> {
        let missing = || argument(format!("There are {} layers, none has number {layer}.", self.0.len()));
        self.0.get(layer).ok_or_else(missing)?.project(states)
    }

    /// Takes over what another device made of an image of `rows` states: for each layer what
    /// [`ImageProjection::project`] gives, row by row.
    ///
    /// # Errors
    /// `ArgumentInvalid` where there are more or fewer layers or numbers than that, or not all are finite.
    pub fn complete(
        &self,
        rows: usize,
        layers: impl ExactSizeIterator<Item = Vec<f32>>,
    ) -> Result<ImageKeyValues> {
        if layers.len() != self.0.len() {
            return Err(argument(format!(
                "There are keys of {} layers, not {}.",
                layers.len(),
                self.0.len()
            )));
        }
        let pack = |(layer, numbers): (&CrossAttention, Vec<f32>)| {
            let wanted = rows * 2 * layer.width();
            if numbers.len() != wanted || !numbers.iter().all(|x| x.is_finite()) {
                return Err(argument(format!("Keys and values are not {wanted} finite numbers.")));
            }
            Ok(layer.pack(&numbers))
        };
        Ok(ImageKeyValues(self.0.iter().zip(layers).map(pack).collect::<Result<_>>()?))
    }
}

impl BlipModel {
    /// What captions see of images, where that is the states of a vision transformer.
    pub fn projection(&self) -> Option<ImageProjection> {
        (self.class_tokens() > 0).then(|| ImageProjection::of(&self.decoder.layers))
    }
}

impl BlipMatcher {
    /// What texts see of images, where that is the states of a vision transformer.
    pub fn projection(&self) -> Option<ImageProjection> {
        (self.class_tokens() > 0).then(|| ImageProjection::of(&self.text.layers))
    }
}

impl BlipAnswerer {
    /// What questions see of images.
    pub fn projection(&self) -> ImageProjection {
        ImageProjection::of(&self.encoder.layers)
    }
}
