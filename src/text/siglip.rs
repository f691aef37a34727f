//! SigLIP's SentencePiece tokenizers.

use std::borrow::Cow;

use tokenizers::ModelWrapper;

use super::file::{File, invalid};
use crate::error::Result;

/// Texts to token ids for SigLIP's text tower.
pub struct SiglipTokenizer {
    file: File,
    context: usize,
    end: u32,
    pad: u32,
    /// The tokenizer of SigLIP 2 keeps punctuation.
    keeps_punctuation: bool,
}

impl SiglipTokenizer {
    /// Reads `tokenizer.json`; `context` is the text tower's `max_position_embeddings`.
    ///
    /// Two kinds are known. SigLIP's (unigram) ends texts with `</s>` and fills them up with the same; SigLIP 2's (that of
    /// Gemma, BPE) ends them with `<eos>` and fills them up with `<pad>`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::TokenizerInvalid`](crate::ErrorKind::TokenizerInvalid): neither of the two, or no room in `context`.
    pub fn from_json(json: &[u8], context: usize) -> Result<Self> {
        let file = File::from_json(json)?;
        if context < 2 {
            return Err(invalid(format!("cannot serve a text tower with room for {context} tokens")));
        }
        let token = |name: &str| file.tokenizer.token_to_id(name);
        let (end, pad, keeps_punctuation) = match file.tokenizer.get_model() {
            ModelWrapper::Unigram(_) => (token("</s>"), token("</s>"), false),
            ModelWrapper::BPE(_) => (token("<eos>"), token("<pad>"), true),
            _ => (None, None, false),
        };
        let (Some(end), Some(pad)) = (end, pad) else {
            return Err(invalid(
                "is not of SigLIP's kind: unigram with `</s>`, or BPE with `<eos>` and `<pad>`",
            ));
        };
        Ok(Self { file, context, end, pad, keeps_punctuation })
    }

    /// The tokens of `text`, the end token, and padding: `context` of them. Too long a text loses its last tokens, never the
    /// end token.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ArgumentInvalid`](crate::ErrorKind::ArgumentInvalid): more than
    /// [`MAX_CHARACTERS`](super::MAX_CHARACTERS).
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        let mut ids = self.file.encode(&self.canonical(text))?;
        ids.truncate(self.context - 1);
        ids.push(self.end);
        ids.resize(self.context, self.pad);
        Ok(ids)
    }

    /// Whether `text` fills the context, so that nothing that is added to it would be read.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ArgumentInvalid`](crate::ErrorKind::ArgumentInvalid): more than
    /// [`MAX_CHARACTERS`](super::MAX_CHARACTERS).
    pub fn fills_context(&self, text: &str) -> Result<bool> {
        Ok(self.file.encode(&self.canonical(text))?.len() >= self.context - 1)
    }

    /// One more than the largest id that [`SiglipTokenizer::encode`] can give.
    pub fn vocab_size(&self) -> usize {
        self.file.vocab_size
    }

    /// What the reference makes of a text first: lower case; and of SigLIP's, no punctuation of ASCII and no white space but
    /// single blanks.
    ///
    /// Source: `SiglipTokenizer.canonicalize_text` and `Siglip2Tokenizer` of `transformers`.
    fn canonical<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if text.len() > 4 * super::MAX_CHARACTERS {
            // Refused as it is.
            return Cow::Borrowed(text);
        }
        let lower = text.to_lowercase();
        if self.keeps_punctuation {
            return Cow::Owned(lower);
        }
        let letters: String = lower.chars().filter(|letter| !letter.is_ascii_punctuation()).collect();
        Cow::Owned(letters.split_whitespace().collect::<Vec<_>>().join(" "))
    }
}
