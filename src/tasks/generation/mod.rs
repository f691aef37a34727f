//! How texts are written: which tokens follow, given the logits of a decoder.
//!
//! ```text
//! logits -> processors: repetition, n-grams, length -> the most probable token
//!                                                   -> sampling: temperature, top-k, top-p, a draw
//!                                                   -> beams
//! ```
//!
//! Step for step what `GenerationMixin.generate` of `transformers` (version 5) does, without a model: who calls it
//! brings the logits, so that all texts that are written side by side go through the decoder as one batch.

mod beams;
mod options;
mod processors;
mod samples;
mod sampling;

pub use beams::{BeamSearch, BeamSettings};
pub use options::{CaptionOptions, DEFAULT_MAX_TOKENS, MAX_BEAMS, MAX_CAPTIONS};
pub use processors::Processors;
pub use samples::{SampleSettings, Samples};
pub use sampling::Sampling;

/// How the texts under way go on: text `i` is text `parents[i]` of before with the token `ids[i]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Continuation {
    /// Places among the texts before.
    pub parents: Vec<usize>,
    /// The next tokens.
    pub ids: Vec<u32>,
}

/// A text as it was written.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Written {
    /// The new tokens, without the prompt and without the token that ends the text.
    pub ids: Vec<u32>,
    /// How probable it is: with beams `sequences_scores` of the reference, the sum of the processed
    /// log-probabilities divided by the length to the power of the length penalty; else the sum of the
    /// log-probabilities that the model itself gives the new tokens, the one that ends the text included.
    pub score: f32,
}

/// The most probable first, equals in the order in which they came.
fn sort(texts: &mut [Written]) {
    texts.sort_by(|a, b| b.score.total_cmp(&a.score));
}

/// Texts being written.
pub enum Generation {
    /// One text of the most probable tokens, or several of drawn ones.
    Samples(Samples),
    /// The most probable texts that a search finds.
    Beams {
        /// The search.
        search: BeamSearch,
        /// How many of its texts are wanted.
        count: usize,
    },
}

impl Generation {
    /// Takes the logits of the next token, one row for each text under way (at first one for all), and says how
    /// they go on; nothing if all have ended.
    pub fn advance(&mut self, logits: &[f32]) -> Option<Continuation> {
        match self {
            Self::Samples(samples) => samples.advance(logits),
            Self::Beams { search, .. } => search.advance(logits),
        }
    }

    /// The new tokens of the best text so far.
    pub fn best(&self) -> &[u32] {
        match self {
            Self::Samples(samples) => samples.best(),
            Self::Beams { search, .. } => search.best(),
        }
    }

    /// Whether [`Generation::best`] only ever grows, because there is but one text.
    pub fn is_single(&self) -> bool {
        matches!(self, Self::Samples(samples) if samples.count() == 1)
    }

    /// The texts, best first: as many as are wanted, where that many could be found.
    pub fn written(&self) -> Vec<Written> {
        match self {
            Self::Samples(samples) => samples.written(),
            Self::Beams { search, count } => search.written().iter().take(*count).cloned().collect(),
        }
    }
}
