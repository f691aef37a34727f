//! Answers to questions about a picture.

use js_sys::Array;
use wasm_bindgen::prelude::wasm_bindgen;

use super::caption::{CaptionOptions, to_options};
use super::edge::{JsResult, to_js};
use super::load::WeightsLoader;
use super::picture::{ImageEncoding, Picture};
use super::tag::strings;
use super::tower::VisionTower;
use ocelli::tasks::{self, Answerer, MAX_LABELS, ModelFiles};

/// The small files of a BLIP model that answers questions, read and checked: what `create` needs beside the weights.
#[wasm_bindgen]
pub struct AnswererFiles(tasks::AnswererFiles);

#[wasm_bindgen]
impl AnswererFiles {
    /// Reads `config.json`, `preprocessor_config.json` and `tokenizer.json`.
    pub fn read(config: &[u8], preprocessor: &[u8], tokenizer: &[u8]) -> JsResult<Self> {
        let files = ModelFiles { config, preprocessor, tokenizer };
        tasks::AnswererFiles::read(files).map(Self).map_err(to_js)
    }

    /// Tells `weights` which tensors of their file the model does without. Comes before their first byte.
    #[wasm_bindgen(js_name = passOver)]
    pub fn pass_over(&self, weights: &mut WeightsLoader) {
        weights.pass_over(self.0.unused());
    }
}

/// A BLIP model ready to answer.
#[wasm_bindgen]
pub struct AnswererHandle(Answerer);

#[wasm_bindgen]
impl AnswererHandle {
    /// Builds the model; consumes `files` and `weights`.
    pub fn create(files: AnswererFiles, weights: WeightsLoader) -> JsResult<Self> {
        let weights = weights.finish()?;
        Answerer::new(files.0, weights).map(Self).map_err(to_js)
    }

    /// Checks a question and how it is to be answered; computes nothing.
    pub fn plan(&self, question: &str, options: &CaptionOptions) -> JsResult<AnswerPlan> {
        let options = to_options(options).map_err(to_js)?;
        self.0.plan(question, &options).map(AnswerPlan).map_err(to_js)
    }

    /// Checks a question and its possible answers; computes nothing.
    pub fn choices(&self, question: &str, answers: &Array) -> JsResult<Choices> {
        let answers = strings(answers, MAX_LABELS);
        answers.and_then(|answers| self.0.choices(question, &answers)).map(Choices).map_err(to_js)
    }

    /// The vision tower, where it is a transformer.
    #[wasm_bindgen(getter, js_name = visionTower)]
    pub fn vision_tower(&self) -> Option<VisionTower> {
        VisionTower::of(self.0.tower(), Some(self.0.projection()))
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

    /// Begins an answer about what was looked at.
    pub fn write(&self, encoding: &ImageEncoding, plan: &AnswerPlan) -> JsResult<AnswerRun> {
        self.0.write(&encoding.0, &plan.0).map(AnswerRun).map_err(to_js)
    }

    /// Begins to weigh the possible answers about what was looked at.
    pub fn weigh(&self, encoding: &ImageEncoding, choices: &Choices) -> JsResult<ChoiceRun> {
        self.0.weigh(&encoding.0, &choices.0).map(ChoiceRun).map_err(to_js)
    }
}

/// A question and how it is to be answered, checked.
#[wasm_bindgen]
pub struct AnswerPlan(tasks::AnswerPlan);

/// A question and its possible answers, checked.
#[wasm_bindgen]
pub struct Choices(tasks::Choices);

/// An answer being written.
#[wasm_bindgen]
pub struct AnswerRun(tasks::AnswerRun);

#[wasm_bindgen]
impl AnswerRun {
    /// Writes one more token; returns whether the answer goes on.
    pub fn step(&mut self) -> JsResult<bool> {
        self.0.step().map_err(to_js)
    }

    /// The answer as far as it is written.
    pub fn answer(&self) -> JsResult<String> {
        self.0.answer().map_err(to_js)
    }
}

/// Possible answers being weighed.
#[wasm_bindgen]
pub struct ChoiceRun(tasks::ChoiceRun);

#[wasm_bindgen]
impl ChoiceRun {
    /// Weighs at most `limit` more answers; returns how many are left.
    pub fn step(&mut self, limit: usize) -> JsResult<usize> {
        self.0.step(limit).map_err(to_js)
    }

    /// The log-likelihood of each answer weighed so far, in the order given.
    pub fn scores(&self) -> Vec<f32> {
        self.0.scores().to_vec()
    }

    /// The probability of each among those weighed so far.
    pub fn probabilities(&self) -> Vec<f32> {
        self.0.probabilities()
    }
}
