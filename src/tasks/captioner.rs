//! Captions with BLIP, one piece at a time.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::blip_files::BlipFiles;
use super::generation::{CaptionOptions, DEFAULT_MAX_TOKENS, Generation, Written};
use super::naming::{Naming, prompt_of};
use super::{ImageEncoding, ModelFiles, finite, pixel_batch};
use crate::image::RgbImage;
use crate::models::ImageTower;
use crate::models::blip::{BlipModel, CaptionState, ImageProjection};
use crate::weights::Weights;
use crate::{Error, ErrorKind, Result};

/// The small files of a BLIP captioning model, read and checked against each other.
pub struct CaptionerFiles(pub(super) BlipFiles);

impl CaptionerFiles {
    /// Reads the files.
    ///
    /// # Errors
    /// As [`TaggerFiles::read`](super::TaggerFiles::read).
    pub fn read(files: ModelFiles) -> Result<Self> {
        BlipFiles::read(files).map(Self)
    }

    /// Beginnings of the names of tensors that the model does without, for
    /// [`WeightsLoader::pass_over`](crate::weights::WeightsLoader::pass_over): a file may have a matching head too.
    pub fn unused(&self) -> &'static [&'static str] {
        &["text_encoder.", "vision_proj.", "text_proj.", "itm_head."]
    }
}

/// Writes captions as `transformers`' `BlipForConditionalGeneration.generate` does, greedily, with beams or by
/// drawing, from `[DEC]` and the prompt to `[SEP]`.
///
/// A captioner that has words to name things with ([`OcelliFiles`](super::OcelliFiles)) is prompted, unless the caller has a
/// prompt, with those that it sees, as in Tag2Text (Huang et al., 2023): `<words> : `. They are no part of the caption.
///
/// A clone is the same captioner: it shares the weights, and the words.
#[derive(Clone)]
pub struct Captioner {
    parts: Arc<Parts>,
    naming: Option<Arc<Mutex<Naming>>>,
}

/// What a running caption shares with its captioner.
struct Parts {
    model: BlipModel,
    files: BlipFiles,
}

impl Captioner {
    /// Builds the model that `files` describe.
    ///
    /// # Errors
    /// As [`Tagger::new`](super::Tagger::new).
    pub fn new(files: CaptionerFiles, weights: Weights) -> Result<Self> {
        weights.pass_over(files.unused());
        Ok(Self::of(BlipModel::new(&files.0.config, weights)?, files, None))
    }

    /// The captioner of its parts.
    pub(super) fn of(model: BlipModel, files: CaptionerFiles, naming: Option<Naming>) -> Self {
        let naming = naming.map(|naming| Arc::new(Mutex::new(naming)));
        Self { parts: Arc::new(Parts { model, files: files.0 }), naming }
    }

    /// How many prompts the captioner's words are encoded with; 0 where it has none.
    pub fn words_total(&self) -> usize {
        self.naming().map_or(0, |naming| naming.total())
    }

    /// How many of them are still to be encoded.
    pub fn words_pending(&self) -> usize {
        self.naming().map_or(0, |naming| naming.pending())
    }

    /// Encodes at most `limit` more of them, and returns how many are still pending. Embeddings that a tagger of the same
    /// model knows are free.
    pub fn encode_words(&self, limit: usize) -> Result<usize> {
        self.naming().map_or(Ok(0), |mut naming| naming.encode(limit))
    }

    /// The words that the model sees in an image, the most probable first; none where it is sure of none. Computes the
    /// layers that are left.
    ///
    /// # Errors
    /// `ArgumentInvalid` while words are pending.
    pub fn words(&self, encoding: &ImageEncoding) -> Result<Vec<String>> {
        self.naming().map_or(Ok(Vec::new()), |naming| naming.words(encoding))
    }

