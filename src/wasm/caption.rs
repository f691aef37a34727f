//! Captioning.

use wasm_bindgen::prelude::wasm_bindgen;

use super::edge::{JsResult, to_js};
use super::load::WeightsLoader;
use super::picture::{Look, Picture};
use crate::tasks::{self, Captioner, ModelFiles};
use crate::{Error, ErrorKind, Result};

#[wasm_bindgen]
extern "C" {
    /// What `tasks::CaptionOptions` has, all of it optional.
    #[wasm_bindgen(
        typescript_type = "{ prompt?: string, maxTokens?: number, minTokens?: number, numBeams?: number, \
                           lengthPenalty?: number, earlyStopping?: boolean }"
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

    /// What the decoder sees of the picture: `width` numbers for the class token and for each patch.
    #[wasm_bindgen(js_name = imageStates)]
    pub fn image_states(&self, picture: &Picture) -> JsResult<Vec<f32>> {
        self.0.image_states(picture.image()).map_err(to_js)
    }

    /// Checks how a caption is to be written; computes nothing.
    pub fn plan(&self, options: &CaptionOptions) -> JsResult<CaptionPlan> {
        let options = to_options(options).map_err(to_js)?;
        self.0.plan(&options).map(CaptionPlan).map_err(to_js)
    }

    /// Begins to look at the picture; no layer is computed yet.
    pub fn look(&self, picture: &Picture) -> JsResult<Look> {
        self.0.look(picture.image()).map(Look).map_err(to_js)
    }

    /// Computes one more layer; returns how many are left.
    pub fn advance(&self, look: &mut Look) -> JsResult<usize> {
        self.0.advance(&mut look.0).map_err(to_js)
    }

    /// Begins a caption of what was looked at.
    pub fn write(&self, look: &Look, plan: &CaptionPlan) -> JsResult<CaptionRun> {
        self.0.write(&look.0, &plan.0).map(CaptionRun).map_err(to_js)
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
}

/// The options in Rust's terms.
fn to_options(options: &CaptionOptions) -> Result<tasks::CaptionOptions> {
    Ok(tasks::CaptionOptions {
        prompt: options.prompt(),
        max_tokens: count("maxTokens", options.max_tokens())?,
        min_tokens: count("minTokens", options.min_tokens())?.unwrap_or(0),
        num_beams: count("numBeams", options.num_beams())?,
        length_penalty: options.length_penalty().map(|n| n as f32),
        early_stopping: options.early_stopping().unwrap_or(false),
    })
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
