//! Vision transformers whose layers a GPU computes: their parameters and patches out, states in.

use std::sync::Arc;

use js_sys::{Float32Array, Uint8Array};
use wasm_bindgen::prelude::wasm_bindgen;

use super::edge::{JsResult, to_js};
use super::picture::ImageEncoding;
use ocelli::kernels::{Dtype, Matrix};
use ocelli::models::ImageTower;
use ocelli::models::vision::{TowerParameter, VisionTransformer};
use ocelli::{Error, ErrorKind, Result};

/// The vision transformer of a model.
#[wasm_bindgen]
pub struct VisionTower(Arc<ImageTower>);

impl VisionTower {
    /// That of `tower`, where it is a transformer.
    pub(super) fn of(tower: &Arc<ImageTower>) -> Option<Self> {
        tower.transformer().map(|_| Self(Arc::clone(tower)))
    }

    fn transformer(&self) -> Result<&VisionTransformer> {
        let other = || Error::new(ErrorKind::Internal, "The image tower is no transformer.");
        self.0.transformer().ok_or_else(other)
    }
}

#[wasm_bindgen]
impl VisionTower {
    /// What the tower is made of, as JSON: see `TowerDescription` of the crate.
    pub fn description(&self) -> JsResult<String> {
        self.transformer().and_then(|tower| tower.description().to_json()).map_err(to_js)
    }

    /// A copy of the parameter `name`, where the tower has it.
    pub fn parameter(&self, name: &str) -> JsResult<Option<TowerTensor>> {
        let parameter = self.transformer().and_then(|tower| tower.parameter(name)).map_err(to_js)?;
        Ok(parameter.map(|parameter| TowerTensor::of(&parameter)))
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

    /// Takes over the states after the last layer, before the norm.
    pub fn complete(&self, encoding: &mut ImageEncoding, states: Vec<f32>) -> JsResult<()> {
        self.transformer().and_then(|tower| encoding.0.complete(tower, states)).map_err(to_js)
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
