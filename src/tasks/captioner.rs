//! Captions with BLIP, one piece at a time.

use std::sync::Arc;

use candle_core::Tensor;
use candle_transformers::generation::{LogitsProcessor, Sampling};

use super::beams::{BeamSearch, BeamSettings};
use super::{Look, ModelFiles, check_picture_size, check_vocabulary, no_numbers, pixel_batch};
use crate::image::{Preprocessor, PreprocessorKind, RgbImage};
use crate::models::blip::{BlipConfig, BlipModel, CaptionState};
use crate::text::CaptionTokenizer;
use crate::weights::Weights;
use crate::{Error, ErrorKind, Result};

/// How many tokens a caption may have where the caller does not say.
pub const DEFAULT_MAX_TOKENS: usize = 30;
/// The most beams of a search.
pub const MAX_BEAMS: usize = 64;

/// How a caption is written.
#[derive(Debug, Clone, Default)]
pub struct CaptionOptions {
    /// Text that the caption continues, such as `a picture of`; the caption begins with it.
    pub prompt: Option<String>,
    /// The most new tokens, the prompt not counted (`max_new_tokens` of `transformers`); at least 1.
    /// [`DEFAULT_MAX_TOKENS`] where absent.
    pub max_tokens: Option<usize>,
    /// New tokens before which the caption does not end (`min_new_tokens`).
    pub min_tokens: usize,
    /// How many captions are tried side by side, 1 to [`MAX_BEAMS`]; the most probable is kept. The most probable
    /// token at each step (1) where absent.
    pub num_beams: Option<usize>,
    /// With beams, the power of its length that a caption's log-probability is divided by; 1 where absent. More
    /// makes captions longer.
    pub length_penalty: Option<f32>,
    /// With beams, whether to stop as soon as that many captions have ended.
    pub early_stopping: bool,
}

/// The small files of a BLIP captioning model, read and checked against each other.
pub struct CaptionerFiles {
    pub(super) config: BlipConfig,
    preprocessor: Preprocessor,
    pub(super) tokenizer: CaptionTokenizer,
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

    /// Beginnings of the names of tensors that the model does without, for
    /// [`WeightsLoader::pass_over`](crate::weights::WeightsLoader::pass_over): a file may have a matching head too.
    pub fn unused(&self) -> &'static [&'static str] {
        &["text_encoder.", "vision_proj.", "text_proj.", "itm_head."]
    }
}