    /// A thread that failed while it held them has left no half of an embedding.
    fn naming(&self) -> Option<MutexGuard<'_, Naming>> {
        self.naming.as_ref().map(|naming| naming.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// `[DEC]` and the prompt of these words: as many of them as take no more than half of the model's room.
    fn prompt(&self, words: &[String]) -> Result<(Vec<u32>, Vec<String>)> {
        let Parts { files, .. } = &*self.parts;
        for count in (0..=words.len()).rev() {
            let mut ids = vec![files.config.text.bos_token_id];
            ids.extend(files.tokenizer.encode_prompt(&prompt_of(&words[..count]))?);
            if ids.len() <= files.config.text.max_position_embeddings / 2 {
                return Ok((ids, words[..count].to_vec()));
            }
        }
        Ok((vec![files.config.text.bos_token_id], Vec::new()))
    }

    /// What a caption of the image begins with where the caller has no prompt. While words are pending it is `[DEC]`
    /// alone.
    pub(super) fn prompt_of(&self, encoding: &ImageEncoding) -> Result<Vec<u32>> {
        if self.naming.is_none() || self.words_pending() > 0 {
            return Ok(vec![self.parts.files.config.text.bos_token_id]);
        }
        Ok(self.prompt(&self.words(encoding)?)?.0)
    }

    /// Checks how a caption is to be written; computes nothing.
    ///
    /// # Errors
    /// `ArgumentInvalid` where `max_tokens` is 0 or less than `min_tokens`, the prompt and the new tokens do not
    /// fit the model, another option is outside the range that [`CaptionOptions`] gives, or drawing is asked for
    /// together with beams.
    pub fn plan(&self, options: &CaptionOptions) -> Result<CaptionPlan> {
        let Parts { files, .. } = &*self.parts;
        let mut ids = vec![files.config.text.bos_token_id];
        if let Some(prompt) = &options.prompt {
            ids.extend(files.tokenizer.encode_prompt(prompt)?);
        }
        let most = files.config.text.max_position_embeddings;
        let room = most.saturating_sub(ids.len());
        if room == 0 {
            // One more token comes before the prompt, and at least one after it.
            let (count, most) = (ids.len() - 1, most.saturating_sub(2));
            let message = format!("The prompt has {count} tokens; the model takes at most {most}.");
            return Err(Error::new(ErrorKind::ArgumentInvalid, message));
        }
        let wanted = options.max_tokens.unwrap_or(DEFAULT_MAX_TOKENS.min(room));
        if wanted == 0 || wanted > room {
            let message =
                format!("maxTokens is {wanted}; after this prompt the model can write 1 to {room} tokens.");
            return Err(Error::new(ErrorKind::ArgumentInvalid, message));
        }
        let names = options.prompt.is_none() && self.naming.is_some();
        let plan = CaptionPlan { ids, names, max_tokens: wanted, options: options.clone() };
        // Refuses what cannot be written.
        self.generation(&plan.ids, &plan)?;
        Ok(plan)
    }

    /// The vision tower.
    pub fn tower(&self) -> &Arc<ImageTower> {
        self.parts.model.vision()
    }

    /// What captions see of images, where another device can compute it.
    pub fn projection(&self) -> Option<ImageProjection> {
        self.parts.model.projection()
    }

    /// Begins to look at `image`; no layer is computed yet.
    pub fn encode_image(&self, image: &RgbImage) -> Result<ImageEncoding> {
        let Parts { model, files } = &*self.parts;
        let state = model.vision().begin(&pixel_batch(&files.preprocessor, image)?)?;
        Ok(ImageEncoding::new(state).framed(files.preprocessor.frame(image)))
    }

    pub(super) fn model(&self) -> &BlipModel {
        &self.parts.model
    }

    pub(super) fn files(&self) -> &BlipFiles {
        &self.parts.files
    }

    /// Computes one more layer of the vision tower. Returns how many are left.
    pub fn advance(&self, encoding: &mut ImageEncoding) -> Result<usize> {
        self.parts.model.vision().advance(encoding.state_mut())
    }

    /// Begins a caption of the image that the model looks at, as an iterator of text pieces. Computes the layers
    /// that are left.
    ///
    /// # Errors
    /// `ArgumentInvalid` where the captioner has words of its own that are pending, and the plan no prompt.
    pub fn write(&self, encoding: &ImageEncoding, plan: &CaptionPlan) -> Result<CaptionRun> {
        let model = &self.parts.model;
        let (ids, words) =
            if plan.names { self.prompt(&self.words(encoding)?)? } else { (plan.ids.clone(), Vec::new()) };
        let image = match encoding.key_values() {
            Some(known) => known,
            None => model.project_image(&model.image_states_of(encoding.state())?)?,
        };
        Ok(CaptionRun {
            parts: Arc::clone(&self.parts),
            generation: self.generation(&ids, plan)?,
            state: model.begin(&image),
            next: ids.clone(),
            prompt: ids.len(),
            hidden: if plan.names { ids.len() } else { 0 },
            words,
            ids,
            ended: false,
            written: String::new(),
        })
    }

    /// All of that at once: the words, the plan, the image, and the caption's beginning.
    ///
    /// # Errors
    /// As [`Captioner::plan`].
    pub fn start(&self, image: &RgbImage, options: &CaptionOptions) -> Result<CaptionRun> {
        let plan = self.plan(options)?;
        while plan.names && self.encode_words(usize::MAX)? > 0 {}
        self.write(&self.encode_image(image)?, &plan)
    }

    /// The search for what comes after `ids`.
    fn generation(&self, ids: &[u32], plan: &CaptionPlan) -> Result<Generation> {
        let text = &self.parts.files.config.text;
        let room = text.max_position_embeddings.saturating_sub(ids.len());
        plan.options.generation(ids, plan.max_tokens.min(room), text.sep_token_id)
    }

    /// The whole caption of `image`; the best one where several are asked for.
    ///
    /// # Errors
    /// As [`Captioner::plan`].
    pub fn caption(&self, image: &RgbImage, options: &CaptionOptions) -> Result<String> {
        self.start(image, options)?.collect()
    }

    /// The captions of `image`, best first: as many as `options` ask for.
    ///
    /// # Errors
    /// As [`Captioner::plan`].
    pub fn captions(&self, image: &RgbImage, options: &CaptionOptions) -> Result<Vec<Caption>> {
        let mut run = self.start(image, options)?;
        run.by_ref().try_for_each(|piece| piece.map(drop))?;
        run.captions()
    }
}

/// How a caption is to be written: checked, and good for any number of images.
#[derive(Debug, Clone)]
pub struct CaptionPlan {
    /// `[DEC]` and the prompt.
    ids: Vec<u32>,
    /// Whether the prompt is made of the words that the model sees.
    names: bool,
    max_tokens: usize,
    options: CaptionOptions,
}

/// One of several captions.
#[derive(Debug, Clone, PartialEq)]
pub struct Caption {
    /// The caption, the prompt included.
    pub text: String,
    /// How probable it is: see [`Written::score`].
    pub score: f32,
}

/// A caption being written: an iterator of pieces that, joined, are the caption. Dropping it stops the work.
///
/// Each piece is the work of one token (of all captions), so it may be empty. With beams, and where several captions
/// are asked for, all are but the last: until then it is not known which caption is the best.
pub struct CaptionRun {
    parts: Arc<Parts>,
    state: CaptionState,
    generation: Generation,
    /// What the decoder sees next: at first `[DEC]` and the prompt, then one token for each caption.
    next: Vec<u32>,
    /// How many tokens `[DEC]` and the prompt are.
    prompt: usize,
    /// How many of them are no part of the caption.
    hidden: usize,
    /// The words of the prompt, where the model has chosen them.
    words: Vec<String>,
    /// `[DEC]`, the prompt, and the tokens written so far.
    ids: Vec<u32>,
    ended: bool,
    /// The text handed out so far.
    written: String,
}

impl CaptionRun {
    /// The token ids of the best caption so far: `[DEC]`, the prompt, the caption; without the `[SEP]` that ends it.
    pub fn token_ids(&self) -> &[u32] {
        &self.ids
    }

