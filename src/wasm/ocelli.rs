//! A tagger, a captioner and a matcher of one model.

use js_sys::Array;
use wasm_bindgen::prelude::wasm_bindgen;

use super::caption::CaptionerHandle;
use super::edge::{JsResult, to_js};
use super::load::WeightsLoader;
use super::matching::MatcherHandle;
use super::picture::{ImageEncoding, Picture};
use super::tag::{TaggerHandle, strings};
use ocelli::models::ocelli::Parts;
use ocelli::tasks::{self, Ocelli, OcelliModelFiles};
use ocelli::{Error, ErrorKind, Result};

/// The most parts that a model has.
const MAX_PARTS: usize = 3;

/// The small files of an ocelli model, read and checked: what `create` needs beside the weights.
#[wasm_bindgen]
pub struct OcelliFiles(tasks::OcelliFiles);

#[wasm_bindgen]
impl OcelliFiles {
    /// Reads `config.json`, `preprocessor_config.json`, and those that `parts` need of `tokenizer.json`,
    /// `decoder_tokenizer.json` and `words.json`. `parts` are of `tagger`, `captioner` and `matcher`; none are all.
    pub fn read(
        config: &[u8],
        preprocessor: &[u8],
        tokenizer: Option<Vec<u8>>,
        decoder_tokenizer: Option<Vec<u8>>,
        words: Option<Vec<u8>>,
        parts: &Array,
    ) -> JsResult<Self> {
        let files = OcelliModelFiles {
            config,
            preprocessor,
            tokenizer: tokenizer.as_deref(),
            decoder_tokenizer: decoder_tokenizer.as_deref(),
            words: words.as_deref(),
        };
        let parts = strings(parts, MAX_PARTS).and_then(|names| read_parts(&names)).map_err(to_js)?;
        tasks::OcelliFiles::read(files, parts).map(Self).map_err(to_js)
    }

    /// Tells `weights` which tensors of their file the model does without. Comes before their first byte.
    #[wasm_bindgen(js_name = passOver)]
    pub fn pass_over(&self, weights: &mut WeightsLoader) {
        weights.pass_over(&self.0.unused());
    }
}

/// An ocelli model. What it makes of a picture serves its tagger, its captioner and its matcher, and theirs serves it.
#[wasm_bindgen]
pub struct OcelliHandle(Ocelli);

#[wasm_bindgen]
impl OcelliHandle {
    /// Builds the model; consumes `files` and `weights`.
    pub fn create(files: OcelliFiles, weights: WeightsLoader) -> JsResult<Self> {
        let weights = weights.finish()?;
        Ocelli::new(files.0, weights).map(Self).map_err(to_js)
    }

    /// Begins to look at the picture; no block is computed yet.
    #[wasm_bindgen(js_name = encodeImage)]
    pub fn encode_image(&self, picture: &Picture) -> JsResult<ImageEncoding> {
        self.0.encode_image(picture.image()).map(ImageEncoding).map_err(to_js)
    }

    /// Computes one more block of the image tower; returns how many are left.
    pub fn advance(&self, encoding: &mut ImageEncoding) -> JsResult<usize> {
        self.0.advance(&mut encoding.0).map_err(to_js)
    }

    /// The tagger: one more handle of the same model.
    pub fn tagger(&self) -> JsResult<TaggerHandle> {
        self.0.tagger().cloned().map(TaggerHandle).map_err(to_js)
    }

    /// The captioner: one more handle of the same model.
    pub fn captioner(&self) -> JsResult<CaptionerHandle> {
        self.0.captioner().cloned().map(CaptionerHandle).map_err(to_js)
    }

    /// The matcher: one more handle of the same model.
    pub fn matcher(&self) -> JsResult<MatcherHandle> {
        self.0.matcher().cloned().map(MatcherHandle).map_err(to_js)
    }
}

fn read_parts(names: &[String]) -> Result<Parts> {
    if names.is_empty() {
        return Ok(Parts::ALL);
    }
    let mut parts = Parts { tagger: false, captioner: false, matcher: false };
    for name in names {
        match name.as_str() {
            "tagger" => parts.tagger = true,
            "captioner" => parts.captioner = true,
            "matcher" => parts.matcher = true,
            _ => {
                let message = "Every part must be \"tagger\", \"captioner\" or \"matcher\".";
                return Err(Error::new(ErrorKind::ArgumentInvalid, message));
            }
        }
    }
    Ok(parts)
}
