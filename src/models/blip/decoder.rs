//! The text decoder of BLIP: a BERT that sees the image through cross-attention.

use std::sync::Arc;

use candle_core::Tensor;

use super::{BlipConfig, BlipTextConfig};
use crate::Result;
use crate::nn::{
    Activation, CrossAttention, Embedding, KeyValues, LayerNorm, Linear, Mlp, Positions, RowCache,
    SelfAttention, Sizes,
};
use crate::weights::Scope;

/// What the decoder remembers of the captions of one image: the image, and the tokens so far.
///
/// There is one caption at first, and as many as a search keeps after [`CaptionState::keep`]. Captions that
/// begin alike share that beginning.
#[derive(Debug, Clone)]
pub struct CaptionState {
    /// For each layer the keys and values of the image.
    pub(super) image: Arc<[KeyValues]>,
    /// For each layer those of every token so far, of all captions.
    pub(super) tokens: Vec<RowCache>,
    /// Tokens so far, of all captions.
    rows: u32,
    /// For each caption the rows of its tokens, in order.
    captions: Vec<Vec<u32>>,
}

impl CaptionState {
    /// Number of tokens of each caption so far.
    pub fn len(&self) -> usize {
        self.captions.first().map_or(0, Vec::len)
    }

    /// Whether there are no tokens yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of captions.
    pub fn captions(&self) -> usize {
        self.captions.len()
    }

    /// Goes on with the captions `parents`, each as often as it is named, instead of those so far.
    pub fn keep(&mut self, parents: &[usize]) {
        self.captions = parents.iter().filter_map(|&i| self.captions.get(i).cloned()).collect();
    }

    /// The rows that each of the next tokens sees: `ids` of the only caption, or one for each caption.
    pub(super) fn extend(&mut self, ids: usize) -> Vec<Vec<u32>> {
        let mut seen = Vec::with_capacity(ids);
        for i in 0..ids {
            let caption = if self.captions.len() == 1 { 0 } else { i };
            self.captions[caption].push(self.rows);
            self.rows += 1;
            seen.push(self.captions[caption].clone());
        }
        seen
    }
}

/// Words, positions, causal transformer layers, and the layers that make logits of a state.
#[derive(Debug, Clone)]
pub(super) struct Decoder {
    pub(super) words: Embedding,
    pub(super) positions: Positions,
    pub(super) norm: LayerNorm,
    pub(super) layers: Vec<Layer>,
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
            positions: Positions::load(
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

    /// A caption without tokens of the image with `states` `(1 + patches, vision width)`.
    pub(super) fn start(&self, states: &Tensor) -> Result<CaptionState> {
        let image = self.layers.iter().map(|layer| layer.cross.remember(states)).collect::<Result<_>>()?;
        let tokens = vec![RowCache::default(); self.layers.len()];
        Ok(CaptionState { image, tokens, rows: 0, captions: vec![Vec::new()] })
    }

    /// Appends `ids`, at least one, to the only caption, or one to each of several, and gives the states
    /// `(ids, width)` of the new tokens.
    pub(super) fn states(&self, state: &mut CaptionState, ids: &[u32]) -> Result<Tensor> {
        let past = state.len();
        let positions = if state.captions.len() == 1 {
            self.positions.range(past, ids.len())?
        } else {
            self.positions.range(past, 1)?
        };
        let seen = state.extend(ids.len());
        let seen: Vec<&[u32]> = seen.iter().map(Vec::as_slice).collect();
        let mut x = self.norm.forward(&self.words.forward(ids)?.broadcast_add(&positions)?)?;
        for (layer, (tokens, image)) in self.layers.iter().zip(state.tokens.iter_mut().zip(&*state.image)) {
            x = layer.forward(&x, tokens, &seen, image)?;
        }
        Ok(x)
    }

    /// States `(.., width)` to logits `(.., vocab)`.
    pub(super) fn logits(&self, states: &Tensor) -> Result<Tensor> {
        self.head.forward(states)
    }
}

/// Self-attention, cross-attention and MLP, each followed by residual and layer norm.
#[derive(Debug, Clone)]
pub(super) struct Layer {
    pub(super) own: SelfAttention,
    pub(super) own_norm: LayerNorm,
    pub(super) cross: CrossAttention,
    cross_norm: LayerNorm,
    mlp: Mlp,
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
            mlp: Mlp::new(
                Linear::load(&scope.scope("intermediate.dense"), heads.width, inner)?,
                Linear::load(&scope.scope("output.dense"), inner, heads.width)?,
                sizes.activation,
            ),
            norm: norm("output.LayerNorm")?,
        })
    }

    /// New tokens `(ids, width)` to the same shape; see [`SelfAttention::forward_cached`].
    fn forward(
        &self,
        x: &Tensor,
        tokens: &mut RowCache,
        seen: &[&[u32]],
        image: &KeyValues,
    ) -> Result<Tensor> {
        self.after_own(&self.own.forward_cached(x, x, tokens, seen)?, image)
    }

    /// What comes after the self-attention `x`, which has its residual already.
    pub(super) fn after_own(&self, x: &Tensor, image: &KeyValues) -> Result<Tensor> {
        let x = self.own_norm.forward(x)?;
        let x = self.cross_norm.forward(&self.cross.forward(&x, &x, image)?)?;
        self.norm.forward(&self.mlp.forward(&x, &x)?)
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
    let bias = if decoder.contains("bias") {
        head.take_if_present("bias", text.vocab_size)?;
        decoder.take_vector("bias", text.vocab_size)?
    } else {
        head.take_vector("bias", text.vocab_size)?
    };
    let (table, output) = if text.tie_word_embeddings && !decoder.contains("weight") {
        let table = words.take_matrix("weight", shape)?;
        (table.clone(), table)
    } else if text.tie_word_embeddings && !words.contains("weight") {
        let table = decoder.take_matrix("weight", shape)?;
        (table.clone(), table)
    } else {
        let (table, output) = (words.take_matrix("weight", shape)?, decoder.take_matrix("weight", shape)?);
        if table == output { (table.clone(), table) } else { (table, output) }
    };
    Ok((Embedding::new(table), Linear::new(output, Some(bias))))
}
