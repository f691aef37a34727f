//! Which texts match a picture.

use js_sys::Array;
use wasm_bindgen::prelude::wasm_bindgen;

use super::edge::{JsResult, to_js};
use super::load::WeightsLoader;
use super::picture::{ImageEncoding, Picture};
use super::tag::strings;
use super::tower::VisionTower;
use ocelli::tasks::{self, MAX_LABELS, Matcher, ModelFiles, TextMatch};

/// The small files of a BLIP matching model, read and checked: what `create` needs beside the weights.
#[wasm_bindgen]
pub struct MatcherFiles(tasks::MatcherFiles);

#[wasm_bindgen]
impl MatcherFiles {
    /// Reads `config.json`, `preprocessor_config.json` and `tokenizer.json`.
    pub fn read(config: &[u8], preprocessor: &[u8], tokenizer: &[u8]) -> JsResult<Self> {
        let files = ModelFiles { config, preprocessor, tokenizer };
        tasks::MatcherFiles::read(files).map(Self).map_err(to_js)
    }

    /// Tells `weights` which tensors of their file the model does without. Comes before their first byte.
    #[wasm_bindgen(js_name = passOver)]
    pub fn pass_over(&self, weights: &mut WeightsLoader) {
        weights.pass_over(self.0.unused());
    }
}

/// A BLIP model ready to compare texts with pictures.
#[wasm_bindgen]
pub struct MatcherHandle(pub(super) Matcher);

#[wasm_bindgen]
impl MatcherHandle {
    /// Builds the model; consumes `files` and `weights`.
    pub fn create(files: MatcherFiles, weights: WeightsLoader) -> JsResult<Self> {
        let weights = weights.finish()?;
        Matcher::new(files.0, weights).map(Self).map_err(to_js)
    }

    /// Checks texts; computes nothing.
    pub fn texts(&self, texts: &Array) -> JsResult<MatchTexts> {
        strings(texts, MAX_LABELS).and_then(|texts| self.0.texts(&texts)).map(MatchTexts).map_err(to_js)
    }

    /// The vision tower, where it is a transformer.
    #[wasm_bindgen(getter, js_name = visionTower)]
    pub fn vision_tower(&self) -> Option<VisionTower> {
        VisionTower::of(self.0.tower(), self.0.projection())
    }

    /// Begins to look at the picture; no layer is computed yet.
    #[wasm_bindgen(js_name = encodeImage)]
    pub fn encode_image(&self, picture: &Picture) -> JsResult<ImageEncoding> {
        self.0.encode_image(picture.image()).map(ImageEncoding).map_err(to_js)
    }

    /// Computes one more layer; returns how many are left.
    pub fn advance(&self, encoding: &mut ImageEncoding) -> JsResult<usize> {
        self.0.advance(&mut encoding.0).map_err(to_js)
    }

    /// Begins to compare what was looked at with texts: all by their similarity, then the `rerank` most similar by
    /// matching, or all where it is absent.
    pub fn compare(
        &self,
        encoding: &ImageEncoding,
        texts: &MatchTexts,
        rerank: Option<usize>,
    ) -> JsResult<MatchRun> {
        self.0.compare(&encoding.0, &texts.0, rerank.unwrap_or(usize::MAX)).map(MatchRun).map_err(to_js)
    }

    /// Reads at most `limit` more texts; returns how many readings are left.
    pub fn step(&mut self, run: &mut MatchRun, limit: usize) -> JsResult<usize> {
        self.0.step(&mut run.0, limit).map_err(to_js)
    }
}

/// Texts to be compared with pictures, checked.
#[wasm_bindgen]
pub struct MatchTexts(pub(super) tasks::MatchTexts);

/// A picture being compared with texts.
#[wasm_bindgen]
pub struct MatchRun(tasks::MatchRun);

#[wasm_bindgen]
impl MatchRun {
    /// How many readings of texts there are in all.
    #[wasm_bindgen(getter)]
    pub fn total(&self) -> usize {
        self.0.total()
    }

    /// The places of the texts, best first. Like the next two it is known once no reading is left.
    pub fn ranking(&self) -> JsResult<Vec<u32>> {
        let ranked = self.0.ranked().map_err(to_js)?;
        Ok(ranked.iter().map(|found| found.index as u32).collect())
    }

    /// The similarity of each text, in the order given.
    pub fn similarities(&self) -> JsResult<Vec<f32>> {
        self.each(|found| found.similarity)
    }

    /// The probability that each text matches, in the order given; not a number (NaN) where it was not read again.
    pub fn probabilities(&self) -> JsResult<Vec<f32>> {
        self.each(|found| found.probability().unwrap_or(f32::NAN))
    }
}

impl MatchRun {
    fn each(&self, number: impl Fn(&TextMatch) -> f32) -> JsResult<Vec<f32>> {
        Ok(self.0.matches().map_err(to_js)?.iter().map(number).collect())
    }
}
