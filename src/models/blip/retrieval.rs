//! Which texts match an image.

use std::sync::Arc;

use candle_core::Tensor;

use super::text::{ImageKeyValues, TextEncoder};
use super::{BlipConfig, argument, load_vision, one_image};
use crate::Result;
use crate::models::vision::{EncoderState, ImageTower, TokenEncoder};
use crate::nn::{self, Linear};
use crate::weights::{Scope, Weights};

/// Shorter vectors than this are not made longer, as in PyTorch's `normalize`.
const LEAST_NORM: f32 = 1e-12;

/// A BLIP matcher: the reference's `BlipForImageTextRetrieval`.
///
/// It compares in two ways, named as in the paper (Li et al., "BLIP", 2022, section 3.2). Image-text contrast
/// (ITC) is the cosine of two embeddings, each made without knowledge of the other. Image-text matching (ITM) reads
/// the text again while it sees the image: slower, and the better judge.
#[derive(Debug, Clone)]
pub struct BlipMatcher {
    config: BlipConfig,
    vision: TokenEncoder,
    pub(super) text: TextEncoder,
    vision_projection: Linear,
    text_projection: Linear,
    pub(super) head: Linear,
}

impl BlipMatcher {
    /// The model that `config` describes, of `weights`. The error names every tensor that does not fit.
    pub fn new(config: &BlipConfig, weights: Weights) -> Result<Self> {
        let root = weights.root();
        let model = Self::load(config, load_vision(config, &root)?, &root)?;
        weights.finish()?;
        Ok(model)
    }

    /// The model that sees with `vision`; the rest is in `root`.
    pub(in crate::models) fn load(
        config: &BlipConfig,
        vision: TokenEncoder,
        root: &Scope<'_>,
    ) -> Result<Self> {
        let (image, text) = (config.image_width, config.text.tower.hidden_size);
        let both = config.image_text_hidden_size;
        Ok(Self {
            config: config.clone(),
            vision,
            text: TextEncoder::load(&config.text, image, &root.scope("text_encoder"))?,
            vision_projection: Linear::load(&root.scope("vision_proj"), image, both)?,
            text_projection: Linear::load(&root.scope("text_proj"), text, both)?,
            head: Linear::load(&root.scope("itm_head"), text, 2)?,
        })
    }

    /// The vision tower.
    pub fn vision(&self) -> &Arc<ImageTower> {
        self.vision.tower()
    }

    /// What texts see of images that are on their way through the vision tower,
    /// `(batch, 1 + patches, vision width)`. Computes the layers that are left.
    pub fn image_states_of(&self, state: EncoderState) -> Result<Tensor> {
        self.vision.encode(state)
    }

    /// How many of the states of an image, the first ones, stand for no part of it.
    pub fn class_tokens(&self) -> usize {
        self.vision.class_tokens()
    }

    /// The unit-length embeddings of images with `image_states` `(batch, 1 + patches, vision width)`:
    /// `(batch, image_text_hidden_size)`.
    pub fn image_embeddings(&self, image_states: &Tensor) -> Result<Tensor> {
        let width = self.config.image_width;
        match *image_states.dims() {
            [_, count, found] if count > 0 && found == width => {}
            ref found => {
                let message =
                    format!("Images have states of shape [batch, patches, {width}], not {found:?}.");
                return Err(argument(message));
            }
        }
        // Without a class token, the mean of all.
        let whole = match self.class_tokens() {
            0 => mean_of_tokens(image_states)?,
            _ => image_states.narrow(1, 0, 1)?.squeeze(1)?,
        };
        unit(&self.vision_projection.forward(&whole)?)
    }

    /// The unit-length embeddings of texts of any lengths, at least one: `(texts, image_text_hidden_size)`.
    pub fn text_embeddings(&self, texts: &[&[u32]]) -> Result<Tensor> {
        unit(&self.text_projection.forward(&self.text.pooled(texts, None)?)?)
    }

    /// What texts see of the image with `image_states` `(1, 1 + patches, vision width)`.
    pub fn project_image(&self, image_states: &Tensor) -> Result<ImageKeyValues> {
        self.text.project_image(&one_image(&self.config, image_states)?)
    }

    /// Logits `(texts, 2)` of texts of any lengths, at least one: that each does not describe the image, and that it
    /// does.
    pub fn matching(&self, image: &ImageKeyValues, texts: &[&[u32]]) -> Result<Tensor> {
        self.head.forward(&self.text.pooled(texts, Some(image))?)
    }
}

/// The mean over the tokens: `(batch, tokens, width)` to `(batch, width)`.
fn mean_of_tokens(states: &Tensor) -> Result<Tensor> {
    let (batch, count, width) = states.dims3()?;
    nn::global_avg_pool(&states.reshape((batch, count, 1, width))?)
}

/// Rows of length 1.
fn unit(x: &Tensor) -> Result<Tensor> {
    let (_, width) = x.dims2()?;
    let mut values = x.flatten_all()?.to_vec1::<f32>()?;
    for row in values.chunks_exact_mut(width.max(1)) {
        let norm = row.iter().map(|x| x * x).sum::<f32>().sqrt().max(LEAST_NORM);
        row.iter_mut().for_each(|x| *x /= norm);
    }
    Ok(Tensor::from_vec(values, x.shape(), x.device())?)
}
