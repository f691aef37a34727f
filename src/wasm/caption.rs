//! Captioning.

use wasm_bindgen::prelude::wasm_bindgen;

use super::edge::{JsResult, to_js};
use super::load::WeightsLoader;
use super::picture::{ImageEncoding, Picture};
use super::tower::VisionTower;
use ocelli::tasks::{self, Captioner, ModelFiles, Sampling};
use ocelli::{Error, ErrorKind, Result};

#[wasm_bindgen]
extern "C" {
    /// What `tasks::CaptionOptions` has, all of it optional.
    #[wasm_bindgen(
        typescript_type = "{ prompt?: string, maxTokens?: number, minTokens?: number, numBeams?: number, \
                           lengthPenalty?: number, earlyStopping?: boolean, repetitionPenalty?: number, \
                           noRepeatNgramSize?: number, temperature?: number, topK?: number, topP?: number, \
                           seed?: number, numCaptions?: number }"
    )]
    pub type CaptionOptions;

    #[wasm_bindgen(method, getter, structural)]
    fn prompt(this: &CaptionOptions) -> Option<String>;

    #[wasm_bindgen(method, getter, structural, js_name = maxTokens)]
    fn max_tokens(this: &CaptionOptions) -> Option<f64>;

    #[wasm_bindgen(method, getter, structural, js_name = minTokens)]
    fn min_tokens(this: &CaptionOptions) -> Option<f64>;

    #[wasm_bindgen(method, getter, structural, js_name = numBeams)]
    fn num_beams(this: &CaptionOptions) -> Option<f64>;

    #[wasm_bindgen(method, getter, structural, js_name = lengthPenalty)]
    fn length_penalty(this: &CaptionOptions) -> Option<f64>;

    #[wasm_bindgen(method, getter, structural, js_name = earlyStopping)]
    fn early_stopping(this: &CaptionOptions) -> Option<bool>;

    #[wasm_bindgen(method, getter, structural, js_name = repetitionPenalty)]
    fn repetition_penalty(this: &CaptionOptions) -> Option<f64>;

    #[wasm_bindgen(method, getter, structural, js_name = noRepeatNgramSize)]
    fn no_repeat_ngram_size(this: &CaptionOptions) -> Option<f64>;

    #[wasm_bindgen(method, getter, structural)]
    fn temperature(this: &CaptionOptions) -> Option<f64>;

    #[wasm_bindgen(method, getter, structural, js_name = topK)]
    fn top_k(this: &CaptionOptions) -> Option<f64>;

    #[wasm_bindgen(method, getter, structural, js_name = topP)]
    fn top_p(this: &CaptionOptions) -> Option<f64>;

    /// A whole number of at least 0. With it tokens are drawn; without it, no other option of drawing may be given.
    #[wasm_bindgen(method, getter, structural)]
    fn seed(this: &CaptionOptions) -> Option<f64>;

    #[wasm_bindgen(method, getter, structural, js_name = numCaptions)]
    fn num_captions(this: &CaptionOptions) -> Option<f64>;
}

/// The small files of a BLIP captioning model, read and checked: what `create` needs beside the weights.
#[wasm_bindgen]
pub struct CaptionerFiles(tasks::CaptionerFiles);

#[wasm_bindgen]
impl CaptionerFiles {
    /// Reads `config.json`, `preprocessor_config.json` and `tokenizer.json`.
    pub fn read(config: &[u8], preprocessor: &[u8], tokenizer: &[u8]) -> JsResult<Self> {
        let files = ModelFiles { config, preprocessor, tokenizer };
        tasks::CaptionerFiles::read(files).map(Self).map_err(to_js)
    }

    /// Tells `weights` which tensors of their file the model does without. Comes before their first byte.
    #[wasm_bindgen(js_name = passOver)]
    pub fn pass_over(&self, weights: &mut WeightsLoader) {
        weights.pass_over(self.0.unused());
    }
}

/// A BLIP captioning model ready to write.
#[wasm_bindgen]
pub struct CaptionerHandle(pub(super) Captioner);

#[wasm_bindgen]
impl CaptionerHandle {
    /// Builds the model; consumes `files` and `weights`.
    pub fn create(files: CaptionerFiles, weights: WeightsLoader) -> JsResult<Self> {
        let weights = weights.finish()?;
        Captioner::new(files.0, weights).map(Self).map_err(to_js)
    }

    /// Checks how a caption is to be written; computes nothing.
    pub fn plan(&self, options: &CaptionOptions) -> JsResult<CaptionPlan> {
        let options = to_options(options).map_err(to_js)?;
        self.0.plan(&options).map(CaptionPlan).map_err(to_js)
    }

