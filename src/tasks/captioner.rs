//! Captions with BLIP, one piece at a time.

use std::sync::Arc;

use candle_transformers::generation::{LogitsProcessor, Sampling};

use super::{ModelFiles, check_picture_size, check_vocabulary, no_numbers, pixel_batch};
use crate::image::{Preprocessor, PreprocessorKind, RgbImage};
use crate::models::blip::{BlipConfig, BlipModel, CaptionState};
use crate::text::CaptionTokenizer;
use crate::weights::Weights;
use crate::{Error, ErrorKind, Result};

/// How many tokens a caption may have where the caller does not say.
pub const DEFAULT_MAX_TOKENS: usize = 30;

/// How a caption is written.
#[derive(Debug, Clone, Default)]
pub struct CaptionOptions {
    /// Text that the caption continues, such as `a picture of`; the caption begins with it.
    pub prompt: Option<String>,
    /// The most new tokens, the prompt not counted (`max_new_tokens` of `transformers`); at least 1.
    /// [`DEFAULT_MAX_TOKENS`] where absent.
    pub max_tokens: Option<usize>,
}

/// The small files of a BLIP captioning model, read and checked against each other.
pub struct CaptionerFiles {
    config: BlipConfig,
    preprocessor: Preprocessor,
    tokenizer: CaptionTokenizer,
}

impl CaptionerFiles {
    /// Reads the files.
    ///
    /// # Errors
    /// As [`TaggerFiles::read`](super::TaggerFiles::read).
    pub fn read(files: ModelFiles) -> Result<Self> {
        let config = BlipConfig::from_json(files.config)?;
        let preprocessor = Preprocessor::from_json(files.preprocessor, PreprocessorKind::Blip)?;
        check_picture_size(&preprocessor, config.vision.image_size)?;
        let tokenizer = CaptionTokenizer::from_json(files.tokenizer)?;
        check_vocabulary(tokenizer.vocab_size(), config.text.vocab_size)?;
        Ok(Self { config, preprocessor, tokenizer })
    }
}

/// Writes captions as `transformers`' `BlipForConditionalGeneration.generate` does: greedily, from `[DEC]`
/// and the prompt to `[SEP]`.
pub struct Captioner {
    parts: Arc<Parts>,
}

/// What a running caption shares with its captioner.
struct Parts {
    model: BlipModel,
    files: CaptionerFiles,
}

impl Captioner {
    /// Builds the model that `files` describe.
    ///
    /// # Errors
    /// As [`Tagger::new`](super::Tagger::new).
    pub fn new(files: CaptionerFiles, weights: Weights) -> Result<Self> {
        let model = BlipModel::new(&files.config, weights)?;
        Ok(Self { parts: Arc::new(Parts { model, files }) })
    }

    /// Looks at `image` (the expensive part: the whole vision tower) and returns the caption as an
    /// iterator of text pieces.
    ///
    /// # Errors
    /// `ArgumentInvalid` where `max_tokens` is 0 or the prompt and the new tokens do not fit the model.
    pub fn start(&self, image: &RgbImage, options: &CaptionOptions) -> Result<CaptionRun> {
        let Parts { model, files } = &*self.parts;
        let mut ids = vec![files.config.text.bos_token_id];
        if let Some(prompt) = &options.prompt {
            ids.extend(files.tokenizer.encode_prompt(prompt)?);
        }
        let room = files.config.text.max_position_embeddings.saturating_sub(ids.len());
        let wanted = options.max_tokens.unwrap_or(DEFAULT_MAX_TOKENS.min(room));
        if wanted == 0 || wanted > room {
            return Err(Error::new(
                ErrorKind::ArgumentInvalid,
                format!("maxTokens is {wanted}; after this prompt the model can write 1 to {room} tokens."),
            ));
        }
        let pixels = pixel_batch(&files.preprocessor, image)?;
        let state = model.start(&model.image_states(&pixels)?)?;
        Ok(CaptionRun {
            parts: Arc::clone(&self.parts),
            state,
            // Greedy: takes the most probable token, so the seed is never used.
            chooser: LogitsProcessor::from_sampling(0, Sampling::ArgMax),
            seen: 0,
            ids,
            left: wanted,
            written: String::new(),
        })
    }

    /// What the decoder sees of `image`, row by row: `hidden_size` numbers for the class token, and for each
    /// patch.
    pub fn image_states(&self, image: &RgbImage) -> Result<Vec<f32>> {
        let Parts { model, files } = &*self.parts;
        let pixels = pixel_batch(&files.preprocessor, image)?;
        Ok(model.image_states(&pixels)?.flatten_all()?.to_vec1::<f32>()?)
    }

    /// The whole caption of `image`.
    pub fn caption(&self, image: &RgbImage, options: &CaptionOptions) -> Result<String> {
        self.start(image, options)?.collect()
    }
}

/// A caption being written: an iterator of pieces that, joined, are the caption. Dropping it stops the work.
pub struct CaptionRun {
    parts: Arc<Parts>,
    state: CaptionState,
    chooser: LogitsProcessor,
    /// `[DEC]`, the prompt, and the tokens written so far.
    ids: Vec<u32>,
    /// How many of `ids` the decoder has seen.
    seen: usize,
    /// How many more tokens may be written; 0 once the caption has ended.
    left: usize,
    /// The text handed out so far.
    written: String,
}

impl CaptionRun {
    /// The token ids so far: `[DEC]`, the prompt, the caption; without the `[SEP]` that ends it.
    pub fn token_ids(&self) -> &[u32] {
        &self.ids
    }

    /// Runs the decoder once. Returns whether a token was written: `false` at `[SEP]`.
    fn step(&mut self) -> Result<bool> {
        let logits = self.parts.model.step(&mut self.state, &self.ids[self.seen..])?;
        self.seen = self.ids.len();
        // One sum tells: it is finite only if every logit is.
        if !logits.sum_all()?.to_scalar::<f32>()?.is_finite() {
            return Err(no_numbers());
        }
        let token = self.chooser.sample(&logits)?;
        if token == self.parts.files.config.text.sep_token_id {
            return Ok(false);
        }
        self.ids.push(token);
        Ok(true)
    }

    /// The text that has become certain since the last piece.
    ///
    /// The reference's clean-up joins punctuation and contractions to the word before them, so the last
    /// word may still change: it is kept back until the next one begins or the caption has ended.
    fn piece(&mut self, ended: bool) -> Result<String> {
        let text = self.parts.files.tokenizer.decode(&self.ids)?;
        let certain = if ended { text.len() } else { text.rfind(' ').unwrap_or(0) };
        let piece = text[..certain].strip_prefix(self.written.as_str()).unwrap_or_default().to_owned();
        self.written.push_str(&piece);
        Ok(piece)
    }
}

impl Iterator for CaptionRun {
    type Item = Result<String>;

    /// The next piece; `None` at the end, and after an error.
    fn next(&mut self) -> Option<Self::Item> {
        while self.left > 0 {
            let piece = self.step().and_then(|written| {
                self.left = if written { self.left - 1 } else { 0 };
                self.piece(self.left == 0)
            });
            match piece {
                Ok(piece) if piece.is_empty() => {}
                Ok(piece) => return Some(Ok(piece)),
                Err(error) => {
                    self.left = 0;
                    return Some(Err(error));
                }
            }
        }
        None
    }
}
