//! What a user asks for: models meet text and images only here.
//!
//! * [`Tagger`]: zero-shot tags of an image from any list of labels, and embeddings of images and texts (CLIP).
//! * [`Captioner`]: a sentence about an image, piece by piece (BLIP).
//! * [`Matcher`]: how well texts describe an image (BLIP).
//! * [`Answerer`]: answers to questions about an image, its own or the best of given ones (BLIP).
//! * [`Classifier`]: which of its own classes an image is of (ViT).
//! * [`TeachRun`]: a tagger's labels learnt from a few examples (softmax regression).
//! * [`TextEncoder`]: what image generators are conditioned on, the states of a prompt's tokens (CLIP's text tower).
//! * [`Ocelli`]: a tagger, a captioner and a matcher of one model, for which an image is encoded once.
//! * [`Interrogation`]: a prompt that an image could have been made with, of a caption and of terms (CLIP Interrogator).
//! * [`Map`]: which parts of an image made an answer, of all of them.
//!
//! They are made in two steps from a model's published files: the small files are read and checked against
//! each other first ([`TaggerFiles`], [`CaptionerFiles`] and so on), so that a model that cannot work is refused before
//! its weights are downloaded. Nothing is ever half-made: each step returns what works or one
//! [`Error`](crate::Error).

mod answerer;
mod blip_files;
mod captioner;
mod classifier;
mod embedding_cache;
mod features;
mod generation;
mod image_encoding;
mod inside;
mod interrogator;
mod kinds;
mod labels;
mod matcher;
mod naming;
mod ocelli;
mod scores;
mod tag_table;
mod tagger;
mod teaching;
mod text_encoder;
mod text_offload;
mod text_tokenizer;
mod texts;

pub use answerer::{
    AnswerPlan, AnswerRun, Answerer, AnswererFiles, ChoiceRun, Choices, DEFAULT_ANSWER_TOKENS,
};
pub use captioner::{Caption, CaptionPlan, CaptionRun, Captioner, CaptionerFiles};
pub use classifier::{Classifier, ClassifierFiles};
pub use generation::{
    BeamSearch, BeamSettings, CaptionOptions, Continuation, DEFAULT_MAX_TOKENS, Generation, MAX_BEAMS,
    MAX_CAPTIONS, Processors, SampleSettings, Samples, Sampling, Written,
};
pub use image_encoding::ImageEncoding;
pub use inside::{Map, Tracing, WordMap};
pub use interrogator::{
    DEFAULT_CHUNK, Interrogation, InterrogationSettings, MAX_TERMS, Mode, TaggerTexts, TermLists, Terms,
    TextFeatures,
};
pub use labels::{Label, LabelSet, MAX_LABEL_CHARS, MAX_LABELS};
pub use matcher::{DEFAULT_RERANK, MAX_TEXT_TOKENS, MatchRun, MatchTexts, Matcher, MatcherFiles, TextMatch};
pub use ocelli::{Ocelli, OcelliFiles, OcelliModelFiles};
pub use scores::{Scored, Scores};
pub use tagger::{Tagger, TaggerFiles};
pub use teaching::{MAX_EXAMPLES, Taught, TaughtRows, TeachRun};
pub use text_encoder::{
    EmphasisMode, EncodeOptions, EncodedPrompt, MAX_CHUNKS, PaddingToken, PromptRun, TextEncoder,
    TextEncoderFiles,
};
pub use text_offload::WaitingTexts;

use crate::image::{Preprocessor, RgbImage};
use crate::{Error, ErrorKind, Result};
use candle_core::Tensor;

/// The three small files that come beside a model's weights, as bytes, in the hub's formats.
#[derive(Debug, Clone, Copy)]
pub struct ModelFiles<'a> {
    /// `config.json`: widths, depths, special token ids.
    pub config: &'a [u8],
    /// `preprocessor_config.json`: size, crop, mean and deviation.
    pub preprocessor: &'a [u8],
    /// `tokenizer.json`: vocabulary and rules.
    pub tokenizer: &'a [u8],
}

/// `image` as a batch of one, shape `(1, 3, height, width)`.
fn pixel_batch(preprocessor: &Preprocessor, image: &RgbImage) -> Result<Tensor> {
    Ok(preprocessor.tensor(image)?.unsqueeze(0)?)
}

/// Checks that the preprocessor makes square pictures of the side the vision tower was built for: its
/// position embeddings fit no other size.
fn check_picture_size(preprocessor: &Preprocessor, image_size: usize) -> Result<()> {
    let (height, width) = preprocessor.output_size();
    if (height, width) == (image_size, image_size) {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::PreprocessorInvalid,
        format!(
            "preprocessor_config.json makes pictures of {width} x {height} pixels, \
             but config.json describes a model for {image_size} x {image_size}."
        ),
    ))
}

/// Weights with infinities, or so large that sums overflow, load like any others and show only here.
fn non_finite() -> Error {
    Error::new(ErrorKind::WeightsInvalid, "The weights give no finite numbers for this picture.")
}

/// The numbers of `tensor`, if they are all finite.
fn finite(tensor: &Tensor) -> Result<Vec<f32>> {
    let values = tensor.flatten_all()?.to_vec1::<f32>()?;
    if values.iter().all(|value| value.is_finite()) { Ok(values) } else { Err(non_finite()) }
}

/// Checks that every id of the tokenizer has a row in the model's embedding table.
fn check_vocabulary(tokenizer: usize, model: usize) -> Result<()> {
    if tokenizer <= model {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::TokenizerInvalid,
        format!("tokenizer.json has {tokenizer} tokens, but the model knows only {model}."),
    ))
}
