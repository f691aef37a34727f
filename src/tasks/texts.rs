//! Lists of texts from a caller, checked before anything is computed.

use super::{MAX_LABEL_CHARS, MAX_LABELS};
use crate::{Error, ErrorKind, Result};

/// What a list of texts is called in messages.
#[derive(Debug, Clone, Copy)]
pub(super) struct Noun {
    /// At the beginning of a sentence: `Label`.
    pub(super) one: &'static str,
    /// Within one: `labels`.
    pub(super) many: &'static str,
}

/// Refuses a list that is empty or too long, and one of whose texts is: what [`check_count`] and [`check_text`] refuse.
pub(super) fn check_texts<S: AsRef<str>>(noun: Noun, texts: &[S]) -> Result<()> {
    check_count(noun, texts.len())?;
    texts.iter().zip(1..).try_for_each(|(text, number)| check_text(noun, number, text.as_ref()))
}

/// Refuses a list of no texts (`LabelsEmpty`) or of more than [`MAX_LABELS`] (`LabelsTooMany`).
pub(super) fn check_count(Noun { many, .. }: Noun, count: usize) -> Result<()> {
    if count == 0 {
        return Err(Error::new(ErrorKind::LabelsEmpty, format!("There are no {many}: give at least one.")));
    }
    if count > MAX_LABELS {
        let message = format!("There are too many {many}: at most {MAX_LABELS} are accepted at once.");
        return Err(Error::new(ErrorKind::LabelsTooMany, message));
    }
    Ok(())
}

/// Refuses a text of nothing but white space (`LabelEmpty`) or of more than [`MAX_LABEL_CHARS`] (`LabelTooLong`).
/// `number` is its place, counted from 1.
pub(super) fn check_text(Noun { one, .. }: Noun, number: usize, text: &str) -> Result<()> {
    if text.trim().is_empty() {
        return Err(Error::new(ErrorKind::LabelEmpty, format!("{one} {number} is empty.")));
    }
    // Bytes bound characters from above: the exact count is needed only for long texts.
    if text.len() > MAX_LABEL_CHARS {
        let chars = text.chars().count();
        if chars > MAX_LABEL_CHARS {
            let message =
                format!("{one} {number} has {chars} characters; at most {MAX_LABEL_CHARS} are accepted.");
            return Err(Error::new(ErrorKind::LabelTooLong, message));
        }
    }
    Ok(())
}
