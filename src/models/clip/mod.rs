//! CLIP: images and texts as vectors that can be compared.
//!
//! ```text
//! pixels (b, 3, size, size) -> vision -> (b, 1 + patches, width) -> class token -> projection -> (b, dim)
//! ids (t, any length)       -> text   -> (t, length, width)      -> end token   -> projection -> (t, dim)
//! ```
//!
//! The score of an image and a text is the cosine of their two vectors times [`ClipModel::logit_scale`].

mod config;
mod text;
mod vision;

use candle_core::Tensor;

pub use config::{ClipConfig, ClipTextConfig, ClipVisionConfig, TowerConfig};
pub use text::ClipText;
pub use vision::ClipVision;

use crate::Result;
use crate::models::{Passage, Trace};
use crate::nn::Linear;
use crate::weights::Weights;

/// A CLIP model: the reference's `CLIPModel`.
#[derive(Debug, Clone)]
pub struct ClipModel {
    vision: ClipVision,
    text: ClipText,
    visual_projection: Linear,
    text_projection: Linear,
    logit_scale: f32,
}

impl ClipModel {
    /// The model that `config` describes, of `weights`. The error names every tensor that does not fit.
    pub fn new(config: &ClipConfig, weights: Weights) -> Result<Self> {
        let root = weights.root_or("clip");
        let projection =
            |name, width| Linear::load_without_bias(&root.scope(name), width, config.projection_dim);
        let model = Self {
            vision: ClipVision::load(&config.vision, &root.scope("vision_model"))?,
            text: ClipText::load(&config.text, &root.scope("text_model"))?,
            visual_projection: projection("visual_projection", config.vision.tower.hidden_size)?,
            text_projection: projection("text_projection", config.text.tower.hidden_size)?,
            logit_scale: root.take("logit_scale", ())?.to_vec0::<f32>()?.exp(),
        };
        weights.finish()?;
        Ok(model)
    }

    /// Image vectors, not normalised: pixels `(batch, 3, size, size)` to `(batch, projection_dim)`.
    pub fn image_features(&self, pixels: &Tensor) -> Result<Tensor> {
        self.image_features_of(self.vision.begin(pixels)?)
    }

    /// [`ClipModel::image_features`] of images that are on their way through the vision tower.
    pub fn image_features_of(&self, passage: Passage) -> Result<Tensor> {
        self.visual_projection.forward(&self.vision.pooled(passage)?)
    }

    /// What of one image, which keeps its states, makes it fit a text with the vector `text`, of length 1: the
    /// relevance of [`Trace`] for the logit of the two, the cosine times [`ClipModel::logit_scale`]. Computes the
    /// layers that are left.
    pub fn relevance(&self, passage: Passage, text: &[f32]) -> Result<Trace> {
        self.vision.relevance(passage, |pooled| {
            let image = self.visual_projection.forward(pooled)?.flatten_all()?.to_vec1::<f32>()?;
            let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
            // Of the cosine u t, where u = v / |v|: (t - (u t) u) / |v|.
            let inverse = 1.0 / dot(&image, &image).sqrt();
            let cosine = dot(&image, text) * inverse;
            let gradient = image.iter().zip(text).map(|(v, t)| (t - cosine * v * inverse) * inverse);
            self.visual_projection.backward(&gradient.map(|g| g * self.logit_scale).collect::<Vec<_>>())
        })
    }

    /// Text vectors, not normalised: token ids, of any number for each text, to `(texts, projection_dim)`.
    /// What other texts are encoded in the same call makes no difference.
    pub fn text_features(&self, texts: &[Vec<u32>]) -> Result<Tensor> {
        self.text_projection.forward(&self.text.pooled(texts)?)
    }

    /// What the cosine of an image and a text is multiplied with to be their score.
    pub fn logit_scale(&self) -> f32 {
        self.logit_scale
    }

    /// The vision tower.
    pub fn vision(&self) -> &ClipVision {
        &self.vision
    }

    /// The text tower.
    pub fn text(&self) -> &ClipText {
        &self.text
    }
}
