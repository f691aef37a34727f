//! The text encoder of BLIP: a BERT whose texts may see an image through cross-attention.

use std::sync::Arc;

use candle_core::Tensor;

use super::layer::Layer;
use super::{BlipTextConfig, argument};
use crate::Result;
use crate::nn::{self, AttentionMask, Embedding, KeyValues, LayerNorm, Positions};
use crate::weights::Scope;

/// What texts see of an image: its keys and values for each layer, computed once for all texts.
#[derive(Debug, Clone)]
pub struct ImageKeyValues(pub(super) Arc<[KeyValues]>);

/// Words, positions, and transformer layers in which every token of a text sees all of it.
#[derive(Debug, Clone)]
pub(super) struct TextEncoder {
    config: BlipTextConfig,
    words: Embedding,
    positions: Positions,
    norm: LayerNorm,
    pub(super) layers: Vec<Layer>,
}

impl TextEncoder {
    /// The encoder in `scope`, the file's `text_encoder`. The states of images have width `image_width`.
    pub(super) fn load(config: &BlipTextConfig, image_width: usize, scope: &Scope<'_>) -> Result<Self> {
        let (width, sizes) = (config.tower.hidden_size, config.tower.sizes());
        let embeddings = scope.scope("embeddings");
        let layers = scope.scope("encoder.layer");
        let positions = config.max_position_embeddings;
        Ok(Self {
            config: config.clone(),
            words: Embedding::load(&embeddings.scope("word_embeddings"), config.vocab_size, width)?,
            positions: Positions::load(&embeddings.scope("position_embeddings"), positions, width)?,
            norm: LayerNorm::load(&embeddings.scope("LayerNorm"), width, sizes.epsilon)?,
            layers: (0..config.tower.layers)
                .map(|i| Layer::load(&layers.scope(i), &sizes, image_width))
                .collect::<Result<_>>()?,
        })
    }

    /// The image with `states` `(1 + patches, vision width)`, as texts see it.
    pub(super) fn project_image(&self, states: &Tensor) -> Result<ImageKeyValues> {
        Ok(ImageKeyValues(self.layers.iter().map(|layer| layer.project_kv(states)).collect::<Result<_>>()?))
    }

    /// The states of a text that sees `image`: `(ids, width)`.
    pub(super) fn states(&self, ids: &[u32], image: &ImageKeyValues) -> Result<Tensor> {
        let mut x = self.embed(&[ids])?;
        for (layer, image) in self.layers.iter().zip(&*image.0) {
            x = layer.encode(&x, AttentionMask::Sequences(&[ids.len()]), Some(image))?;
        }
        Ok(x)
    }

    /// The states of the first token, `[CLS]`, of texts of any lengths, at least one text: `(texts, width)`.
    /// Without an `image` the texts are alone, and the layers pass over their cross-attention. None is padded.
    pub(super) fn pooled(&self, texts: &[&[u32]], image: Option<&ImageKeyValues>) -> Result<Tensor> {
        let mut x = self.embed(texts)?;
        let lengths: Vec<usize> = texts.iter().map(|ids| ids.len()).collect();
        let sight = AttentionMask::Sequences(&lengths);
        let image = |i: usize| image.and_then(|image| image.0.get(i));
        if let Some((last, layers)) = self.layers.split_last() {
            for (i, layer) in layers.iter().enumerate() {
                x = layer.encode(&x, sight, image(i))?;
            }
            x = last.encode_at(&x, sight, image(layers.len()), &nn::segment_starts(&lengths))?;
        }
        Ok(x)
    }

    /// What goes into the first layer, the rows of one text after those of the other: `(rows, width)`.
    pub(super) fn embed(&self, texts: &[&[u32]]) -> Result<Tensor> {
        if texts.is_empty() {
            return Err(argument("There are no texts to encode."));
        }
        let (mut ids, mut positions) = (Vec::new(), Vec::new());
        for text in texts {
            self.config.check_text(text)?;
            ids.extend_from_slice(text);
            // Positions fit a `u32`: `config.json` may ask for 65,536 at most.
            positions.extend(0..text.len() as u32);
        }
        self.norm.forward(&nn::add(&self.words.forward(&ids)?, &self.positions.at(&positions)?)?)
    }
}
