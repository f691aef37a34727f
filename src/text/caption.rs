//! BLIP's WordPiece: prompts in, captions out.

use tokenizers::ModelWrapper;
use tokenizers::decoders::wordpiece::WordPiece;

use super::file::{File, invalid};
use crate::error::{Error, ErrorKind, Result};

/// Prompts to token ids for BLIP's text decoder, and its ids back to words.
pub struct CaptionTokenizer {
    pub(super) file: File,
}

impl CaptionTokenizer {
    /// Reads `tokenizer.json`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::TokenizerInvalid`]: not a WordPiece tokenizer in JSON.
    pub fn from_json(json: &[u8]) -> Result<Self> {
        let file = File::from_json(json)?;
        let ModelWrapper::WordPiece(model) = file.tokenizer.get_model() else {
            return Err(invalid("is not of BLIP's kind (WordPiece)"));
        };
        // The reference builds its decoder from the model, whatever the file says.
        let decoder = WordPiece::new(model.continuing_subword_prefix.clone(), true);
        Ok(Self { file: file.with_decoder(decoder) })
    }

    /// The tokens of `text` alone: no `[CLS]` before, no `[SEP]` after, because the decoder begins with its own
    /// token and goes on after the prompt.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ArgumentInvalid`]: more than [`MAX_CHARACTERS`](super::MAX_CHARACTERS).
    pub fn encode_prompt(&self, text: &str) -> Result<Vec<u32>> {
        self.file.encode(text)
    }

    /// Words for ids: special and unknown ids are left out, pieces are joined, the spaces before punctuation and
    /// contractions are closed, as the reference's `decode(ids, skip_special_tokens=True)` does.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Internal`]: the tokenizer library failed.
    pub fn decode(&self, ids: &[u32]) -> Result<String> {
        self.file.tokenizer.decode(ids, true).map_err(|error| {
            Error::new(ErrorKind::Internal, "The caption could not be turned into words.").with_source(error)
        })
    }

    /// One more than the largest id that [`CaptionTokenizer::encode_prompt`] can give.
    pub fn vocab_size(&self) -> usize {
        self.file.vocab_size
    }
}
