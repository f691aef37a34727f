//! BLIP: captions of images, texts that match them, and answers to questions about them.
//!
//! ```text
//! pixels (b, 3, size, size) -> vision -> (b, 1 + patches, vision width)
//!                                              | keys and values of every layer, once per image
//! ids, one or more at a time ------> decoder -> (ids, width) -> head -> logits (ids, vocab)    BlipModel
//! ids of whole texts --------------> encoder -> (texts, width) -> match or not (texts, 2)      BlipMatcher
//! ids of a question ---------------> encoder -> (ids, width)                                   BlipAnswerer
//!                                              | keys and values of every layer, once per question
//! ids, one or more at a time ------> decoder -> (ids, width) -> head -> logits (ids, vocab)
//! ```
//!
//! A caption begins with `[DEC]` and the prompt, is continued with the most likely token until that is
//! `[SEP]`, and is read without either:
//!
//! ```no_run
//! # fn caption(model: ocelli::models::blip::BlipModel, config: ocelli::models::blip::BlipConfig,
//! #     pixels: candle_core::Tensor) -> ocelli::Result<Vec<u32>> {
//! let mut state = model.start(&model.image_states(&pixels)?)?;
//! let mut ids = vec![config.text.bos_token_id];
//! let mut new = ids.clone();
//! while ids.len() < 20 {
//!     let next = model.step(&mut state, &new)?.argmax(0)?.to_vec0::<u32>()?;
//!     if next == config.text.sep_token_id {
//!         break;
//!     }
//!     ids.push(next);
//!     new = vec![next];
//! }
//! # Ok(ids)
//! # }
//! ```

mod config;
mod decoder;
mod inside;
mod layer;
mod offload;
mod retrieval;
mod text;
mod vqa;

use std::sync::Arc;

use candle_core::Tensor;

pub use super::config::TowerConfig;
pub use config::{BlipConfig, BlipTextConfig, MAX_SIDE_BY_SIDE};
pub use decoder::CaptionState;
use decoder::Decoder;
pub use inside::mean_of_patches;
pub use offload::ImageProjection;
pub use retrieval::BlipMatcher;
pub use text::ImageKeyValues;
pub use vqa::BlipAnswerer;

use crate::models::vision::{EncoderState, ImageTower, TokenEncoder, VisionTransformer};
use crate::weights::{Scope, Weights};
use crate::{Error, ErrorKind, Result};

/// A BLIP captioner: the reference's `BlipForConditionalGeneration`.
#[derive(Debug, Clone)]
pub struct BlipModel {
    config: BlipConfig,
    vision: TokenEncoder,
    decoder: Decoder,
}

impl BlipModel {
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
        let decoder = Decoder::load(&config.text, config.image_width, &root.scope("text_decoder"))?;
        Ok(Self { config: config.clone(), vision, decoder })
    }

    /// What the decoder sees of images: pixels `(batch, 3, size, size)` to
    /// `(batch, 1 + patches, vision width)`.
    pub fn image_states(&self, pixels: &Tensor) -> Result<Tensor> {
        self.image_states_of(self.vision().begin(pixels)?)
    }

    /// [`BlipModel::image_states`] of images that are on their way through the vision tower.
    pub fn image_states_of(&self, state: EncoderState) -> Result<Tensor> {
        self.vision.encode(state)
    }

    /// How many of the states of an image, the first ones, stand for no part of it.
    pub fn class_tokens(&self) -> usize {
        self.vision.class_tokens()
    }

    /// A caption without tokens of the image with `image_states` `(1, 1 + patches, vision width)`: the keys
    /// and values of the image, which serve every token.
    pub fn start(&self, image_states: &Tensor) -> Result<CaptionState> {
        Ok(self.begin(&self.project_image(image_states)?))
    }

    /// What captions see of the image with `image_states` `(1, 1 + patches, vision width)`.
    pub fn project_image(&self, image_states: &Tensor) -> Result<ImageKeyValues> {
        self.decoder.project(&one_image(&self.config, image_states)?)
    }

    /// A caption without tokens of an image.
    pub fn begin(&self, image: &ImageKeyValues) -> CaptionState {
        self.decoder.begin(image)
    }

    /// The vision tower.
    pub fn vision(&self) -> &Arc<ImageTower> {
        self.vision.tower()
    }

    /// Appends the tokens `ids` to the only caption and gives the logits `(vocab,)` of the token after the
    /// last of them.
    pub fn step(&self, state: &mut CaptionState, ids: &[u32]) -> Result<Tensor> {
        self.decoder.step(state, ids)
    }

    /// Appends `ids` and gives the logits after each of them, `(ids, vocab)`: one id for each caption, or any
    /// number of the only one.
    pub fn step_all(&self, state: &mut CaptionState, ids: &[u32]) -> Result<Tensor> {
        self.decoder.step_all(state, ids)
    }
}

/// The vision transformer that `config` describes, in `root`.
fn load_vision(config: &BlipConfig, root: &Scope<'_>) -> Result<TokenEncoder> {
    let Some(transformer) = config.vision.transformer() else {
        return Err(Error::new(
            ErrorKind::ConfigInvalid,
            "The image tower of a BLIP model is a transformer.",
        ));
    };
    let scope = root.scope("vision_model");
    let tower = VisionTransformer::load(transformer, config.vision.image_size, &scope)?;
    Ok(TokenEncoder::of_states(ImageTower::Transformer(Box::new(tower))))
}

/// The states `(1 + patches, vision width)` of the one image of `image_states`.
fn one_image(config: &BlipConfig, image_states: &Tensor) -> Result<Tensor> {
    let width = config.image_width;
    match *image_states.dims() {
        [1, count, found] if count > 0 && found == width => Ok(image_states.squeeze(0)?),
        ref found => Err(argument(format!(
            "One image is needed, with states of shape [1, patches, {width}], not {found:?}."
        ))),
    }
}

fn argument(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::ArgumentInvalid, message)
}
