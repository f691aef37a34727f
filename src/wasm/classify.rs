//! Classification.

use wasm_bindgen::prelude::wasm_bindgen;

use super::edge::{JsResult, to_js};
use super::load::WeightsLoader;
use super::picture::{ImageEncoding, Picture};
use super::tower::VisionTower;
use ocelli::tasks::{self, Classifier};

/// The small files of a ViT classifier, read and checked: what `create` needs beside the weights.
#[wasm_bindgen]
pub struct ClassifierFiles(tasks::ClassifierFiles);

#[wasm_bindgen]
impl ClassifierFiles {
    /// Reads `config.json` and `preprocessor_config.json`, and `selected_tags.csv` where there is one; there is no tokenizer.
    pub fn read(config: &[u8], preprocessor: &[u8], tags: Option<Vec<u8>>) -> JsResult<Self> {
        let tags = tags.unwrap_or_default();
        tasks::ClassifierFiles::read(config, preprocessor, &tags).map(Self).map_err(to_js)
    }

    /// Tells `weights` which tensors of their file the model does without. Comes before their first byte.
    #[wasm_bindgen(js_name = passOver)]
    pub fn pass_over(&self, weights: &mut WeightsLoader) {
        weights.pass_over(self.0.unused());
    }
}

/// A ViT classifier.
#[wasm_bindgen]
pub struct ClassifierHandle(pub(super) Classifier);

#[wasm_bindgen]
impl ClassifierHandle {
    /// Builds the model; consumes `files` and `weights`.
    pub fn create(files: ClassifierFiles, weights: WeightsLoader) -> JsResult<Self> {
        let weights = weights.finish()?;
        Classifier::new(files.0, weights).map(Self).map_err(to_js)
    }

    /// What the classes are called, in their order.
    pub fn labels(&self) -> Vec<String> {
        self.0.labels().to_vec()
    }

    /// Of what kind each class is, in the same order, where there are several kinds.
    pub fn kinds(&self) -> Option<Vec<String>> {
        self.0.kinds().map(<[String]>::to_vec)
    }

    /// The vision tower, where it is a transformer.
    #[wasm_bindgen(getter, js_name = visionTower)]
    pub fn vision_tower(&self) -> Option<VisionTower> {
        VisionTower::of(self.0.tower(), None)
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

    /// The probability of each class for what was looked at, in their order.
    pub fn classify(&self, encoding: &ImageEncoding) -> JsResult<Vec<f32>> {
        self.0.classify_encoded(&encoding.0).map_err(to_js)
    }
}
