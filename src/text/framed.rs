//! Texts between a start and an end token.

use super::file::{File, invalid};
use crate::error::Result;

/// A tokenizer whose texts have a first and a last token, and room for so many in all.
pub(super) struct Framed {
    pub(super) file: File,
    pub(super) context: usize,
    start: u32,
    pub(super) end: u32,
}

impl Framed {
    /// The tokens around a text are those of the file's post-processor or, without one, those that are called `names`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::TokenizerInvalid`](crate::ErrorKind::TokenizerInvalid): no start or end token, or no room for both in
    /// `context`.
    pub(super) fn new(file: File, context: usize, names: [&str; 2]) -> Result<Self> {
        if context < 2 {
            return Err(invalid(format!("cannot serve a text tower with room for {context} tokens")));
        }
        let [start, end] = names.map(|name| file.tokenizer.token_to_id(name));
        let (start, end) =
            file.frame.or(start.zip(end)).ok_or_else(|| invalid("has no start and end token"))?;
        if start.max(end) as usize >= file.vocab_size {
            return Err(invalid("has start or end tokens outside its vocabulary"));
        }
        Ok(Self { file, context, start, end })
    }

    /// Start token, the tokens of `text`, end token. Too long a text loses its last tokens, never the end token.
    pub(super) fn encode(&self, text: &str) -> Result<Vec<u32>> {
        let inner = self.file.encode(text)?;
        let mut ids = Vec::with_capacity(self.context.min(inner.len() + 2));
        ids.push(self.start);
        ids.extend(inner.into_iter().take(self.context - 2));
        ids.push(self.end);
        Ok(ids)
    }

    /// Whether `text` leaves no room for one more token.
    pub(super) fn fills(&self, text: &str) -> Result<bool> {
        Ok(self.file.encode(text)?.len() >= self.context - 2)
    }
}
