//! Answers to questions about an image, with BLIP.

use std::sync::Arc;

use super::blip_files::BlipFiles;
use super::generation::{CaptionOptions, Generation};
use super::scores::softmax;
use super::texts::{Noun, check_texts};
use super::{ImageEncoding, MAX_TEXT_TOKENS, ModelFiles, finite, non_finite, pixel_batch};
use crate::image::RgbImage;
use crate::models::ImageTower;
use crate::models::blip::{BlipAnswerer, CaptionState, ImageProjection};
use crate::weights::Weights;
use crate::{Error, ErrorKind, Result};

/// How many tokens an answer may have where the caller does not say: as many as the reference's `generate` gives it.
pub const DEFAULT_ANSWER_TOKENS: usize = 20;

/// How many answers go through the decoder at once, and how many tokens they have together where there is more than
/// one: what the decoder keeps of each bounds them.
const ANSWER_BATCH: usize = 64;
const TOKEN_BATCH: usize = 512;

/// The small files of a BLIP model that answers questions, read and checked against each other.
pub struct AnswererFiles(BlipFiles);

impl AnswererFiles {
    /// Reads the files.
    ///
    /// # Errors
    /// As [`TaggerFiles::read`](super::TaggerFiles::read).
    pub fn read(files: ModelFiles) -> Result<Self> {
        BlipFiles::read_framed(files).map(Self)
    }

    /// Beginnings of the names of tensors that the model does without, for
    /// [`WeightsLoader::pass_over`](crate::weights::WeightsLoader::pass_over): a file may have a matching head too.
    pub fn unused(&self) -> &'static [&'static str] {
        &["vision_proj.", "text_proj.", "itm_head."]
    }
}

/// Answers questions about an image, as `transformers`' `BlipForQuestionAnswering` does: in words of its own, or with
/// the most likely of given answers.
pub struct Answerer {
    parts: Arc<Parts>,
}

/// What a running answer shares with its answerer.
struct Parts {
    model: BlipAnswerer,
    files: BlipFiles,
}

/// A question, and how it is to be answered: checked, and good for any number of images.
#[derive(Debug, Clone)]
pub struct AnswerPlan {
    question: Vec<u32>,
    max_tokens: usize,
    options: CaptionOptions,
}

/// A question and its possible answers: checked, and good for any number of images.
#[derive(Debug, Clone)]
pub struct Choices {
    question: Vec<u32>,
    /// For each answer `[DEC]`, its tokens, `[SEP]`.
    answers: Arc<[Vec<u32>]>,
}

impl Answerer {
    /// Builds the model that `files` describe.
    ///
    /// # Errors
    /// As [`Tagger::new`](super::Tagger::new).
    pub fn new(files: AnswererFiles, weights: Weights) -> Result<Self> {
        weights.pass_over(files.unused());
        let model = BlipAnswerer::new(&files.0.config, weights)?;
        Ok(Self { parts: Arc::new(Parts { model, files: files.0 }) })
    }

    /// Checks a question, of which at most [`MAX_TEXT_TOKENS`] tokens are read, and how it is to be answered;
    /// computes nothing. Where `options` do not say how many tokens the answer may have, it is
    /// [`DEFAULT_ANSWER_TOKENS`].
    ///
    /// # Errors
    /// `ArgumentInvalid` where the question is empty or longer than [`MAX_CHARACTERS`](crate::text::MAX_CHARACTERS),
    /// `max_tokens` is 0 or more than the model has room for, another option is outside its range, or a prompt or
    /// more than one answer is asked for.
    pub fn plan(&self, question: &str, options: &CaptionOptions) -> Result<AnswerPlan> {
        let room = self.parts.files.config.text.max_position_embeddings.saturating_sub(1);
        let max_tokens = options.max_tokens.unwrap_or(DEFAULT_ANSWER_TOKENS.min(room));
        if max_tokens == 0 || max_tokens > room {
            return Err(argument(format!(
                "maxTokens is {max_tokens}; an answer can have 1 to {room} tokens."
            )));
        }
        if options.prompt.is_some() || options.num_captions.is_some_and(|count| count != 1) {
            return Err(argument("An answer has no prompt, and a question has one answer."));
        }
        let plan = AnswerPlan { question: self.question(question)?, max_tokens, options: options.clone() };
        // Refuses what cannot be written.
        self.generation(&plan)?;
        Ok(plan)
    }

