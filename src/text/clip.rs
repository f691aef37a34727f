//! CLIP's byte-level BPE.

use tokenizers::ModelWrapper;

use super::file::{File, invalid};
use super::framed::Framed;
use crate::error::Result;

/// Labels to token ids for CLIP's text tower.
pub struct ClipTokenizer {
    texts: Framed,
    /// What texts are filled up with.
    pad: Option<u32>,
}

/// The names of CLIP's first and last token, for files whose post-processor does not tell them.
const NAMES: [&str; 2] = ["<|startoftext|>", "<|endoftext|>"];

impl ClipTokenizer {
    /// Reads `tokenizer.json`; `context` is the text tower's `max_position_embeddings`.
    ///
    /// Start and end token are those of the file's post-processor or, without one, those with CLIP's names.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::TokenizerInvalid`](crate::ErrorKind::TokenizerInvalid): not a BPE tokenizer in JSON, without
    /// start or end token, or no room for both in `context`.
    pub fn from_json(json: &[u8], context: usize) -> Result<Self> {
        let file = File::from_json(json)?;
        if !matches!(file.tokenizer.get_model(), ModelWrapper::BPE(_)) {
            return Err(invalid("is not of CLIP's kind (BPE)"));
        }
        Ok(Self { texts: Framed::new(file, context, NAMES)?, pad: None })
    }

    /// The same tokenizer, whose texts are all filled up to the context with the token `pad`.
    #[must_use]
    pub fn padded(self, pad: u32) -> Self {
        Self { pad: Some(pad), ..self }
    }

    /// Start token, the tokens of `text`, end token: at most `context` of them. Too long a text loses its last
    /// tokens, never the end token, which is where CLIP pools.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ArgumentInvalid`](crate::ErrorKind::ArgumentInvalid): more than
    /// [`MAX_CHARACTERS`](super::MAX_CHARACTERS).
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        let mut ids = self.texts.encode(text)?;
        if let Some(pad) = self.pad {
            ids.resize(self.texts.context, pad);
        }
        Ok(ids)
    }

    /// The id of the end token.
    pub fn end_token(&self) -> u32 {
        self.texts.end
    }

    /// One more than the largest id that [`ClipTokenizer::encode`] can give.
    pub fn vocab_size(&self) -> usize {
        self.texts.file.vocab_size
    }
}