    /// How many prompts the words are encoded with that captions name things with; 0 where there are none.
    #[wasm_bindgen(getter, js_name = wordsTotal)]
    pub fn words_total(&self) -> usize {
        self.0.words_total()
    }

    /// How many of them are still to be encoded. A caption without a prompt needs all of them.
    #[wasm_bindgen(getter, js_name = wordsPending)]
    pub fn words_pending(&self) -> usize {
        self.0.words_pending()
    }

    /// Encodes at most `limit` more of them; returns how many are still pending.
    #[wasm_bindgen(js_name = encodeWords)]
    pub fn encode_words(&self, limit: usize) -> JsResult<usize> {
        self.0.encode_words(limit).map_err(to_js)
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

    /// Begins a caption of what was looked at.
    pub fn write(&self, encoding: &ImageEncoding, plan: &CaptionPlan) -> JsResult<CaptionRun> {
        self.0.write(&encoding.0, &plan.0).map(CaptionRun).map_err(to_js)
    }
}

/// How a caption is to be written, checked.
#[wasm_bindgen]
pub struct CaptionPlan(tasks::CaptionPlan);

/// A caption being written.
#[wasm_bindgen]
pub struct CaptionRun(tasks::CaptionRun);

#[wasm_bindgen]
impl CaptionRun {
    /// The next piece of text, which may be empty: each is the work of one token. `undefined` when the caption has
    /// ended. The pieces joined are the caption.
    #[allow(clippy::should_implement_trait)] // JavaScript's `next`, which can throw.
    pub fn next(&mut self) -> JsResult<Option<String>> {
        self.0.next().transpose().map_err(to_js)
    }

    /// The words that the caption was prompted with, where the model has chosen them.
    pub fn words(&self) -> Vec<String> {
        self.0.words().to_vec()
    }

    /// The captions that were asked for, best first.
    pub fn captions(&self) -> JsResult<Vec<String>> {
        Ok(self.0.captions().map_err(to_js)?.into_iter().map(|caption| caption.text).collect())
    }

    /// The score of each of them.
    pub fn scores(&self) -> JsResult<Vec<f32>> {
        Ok(self.0.captions().map_err(to_js)?.into_iter().map(|caption| caption.score).collect())
    }
}

/// The options in Rust's terms.
pub(super) fn to_options(options: &CaptionOptions) -> Result<tasks::CaptionOptions> {
    Ok(tasks::CaptionOptions {
        prompt: options.prompt(),
        max_tokens: count("maxTokens", options.max_tokens())?,
        min_tokens: count("minTokens", options.min_tokens())?.unwrap_or(0),
        num_beams: count("numBeams", options.num_beams())?,
        length_penalty: options.length_penalty().map(|n| n as f32),
        early_stopping: options.early_stopping().unwrap_or(false),
        repetition_penalty: options.repetition_penalty().map(|n| n as f32),
        no_repeat_ngram_size: count("noRepeatNgramSize", options.no_repeat_ngram_size())?,
        sampling: to_sampling(options)?,
        num_captions: count("numCaptions", options.num_captions())?,
    })
}

/// How tokens are drawn, if they are.
fn to_sampling(options: &CaptionOptions) -> Result<Option<Sampling>> {
    let (temperature, top_p) = (options.temperature(), options.top_p());
    let top_k = count("topK", options.top_k())?;
    let wrong = |message: String| Err(Error::new(ErrorKind::ArgumentInvalid, message));
    match options.seed() {
        None if temperature.is_none() && top_k.is_none() && top_p.is_none() => Ok(None),
        None => wrong("temperature, topK and topP need a seed.".to_owned()),
        Some(seed) if seed.fract() == 0.0 && seed >= 0.0 => {
            let default = Sampling::default();
            Ok(Some(Sampling {
                temperature: temperature.map_or(default.temperature, |n| n as f32),
                top_k: top_k.unwrap_or(default.top_k),
                top_p: top_p.unwrap_or(default.top_p),
                seed: seed as u64,
            }))
        }
        Some(seed) => wrong(format!("seed is {seed}; it must be a whole number of at least 0.")),
    }
}

fn count(name: &str, value: Option<f64>) -> Result<Option<usize>> {
    match value {
        None => Ok(None),
        // `as` cuts at the largest `usize`; how much room the model has is not for this place to say.
        Some(n) if n.fract() == 0.0 && n >= 1.0 => Ok(Some(n as usize)),
        Some(n) => {
            let message = format!("{name} is {n}; it must be a whole number of at least 1.");
            Err(Error::new(ErrorKind::ArgumentInvalid, message))
        }
    }
}