    fn generation(&self, plan: &AnswerPlan) -> Result<Generation> {
        let text = &self.parts.files.config.text;
        plan.options.generation(&[text.bos_token_id], plan.max_tokens, text.sep_token_id)
    }

    /// Checks a question, as [`Answerer::plan`] does, and its possible answers; computes nothing.
    ///
    /// # Errors
    /// `ArgumentInvalid` where the question is empty or longer than a text may be, or an answer has more tokens than
    /// the model has room for; `LabelsEmpty`, `LabelsTooMany`, `LabelEmpty`, `LabelTooLong`: as
    /// [`LabelSet`](super::LabelSet) has them.
    pub fn choices<S: AsRef<str>>(&self, question: &str, answers: &[S]) -> Result<Choices> {
        let BlipFiles { config, tokenizer, .. } = &self.parts.files;
        let question = self.question(question)?;
        check_texts(Noun { one: "Answer", many: "answers" }, answers)?;
        let room = config.text.max_position_embeddings.saturating_sub(2);
        let mut all = Vec::with_capacity(answers.len());
        for (answer, number) in answers.iter().zip(1..) {
            let mut ids = vec![config.text.bos_token_id];
            ids.extend(tokenizer.encode_prompt(answer.as_ref())?);
            ids.push(config.text.sep_token_id);
            if ids.len() - 2 > room {
                let message =
                    format!("Answer {number} has {} tokens; the model takes {room} at most.", ids.len() - 2);
                return Err(argument(message));
            }
            all.push(ids);
        }
        Ok(Choices { question, answers: all.into() })
    }

    fn question(&self, text: &str) -> Result<Vec<u32>> {
        if text.trim().is_empty() {
            return Err(argument("The question is empty."));
        }
        let BlipFiles { config, tokenizer, .. } = &self.parts.files;
        tokenizer.encode(text, MAX_TEXT_TOKENS.min(config.text.max_position_embeddings))
    }

    /// The vision tower.
    pub fn tower(&self) -> &Arc<ImageTower> {
        self.parts.model.vision()
    }

    /// What questions see of images.
    pub fn projection(&self) -> ImageProjection {
        self.parts.model.projection()
    }

    /// Begins to look at `image`; no layer is computed yet.
    pub fn encode_image(&self, image: &RgbImage) -> Result<ImageEncoding> {
        let Parts { model, files } = &*self.parts;
        Ok(ImageEncoding::new(model.vision().begin(&pixel_batch(&files.preprocessor, image)?)?))
    }

    /// Computes one more layer of the vision tower. Returns how many are left.
    pub fn advance(&self, encoding: &mut ImageEncoding) -> Result<usize> {
        self.parts.model.vision().advance(encoding.state_mut())
    }

    /// Begins an answer about the image that the model looks at. Computes the layers that are left.
    pub fn write(&self, encoding: &ImageEncoding, plan: &AnswerPlan) -> Result<AnswerRun> {
        Ok(AnswerRun {
            parts: Arc::clone(&self.parts),
            state: self.ask(encoding, &plan.question)?,
            generation: self.generation(plan)?,
            next: vec![self.parts.files.config.text.bos_token_id],
            ended: false,
        })
    }

    /// Begins to weigh the possible answers about the image that the model looks at. Computes the layers that are
    /// left.
    pub fn weigh(&self, encoding: &ImageEncoding, choices: &Choices) -> Result<ChoiceRun> {
        Ok(ChoiceRun {
            parts: Arc::clone(&self.parts),
            state: self.ask(encoding, &choices.question)?,
            answers: Arc::clone(&choices.answers),
            scores: Vec::with_capacity(choices.answers.len()),
        })
    }

