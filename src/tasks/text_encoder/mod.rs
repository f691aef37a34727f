//! What image generators are conditioned on: the states of CLIP's text tower for a prompt of any length.

mod chunks;
mod kept;
mod options;

use std::sync::Arc;

use candle_core::Tensor;

pub use chunks::MAX_CHUNKS;
pub use options::{EmphasisMode, EncodeOptions, PaddingToken};

use self::chunks::{Chunk, Chunker};
use self::kept::{ChunkKey, ChunkStates, Kept};
use super::text_tokenizer::TextTokenizer;
use crate::models::dual::{ClipTextEncoder, DualConfig, MaskedText, TextConfig, TextPass, Towers};
use crate::text::ClipTokenizer;
use crate::weights::Weights;
use crate::{Error, ErrorKind, Result};

/// Chunks that go through the layers together: enough to fill the matrix kernels, few enough to bound the memory of the
/// activations.
const CHUNK_BATCH: usize = 8;

/// The small files of a model with a text tower of CLIP's, read and checked against each other.
pub struct TextEncoderFiles {
    config: DualConfig,
    tokenizer: ClipTokenizer,
    vocab_size: usize,
}

impl TextEncoderFiles {
    /// Reads `config.json`, of the text tower alone or of a whole CLIP, and `tokenizer.json`.
    ///
    /// # Errors
    /// `ConfigInvalid`: there is no text tower, or none of CLIP's kind. `TokenizerInvalid`.
    pub fn read(config: &[u8], tokenizer: &[u8]) -> Result<Self> {
        let config = DualConfig::from_json(config)?;
        let Some(text @ TextConfig::Clip(clip)) = &config.text else { return Err(no_tower()) };
        let vocab_size = clip.vocab_size;
        if clip.max_position_embeddings < 3 {
            let message = "In config.json, texts have no room for a word between their first and last token.";
            return Err(Error::new(ErrorKind::ConfigInvalid, message));
        }
        let TextTokenizer::Clip(tokenizer) = TextTokenizer::read(text, config.tokenizer, tokenizer)? else {
            return Err(no_tower());
        };
        Ok(Self { config, tokenizer, vocab_size })
    }

    /// Beginnings of the names of tensors that the model does without, for
    /// [`WeightsLoader::pass_over`](crate::weights::WeightsLoader::pass_over): those of the image tower.
    pub fn unused(&self) -> &'static [&'static str] {
        self.config.unused(Towers::Text)
    }

    /// The tower that the model has alone, for [`WeightsLoader::of_tower`](crate::weights::WeightsLoader::of_tower).
    pub fn tower_alone(&self) -> Option<&'static str> {
        self.config.tower_alone()
    }
}

/// Encodes prompts as the text encoders of Stable Diffusion and SDXL do: `FrozenCLIPEmbedder`, and `CLIPTextModel` and
/// `CLIPTextModelWithProjection` of `transformers`.
///
/// ```no_run
/// use ocelli::tasks::{EncodeOptions, TextEncoder, TextEncoderFiles};
/// # use ocelli::weights::Weights;
/// # fn encode(config: &[u8], tokenizer: &[u8], weights: Weights) -> ocelli::Result<Vec<f32>> {
/// let mut encoder = TextEncoder::new(TextEncoderFiles::read(config, tokenizer)?, weights)?;
/// let options = EncodeOptions { skip: 1, final_norm: false, ..Default::default() }; // as SDXL
/// let mut run = encoder.begin("a (red:1.2) cat", Some("blurry"), &options)?;
/// while encoder.step(&mut run)? > 0 {}
/// let (prompt, negative) = (run.encoded()?, run.negative()?); // 77 rows for each chunk
/// # Ok(prompt.states) }
/// ```
pub struct TextEncoder {
    model: ClipTextEncoder,
    files: TextEncoderFiles,
    kept: Kept,
}

/// A prompt, and maybe a negative one, on their way through the text tower.
pub struct PromptRun {
    options: EncodeOptions,
    /// The chunks of the prompt and of the negative one, each with the index of its entry.
    places: Vec<(Chunk, usize)>,
    /// How many of them are the prompt's.
    own: usize,
    /// The chunks that differ.
    entries: Vec<Entry>,
    /// Indices of the entries that are still to be computed.
    pending: Vec<usize>,
    pass: Option<TextPass>,
    total: usize,
    left: usize,
}

struct Entry {
    key: ChunkKey,
    /// Whether the states are kept for later prompts.
    keep: bool,
    states: Option<Arc<ChunkStates>>,
}

