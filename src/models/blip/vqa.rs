//! Answers to questions about an image.

use std::sync::Arc;

use candle_core::Tensor;

use super::text::{ImageKeyValues, TextEncoder};
use super::{BlipConfig, CaptionState, Decoder, load_vision, one_image};
use crate::Result;
use crate::models::vision::{ImageTower, TokenEncoder};
use crate::weights::Weights;

/// A BLIP model that answers questions: the reference's `BlipForQuestionAnswering`.
///
/// An encoder reads the question while it sees the image; a decoder, which sees the question alone, writes the
/// answer from `[DEC]` to `[SEP]`.
#[derive(Debug, Clone)]
pub struct BlipAnswerer {
    config: BlipConfig,
    vision: TokenEncoder,
    pub(super) encoder: TextEncoder,
    decoder: Decoder,
}

impl BlipAnswerer {
    /// The model that `config` describes, of `weights`. The error names every tensor that does not fit.
    ///
    /// What the decoder sees are states of the encoder, so its cross-attention takes the width of texts. The
    /// reference gives it that of images, and so can only run models in which both are the same.
    pub fn new(config: &BlipConfig, weights: Weights) -> Result<Self> {
        let root = weights.root();
        let (image, text) = (config.image_width, config.text.tower.hidden_size);
        let model = Self {
            config: config.clone(),
            vision: load_vision(config, &root)?,
            encoder: TextEncoder::load(&config.text, image, &root.scope("text_encoder"))?,
            decoder: Decoder::load(&config.text, text, &root.scope("text_decoder"))?,
        };
        weights.finish()?;
        Ok(model)
    }

    /// The vision tower.
    pub fn vision(&self) -> &Arc<ImageTower> {
        self.vision.tower()
    }

    /// What questions see of the image with `image_states` `(1, 1 + patches, vision width)`.
    pub fn project_image(&self, image_states: &Tensor) -> Result<ImageKeyValues> {
        self.encoder.project_image(&one_image(&self.config, image_states)?)
    }

    /// What the decoder sees of the question `ids` about an image: its states `(ids, width)`.
    pub fn question_states(&self, image: &ImageKeyValues, ids: &[u32]) -> Result<Tensor> {
        self.encoder.states(ids, image)
    }

    /// An answer without tokens to the question `ids` about an image: the keys and values of the question, which
    /// serve every token of every answer.
    pub fn ask(&self, image: &ImageKeyValues, ids: &[u32]) -> Result<CaptionState> {
        Ok(self.decoder.begin(&self.decoder.project(&self.question_states(image, ids)?)?))
    }

    /// Appends the tokens `ids` to the only answer and gives the logits `(vocab,)` of the token after the last of
    /// them.
    pub fn step(&self, state: &mut CaptionState, ids: &[u32]) -> Result<Tensor> {
        self.decoder.step(state, ids)
    }

    /// Appends `ids` and gives the logits after each of them, `(ids, vocab)`: one id for each answer, or any number
    /// of the only one.
    pub fn step_all(&self, state: &mut CaptionState, ids: &[u32]) -> Result<Tensor> {
        self.decoder.step_all(state, ids)
    }

    /// The log-likelihoods of `answers` to the question of `start`, which has no tokens yet. Each has the tokens
    /// `[DEC]`, the answer's, and `[SEP]`:
    ///
    /// ```text
    /// log p(answer) = sum over t >= 1 of log p(token t | tokens before t, question, image)
    /// ```
    ///
    /// as `rank_answer` of the published code has it (`salesforce/BLIP`, `models/blip_vqa.py`), but for the label
    /// smoothing that its loss has from training. That code computes this for the answers with the best first tokens
    /// alone; here every answer has its exact value.
    pub fn log_likelihoods(&self, start: &CaptionState, answers: &[Vec<u32>]) -> Result<Vec<f32>> {
        self.decoder.log_likelihoods(start, answers)
    }
}
