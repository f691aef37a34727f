//! The words of a text, and which tokens each is made of.

use std::ops::Range;

use super::CaptionTokenizer;
use crate::error::{Error, ErrorKind, Result};

/// A word as the tokenizer finds it: letters and digits between white space and punctuation, or one sign of
/// punctuation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// Where it is in the text, in UTF-16 units, as JavaScript counts.
    pub range: Range<usize>,
    /// Its tokens, at least one, by their place among those of the text.
    pub tokens: Range<usize>,
}

impl CaptionTokenizer {
    /// [`CaptionTokenizer::encode_prompt`], and the words that the tokens belong to, in order. Tokens that the
    /// tokenizer adds or knows as a whole, such as `[SEP]`, belong to none.
    ///
    /// # Errors
    ///
    /// As [`CaptionTokenizer::encode_prompt`].
    pub fn encode_words(&self, text: &str) -> Result<(Vec<u32>, Vec<Word>)> {
        let ids = self.encode_prompt(text)?;
        // The quick way to the ids, which has checked them and the length of the text, tells no places.
        let encoding = self.file.tokenizer.encode(text, false).map_err(|error| {
            Error::new(ErrorKind::TokenizerInvalid, "The tokenizer cannot encode the text.")
                .with_source(error)
        })?;
        let mut words: Vec<Word> = Vec::new();
        let (mut last, mut bytes, mut units) = (None, 0, 0);
        let mut place = |end: usize| {
            // Places come in order; one that does not, or is none, adds nothing.
            units += text.get(bytes..end).map_or(0, |part| part.encode_utf16().count());
            bytes = bytes.max(end);
            units
        };
        for (token, (word, &(begin, end))) in
            encoding.get_word_ids().iter().zip(encoding.get_offsets()).enumerate()
        {
            let Some(word) = *word else { continue };
            if last == Some(word) {
                if let Some(open) = words.last_mut() {
                    (open.range.end, open.tokens.end) = (place(end), token + 1);
                }
            } else {
                last = Some(word);
                words.push(Word { range: place(begin)..place(end), tokens: token..token + 1 });
            }
        }
        Ok((ids, words))
    }
}
