//! Weights in chunks.

use wasm_bindgen::prelude::wasm_bindgen;

use super::edge::{JsResult, to_js};
use ocelli::kernels::Dtype;
use ocelli::weights::{self, PACKING_VERSION};
use ocelli::{Error, ErrorKind, Result};

/// Takes the bytes of a file of weights as the network delivers them and is consumed by a model's `create`.
#[wasm_bindgen]
pub struct WeightsLoader(weights::WeightsLoader);

#[wasm_bindgen]
impl WeightsLoader {
    /// A loader that has seen no byte yet. `dtype` is `f32`, `f16` or `int8`; with `keep`, the packed form can
    /// be taken while the bytes arrive.
    #[wasm_bindgen(constructor)]
    pub fn new(dtype: &str, keep: bool) -> JsResult<Self> {
        let dtype = read_dtype(dtype).map_err(to_js)?;
        Ok(Self(if keep {
            weights::WeightsLoader::keeping(dtype)
        } else {
            weights::WeightsLoader::new(dtype)
        }))
    }

    /// Takes the next bytes, any number of them.
    pub fn push(&mut self, chunk: &[u8]) -> JsResult<()> {
        self.0.push(chunk).map_err(to_js)
    }

    /// Ends the file, and makes ready for the next of those that the model is published in.
    #[wasm_bindgen(js_name = nextFile)]
    pub fn next_file(&mut self) -> JsResult<()> {
        self.0.next_file().map_err(to_js)
    }

    /// Bytes of the packed form made since the last call. After the last `push` they are complete.
    #[wasm_bindgen(js_name = takePacked)]
    pub fn take_packed(&mut self) -> Vec<u8> {
        self.0.take_packed()
    }
}

impl WeightsLoader {
    /// See [`weights::WeightsLoader::pass_over`].
    pub(super) fn pass_over(&mut self, unused: &[&str]) {
        self.0.pass_over(unused);
    }

    /// See [`weights::WeightsLoader::of_tower`].
    pub(super) fn of_tower(&mut self, tower: &'static str) {
        self.0.of_tower(tower);
    }

    /// The weights, for a model's constructor.
    pub(super) fn finish(self) -> JsResult<weights::Weights> {
        self.0.finish().map_err(to_js)
    }
}

/// Changes whenever the packed form of older versions can no longer be read.
#[wasm_bindgen(js_name = packingVersion)]
pub fn packing_version() -> u32 {
    PACKING_VERSION
}

fn read_dtype(name: &str) -> Result<Dtype> {
    Dtype::from_name(name).ok_or_else(|| {
        let shown: String = name.chars().take(40).collect();
        let message = format!("dtype is \"{shown}\"; it must be \"int8\", \"f16\" or \"f32\".");
        Error::new(ErrorKind::ArgumentInvalid, message)
    })
}
