//! CLIP's byte-level BPE.

use tokenizers::normalizers::{Lowercase, NFC, Replace, Sequence as Normalizers};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::sequence::Sequence as PreTokenizers;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::{ModelWrapper, PreTokenizerWrapper, SplitDelimiterBehavior, Tokenizer};

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

/// What ends a word in CLIP's vocabulary.
const WORD_END: &str = "</w>";

/// A word, as OpenAI's `simple_tokenizer.py` has it.
const WORD: &str =
    r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+";

impl ClipTokenizer {
    /// Reads `tokenizer.json`; `context` is the text tower's `max_position_embeddings`.
    ///
    /// Start and end token are those of the file's post-processor or, without one, those with CLIP's names. Where the file does
    /// not cut texts into words at all, as those that `transformers` wrote before version 4.17, they are cut as CLIP does it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::TokenizerInvalid`](crate::ErrorKind::TokenizerInvalid): not a BPE tokenizer in JSON, without
    /// start or end token, or no room for both in `context`.
    pub fn from_json(json: &[u8], context: usize) -> Result<Self> {
        let mut file = File::from_json(json)?;
        let ModelWrapper::BPE(model) = file.tokenizer.get_model() else {
            return Err(invalid("is not of CLIP's kind (BPE)"));
        };
        let has_words = model.end_of_word_suffix.as_deref() == Some(WORD_END);
        let uncut =
            matches!(file.tokenizer.get_pre_tokenizer(), None | Some(PreTokenizerWrapper::ByteLevel(_)));
        if has_words && uncut {
            cut_words(&mut file.tokenizer).map_err(|error| invalid("cannot be used").with_source(error))?;
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

    /// Whether `text` fills the context, so that nothing that is added to it would be read.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ArgumentInvalid`](crate::ErrorKind::ArgumentInvalid): more than
    /// [`MAX_CHARACTERS`](super::MAX_CHARACTERS).
    pub fn fills_context(&self, text: &str) -> Result<bool> {
        self.texts.fills(text)
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

/// Gives `tokenizer` CLIP's way from a text to words.
///
/// Source: `CLIPTokenizer` of `transformers`.
fn cut_words(tokenizer: &mut Tokenizer) -> tokenizers::Result<()> {
    let spaces = Replace::new(tokenizers::normalizers::replace::ReplacePattern::Regex(r"\s+".into()), " ")?;
    tokenizer.with_normalizer(Some(Normalizers::new(vec![NFC.into(), spaces.into(), Lowercase.into()])))?;
    let words = Split::new(SplitPattern::Regex(WORD.into()), SplitDelimiterBehavior::Removed, true)?;
    let bytes = ByteLevel::default().add_prefix_space(false);
    tokenizer.with_pre_tokenizer(Some(PreTokenizers::new(vec![words.into(), bytes.into()])));
    Ok(())
}