    /// The words that the caption was prompted with, where the model has chosen them.
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// The captions as far as they are written, best first: as many as were asked for. (Of a vocabulary in which
    /// that many cannot be found there are fewer.)
    ///
    /// # Errors
    /// `Internal` where the tokenizer library fails.
    pub fn captions(&self) -> Result<Vec<Caption>> {
        let caption = |written: Written| {
            let ids = [&self.ids[self.hidden..self.prompt], &written.ids].concat();
            Ok(Caption { text: self.parts.files.tokenizer.decode(&ids)?, score: written.score })
        };
        self.generation.written().into_iter().map(caption).collect()
    }

    /// Runs the decoder once. Returns whether all captions have ended.
    fn step(&mut self) -> Result<bool> {
        let model = &self.parts.model;
        let logits = if self.state.captions() == 1 {
            model.step(&mut self.state, &self.next)?
        } else {
            model.step_all(&mut self.state, &self.next)?
        };
        let next = self.generation.advance(&finite(&logits)?);
        self.ids.truncate(self.prompt);
        self.ids.extend_from_slice(self.generation.best());
        let Some(next) = next else { return Ok(true) };
        self.state.keep(&next.parents);
        self.next = next.ids;
        Ok(false)
    }

    /// The text that has become certain since the last piece.
    ///
    /// The reference's clean-up joins punctuation and contractions to the word before them, so the last
    /// word may still change: it is kept back until the next one begins or the caption has ended.
    fn piece(&mut self) -> Result<String> {
        if !self.ended && !self.generation.is_single() {
            return Ok(String::new());
        }
        let text = self.parts.files.tokenizer.decode(&self.ids[self.hidden..])?;
        let certain = if self.ended { text.len() } else { text.rfind(' ').unwrap_or(0) };
        let piece = text[..certain].strip_prefix(self.written.as_str()).unwrap_or_default().to_owned();
        self.written.push_str(&piece);
        Ok(piece)
    }
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
