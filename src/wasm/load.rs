//! Weights in chunks.

use wasm_bindgen::prelude::wasm_bindgen;

use super::edge::{JsResult, to_js};
use crate::weights::SafetensorsLoader;

/// Takes the bytes of a safetensors file as the network delivers them and is consumed by a model's `create`.
#[wasm_bindgen]
pub struct WeightsLoader(SafetensorsLoader);

#[wasm_bindgen]
impl WeightsLoader {
    /// A loader that has seen no byte yet.
    #[wasm_bindgen(constructor)]
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Self(SafetensorsLoader::new())
    }

    /// Takes the next bytes, any number of them.
    pub fn push(&mut self, chunk: &[u8]) -> JsResult<()> {
        self.0.push(chunk).map_err(to_js)
    }
}

impl WeightsLoader {
    /// The loader inside, for a model's constructor.
    pub(super) fn into_inner(self) -> SafetensorsLoader {
        self.0
    }
}
