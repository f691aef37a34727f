//! A text tower whose layers another device computes: a GPU.
//!
//! ```text
//! ids -> batch -> rows, of one length -------> the other device: all layers
//!                                                        |
//!                 complete <--- one state for each text -+
//!                    -> final norm, projection, as ever
//! ```
//!
//! As with images, nothing of the tower is given away: it can compute any batch itself.

use candle_core::{Device, Tensor};

use super::text::argument;
use super::{ClipText, DualEncoder, TextEncoder, TextTower, absent};
use crate::Result;
use crate::models::LayersDescription;
use crate::models::vision::TowerParameter;

/// Texts that go through the layers together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextBatch {
    /// The tokens of each text, as far as they are read.
    texts: Vec<Vec<u32>>,
    /// The position of each text that stands for all of it.
    ends: Vec<usize>,
}

impl TextBatch {
    /// How many texts there are; never 0.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// How many rows each text has: those of the longest one. A shorter one is filled up with zeros, which none of its own
    /// rows sees.
    pub fn length(&self) -> usize {
        self.texts.iter().map(Vec::len).max().unwrap_or(0)
    }

    /// How many rows of each text are its own.
    pub fn lengths(&self) -> Vec<u32> {
        // Lengths and positions fit a `u32`: a text has 65,536 tokens at most.
        self.texts.iter().map(|ids| ids.len() as u32).collect()
    }

    /// The row of each text that stands for all of it, counted from the text's first.
    pub fn ends(&self) -> Vec<u32> {
        self.ends.iter().map(|&end| end as u32).collect()
    }

    /// Some of the texts.
    ///
    /// # Errors
    /// `ArgumentInvalid` where there are none, or not so many.
    fn part(&self, first: usize, count: usize) -> Result<Self> {
        let part = first..first.saturating_add(count);
        match (self.texts.get(part.clone()), self.ends.get(part)) {
            (Some(texts), Some(ends)) if count > 0 => Ok(Self { texts: texts.to_vec(), ends: ends.to_vec() }),
            _ => Err(argument(format!("There are {} texts, none from {first} to {count}.", self.len()))),
        }
    }
}

impl ClipText {
    /// What the layers are.
    pub fn description(&self) -> LayersDescription {
        LayersDescription::of(&self.config.tower, self.layers.len(), self.config.causal)
    }

    /// The parameter `name`, where the tower has it: `layers.0.` and what
    /// [`EncoderLayer::parameter`](crate::nn::EncoderLayer::parameter) names.
    pub fn parameter(&self, name: &str) -> Option<TowerParameter<'_>> {
        let (layer, rest) = name.strip_prefix("layers.")?.split_once('.')?;
        self.layers.get(layer.parse::<usize>().ok()?)?.parameter(rest).map(TowerParameter::from)
    }

    /// Texts for another device. `None` where they cannot go together: a tower whose tokens see the whole text would see what
    /// shorter ones are filled up with.
    ///
    /// # Errors
    /// `ArgumentInvalid`: no texts, too long ones, unknown tokens, or no end token.
    pub fn batch(&self, mut texts: Vec<Vec<u32>>) -> Result<Option<TextBatch>> {
        let ends = texts.iter().map(|ids| self.last(ids)).collect::<Result<Vec<_>>>()?;
        let Some(first) = texts.first() else { return Err(argument("There are no texts to encode.")) };
        if self.config.causal {
            // What follows the end changes nothing.
            texts.iter_mut().zip(&ends).for_each(|(ids, &end)| ids.truncate(end + 1));
        } else if texts.iter().any(|ids| ids.len() != first.len()) {
            return Ok(None);
        }
        Ok(Some(TextBatch { texts, ends }))
    }

    /// What goes into the first layer: `length` rows of each text, one text after the other.
    ///
    /// # Errors
    /// `ArgumentInvalid` where `length` is less than [`TextBatch::length`], or more where tokens see the whole text.
    pub fn rows(&self, batch: &TextBatch, length: usize) -> Result<Vec<f32>> {
        let own = batch.length();
        if length < own || (length > own && !self.config.causal) {
            return Err(argument(format!("Texts of {own} tokens are not {length} rows.")));
        }
        let width = self.config.tower.hidden_size;
        let embedded = self.embed_all(&slices(&batch.texts))?.flatten_all()?.to_vec1::<f32>()?;
        let mut rows = vec![0.0; batch.len() * length * width];
        let mut own = embedded.as_slice();
        for (text, ids) in rows.chunks_exact_mut(length * width).zip(&batch.texts) {
            let (next, rest) = own.split_at(ids.len() * width);
            text[..next.len()].copy_from_slice(next);
            own = rest;
        }
        Ok(rows)
    }

    /// The states of `count` texts from `first` on after so many layers, as the tower computes them itself, and without the rows
    /// that texts are filled up with: `(rows, width)`.
    ///
    /// # Errors
    /// `ArgumentInvalid` where there are not so many texts.
    pub fn states_of(&self, batch: &TextBatch, first: usize, count: usize, layers: usize) -> Result<Tensor> {
        self.after(&slices(&batch.part(first, count)?.texts), layers)
    }

    /// The states that stand for `count` texts from `first` on, before the final norm, as the tower computes them itself:
    /// `(count, width)`.
    ///
    /// # Errors
    /// `ArgumentInvalid` where there are not so many texts.
    pub fn pooled_of(&self, batch: &TextBatch, first: usize, count: usize) -> Result<Tensor> {
        let part = batch.part(first, count)?;
        if self.config.causal {
            self.causal(&slices(&part.texts))
        } else {
            self.whole(&part.texts, &part.ends)
        }
    }

    /// The pooled states `(texts, width)` of what another device made of a batch: of each text the state after the last layer
    /// that stands for all of it, one after the other.
    ///
    /// # Errors
    /// `ArgumentInvalid` where there are more or fewer numbers than that, or not all are finite.
    fn complete(&self, batch: &TextBatch, states: Vec<f32>) -> Result<Tensor> {
        let width = self.config.tower.hidden_size;
        let numbers = batch.len() * width;
        if states.len() != numbers {
            return Err(argument(format!("There are {} numbers of states, not {numbers}.", states.len())));
        }
        if !states.iter().all(|x| x.is_finite()) {
            return Err(argument("The states are not finite."));
        }
        self.final_norm.forward(&Tensor::from_vec(states, (batch.len(), width), &Device::Cpu)?)
    }
}

impl TextTower {
    /// The tower, where another device can compute its layers: where it is CLIP's or SigLIP's.
    pub fn offloadable(&self) -> Option<&ClipText> {
        match self {
            Self::Clip(tower) => Some(tower),
            Self::Bert(_) => None,
        }
    }
}

impl DualEncoder {
    /// What [`DualEncoder::text_features`] gives, of what another device made of a batch: of each text the state after the last
    /// layer that stands for all of it.
    ///
    /// # Errors
    /// `ArgumentInvalid` where there are more or fewer numbers than that, or not all are finite.
    pub fn text_features_of(&self, batch: &TextBatch, states: Vec<f32>) -> Result<Tensor> {
        let TextEncoder { tower, projection } = self.text.as_ref().ok_or_else(|| absent("text"))?;
        let tower = tower.offloadable().ok_or_else(|| argument("The text tower is no device's."))?;
        projection.forward(&tower.complete(batch, states)?)
    }
}

fn slices(texts: &[Vec<u32>]) -> Vec<&[u32]> {
    texts.iter().map(Vec::as_slice).collect()
}
