//! Looking inside a model.

use wasm_bindgen::prelude::wasm_bindgen;

use super::caption::CaptionerHandle;
use super::classify::ClassifierHandle;
use super::edge::{JsResult, to_js};
use super::matching::{MatchTexts, MatcherHandle};
use super::picture::ImageEncoding;
use super::tag::TaggerHandle;
use ocelli::image::Frame;
use ocelli::tasks;

/// A number for each patch of a picture.
#[wasm_bindgen]
pub struct PatchMap(tasks::Map);

#[wasm_bindgen]
impl PatchMap {
    /// Patches from top to bottom.
    #[wasm_bindgen(getter)]
    pub fn rows(&self) -> usize {
        self.0.rows
    }

    /// Patches from left to right.
    #[wasm_bindgen(getter)]
    pub fn columns(&self) -> usize {
        self.0.columns
    }

    /// A number for each patch, row by row.
    pub fn values(&self) -> Vec<f32> {
        self.0.values.clone()
    }

    /// The part of the picture that the patches cover: left, top, width and height, in fractions of the picture's.
    pub fn frame(&self) -> Vec<f32> {
        let Frame { left, top, width, height } = self.0.frame;
        vec![left, top, width, height]
    }
}

#[wasm_bindgen]
impl ImageEncoding {
    /// Keeps the states of all layers, for a tracing. Comes before the first layer.
    pub fn keep(&mut self) {
        self.0.keep();
    }

    /// Has the last layer compute the states of all tokens, for `statesOf`. Comes before the last layer.
    pub fn whole(&mut self) {
        self.0.whole();
    }
}

/// A map on its way back through the layers. It belongs to the model that made it.
#[wasm_bindgen]
pub struct Tracing(tasks::Tracing);

#[wasm_bindgen]
impl Tracing {
    /// The map, once no layer is left.
    pub fn map(&self) -> JsResult<PatchMap> {
        self.0.map().map(PatchMap).map_err(to_js)
    }
}

#[wasm_bindgen]
impl TaggerHandle {
    /// Begins the attention rollout of what was looked at.
    #[wasm_bindgen(js_name = beginRollout)]
    pub fn begin_rollout(&self, encoding: &ImageEncoding) -> JsResult<Tracing> {
        self.0.begin_rollout(&encoding.0).map(Tracing).map_err(to_js)
    }

    /// Begins to find out what makes `text` fit what was looked at.
    #[wasm_bindgen(js_name = beginExplanation)]
    pub fn begin_explanation(&self, encoding: &ImageEncoding, text: &str) -> JsResult<Tracing> {
        self.0.begin_explanation(&encoding.0, text).map(Tracing).map_err(to_js)
    }

    /// Goes back through one more layer; returns how many are left.
    #[wasm_bindgen(js_name = traceBack)]
    pub fn trace_back(&self, tracing: &mut Tracing) -> JsResult<usize> {
        self.0.trace_back(&mut tracing.0).map_err(to_js)
    }
}

#[wasm_bindgen]
impl CaptionerHandle {
    /// Begins the attention rollout of what was looked at.
    #[wasm_bindgen(js_name = beginRollout)]
    pub fn begin_rollout(&self, encoding: &ImageEncoding) -> JsResult<Tracing> {
        self.0.begin_rollout(&encoding.0).map(Tracing).map_err(to_js)
    }

    /// Goes back through one more layer; returns how many are left.
    #[wasm_bindgen(js_name = traceBack)]
    pub fn trace_back(&self, tracing: &mut Tracing) -> JsResult<usize> {
        self.0.trace_back(&mut tracing.0).map_err(to_js)
    }

    /// What the model looks at when it writes each word of `caption`.
    pub fn attention(&self, encoding: &ImageEncoding, caption: &str) -> JsResult<WordMaps> {
        self.0.attention(&encoding.0, caption).map(WordMaps).map_err(to_js)
    }
}

/// The words of a caption, each with a map.
#[wasm_bindgen]
pub struct WordMaps(Vec<tasks::WordMap>);

#[wasm_bindgen]
impl WordMaps {
    /// Where the words begin and end in the caption, as JavaScript counts: two numbers for each.
    pub fn places(&self) -> Vec<u32> {
        // A caption has at most 40,000 bytes.
        self.0.iter().flat_map(|word| [word.range.start as u32, word.range.end as u32]).collect()
    }

    /// The map of a word, by its place among the words.
    pub fn map(&self, word: usize) -> Option<PatchMap> {
        self.0.get(word).map(|word| PatchMap(word.map.clone()))
    }
}

#[wasm_bindgen]
impl MatcherHandle {
    /// What makes the text at `index` of `texts` match what was looked at.
    pub fn explain(&self, encoding: &ImageEncoding, texts: &MatchTexts, index: usize) -> JsResult<PatchMap> {
        self.0.explain(&encoding.0, &texts.0, index).map(PatchMap).map_err(to_js)
    }
}

#[wasm_bindgen]
impl ClassifierHandle {
    /// Begins the attention rollout of what was looked at.
    #[wasm_bindgen(js_name = beginRollout)]
    pub fn begin_rollout(&self, encoding: &ImageEncoding) -> JsResult<Tracing> {
        self.0.begin_rollout(&encoding.0).map(Tracing).map_err(to_js)
    }

    /// Goes back through one more layer; returns how many are left.
    #[wasm_bindgen(js_name = traceBack)]
    pub fn trace_back(&self, tracing: &mut Tracing) -> JsResult<usize> {
        self.0.trace_back(&mut tracing.0).map_err(to_js)
    }
}
