//! The text decoder of BLIP: a BERT that sees the image through cross-attention.

use candle_core::{CpuStorage, Storage, Tensor};

use super::{BlipConfig, BlipTextConfig};
use crate::Result;
use crate::nn::{Activation, CrossAttention, Embedding, KeyValues, LayerNorm, Linear, SelfAttention, Sizes};
use crate::weights::Scope;

/// What the decoder remembers of one caption: the image, and the tokens so far.
///
/// Cloning is cheap, and the clones go separate ways: as the beams of a search do.
#[derive(Debug, Clone)]
pub struct CaptionState {
    /// For each layer the keys and values of the image, `(1, heads, 1 + patches, width / heads)`.
    image: Vec<KeyValues>,
    /// For each layer those of the tokens so far, `(1, heads, tokens, width / heads)`.
    tokens: Vec<Option<KeyValues>>,
    length: usize,
}

impl CaptionState {
    /// Number of tokens so far.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether there are no tokens yet.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }
}

/// Words, positions, causal transformer layers, and the layers that make logits of a state.
#[derive(Debug, Clone)]
pub(super) struct Decoder {
    words: Embedding,
    positions: Embedding,
    norm: LayerNorm,
    layers: Vec<Layer>,
    head: Head,
}

impl Decoder {
    /// The decoder in `scope`, the file's `text_decoder`.
    pub(super) fn load(config: &BlipConfig, scope: &Scope<'_>) -> Result<Self> {
        let text = &config.text;
        let (width, sizes) = (text.tower.hidden_size, text.tower.sizes());
        let embeddings = scope.scope("bert.embeddings");
        let layers = scope.scope("bert.encoder.layer");
        let (words, output) = load_words(text, &embeddings, &scope.scope("cls.predictions"))?;
        Ok(Self {
            words,
            positions: Embedding::load(
                &embeddings.scope("position_embeddings"),
                text.max_position_embeddings,
                width,
            )?,
            norm: LayerNorm::load(&embeddings.scope("LayerNorm"), width, sizes.epsilon)?,
            layers: (0..text.tower.layers)
                .map(|i| Layer::load(&layers.scope(i), &sizes, config.vision.tower.hidden_size))
                .collect::<Result<_>>()?,
            head: Head::load(&scope.scope("cls.predictions.transform"), &sizes, output)?,
        })
    }

    /// A caption without tokens of the image with `states` `(1, 1 + patches, vision width)`.
    pub(super) fn start(&self, states: &Tensor) -> Result<CaptionState> {
        let image = self.layers.iter().map(|layer| layer.cross.remember(states)).collect::<Result<_>>()?;
        Ok(CaptionState { image, tokens: vec![None; self.layers.len()], length: 0 })
    }

    /// Appends `ids`, at least one, and gives the states `(1, ids, width)` of the new tokens.
    pub(super) fn states(&self, state: &mut CaptionState, ids: &[u32]) -> Result<Tensor> {
        let words = self.words.forward(ids)?;
        let positions = self.positions.range(state.length, ids.len())?;
        let mut x = self.norm.forward(&(words + positions)?.unsqueeze(0)?)?;
        for (layer, (tokens, image)) in self.layers.iter().zip(state.tokens.iter_mut().zip(&state.image)) {
            x = layer.forward(&x, tokens, image)?;
        }
        state.length += ids.len();
        Ok(x)
    }

    /// States `(.., width)` to logits `(.., vocab)`.
    pub(super) fn logits(&self, states: &Tensor) -> Result<Tensor> {
        self.head.forward(states)
    }
}

/// Self-attention, cross-attention and MLP, each followed by residual and layer norm.
#[derive(Debug, Clone)]
struct Layer {
    own: SelfAttention,
    own_norm: LayerNorm,
    cross: CrossAttention,
    cross_norm: LayerNorm,
    up: Linear,
    activation: Activation,
    down: Linear,
    norm: LayerNorm,
}