/// What a prompt was encoded as.
#[derive(Debug, Clone, PartialEq)]
pub struct EncodedPrompt {
    /// A state for each token, `(tokens, width)` row by row: of all chunks, one after the other.
    pub states: Vec<f32>,
    /// Numbers of a state.
    pub width: usize,
    /// The state of the first chunk's end token behind the last layer and the final layer norm: `width` numbers. Weights in
    /// the prompt change nothing of it.
    pub pooled: Vec<f32>,
    /// That, projected: `projection_dim` numbers, where the model has a projection.
    pub projected: Option<Vec<f32>>,
    /// The token ids, those that fill up among them.
    pub tokens: Vec<u32>,
    /// The weight of each token.
    pub weights: Vec<f32>,
}

impl TextEncoder {
    /// Builds the model that `files` describe. Whether it has a projection, the weights tell.
    ///
    /// # Errors
    /// `WeightsMismatch` names the tensors that are missing or misshapen.
    pub fn new(files: TextEncoderFiles, weights: Weights) -> Result<Self> {
        Ok(Self { model: ClipTextEncoder::new(&files.config, weights)?, files, kept: Kept::default() })
    }

    /// Checks `prompt` and a `negative` one, and deals them out to chunks, to as many each: what one has less is filled up with
    /// chunks without a word. Computes nothing yet. What is known of the negative prompt from earlier calls with the same
    /// options is not computed again.
    ///
    /// # Errors
    /// `ArgumentInvalid`: an option out of its range, a prompt of more than
    /// [`MAX_CHARACTERS`](crate::text::MAX_CHARACTERS) or of more than [`MAX_CHUNKS`] chunks, and what
    /// [`parse_emphasis`](crate::text::parse_emphasis) refuses.
    pub fn begin(&self, prompt: &str, negative: Option<&str>, options: &EncodeOptions) -> Result<PromptRun> {
        let layers = self.model.layers();
        if options.skip > layers {
            let message = format!("skip is {}; the model has {layers} layers to skip.", options.skip);
            return Err(Error::new(ErrorKind::ArgumentInvalid, message));
        }
        let deal = |prompt| {
            let TextEncoderFiles { config, tokenizer, vocab_size } = &self.files;
            Chunker::new(tokenizer, config, *vocab_size, options)?.deal(prompt)
        };
        let mut chunks = deal(prompt)?;
        let mut own = chunks.len();
        if let Some(negative) = negative {
            let mut negative = deal(negative)?;
            own = own.max(negative.len());
            for chunks in [&mut chunks, &mut negative] {
                while chunks.len() < own {
                    chunks.append(&mut deal("")?);
                }
            }
            chunks.append(&mut negative);
        }
        let mut entries: Vec<Entry> = Vec::new();
        let mut places = Vec::with_capacity(chunks.len());
        for chunk in chunks {
            let key = ChunkKey {
                attended: if options.attention_mask { chunk.used } else { chunk.ids.len() },
                ids: chunk.ids.clone(),
                skip: options.skip,
                final_norm: options.final_norm,
            };
            let place = entries.iter().position(|entry| entry.key == key).unwrap_or(entries.len());
            if place == entries.len() {
                entries.push(Entry { states: self.kept.find(&key), key, keep: false });
            }
            entries[place].keep |= places.len() >= own || chunk.is_empty();
            places.push((chunk, place));
        }
        let pending: Vec<usize> = (0..entries.len()).filter(|&i| entries[i].states.is_none()).collect();
        let left = pending.len().div_ceil(CHUNK_BATCH) * layers;
        Ok(PromptRun { options: *options, places, own, entries, pending, pass: None, total: left, left })
    }

    /// Computes one more layer, of a few chunks. Returns how many such steps are left.
    pub fn step(&mut self, run: &mut PromptRun) -> Result<usize> {
        let batch = &run.pending[..run.pending.len().min(CHUNK_BATCH)];
        let count = batch.len();
        if count == 0 {
            return Ok(0);
        }
        let mut pass = match run.pass.take() {
            Some(pass) => pass,
            None => {
                let keys = batch.iter().map(|&i| &run.entries[i].key);
                let texts: Vec<MaskedText<'_>> =
                    keys.map(|key| MaskedText { ids: &key.ids, attended: key.attended }).collect();
                self.model.begin(&texts, run.options.skip)?
            }
        };
        if self.model.advance(&mut pass)? > 0 {
            run.pass = Some(pass);
        } else {
            let found = self.states_of(pass, count, run.options.final_norm)?;
            for (i, states) in run.pending.drain(..count).zip(found) {
                let entry = &mut run.entries[i];
                let states = Arc::new(states);
                if entry.keep {
                    self.kept.keep(&entry.key, &states);
                }
                entry.states = Some(states);
            }
        }
        // A step that failed is made again, and is one more than were foreseen.
        run.left = run.left.saturating_sub(1);
        Ok(run.left)
    }

