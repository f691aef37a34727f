//! A prompt of any length as chunks of as many tokens as the model takes.

use super::{EmphasisMode, EncodeOptions, PaddingToken};
use crate::models::dual::DualConfig;
use crate::text::{ClipTokenizer, PromptPart, check_prompt, parse_emphasis};
use crate::{Error, ErrorKind, Result};

/// Chunks that a prompt may have: 2,400 tokens of CLIP's.
pub const MAX_CHUNKS: usize = 32;

/// The tokens of one run of the text tower.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Chunk {
    /// Start token, up to `context - 2` tokens of the prompt, end token, and what fills up.
    pub(super) ids: Vec<u32>,
    /// The weight of each.
    pub(super) weights: Vec<f32>,
    /// How many of them, from the first, are not there to fill up.
    pub(super) used: usize,
}

impl Chunk {
    /// Whether there is no token of the prompt in it.
    pub(super) fn is_empty(&self) -> bool {
        self.used == 2
    }
}

/// Deals the tokens of a prompt out to chunks, as AUTOMATIC1111's web UI does.
///
/// A chunk ends where it is full, or at `BREAK`. Where it is full in the middle of a phrase, and there is a comma among its last
/// tokens, what follows that comma moves to the next chunk.
pub(super) struct Chunker<'a> {
    tokenizer: &'a ClipTokenizer,
    padding: u32,
    options: &'a EncodeOptions,
    chunks: Vec<Chunk>,
    ids: Vec<u32>,
    weights: Vec<f32>,
    /// The place of the last comma in `ids`.
    comma: Option<usize>,
}

impl<'a> Chunker<'a> {
    /// # Errors
    /// `ArgumentInvalid`: the token that fills up is none of the model's.
    pub(super) fn new(
        tokenizer: &'a ClipTokenizer,
        config: &DualConfig,
        vocab_size: usize,
        options: &'a EncodeOptions,
    ) -> Result<Self> {
        let end = tokenizer.end_token();
        let padding = match options.padding {
            PaddingToken::Trained => config.padding(end),
            PaddingToken::End => end,
            PaddingToken::Token(id) => id,
        };
        if padding as usize >= vocab_size {
            return Err(argument(format!(
                "padding is the token {padding}, which is not one of the model's {vocab_size}."
            )));
        }
        let (chunks, ids, weights) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Self { tokenizer, padding, options, chunks, ids, weights, comma: None })
    }

    /// The chunks of `prompt`, at least one.
    ///
    /// # Errors
    /// `ArgumentInvalid`: those of [`parse_emphasis`], and more than [`MAX_CHUNKS`].
    pub(super) fn deal(mut self, prompt: &str) -> Result<Vec<Chunk>> {
        let parts = match self.options.emphasis {
            EmphasisMode::None => {
                check_prompt(prompt)?;
                vec![PromptPart::plain(prompt)]
            }
            EmphasisMode::Original | EmphasisMode::NoNorm => parse_emphasis(prompt)?,
        };
        let comma = self.tokenizer.comma_token();
        for part in parts {
            match part {
                PromptPart::Break => self.finish()?,
                PromptPart::Text { text, weight } => {
                    for id in self.tokenizer.encode_bare(&text)? {
                        self.add(id, weight as f32, Some(id) == comma)?;
                    }
                }
            }
        }
        if !self.ids.is_empty() || self.chunks.is_empty() {
            self.finish()?;
        }
        Ok(self.chunks)
    }

    fn add(&mut self, id: u32, weight: f32, is_comma: bool) -> Result<()> {
        let is_full = self.ids.len() + 2 == self.tokenizer.context();
        if is_full {
            let near = |comma: usize| self.ids.len() - comma <= self.backtrack();
            match self.comma.filter(|&comma| !is_comma && near(comma)) {
                Some(comma) => {
                    let (ids, weights) = (self.ids.split_off(comma + 1), self.weights.split_off(comma + 1));
                    self.finish()?;
                    (self.ids, self.weights) = (ids, weights);
                }
                None => self.finish()?,
            }
        } else if is_comma {
            self.comma = Some(self.ids.len());
        }
        self.ids.push(id);
        self.weights.push(weight);
        Ok(())
    }

    fn backtrack(&self) -> usize {
        if self.options.truncate { 0 } else { self.options.comma_backtrack }
    }

    /// Ends the chunk, and begins the next one.
    fn finish(&mut self) -> Result<()> {
        let context = self.tokenizer.context();
        let inner = std::mem::take(&mut self.ids);
        let weights = std::mem::take(&mut self.weights);
        self.comma = None;
        if self.options.truncate && !self.chunks.is_empty() {
            return Ok(());
        }
        if self.chunks.len() == MAX_CHUNKS {
            return Err(argument(format!(
                "The prompt has more than {MAX_CHUNKS} chunks of {} tokens: make it shorter.",
                context - 2
            )));
        }
        let used = inner.len() + 2;
        let mut ids = vec![self.tokenizer.start_token()];
        ids.extend(inner);
        ids.push(self.tokenizer.end_token());
        ids.resize(context, self.padding);
        let mut all = vec![1.0];
        all.extend(weights);
        all.resize(context, 1.0);
        self.chunks.push(Chunk { ids, weights: all, used });
        Ok(())
    }
}

fn argument(message: String) -> Error {
    Error::new(ErrorKind::ArgumentInvalid, message)
}