impl Layer {
    fn load(scope: &Scope<'_>, sizes: &Sizes, image_width: usize) -> Result<Self> {
        let (heads, inner) = (sizes.heads, sizes.intermediate);
        let names = ["self.query", "self.key", "self.value", "output.dense"];
        let norm = |name: &str| LayerNorm::load(&scope.scope(name), heads.width, sizes.epsilon);
        Ok(Self {
            own: SelfAttention::load(&scope.scope("attention"), heads, names)?,
            own_norm: norm("attention.output.LayerNorm")?,
            cross: CrossAttention::load(&scope.scope("crossattention"), heads, image_width, names)?,
            cross_norm: norm("crossattention.output.LayerNorm")?,
            up: Linear::load(&scope.scope("intermediate.dense"), heads.width, inner)?,
            activation: sizes.activation,
            down: Linear::load(&scope.scope("output.dense"), inner, heads.width)?,
            norm: norm("output.LayerNorm")?,
        })
    }

    /// `(1, new tokens, width)` to the same shape.
    fn forward(&self, x: &Tensor, tokens: &mut Option<KeyValues>, image: &KeyValues) -> Result<Tensor> {
        let x = self.own_norm.forward(&(self.own.forward_cached(x, tokens)? + x)?)?;
        let x = self.cross_norm.forward(&(self.cross.forward(&x, image)? + &x)?)?;
        let inner = self.up.forward_activated(&x, self.activation)?;
        self.norm.forward(&(self.down.forward(&inner)? + &x)?)
    }
}

/// One more layer on a state, then its product with a vector for each word.
#[derive(Debug, Clone)]
struct Head {
    dense: Linear,
    activation: Activation,
    norm: LayerNorm,
    output: Linear,
}

impl Head {
    fn load(scope: &Scope<'_>, sizes: &Sizes, output: Linear) -> Result<Self> {
        let width = sizes.heads.width;
        Ok(Self {
            dense: Linear::load(&scope.scope("dense"), width, width)?,
            activation: sizes.activation,
            norm: LayerNorm::load(&scope.scope("LayerNorm"), width, sizes.epsilon)?,
            output,
        })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let x = self.dense.forward_activated(x, self.activation)?;
        self.output.forward(&self.norm.forward(&x)?)
    }
}

/// The table of words and the output layer, which may be the same numbers under two names.
///
/// As in the reference, a file may have either name or both; where both are there and differ, both are
/// used. Where they are equal one of them is dropped: in the published captioners that is 94 MB.
fn load_words(
    text: &BlipTextConfig,
    embeddings: &Scope<'_>,
    head: &Scope<'_>,
) -> Result<(Embedding, Linear)> {
    let shape = (text.vocab_size, text.tower.hidden_size);
    let (words, decoder) = (embeddings.scope("word_embeddings"), head.scope("decoder"));

    // An older version of the reference keeps the bias of the output layer beside that layer.
    let bias =
        (decoder.take_if_present("bias", text.vocab_size)?, head.take_if_present("bias", text.vocab_size)?);
    let bias = match bias {
        (Some(bias), _) | (None, Some(bias)) => bias,
        (None, None) => head.take("bias", text.vocab_size)?,
    };
    let (table, output) = if text.tie_word_embeddings && !decoder.contains("weight") {
        let table = words.take("weight", shape)?;
        (table.clone(), table)
    } else if text.tie_word_embeddings && !words.contains("weight") {
        let table = decoder.take("weight", shape)?;
        (table.clone(), table)
    } else {
        let (table, output) = (words.take("weight", shape)?, decoder.take("weight", shape)?);
        if equal(&table, &output) { (table.clone(), table) } else { (table, output) }
    };
    Ok((Embedding::new(table), Linear::new(output, Some(bias))))
}

/// Whether two tensors hold the same numbers.
fn equal(a: &Tensor, b: &Tensor) -> bool {
    let ((a, a_layout), (b, b_layout)) = (a.storage_and_layout(), b.storage_and_layout());
    match (&*a, a_layout.contiguous_offsets(), &*b, b_layout.contiguous_offsets()) {
        (
            Storage::Cpu(CpuStorage::F32(a)),
            Some((a_from, a_to)),
            Storage::Cpu(CpuStorage::F32(b)),
            Some((b_from, b_to)),
        ) => a[a_from..a_to] == b[b_from..b_to],
        _ => false,
    }
}