    /// The question as the decoder sees it.
    fn ask(&self, encoding: &ImageEncoding, question: &[u32]) -> Result<CaptionState> {
        let model = &self.parts.model;
        let image = match encoding.key_values() {
            Some(known) => known,
            None => model.project_image(&model.vision().states(encoding.state())?)?,
        };
        model.ask(&image, question)
    }

    /// The whole answer.
    pub fn answer(&self, encoding: &ImageEncoding, plan: &AnswerPlan) -> Result<String> {
        let mut run = self.write(encoding, plan)?;
        while run.step()? {}
        run.answer()
    }

    /// The log-likelihood of each possible answer, in the order given: see [`ChoiceRun`].
    pub fn scores(&self, encoding: &ImageEncoding, choices: &Choices) -> Result<Vec<f32>> {
        let mut run = self.weigh(encoding, choices)?;
        while run.step(ANSWER_BATCH)? > 0 {}
        Ok(run.scores().to_vec())
    }
}

/// An answer being written. Dropping it stops the work.
pub struct AnswerRun {
    parts: Arc<Parts>,
    state: CaptionState,
    generation: Generation,
    /// What the decoder sees next: at first `[DEC]`, then one token for each answer that is tried.
    next: Vec<u32>,
    ended: bool,
}

impl AnswerRun {
    /// Runs the decoder once. Returns whether the answer goes on.
    pub fn step(&mut self) -> Result<bool> {
        if self.ended {
            return Ok(false);
        }
        let logits = finite(&self.parts.model.step_all(&mut self.state, &self.next)?)?;
        match self.generation.advance(&logits) {
            Some(next) => {
                self.state.keep(&next.parents);
                self.next = next.ids;
            }
            None => self.ended = true,
        }
        Ok(!self.ended)
    }

    /// The tokens of the best answer so far, without `[DEC]` and `[SEP]`.
    pub fn token_ids(&self) -> &[u32] {
        self.generation.best()
    }

    /// The best answer so far.
    pub fn answer(&self) -> Result<String> {
        self.parts.files.tokenizer.decode(self.token_ids())
    }
}

/// Possible answers being weighed, bit by bit. The score of an answer is the log-likelihood of its tokens and of the
/// `[SEP]` after them: see [`BlipAnswerer::log_likelihoods`].
pub struct ChoiceRun {
    parts: Arc<Parts>,
    state: CaptionState,
    answers: Arc<[Vec<u32>]>,
    scores: Vec<f32>,
}

impl ChoiceRun {
    /// Weighs at most `limit` more answers. Returns how many are left.
    pub fn step(&mut self, limit: usize) -> Result<usize> {
        let rest = &self.answers[self.scores.len()..];
        if rest.is_empty() {
            return Ok(0);
        }
        let mut tokens = 0;
        let fits = |ids: &&Vec<u32>| {
            tokens += ids.len();
            tokens <= TOKEN_BATCH
        };
        let count = rest.iter().take(limit.min(ANSWER_BATCH)).take_while(fits).count();
        let next = &rest[..count.max(1)];
        let scores = self.parts.model.log_likelihoods(&self.state, next)?;
        if scores.iter().any(|score| !score.is_finite()) {
            return Err(non_finite());
        }
        self.scores.extend(scores);
        Ok(self.answers.len() - self.scores.len())
    }

    /// The log-likelihoods known so far, in the order given.
    pub fn scores(&self) -> &[f32] {
        &self.scores
    }

    /// The probabilities of the answers known so far, if it is one of them: the softmax of their log-likelihoods.
    pub fn probabilities(&self) -> Vec<f32> {
        let mut scores = self.scores.clone();
        softmax(&mut scores);
        scores
    }
}

fn argument(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::ArgumentInvalid, message)
}
