//! The tokenizer of a text tower, of whatever kind.

use super::check_vocabulary;
use crate::models::dual::{TextConfig, TokenizerKind};
use crate::text::{ClipTokenizer, RobertaTokenizer, SiglipTokenizer};
use crate::{Error, ErrorKind, Result};

/// Turns texts into what a text tower takes.
pub(super) enum TextTokenizer {
    Clip(ClipTokenizer),
    Siglip(SiglipTokenizer),
    Roberta(RobertaTokenizer),
}

impl TextTokenizer {
    /// Reads `tokenizer.json` and checks it against the text tower.
    pub(super) fn read(text: &TextConfig, kind: TokenizerKind, json: &[u8]) -> Result<Self> {
        if json.is_empty() {
            return Err(Error::new(
                ErrorKind::TokenizerInvalid,
                "There is no tokenizer.json, which texts need.",
            ));
        }
        let (context, vocab_size) = match text {
            TextConfig::Clip(text) => (text.max_position_embeddings, text.vocab_size),
            TextConfig::Bert(text) => (text.context(), text.vocab_size),
        };
        let tokenizer = match kind {
            TokenizerKind::Clip { pad } => {
                let tokenizer = ClipTokenizer::from_json(json, context)?;
                check_end(text, tokenizer.end_token())?;
                Self::Clip(match pad {
                    None => tokenizer,
                    Some(pad) => tokenizer.padded(pad),
                })
            }
            TokenizerKind::Siglip => Self::Siglip(SiglipTokenizer::from_json(json, context)?),
            TokenizerKind::Roberta { context } => Self::Roberta(RobertaTokenizer::from_json(json, context)?),
        };
        check_vocabulary(tokenizer.vocab_size(), vocab_size)?;
        Ok(tokenizer)
    }

    /// The token ids of `text`.
    pub(super) fn encode(&self, text: &str) -> Result<Vec<u32>> {
        match self {
            Self::Clip(tokenizer) => tokenizer.encode(text),
            Self::Siglip(tokenizer) => tokenizer.encode(text),
            Self::Roberta(tokenizer) => tokenizer.encode(text),
        }
    }

    /// Whether `text` fills the context, so that nothing that is added to it would be read.
    pub(super) fn fills_context(&self, text: &str) -> Result<bool> {
        match self {
            Self::Clip(tokenizer) => tokenizer.fills_context(text),
            Self::Siglip(tokenizer) => tokenizer.fills_context(text),
            Self::Roberta(tokenizer) => tokenizer.fills_context(text),
        }
    }

    fn vocab_size(&self) -> usize {
        match self {
            Self::Clip(tokenizer) => tokenizer.vocab_size(),
            Self::Siglip(tokenizer) => tokenizer.vocab_size(),
            Self::Roberta(tokenizer) => tokenizer.vocab_size(),
        }
    }
}

/// Checks that texts are pooled at the token that they end with.
fn check_end(text: &TextConfig, end: u32) -> Result<()> {
    match text {
        TextConfig::Clip(text) if text.pooled(&[end]).is_none() => Err(Error::new(
            ErrorKind::TokenizerInvalid,
            format!(
                "tokenizer.json ends texts with the token {end}, but config.json with {}.",
                text.eos_token_id
            ),
        )),
        _ => Ok(()),
    }
}
