//! The tokenizers of RoBERTa and XLM-RoBERTa.

use super::file::{File, invalid};
use crate::error::Result;

/// Texts to token ids for text towers of RoBERTa's kind.
pub struct RobertaTokenizer {
    file: File,
    context: usize,
    start: u32,
    end: u32,
}

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
        let file = File::from_json(json)?;
        if context < 2 {
            return Err(invalid(format!("cannot serve a text tower with room for {context} tokens")));
        }
        let named = || Some((file.tokenizer.token_to_id("<s>")?, file.tokenizer.token_to_id("</s>")?));
        let (start, end) = file.frame.or_else(named).ok_or_else(|| invalid("has no start and end token"))?;
        Ok(Self { file, context, start, end })
    }

    /// Start token, the tokens of `text`, end token: at most as many as there is room for. Too long a text loses its last
    /// tokens.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ArgumentInvalid`](crate::ErrorKind::ArgumentInvalid): more than
    /// [`MAX_CHARACTERS`](super::MAX_CHARACTERS).
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        // As `open_clip` cleans texts.
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let inner = self.file.encode(&text)?;
        let mut ids = vec![self.start];
        ids.extend(inner.into_iter().take(self.context - 2));
        ids.push(self.end);
        Ok(ids)
    }

    /// One more than the largest id that [`RobertaTokenizer::encode`] can give.
    pub fn vocab_size(&self) -> usize {
        self.file.vocab_size.max(self.start.max(self.end) as usize + 1)
    }
}
