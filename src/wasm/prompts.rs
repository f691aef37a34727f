//! Prompts for image generators.

use wasm_bindgen::prelude::wasm_bindgen;

use super::edge::{JsResult, to_js};
use super::load::WeightsLoader;
use ocelli::tasks::{self, EmphasisMode, PaddingToken, TextEncoder};
use ocelli::{Error, ErrorKind, Result};

#[wasm_bindgen]
extern "C" {
    /// A prompt, and what `tasks::EncodeOptions` has, all of it optional.
    #[wasm_bindgen(
        typescript_type = "{ prompt: string, negativePrompt?: string, skip?: number, finalNorm?: boolean, \
                           attentionMask?: boolean, padding?: string, emphasis?: string, commaBacktrack?: number, \
                           truncate?: boolean }"
    )]
    pub type EncodeOptions;

    #[wasm_bindgen(method, getter, structural)]
    fn prompt(this: &EncodeOptions) -> String;

    #[wasm_bindgen(method, getter, structural, js_name = negativePrompt)]
    fn negative_prompt(this: &EncodeOptions) -> Option<String>;

    /// A whole number of at least 0, as is `commaBacktrack`.
    #[wasm_bindgen(method, getter, structural)]
    fn skip(this: &EncodeOptions) -> Option<u32>;

    #[wasm_bindgen(method, getter, structural, js_name = finalNorm)]
    fn final_norm(this: &EncodeOptions) -> Option<bool>;

    #[wasm_bindgen(method, getter, structural, js_name = attentionMask)]
    fn attention_mask(this: &EncodeOptions) -> Option<bool>;

    /// `trained`, `end`, or the id of a token.
    #[wasm_bindgen(method, getter, structural)]
    fn padding(this: &EncodeOptions) -> Option<String>;

    /// `original`, `no-norm` or `none`.
    #[wasm_bindgen(method, getter, structural)]
    fn emphasis(this: &EncodeOptions) -> Option<String>;

    #[wasm_bindgen(method, getter, structural, js_name = commaBacktrack)]
    fn comma_backtrack(this: &EncodeOptions) -> Option<u32>;

    #[wasm_bindgen(method, getter, structural)]
    fn truncate(this: &EncodeOptions) -> Option<bool>;
}

/// The small files of a model with CLIP's text tower, read and checked: what `create` needs beside the weights.
#[wasm_bindgen]
pub struct TextEncoderFiles(tasks::TextEncoderFiles);

#[wasm_bindgen]
impl TextEncoderFiles {
    /// Reads `config.json` and `tokenizer.json`. What comes between them for other models is not looked at.
    pub fn read(config: &[u8], _preprocessor: &[u8], tokenizer: &[u8]) -> JsResult<Self> {
        tasks::TextEncoderFiles::read(config, tokenizer).map(Self).map_err(to_js)
    }

    /// Tells `weights` which tensors of their file the model does without. Comes before their first byte.
    #[wasm_bindgen(js_name = passOver)]
    pub fn pass_over(&self, weights: &mut WeightsLoader) {
        weights.pass_over(self.0.unused());
        if let Some(tower) = self.0.tower_alone() {
            weights.of_tower(tower);
        }
    }
}

/// A text tower ready to encode prompts.
#[wasm_bindgen]
pub struct TextEncoderHandle(TextEncoder);

#[wasm_bindgen]
impl TextEncoderHandle {
    /// Builds the model; consumes `files` and `weights`.
    pub fn create(files: TextEncoderFiles, weights: WeightsLoader) -> JsResult<Self> {
        let weights = weights.finish()?;
        TextEncoder::new(files.0, weights).map(Self).map_err(to_js)
    }

    /// Checks a prompt and how it is to be encoded; computes nothing yet.
    pub fn begin(&self, options: &EncodeOptions) -> JsResult<PromptRun> {
        let encode = || {
            let (prompt, negative) = (options.prompt(), options.negative_prompt());
            self.0.begin(&prompt, negative.as_deref(), &to_options(options)?)
        };
        encode().map(PromptRun).map_err(to_js)
    }

    /// Computes one more layer of a few chunks; returns how many such steps are left.
    pub fn step(&mut self, run: &mut PromptRun) -> JsResult<usize> {
        self.0.step(&mut run.0).map_err(to_js)
    }
}

/// A prompt on its way through the text tower.
#[wasm_bindgen]
pub struct PromptRun(tasks::PromptRun);

#[wasm_bindgen]
impl PromptRun {
    /// How many steps there are in all.
    #[wasm_bindgen(getter)]
    pub fn total(&self) -> usize {
        self.0.total()
    }

    /// What has become of the prompt, once no step is left; or of the negative prompt, where there is one.
    pub fn encoded(&self, negative: bool) -> JsResult<Option<EncodedPrompt>> {
        let encoded = if negative { self.0.negative() } else { self.0.encoded().map(Some) };
        Ok(encoded.map_err(to_js)?.map(EncodedPrompt))
    }
}

/// What a prompt was encoded as.
#[wasm_bindgen]
pub struct EncodedPrompt(tasks::EncodedPrompt);

#[wasm_bindgen]
impl EncodedPrompt {
    /// A state for each token, row by row.
    pub fn states(&self) -> Vec<f32> {
        self.0.states.clone()
    }

    /// The state that stands for the first chunk: as many numbers as a row has.
    pub fn pooled(&self) -> Vec<f32> {
        self.0.pooled.clone()
    }

    /// That, projected, where the model has a projection.
    pub fn projected(&self) -> Option<Vec<f32>> {
        self.0.projected.clone()
    }

    /// The token ids.
    pub fn tokens(&self) -> Vec<u32> {
        self.0.tokens.clone()
    }

    /// The weight of each token.
    pub fn weights(&self) -> Vec<f32> {
        self.0.weights.clone()
    }
}

/// The options in Rust's terms.
fn to_options(options: &EncodeOptions) -> Result<tasks::EncodeOptions> {
    let default = tasks::EncodeOptions::default();
    let wrong = |message: &str| Error::new(ErrorKind::ArgumentInvalid, message);
    let padding = options.padding().map(|name| {
        PaddingToken::from_name(&name)
            .ok_or_else(|| wrong("padding must be \"trained\", \"end\" or the id of a token."))
    });
    let emphasis = options.emphasis().map(|name| {
        EmphasisMode::from_name(&name)
            .ok_or_else(|| wrong("emphasis must be \"original\", \"no-norm\" or \"none\"."))
    });
    Ok(tasks::EncodeOptions {
        skip: options.skip().map_or(default.skip, |skip| skip as usize),
        final_norm: options.final_norm().unwrap_or(default.final_norm),
        attention_mask: options.attention_mask().unwrap_or(default.attention_mask),
        padding: padding.transpose()?.unwrap_or(default.padding),
        emphasis: emphasis.transpose()?.unwrap_or(default.emphasis),
        comma_backtrack: options.comma_backtrack().map_or(default.comma_backtrack, |count| count as usize),
        truncate: options.truncate().unwrap_or(default.truncate),
    })
}
