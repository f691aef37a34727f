//! BLIP's WordPiece: prompts and whole texts in, captions and answers out.

use tokenizers::ModelWrapper;
use tokenizers::decoders::wordpiece::WordPiece;

use super::file::{File, invalid};
use crate::error::{Error, ErrorKind, Result};

/// Texts to token ids for BLIP's text encoder and decoder, and the decoder's ids back to words.
pub struct CaptionTokenizer {
    pub(super) file: File,
}

/// The names of BERT's first and last token, for files whose post-processor does not tell them.
const START: &str = "[CLS]";
const END: &str = "[SEP]";

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

    /// `[CLS]`, the tokens of `text`, `[SEP]`: at most `most` of them, which is at least 2. Too long a text loses its
    /// last tokens, as the reference's `tokenizer(text, truncation=True, max_length=most)` does it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ArgumentInvalid`]: more than [`MAX_CHARACTERS`](super::MAX_CHARACTERS);
    /// [`ErrorKind::TokenizerInvalid`]: as [`CaptionTokenizer::frame`].
    pub fn encode(&self, text: &str, most: usize) -> Result<Vec<u32>> {
        let (start, end) = self.frame()?;
        let inner = self.file.encode(text)?;
        let mut ids = Vec::with_capacity(most.min(inner.len() + 2));
        ids.push(start);
        ids.extend(inner.into_iter().take(most.saturating_sub(2)));
        ids.push(end);
        Ok(ids)
    }

    /// The tokens before and after a whole text: those of the file's post-processor or, without one, those named
    /// `[CLS]` and `[SEP]`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::TokenizerInvalid`]: there are none, or they are outside the vocabulary.
    pub fn frame(&self) -> Result<(u32, u32)> {
        let tokenizer = &self.file.tokenizer;
        let named = || Some((tokenizer.token_to_id(START)?, tokenizer.token_to_id(END)?));
        let frame = self.file.frame.or_else(named).ok_or_else(|| invalid("has no [CLS] and [SEP]"))?;
        if frame.0.max(frame.1) as usize >= self.file.vocab_size {
            return Err(invalid("has [CLS] or [SEP] outside its vocabulary"));
        }
        Ok(frame)
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

    /// One more than the largest id that the tokenizer can give.
    pub fn vocab_size(&self) -> usize {
        self.file.vocab_size
    }
}
