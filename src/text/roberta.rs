//! The tokenizers of RoBERTa and XLM-RoBERTa.

use super::file::File;
use super::framed::Framed;
use crate::error::Result;

/// Texts to token ids for text towers of RoBERTa's kind.
pub struct RobertaTokenizer(Framed);

impl RobertaTokenizer {
    /// Reads `tokenizer.json`; texts get at most `context` tokens, the first and the last included.
    ///
    /// Start and end token are those of the file's post-processor or, without one, `<s>` and `</s>`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::TokenizerInvalid`](crate::ErrorKind::TokenizerInvalid): no start or end token, or no room for both in
    /// `context`.
    pub fn from_json(json: &[u8], context: usize) -> Result<Self> {
        Ok(Self(Framed::new(File::from_json(json)?, context, ["<s>", "</s>"])?))
    }

    /// Start token, the tokens of `text`, end token: at most as many as there is room for. Too long a text loses its last
    /// tokens.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ArgumentInvalid`](crate::ErrorKind::ArgumentInvalid): more than
    /// [`MAX_CHARACTERS`](super::MAX_CHARACTERS).
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        self.0.encode(&single_spaced(text))
    }

    /// Whether `text` fills the context, so that nothing that is added to it would be read.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ArgumentInvalid`](crate::ErrorKind::ArgumentInvalid): more than
    /// [`MAX_CHARACTERS`](super::MAX_CHARACTERS).
    pub fn fills_context(&self, text: &str) -> Result<bool> {
        self.0.fills(&single_spaced(text))
    }

    /// One more than the largest id that [`RobertaTokenizer::encode`] can give.
    pub fn vocab_size(&self) -> usize {
        self.0.file.vocab_size
    }
}

/// As `open_clip` cleans texts.
fn single_spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