/// Writes captions as `transformers`' `BlipForConditionalGeneration.generate` does, greedily or with beams, from
/// `[DEC]` and the prompt to `[SEP]`.
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

    /// Checks how a caption is to be written; computes nothing.
    ///
    /// # Errors
    /// `ArgumentInvalid` where `max_tokens` is 0 or less than `min_tokens`, the prompt and the new tokens do not
    /// fit the model, `num_beams` is 0 or more than [`MAX_BEAMS`], or `length_penalty` is no number.
    pub fn plan(&self, options: &CaptionOptions) -> Result<CaptionPlan> {
        let Parts { files, .. } = &*self.parts;
        let mut ids = vec![files.config.text.bos_token_id];
        if let Some(prompt) = &options.prompt {
            ids.extend(files.tokenizer.encode_prompt(prompt)?);
        }
        let room = files.config.text.max_position_embeddings.saturating_sub(ids.len());
        let wanted = options.max_tokens.unwrap_or(DEFAULT_MAX_TOKENS.min(room));
        if wanted == 0 || wanted > room {
            let message =
                format!("maxTokens is {wanted}; after this prompt the model can write 1 to {room} tokens.");
            return Err(Error::new(ErrorKind::ArgumentInvalid, message));
        }
        let plan = CaptionPlan { ids, max_tokens: wanted, options: options.clone() };
        // Refuses what cannot be searched for.
        self.search(&plan)?;
        Ok(plan)
    }

    /// Begins to look at `image`; no layer is computed yet.
    pub fn look(&self, image: &RgbImage) -> Result<Look> {
        let Parts { model, files } = &*self.parts;
        let passage = model.vision().begin(&pixel_batch(&files.preprocessor, image)?)?;
        Ok(Look::new(passage).framed(files.preprocessor.frame(image)))
    }

    pub(super) fn model(&self) -> &BlipModel {
        &self.parts.model
    }

    pub(super) fn files(&self) -> &CaptionerFiles {
        &self.parts.files
    }

    /// Computes one more layer of the vision tower. Returns how many are left.
    pub fn advance(&self, look: &mut Look) -> Result<usize> {
        self.parts.model.vision().advance(look.passage_mut())
    }

    /// Begins a caption of the image that the model looks at, as an iterator of text pieces. Computes the layers
    /// that are left.
    pub fn write(&self, look: &Look, plan: &CaptionPlan) -> Result<CaptionRun> {
        let model = &self.parts.model;
        Ok(CaptionRun {
            parts: Arc::clone(&self.parts),
            search: self.search(plan)?,
            state: model.start(&model.vision().states(look.passage())?)?,
            next: plan.ids.clone(),
            ids: plan.ids.clone(),
            ended: false,
            written: String::new(),
        })
    }

    /// All of that at once: the plan, the image, and the caption's beginning.
    ///
    /// # Errors
    /// As [`Captioner::plan`].
    pub fn start(&self, image: &RgbImage, options: &CaptionOptions) -> Result<CaptionRun> {
        let plan = self.plan(options)?;
        self.write(&self.look(image)?, &plan)
    }

    /// What the decoder sees of `image`, row by row: `hidden_size` numbers for the class token, and for each
    /// patch.
    pub fn image_states(&self, image: &RgbImage) -> Result<Vec<f32>> {
        let states = self.parts.model.vision().states(self.look(image)?.passage())?;
        Ok(states.flatten_all()?.to_vec1::<f32>()?)
    }

    fn search(&self, plan: &CaptionPlan) -> Result<Search> {
        Search::new(&plan.options, plan.max_tokens, self.parts.files.config.text.sep_token_id)
    }

    /// The whole caption of `image`.
    pub fn caption(&self, image: &RgbImage, options: &CaptionOptions) -> Result<String> {
        self.start(image, options)?.collect()
    }
}

/// How a caption is to be written: checked, and good for any number of images.
#[derive(Debug, Clone)]
pub struct CaptionPlan {
    /// `[DEC]` and the prompt.
    ids: Vec<u32>,
    max_tokens: usize,
    options: CaptionOptions,
}

/// How the next token is chosen.
enum Search {
    /// The most probable one.
    Greedy {
        chooser: Box<LogitsProcessor>,
        /// New tokens before which the caption does not end.
        min_tokens: usize,
        max_tokens: usize,
        /// New tokens so far.
        len: usize,
    },
    Beams(BeamSearch),
}

impl Search {
    fn new(options: &CaptionOptions, max_tokens: usize, end_token: u32) -> Result<Self> {
        let argument = |message: String| Err(Error::new(ErrorKind::ArgumentInvalid, message));
        let (min_tokens, num_beams) = (options.min_tokens, options.num_beams.unwrap_or(1));
        let length_penalty = options.length_penalty.unwrap_or(1.0);
        if min_tokens > max_tokens {
            return argument(format!(
                "minTokens is {min_tokens}, more than maxTokens, which is {max_tokens}."
            ));
        }
        if !(1..=MAX_BEAMS).contains(&num_beams) {
            return argument(format!("numBeams is {num_beams}; it must be 1 to {MAX_BEAMS}."));
        }
        if !length_penalty.is_finite() {
            return argument("lengthPenalty must be a finite number.".to_owned());
        }
        if num_beams == 1 {
            // The most probable token needs no chance, and no seed.
            let chooser = Box::new(LogitsProcessor::from_sampling(0, Sampling::ArgMax));
            return Ok(Self::Greedy { chooser, min_tokens, max_tokens, len: 0 });
        }
        let early_stopping = options.early_stopping;
        let settings =
            BeamSettings { num_beams, min_tokens, max_tokens, length_penalty, early_stopping, end_token };
        Ok(Self::Beams(BeamSearch::new(settings)))
    }
}

