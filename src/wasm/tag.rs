//! Tagging.

use js_sys::Array;
use wasm_bindgen::prelude::wasm_bindgen;

use super::edge::{JsResult, to_js};
use super::load::WeightsLoader;
use super::picture::{Look, Picture};
use crate::tasks::{self, MAX_LABELS, ModelFiles, Tagger};
use crate::{Error, ErrorKind, Result};

/// Labels in a prompt template, with the embeddings known so far.
#[wasm_bindgen]
pub struct LabelSet(tasks::LabelSet);

#[wasm_bindgen]
impl LabelSet {
    /// How many labels there are.
    #[wasm_bindgen(getter)]
    pub fn length(&self) -> usize {
        self.0.len()
    }

    /// How many of them still lack their embedding.
    #[wasm_bindgen(getter)]
    pub fn pending(&self) -> usize {
        self.0.pending()
    }
}

/// The small files of a CLIP model, read and checked: what `create` needs beside the weights.
#[wasm_bindgen]
pub struct TaggerFiles(tasks::TaggerFiles);

#[wasm_bindgen]
impl TaggerFiles {
    /// Reads `config.json`, `preprocessor_config.json` and `tokenizer.json`.
    pub fn read(config: &[u8], preprocessor: &[u8], tokenizer: &[u8]) -> JsResult<Self> {
        let files = ModelFiles { config, preprocessor, tokenizer };
        tasks::TaggerFiles::read(files).map(Self).map_err(to_js)
    }

    /// Tells `weights` which tensors of their file the model does without. Comes before their first byte.
    #[wasm_bindgen(js_name = passOver)]
    pub fn pass_over(&self, weights: &mut WeightsLoader) {
        weights.pass_over(self.0.unused());
    }
}

/// A CLIP model ready to tag.
#[wasm_bindgen]
pub struct TaggerHandle(pub(super) Tagger);

#[wasm_bindgen]
impl TaggerHandle {
    /// Builds the model; consumes `files` and `weights`.
    pub fn create(files: TaggerFiles, weights: WeightsLoader) -> JsResult<Self> {
        let weights = weights.finish()?;
        Tagger::new(files.0, weights).map(Self).map_err(to_js)
    }

    /// Checks labels and template; computes nothing yet.
    pub fn labels(&self, labels: &Array, template: &str) -> JsResult<LabelSet> {
        let labels = strings(labels).map_err(to_js)?;
        self.0.labels(&labels, template).map(LabelSet).map_err(to_js)
    }

    /// Computes the embeddings of at most `limit` more labels; returns how many are still pending.
    #[wasm_bindgen(js_name = encodeLabels)]
    pub fn encode_labels(&mut self, set: &mut LabelSet, limit: usize) -> JsResult<usize> {
        self.0.encode_labels(&mut set.0, limit).map_err(to_js)
    }

    /// The unit-length embedding of the picture: `projection_dim` numbers.
    #[wasm_bindgen(js_name = embedImage)]
    pub fn embed_image(&self, picture: &Picture) -> JsResult<Vec<f32>> {
        self.0.image_embedding(picture.image()).map_err(to_js)
    }

    /// The unit-length embeddings of texts, one after the other: `projection_dim` numbers each.
    #[wasm_bindgen(js_name = embedTexts)]
    pub fn embed_texts(&self, texts: &Array) -> JsResult<Vec<f32>> {
        let texts = strings(texts).map_err(to_js)?;
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        Ok(self.0.text_embeddings(&texts).map_err(to_js)?.concat())
    }

    /// Begins to look at the picture; no layer is computed yet.
    pub fn look(&self, picture: &Picture) -> JsResult<Look> {
        self.0.look(picture.image()).map(Look).map_err(to_js)
    }

    /// Computes one more layer; returns how many are left.
    pub fn advance(&self, look: &mut Look) -> JsResult<usize> {
        self.0.advance(&mut look.0).map_err(to_js)
    }

    /// The probability of each label for what was looked at, in label order.
    pub fn tag(&mut self, look: &Look, set: &mut LabelSet) -> JsResult<Vec<f32>> {
        self.0.tag_seen(&look.0, &mut set.0).map_err(to_js)
    }
}

/// The strings of a JavaScript array. An array beyond the limit is cut one past it: enough for the one
/// place that checks the limit to see, without copying the rest.
fn strings(array: &Array) -> Result<Vec<String>> {
    array
        .iter()
        .take(MAX_LABELS + 1)
        .map(|value| value.as_string())
        .collect::<Option<Vec<_>>>()
        .ok_or_else(|| Error::new(ErrorKind::ArgumentInvalid, "Every label must be a string."))
}
