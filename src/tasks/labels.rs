//! A set of labels whose embeddings are computed bit by bit.

use std::sync::Arc;

use crate::text::Template;
use crate::{Error, ErrorKind, Result};

/// The most labels that one set may have.
pub const MAX_LABELS: usize = 10_000;

/// The most characters (Unicode scalar values) that one label may have.
///
/// Models see some 70 tokens at most, so a longer text is not a label but a mistake.
pub const MAX_LABEL_CHARS: usize = 1_000;

/// Labels written into a prompt template, and those of their embeddings that are known already.
///
/// A set is made by [`Tagger::labels`](super::Tagger::labels) and belongs to that tagger. Computing the
/// embeddings of thousands of labels takes seconds, so it goes in steps
/// ([`Tagger::encode_labels`](super::Tagger::encode_labels)) between which a caller can show progress or stop.
#[derive(Debug)]
pub struct LabelSet {
    prompts: Vec<String>,
    /// Unit-length text embeddings of `prompts[..embeddings.len()]`.
    embeddings: Vec<Arc<[f32]>>,
}

impl LabelSet {
    /// Checks `labels` and writes each into `template`; computes nothing.
    ///
    /// # Errors
    /// `LabelsEmpty`, `LabelsTooMany` (over [`MAX_LABELS`]), `LabelEmpty` (nothing but white space),
    /// `LabelTooLong` (over [`MAX_LABEL_CHARS`]).
    pub(super) fn new<S: AsRef<str>>(labels: &[S], template: &Template) -> Result<Self> {
        if labels.is_empty() {
            return Err(Error::new(ErrorKind::LabelsEmpty, "There are no labels: give at least one."));
        }
        if labels.len() > MAX_LABELS {
            return Err(Error::new(
                ErrorKind::LabelsTooMany,
                format!("There are too many labels: at most {MAX_LABELS} are accepted at once."),
            ));
        }
        let mut prompts = Vec::with_capacity(labels.len());
        for (index, label) in labels.iter().enumerate() {
            prompts.push(template.fill(checked(index, label.as_ref())?));
        }
        Ok(Self { prompts, embeddings: Vec::new() })
    }

    /// How many labels the set has; never 0.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        self.prompts.len()
    }

    /// How many labels still lack their embedding.
    pub fn pending(&self) -> usize {
        self.prompts.len() - self.embeddings.len()
    }

    /// The prompts whose embeddings come next, in order.
    pub(super) fn pending_prompts(&self) -> &[String] {
        &self.prompts[self.embeddings.len()..]
    }

    /// Appends the embeddings of the next prompts.
    pub(super) fn extend(&mut self, embeddings: impl IntoIterator<Item = Arc<[f32]>>) {
        self.embeddings.extend(embeddings);
        debug_assert!(self.embeddings.len() <= self.prompts.len());
    }

    /// The prompts whose embeddings are known, with them.
    pub(super) fn encoded(&self) -> impl Iterator<Item = (&str, &Arc<[f32]>)> {
        self.prompts.iter().map(String::as_str).zip(&self.embeddings)
    }

    /// The embeddings known so far, in label order.
    pub(super) fn embeddings(&self) -> &[Arc<[f32]>] {
        &self.embeddings
    }
}

/// `label` if it is one, or the error that says which of the labels is wrong and why.
fn checked(index: usize, label: &str) -> Result<&str> {
    if label.trim().is_empty() {
        return Err(Error::new(ErrorKind::LabelEmpty, format!("Label {} is empty.", index + 1)));
    }
    // Bytes bound characters from above: the exact count is needed only for long texts.
    if label.len() > MAX_LABEL_CHARS {
        let chars = label.chars().count();
        if chars > MAX_LABEL_CHARS {
            return Err(Error::new(
                ErrorKind::LabelTooLong,
                format!(
                    "Label {} has {chars} characters; at most {MAX_LABEL_CHARS} are accepted.",
                    index + 1
                ),
            ));
        }
    }
    Ok(label)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn kind_of(labels: &[String]) -> ErrorKind {
        LabelSet::new(labels, &Template::parse("a {}").unwrap()).unwrap_err().kind()
    }

    #[test]
    fn refuses_what_is_not_a_label() {
        assert_eq!(kind_of(&[]), ErrorKind::LabelsEmpty);
        assert_eq!(kind_of(&["cat".into(), " \t\n".into()]), ErrorKind::LabelEmpty);
        assert_eq!(kind_of(&["x".repeat(MAX_LABEL_CHARS + 1)]), ErrorKind::LabelTooLong);
        assert_eq!(kind_of(&vec!["cat".into(); MAX_LABELS + 1]), ErrorKind::LabelsTooMany);
    }

    #[test]
    fn counts_characters_and_not_bytes() {
        let label = "é".repeat(MAX_LABEL_CHARS);
        let set = LabelSet::new(&[label], &Template::parse("{}").unwrap()).unwrap();
        assert_eq!((set.len(), set.pending()), (1, 1));
    }

    #[test]
    fn names_the_wrong_label_by_its_place() {
        let error = LabelSet::new(&["cat", ""], &Template::parse("{}").unwrap()).unwrap_err();
        assert_eq!(error.to_string(), "Label 2 is empty.");
    }
}
