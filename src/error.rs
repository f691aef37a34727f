//! The one error type of the crate.
//!
//! Every variant carries a plain sentence for a person and a stable [`ErrorKind`] for a program.
//! JavaScript sees the kind's [`ErrorKind::code`] as `error.code`; the codes are part of the public
//! interface and never change meaning.

use std::error::Error as StdError;

use ocelli_kernels::MatrixError;

/// `Result` with the crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, for programs. [`ErrorKind::code`] is its stable spelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The image has no bytes.
    ImageEmpty,
    /// The bytes are not an image of a supported format.
    ImageUnsupported,
    /// The image is of a supported format, but damaged or cut off.
    ImageDamaged,
    /// The image has more pixels than the decoder accepts.
    ImageTooLarge,
    /// No labels were given.
    LabelsEmpty,
    /// More labels were given than one call accepts.
    LabelsTooMany,
    /// A label is empty or only white space.
    LabelEmpty,
    /// A label has more characters than one label may have.
    LabelTooLong,
    /// A prompt template lacks its `{}` or is too long.
    TemplateInvalid,
    /// An option has a value outside its range.
    ArgumentInvalid,
    /// `config.json` is not what the model needs.
    ConfigInvalid,
    /// `preprocessor_config.json` is not what the model needs.
    PreprocessorInvalid,
    /// `tokenizer.json` is not what the model needs.
    TokenizerInvalid,
    /// The weights are not a safetensors file, or contradict themselves.
    WeightsInvalid,
    /// The weights end before their last tensor does.
    WeightsTruncated,
    /// Tensors that the model needs are missing, misshapen or unknown to it.
    WeightsMismatch,
    /// A file is no index, or is damaged.
    IndexInvalid,
    /// Vectors or an index are of another model than the index at hand.
    IndexMismatch,
    /// There is no room for more vectors.
    IndexFull,
    /// The tensor library failed: a defect of ocelli, not of its input.
    Internal,
}

impl ErrorKind {
    /// The stable code of this kind, as JavaScript sees it in `error.code`.
    pub fn code(self) -> &'static str {
        match self {
            Self::ImageEmpty => "image-empty",
            Self::ImageUnsupported => "image-unsupported",
            Self::ImageDamaged => "image-damaged",
            Self::ImageTooLarge => "image-too-large",
            Self::LabelsEmpty => "labels-empty",
            Self::LabelsTooMany => "labels-too-many",
            Self::LabelEmpty => "label-empty",
            Self::LabelTooLong => "label-too-long",
            Self::TemplateInvalid => "template-invalid",
            Self::ArgumentInvalid => "argument-invalid",
            Self::ConfigInvalid => "config-invalid",
            Self::PreprocessorInvalid => "preprocessor-invalid",
            Self::TokenizerInvalid => "tokenizer-invalid",
            Self::WeightsInvalid => "weights-invalid",
            Self::WeightsTruncated => "weights-truncated",
            Self::WeightsMismatch => "weights-mismatch",
            Self::IndexInvalid => "index-invalid",
            Self::IndexMismatch => "index-mismatch",
            Self::IndexFull => "index-full",
            Self::Internal => "internal",
        }
    }
}

/// An error of this crate: a kind for programs, a sentence for people, and the cause where there is one.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    kind: ErrorKind,
    message: String,
    #[source]
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of `kind` that says `message`: one sentence, capitalised, with its full stop.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    /// The same error, remembering the lower-level error that caused it.
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What went wrong, for programs.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The stable code of [`Error::kind`].
    pub fn code(&self) -> &'static str {
        self.kind.code()
    }
}

/// What a matrix says of its shape and numbers, in its own words: both come from the weights.
impl From<MatrixError> for Error {
    fn from(error: MatrixError) -> Self {
        let kind = match error {
            MatrixError::Incomplete { .. } => ErrorKind::WeightsTruncated,
            _ => ErrorKind::WeightsInvalid,
        };
        Self::new(kind, error.to_string())
    }
}

/// Tensor operations fail only where this crate's own shape arithmetic is wrong, so their errors are
/// [`ErrorKind::Internal`]. Input is checked, with better words, before it becomes a tensor.
impl From<candle_core::Error> for Error {
    fn from(error: candle_core::Error) -> Self {
        Self::new(ErrorKind::Internal, "The model could not be computed: this is a defect of ocelli.")
            .with_source(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_kind_sentence_and_cause() {
        let cause = std::io::Error::other("disk");
        let error = Error::new(ErrorKind::ImageDamaged, "The image ends too early.").with_source(cause);
        assert_eq!(error.kind(), ErrorKind::ImageDamaged);
        assert_eq!(error.code(), "image-damaged");
        assert_eq!(error.to_string(), "The image ends too early.");
        assert_eq!(StdError::source(&error).map(ToString::to_string), Some("disk".to_owned()));
    }
}
