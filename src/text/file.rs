//! `tokenizer.json`, which comes from a stranger.

use serde::Deserialize;
use serde_json::Value;
use tokenizers::{DecoderWrapper, PostProcessorWrapper, Tokenizer};

use super::MAX_CHARACTERS;
use crate::error::{Error, ErrorKind, Result};

/// Bytes that a `tokenizer.json` may have. That of SigLIP 2, with 256,000 tokens, has 34 million.
const MAX_BYTES: usize = 64 << 20;

/// A tokenizer without surprises: it neither pads, nor truncates, nor adds tokens of its own accord.
pub(super) struct File {
    pub(super) tokenizer: Tokenizer,
    /// One more than the largest id, so that every id is below it.
    pub(super) vocab_size: usize,
    /// The first and the last token that the file's post-processor puts around a text.
    pub(super) frame: Option<(u32, u32)>,
}

impl File {
    /// Reads a file and disarms it: see [`File`].
    pub(super) fn from_json(json: &[u8]) -> Result<Self> {
        if json.len() > MAX_BYTES {
            return Err(invalid(format!("has {} bytes; at most {MAX_BYTES} are accepted", json.len())));
        }
        let outline: TokenizerMeta = serde_json::from_slice(json).map_err(|error| {
            Error::new(ErrorKind::TokenizerInvalid, "The tokenizer file is not a tokenizer in JSON.")
                .with_source(error)
        })?;
        if outline.model.dropout.is_some_and(|dropout| dropout != 0.0) {
            return Err(invalid("drops merges at random: the same text would get other tokens each time"));
        }
        let mut tokenizer = Tokenizer::from_bytes(json).map_err(|error| {
            Error::new(ErrorKind::TokenizerInvalid, "The tokenizer file cannot be used.").with_source(error)
        })?;
        tokenizer.with_post_processor(None::<PostProcessorWrapper>);
        tokenizer.with_padding(None);
        tokenizer.with_truncation(None).map_err(|error| {
            Error::new(ErrorKind::TokenizerInvalid, "The tokenizer file cannot be used.").with_source(error)
        })?;
        let largest = tokenizer.get_vocab(true).into_values().max();
        let largest = largest.ok_or_else(|| invalid("has an empty vocabulary"))?;
        let frame = outline.post_processor.as_ref().and_then(frame);
        // The largest id has no successor where `usize` has 32 bits.
        let vocab_size = (largest as usize).checked_add(1).filter(|&size| size <= u32::MAX as usize);
        let vocab_size = vocab_size.ok_or_else(|| invalid("has a token with too large an id"))?;
        Ok(Self { tokenizer, vocab_size, frame })
    }

    /// The ids of `text` alone.
    pub(super) fn encode(&self, text: &str) -> Result<Vec<u32>> {
        // Bytes first: counting the characters of a hostile text would itself be work.
        if text.len() > 4 * MAX_CHARACTERS || text.chars().count() > MAX_CHARACTERS {
            return Err(Error::new(
                ErrorKind::ArgumentInvalid,
                format!("The text is longer than {MAX_CHARACTERS} characters."),
            ));
        }
        let encoding = self.tokenizer.encode_fast(text, false).map_err(|error| {
            Error::new(ErrorKind::TokenizerInvalid, "The tokenizer cannot encode the text.")
                .with_source(error)
        })?;
        let ids = encoding.get_ids().to_vec();
        // Holds for every well-formed file; an embedding table would not forgive the others.
        match ids.iter().find(|&&id| id as usize >= self.vocab_size) {
            Some(id) => Err(invalid(format!("gives the id {id}, which is outside its vocabulary"))),
            None => Ok(ids),
        }
    }

    /// Sets the way from tokens back to text.
    pub(super) fn with_decoder(mut self, decoder: impl Into<DecoderWrapper>) -> Self {
        self.tokenizer.with_decoder(Some(decoder));
        self
    }
}

pub(super) fn invalid(why: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::TokenizerInvalid, format!("The tokenizer file {why}."))
}

/// The parts of the file that the tokenizer library keeps to itself.
#[derive(Deserialize)]
struct TokenizerMeta {
    /// Not looked at; but the tokenizer library panics where it is damaged, and reading it finds that out before.
    #[serde(default, rename = "decoder")]
    _decoder: Option<Value>,
    #[serde(default, rename = "normalizer")]
    _normalizer: Option<Value>,
    #[serde(default, rename = "pre_tokenizer")]
    _pre_tokenizer: Option<Value>,
    #[serde(default)]
    post_processor: Option<Value>,
    model: Model,
}

#[derive(Deserialize)]
struct Model {
    #[serde(default)]
    dropout: Option<f64>,
}

/// The tokens that a post-processor puts first and last, in any of the forms in use.
fn frame(processor: &Value) -> Option<(u32, u32)> {
    let id = |value: &Value| value.as_u64().and_then(|id| u32::try_from(id).ok());
    match processor.get("type")?.as_str()? {
        // Pairs of token and id.
        "RobertaProcessing" | "BertProcessing" => {
            Some((id(processor.get("cls")?.get(1)?)?, id(processor.get("sep")?.get(1)?)?))
        }
        "TemplateProcessing" => {
            let pieces = processor.get("single")?.as_array()?;
            let special = |piece: &Value| {
                let name = piece.get("SpecialToken")?.get("id")?.as_str()?;
                id(processor.get("special_tokens")?.get(name)?.get("ids")?.get(0)?)
            };
            // Without anything between them, first and last could be one and the same token.
            (pieces.len() >= 2).then_some((special(pieces.first()?)?, special(pieces.last()?)?))
        }
        "Sequence" => processor.get("processors")?.as_array()?.iter().find_map(frame),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reads_the_frame_from_every_form() {
        let roberta = json!({"type": "RobertaProcessing", "sep": ["</s>", 2], "cls": ["<s>", 0]});
        let template = json!({
            "type": "TemplateProcessing",
            "single": [
                {"SpecialToken": {"id": "<s>", "type_id": 0}},
                {"Sequence": {"id": "A", "type_id": 0}},
                {"SpecialToken": {"id": "</s>", "type_id": 0}},
            ],
            "special_tokens": {"<s>": {"ids": [0]}, "</s>": {"ids": [2]}},
        });
        let nested = json!({"type": "Sequence", "processors": [{"type": "ByteLevel"}, roberta.clone()]});
        for processor in [roberta, template, nested] {
            assert_eq!(frame(&processor), Some((0, 2)), "{processor}");
        }
        for processor in [json!(null), json!({"type": "ByteLevel"}), json!({"type": "TemplateProcessing"})] {
            assert_eq!(frame(&processor), None, "{processor}");
        }
    }
}
