//! Labels taught by a few examples.
//!
//! The logit of label `c` becomes `z_0 + kept (z_c - z_0) + <theta_c, x>`, where `z` are the logits of zero-shot tagging, `z_0` is that
//! of "none of these", and `x` is the image's unit-length embedding. `theta` is learnt by [`softmax_regression`], whose penalty
//! draws to zero: few examples change little. The strength of the penalty, and how much is `kept` of what the words say, are
//! chosen by cross-validation, where to learn nothing is one of the choices: all is kept of labels that the model knows, and
//! little of words that mislead it.
//!
//! Beside it were tried, on the same features: a linear probe blended with the
//! zero-shot weights after it was trained (WiSE-FT; Wortsman et al., 2022), a cache of the examples (Tip-Adapter; Zhang et al.,
//! 2022), and means of the examples.

mod run;
mod softmax_regression;
#[cfg(test)]
mod tests;

pub use run::TeachRun;

use super::tagger::Tagger;
use super::{LabelSet, Scored, Scores};
use crate::{Error, ErrorKind, Result};

/// The most examples that can be learnt from at once.
pub const MAX_EXAMPLES: usize = 20_000;
/// The most multiplications of examples, labels and features that one look at all examples may take.
const MAX_WORK: u64 = 1 << 32;

/// What examples have added to a tagger's labels.
#[derive(Debug, Clone, PartialEq)]
pub struct Taught {
    /// `(labels, dim)`: what the logits of the labels gain is the product of a row and the image's embedding.
    pub weights: Vec<f32>,
    /// How much is kept of the zero-shot logits of these labels, as they stand above or below that of "none of these": from
    /// 0 to 1.
    pub kept: f32,
    /// The strength of the penalty; absent where nothing was better than what the model knew.
    pub strength: Option<f32>,
    /// What logits are divided by, beside the tagger's own temperature.
    pub temperature: f32,
}

/// Rows of a [`Taught`], and of each the place of its label in a set.
#[derive(Debug, Clone, Copy)]
pub struct TaughtRows<'a> {
    /// `(places, dim)`
    pub weights: &'a [f32],
    /// Places in a set of labels.
    pub places: &'a [u32],
    /// [`Taught::kept`].
    pub kept: f32,
    /// [`Taught::temperature`].
    pub temperature: f32,
}

impl TaughtRows<'_> {
    /// Checks the rows against an embedding of `dim` features and `labels` labels.
    fn check(&self, labels: usize, dim: usize) -> Result<()> {
        let Self { weights, places, kept, temperature } = self;
        if weights.len() != places.len() * dim || places.iter().any(|&place| place as usize >= labels) {
            return Err(argument("What was taught belongs to another model, or to other labels."));
        }
        let finite = weights.iter().all(|x| x.is_finite());
        if finite && (0.0..=1.0).contains(kept) && temperature.is_finite() && *temperature > 0.0 {
            return Ok(());
        }
        Err(argument("What was taught has numbers outside their ranges."))
    }
}

impl Tagger {
    /// Begins to learn the labels of `set` from examples: their unit-length embeddings `(count, dim)`, one after the other,
    /// and of each the place of its label in `set`. A label may have none. `background` are prompts that name nothing, as
    /// for [`Tagger::score`].
    ///
    /// # Errors
    /// `ArgumentInvalid`: there are no examples, or too many; an embedding is of another model; a place is not one of the
    /// set.
    pub fn teach(
        &mut self,
        set: &mut LabelSet,
        background: &mut LabelSet,
        embeddings: &[f32],
        places: &[u32],
    ) -> Result<TeachRun> {
        self.encode_all(background)?;
        self.encode_all(set)?;
        let dim = set.embeddings().first().map_or(0, |row| row.len());
        check(embeddings, places, set.len(), dim)?;
        let mut known = Vec::with_capacity(places.len() * (set.len() + 1));
        for embedding in embeddings.chunks_exact(dim) {
            let (logits, none) = self.calibrated(embedding, set, background, Scores::Softmax, None)?;
            known.extend(logits);
            known.push(none);
        }
        let classes = places.iter().map(|&place| place as usize).collect();
        TeachRun::new(embeddings.to_vec(), known, classes)
    }

    /// [`Tagger::score`] of labels that were taught.
    ///
    /// # Errors
    /// `ArgumentInvalid`: `taught` is of another model or of labels beyond those of `set`, or what [`Tagger::score`] says.
    pub fn score_taught(
        &mut self,
        image: &[f32],
        set: &mut LabelSet,
        background: &mut LabelSet,
        scores: Scores,
        offset: Option<f32>,
        taught: TaughtRows<'_>,
    ) -> Result<Scored> {
        let image = self.direction(image)?;
        taught.check(set.len(), image.len())?;
        let (mut logits, none) = self.calibrated(&image, set, background, scores, offset)?;
        for (&place, row) in taught.places.iter().zip(taught.weights.chunks_exact(image.len())) {
            let logit = &mut logits[place as usize];
            let learnt = row.iter().zip(&image).map(|(a, b)| a * b).sum::<f32>();
            *logit = none + taught.kept * (*logit - none) + learnt;
        }
        logits.iter_mut().for_each(|logit| *logit /= taught.temperature);
        Ok(scores.of(logits, none / taught.temperature))
    }
}

fn check(embeddings: &[f32], places: &[u32], labels: usize, dim: usize) -> Result<()> {
    if places.is_empty() {
        return Err(argument("There are no examples: give at least one."));
    }
    let work = (places.len() as u64).saturating_mul(labels as u64).saturating_mul(dim as u64);
    if places.len() > MAX_EXAMPLES || work > MAX_WORK {
        return Err(argument(format!(
            "There are {} examples of {labels} labels, which are too many to learn from at once.",
            places.len()
        )));
    }
    if embeddings.len() != places.len() * dim {
        return Err(argument("The examples were embedded by another model than the one that is taught."));
    }
    if let Some(place) = places.iter().find(|&&place| place as usize >= labels) {
        return Err(argument(format!("An example is of label {place}, counted from 0, of {labels}.")));
    }
    if embeddings.iter().all(|x| x.is_finite()) {
        Ok(())
    } else {
        Err(argument("An example's embedding has numbers that are not finite."))
    }
}

fn argument(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::ArgumentInvalid, message)
}