/// A caption being written: an iterator of pieces that, joined, are the caption. Dropping it stops the work.
///
/// Each piece is the work of one token, so it may be empty. With beams all are, but the last: until then it is not
/// known which caption is the best.
pub struct CaptionRun {
    parts: Arc<Parts>,
    state: CaptionState,
    search: Search,
    /// What the decoder sees next: at first `[DEC]` and the prompt, then one token for each caption.
    next: Vec<u32>,
    /// `[DEC]`, the prompt, and the tokens written so far.
    ids: Vec<u32>,
    ended: bool,
    /// The text handed out so far.
    written: String,
}

impl CaptionRun {
    /// The token ids so far: `[DEC]`, the prompt, the caption; without the `[SEP]` that ends it.
    pub fn token_ids(&self) -> &[u32] {
        &self.ids
    }

    /// Runs the decoder once. Returns whether the caption has ended.
    fn step(&mut self) -> Result<bool> {
        let Parts { model, files } = &*self.parts;
        let logits = if self.state.captions() == 1 {
            model.step(&mut self.state, &self.next)?.unsqueeze(0)?
        } else {
            model.step_all(&mut self.state, &self.next)?
        };
        // One sum tells: it is finite only if every logit is.
        if !logits.sum_all()?.to_scalar::<f32>()?.is_finite() {
            return Err(no_numbers());
        }
        match &mut self.search {
            Search::Greedy { chooser, min_tokens, max_tokens, len } => {
                let end = files.config.text.sep_token_id;
                let logits = logits.squeeze(0)?;
                let token = if *len < *min_tokens {
                    chooser.sample(&without(&logits, end)?)?
                } else {
                    chooser.sample(&logits)?
                };
                if token == end {
                    return Ok(true);
                }
                self.ids.push(token);
                self.next = vec![token];
                *len += 1;
                Ok(*len >= *max_tokens)
            }
            Search::Beams(beams) => {
                let Some(next) = beams.advance(&logits.flatten_all()?.to_vec1::<f32>()?) else {
                    self.ids.extend_from_slice(beams.best());
                    return Ok(true);
                };
                self.state.keep(&next.parents);
                self.next = next.ids;
                Ok(false)
            }
        }
    }

    /// The text that has become certain since the last piece.
    ///
    /// The reference's clean-up joins punctuation and contractions to the word before them, so the last
    /// word may still change: it is kept back until the next one begins or the caption has ended.
    fn piece(&mut self) -> Result<String> {
        if let (Search::Beams(_), false) = (&self.search, self.ended) {
            return Ok(String::new());
        }
        let text = self.parts.files.tokenizer.decode(&self.ids)?;
        let certain = if self.ended { text.len() } else { text.rfind(' ').unwrap_or(0) };
        let piece = text[..certain].strip_prefix(self.written.as_str()).unwrap_or_default().to_owned();
        self.written.push_str(&piece);
        Ok(piece)
    }
}

/// `logits` with no chance for `token`.
fn without(logits: &Tensor, token: u32) -> Result<Tensor> {
    let mut values = logits.to_vec1::<f32>()?;
    if let Some(logit) = values.get_mut(token as usize) {
        *logit = f32::NEG_INFINITY;
    }
    Ok(Tensor::new(values, logits.device())?)
}

impl Iterator for CaptionRun {
    type Item = Result<String>;

    /// The next piece; `None` at the end, and after an error.
    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let piece = self.step().and_then(|ended| {
            self.ended = ended;
            self.piece()
        });
        self.ended |= piece.is_err();
        Some(piece)
    }
}
