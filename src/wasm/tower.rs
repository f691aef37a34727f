//! Vision transformers whose layers a GPU computes: their parameters and patches out, states in.

use std::sync::Arc;

use js_sys::{Float32Array, Uint8Array};
use wasm_bindgen::prelude::wasm_bindgen;

use super::edge::{JsResult, to_js};
use super::picture::ImageEncoding;
use ocelli::kernels::{Dtype, Matrix};
use ocelli::models::blip::ImageProjection;
use ocelli::models::vision::{TowerDescription, TowerParameter, VisionTransformer};
use ocelli::models::{ImageTower, to_json};
use ocelli::{Error, ErrorKind, Result};

/// The vision transformer of a model, and what the model's texts see of its states.
#[wasm_bindgen]
pub struct VisionTower {
    tower: Arc<ImageTower>,
    projection: Option<ImageProjection>,
}

impl VisionTower {
    /// That of `tower`, where it is a transformer.
    pub(super) fn of(tower: &Arc<ImageTower>, projection: Option<ImageProjection>) -> Option<Self> {
        tower.transformer().map(|_| Self { tower: Arc::clone(tower), projection })
    }

    fn transformer(&self) -> Result<&VisionTransformer> {
        let other = || Error::new(ErrorKind::Internal, "The image tower is no transformer.");
        self.tower.transformer().ok_or_else(other)
    }

    fn describe(&self) -> Result<TowerDescription> {
        let key_values = self.projection.as_ref().map(ImageProjection::description);
        Ok(TowerDescription { key_values, ..self.transformer()?.description() })
    }

    fn find(&self, name: &str) -> Result<Option<TowerParameter<'_>>> {
        match name.strip_prefix("key_values.") {
            Some(rest) => Ok(self.projection.as_ref().and_then(|projection| projection.parameter(rest))),
            None => self.transformer()?.parameter(name),
        }
    }

    fn key_values_of(&self, encoding: &ImageEncoding, layer: usize) -> Result<Vec<f32>> {
        let none = || Error::new(ErrorKind::Internal, "No texts see this tower's states.");
        encoding.0.project(&self.tower, self.projection.as_ref().ok_or_else(none)?, layer)
    }

    fn take(
        &self,
        encoding: &mut ImageEncoding,
        states: Vec<f32>,
        key_values: &[Float32Array],
    ) -> Result<()> {
        let tower = self.transformer()?;
        match &self.projection {
            None => encoding.0.complete(tower, states),
            Some(projection) => {
                // One layer after the other is copied into the wasm's memory, and packed there.
                let layers = key_values.iter().map(Float32Array::to_vec);
                encoding.0.complete_seen(tower, states, projection, layers)
            }
        }
    }
}

#[wasm_bindgen]
impl VisionTower {
    /// What the tower is made of, as JSON: see `TowerDescription` of the crate.
    pub fn description(&self) -> JsResult<String> {
        self.describe().and_then(|description| to_json(&description)).map_err(to_js)
    }

    /// A copy of the parameter `name`, where the tower has it.
    pub fn parameter(&self, name: &str) -> JsResult<Option<TowerTensor>> {
        Ok(self.find(name).map_err(to_js)?.map(|parameter| TowerTensor::of(&parameter)))
    }

    /// The patches of a picture of which no layer is computed yet, one after the other.
    pub fn patches(&self, encoding: &ImageEncoding) -> JsResult<Vec<f32>> {
        self.transformer().and_then(|tower| encoding.0.patches(tower)).map_err(to_js)
    }

    /// The states after the layers that are computed, before the last norm, one after the other.
    pub fn states(&self, encoding: &ImageEncoding) -> JsResult<Vec<f32>> {
        self.transformer().and_then(|tower| encoding.0.states(tower)).map_err(to_js)
    }

    /// Whether the states of all tokens are asked for, or those of the class token alone.
    #[wasm_bindgen(js_name = wantsAll)]
    pub fn wants_all(&self, encoding: &ImageEncoding) -> JsResult<bool> {
        self.transformer().map(|tower| encoding.0.wants_all(tower)).map_err(to_js)
    }

    /// Keys and values side by side, row by row, that a layer of the model's texts sees of a picture, as the wasm computes
    /// them. Computes the layers that are left.
    #[wasm_bindgen(js_name = keyValues)]
    pub fn key_values(&self, encoding: &ImageEncoding, layer: usize) -> JsResult<Vec<f32>> {
        self.key_values_of(encoding, layer).map_err(to_js)
    }

    /// Takes over the states after the last layer, before the norm, and the keys and values of each layer, where the
    /// description has those.
    pub fn complete(
        &self,
        encoding: &mut ImageEncoding,
        states: Vec<f32>,
        key_values: Vec<Float32Array>,
    ) -> JsResult<()> {
        self.take(encoding, states, &key_values).map_err(to_js)
    }
}

/// A parameter of a tower, copied out of the wasm's memory.
#[wasm_bindgen]
pub struct TowerTensor {
    dtype: Dtype,
    rows: usize,
    columns: usize,
    values: Uint8Array,
    scales: Float32Array,
}

#[wasm_bindgen]
impl TowerTensor {
    /// `f32`, `f16` or `int8`.
    #[wasm_bindgen(getter, unchecked_return_type = "'int8' | 'f16' | 'f32'")]
    pub fn dtype(&self) -> String {
        let name = match self.dtype {
            Dtype::F32 => "f32",
            Dtype::F16 => "f16",
            Dtype::Int8 => "int8",
        };
        name.to_owned()
    }

    /// Outputs of a matrix; 0 of a vector.
    #[wasm_bindgen(getter)]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Inputs of a matrix; how many numbers a vector has.
    #[wasm_bindgen(getter)]
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The numbers in the packed form of a matrix, or those of a vector in f32.
    #[wasm_bindgen(getter)]
    pub fn values(&self) -> Uint8Array {
        self.values.clone()
    }

    /// Of int8 the scale of each row, padding included; else nothing.
    #[wasm_bindgen(getter)]
    pub fn scales(&self) -> Float32Array {
        self.scales.clone()
    }
}

impl TowerTensor {
    pub(super) fn of(parameter: &TowerParameter<'_>) -> Self {
        match parameter {
            TowerParameter::Matrix(matrix) => Self::of_matrix(matrix),
            TowerParameter::Values(values) => Self::of_values(values),
        }
    }

    fn of_matrix(matrix: &Matrix) -> Self {
        let [values, scales, _] = matrix.parts();
        let scales: Vec<f32> = scales
            .chunks_exact(4)
            .map(|bytes| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
            .collect();
        Self {
            dtype: matrix.dtype(),
            rows: matrix.rows(),
            columns: matrix.columns(),
            values: Uint8Array::from(values),
            scales: Float32Array::from(&*scales),
        }
    }

    fn of_values(values: &[f32]) -> Self {
        let copy = Float32Array::from(values);
        Self {
            dtype: Dtype::F32,
            rows: 0,
            columns: values.len(),
            values: Uint8Array::new(&copy.buffer()),
            scales: Float32Array::new_with_length(0),
        }
    }
}