    /// What has become of `count` chunks, all numbers of which are finite.
    fn states_of(&self, pass: TextPass, count: usize, normalised: bool) -> Result<Vec<ChunkStates>> {
        let found = self.model.finish(pass, normalised)?;
        let numbers = |tensor: &Tensor| Ok::<_, Error>(tensor.flatten_all()?.to_vec1::<f32>()?);
        let (states, pooled) = (numbers(&found.states)?, numbers(&found.pooled)?);
        if states.iter().chain(&pooled).any(|value| !value.is_finite()) {
            let message = "The weights give no finite numbers for this prompt.";
            return Err(Error::new(ErrorKind::WeightsInvalid, message));
        }
        let projected = found.projected.as_ref().map(numbers).transpose()?;
        let part = |all: &[f32], i: usize| {
            let length = all.len() / count;
            all[i * length..][..length].to_vec()
        };
        let chunk = |i| ChunkStates {
            states: part(&states, i),
            pooled: part(&pooled, i),
            projected: projected.as_ref().map(|projected| part(projected, i)),
        };
        Ok((0..count).map(chunk).collect())
    }

    /// [`TextEncoder::begin`] and all of its steps: what has become of the prompt, and of the negative one.
    pub fn encode(
        &mut self,
        prompt: &str,
        negative: Option<&str>,
        options: &EncodeOptions,
    ) -> Result<(EncodedPrompt, Option<EncodedPrompt>)> {
        let mut run = self.begin(prompt, negative, options)?;
        while self.step(&mut run)? > 0 {}
        Ok((run.encoded()?, run.negative()?))
    }
}

impl PromptRun {
    /// How many steps there are in all: a layer of a few chunks each.
    pub fn total(&self) -> usize {
        self.total
    }

    /// What has become of the prompt.
    ///
    /// # Errors
    /// `ArgumentInvalid`: steps are left, or the weights in the prompt leave no mean that could be restored.
    pub fn encoded(&self) -> Result<EncodedPrompt> {
        self.read(&self.places[..self.own])
    }

    /// What has become of the negative prompt, where there is one.
    ///
    /// # Errors
    /// As [`PromptRun::encoded`].
    pub fn negative(&self) -> Result<Option<EncodedPrompt>> {
        let negative = &self.places[self.own..];
        if negative.is_empty() { Ok(None) } else { self.read(negative).map(Some) }
    }

    fn read(&self, places: &[(Chunk, usize)]) -> Result<EncodedPrompt> {
        let mut all: Option<EncodedPrompt> = None;
        for (chunk, entry) in places {
            let found = self.entries.get(*entry).and_then(|entry| entry.states.as_ref());
            let found = found.ok_or_else(unfinished)?;
            let encoded = all.get_or_insert_with(|| EncodedPrompt {
                states: Vec::with_capacity(places.len() * found.states.len()),
                width: found.pooled.len(),
                pooled: found.pooled.clone(),
                projected: found.projected.clone(),
                tokens: Vec::new(),
                weights: Vec::new(),
            });
            let begin = encoded.states.len();
            encoded.states.extend_from_slice(&found.states);
            self.options.emphasis.apply(&mut encoded.states[begin..], &chunk.weights);
            encoded.tokens.extend_from_slice(&chunk.ids);
            encoded.weights.extend_from_slice(&chunk.weights);
        }
        let encoded = all.ok_or_else(unfinished)?;
        if encoded.states.iter().all(|value| value.is_finite()) {
            return Ok(encoded);
        }
        let message = "The weights in the prompt leave no mean that could be restored: other ones are needed, or the \
                       emphasis \"no-norm\".";
        Err(Error::new(ErrorKind::ArgumentInvalid, message))
    }
}

fn unfinished() -> Error {
    Error::new(ErrorKind::ArgumentInvalid, "The prompt is not encoded yet: steps are left.")
}

fn no_tower() -> Error {
    Error::new(ErrorKind::ConfigInvalid, "The model has no text tower of CLIP's kind.")
}
