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

use crate::models::{EncoderState, ImageTower, Trace};
use crate::nn::Linear;
use crate::weights::Weights;
use crate::{Error, ErrorKind, Result};

/// Which towers of a model are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Towers {
    /// Both: images and texts can be compared.
    Both,
    /// The vision tower alone.
    Image,
    /// The text tower alone.
    Text,
}

impl Towers {
    /// The towers that `both`, `image` or `text` names.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "both" => Some(Self::Both),
            "image" => Some(Self::Image),
            "text" => Some(Self::Text),
            _ => None,
        }
    }
}

/// A CLIP model: the reference's `CLIPModel`, or one of its towers.
#[derive(Debug, Clone)]
pub struct ClipModel {
    vision: Option<Projected<ImageTower>>,
    text: Option<Projected<ClipText>>,
    logit_scale: f32,
}

/// A tower, and the projection of what it pools.
#[derive(Debug, Clone)]
struct Projected<Tower> {
    tower: Tower,
    projection: Linear,
}

impl ClipModel {
    /// The model that `config` describes, of `weights`. The error names every tensor that does not fit.
    pub fn new(config: &ClipConfig, weights: Weights) -> Result<Self> {
        Self::with_towers(config, Towers::Both, weights)
    }

    /// [`ClipModel::new`] of `towers` only. Tensors of the other are unknown to it, as any others.
    pub fn with_towers(config: &ClipConfig, towers: Towers, weights: Weights) -> Result<Self> {
        let root = weights.root_or("clip");
        let projection =
            |name, width| Linear::load_without_bias(&root.scope(name), width, config.projection_dim);
        let vision = || -> Result<_> {
            let projection = projection("visual_projection", config.vision.tower.hidden_size)?;
            let tower = vision::load(&config.vision, &root.scope("vision_model"))?;
            Ok(Projected { tower: ImageTower::Transformer(tower), projection })
        };
        let text = || -> Result<_> {
            let projection = projection("text_projection", config.text.tower.hidden_size)?;
            let tower = ClipText::load(&config.text, &root.scope("text_model"))?;
            Ok(Projected { tower, projection })
        };
        let model = Self {
            vision: (towers != Towers::Text).then(vision).transpose()?,
            text: (towers != Towers::Image).then(text).transpose()?,
            logit_scale: root.take("logit_scale", ())?.to_vec0::<f32>()?.exp(),
        };
        weights.finish()?;
        Ok(model)
    }

    /// Image vectors, not normalised: pixels `(batch, 3, size, size)` to `(batch, projection_dim)`.
    pub fn image_features(&self, pixels: &Tensor) -> Result<Tensor> {
        self.image_features_of(self.vision()?.begin(pixels)?)
    }

    /// [`ClipModel::image_features`] of images that are on their way through the vision tower.
    pub fn image_features_of(&self, state: EncoderState) -> Result<Tensor> {
        let Projected { tower, projection } = self.vision.as_ref().ok_or_else(|| absent("image"))?;
        projection.forward(&tower.pooled(state)?)
    }

    /// What of one image, which keeps its states, makes it fit a text with the vector `text`, of length 1: the
    /// relevance of [`Trace`] for the logit of the two, the cosine times [`ClipModel::logit_scale`]. Computes the
    /// layers that are left.
    pub fn relevance(&self, state: EncoderState, text: &[f32]) -> Result<Trace> {
        let Projected { tower, projection } = self.vision.as_ref().ok_or_else(|| absent("image"))?;
        tower.relevance(state, |pooled| {
            let image = projection.forward(pooled)?.flatten_all()?.to_vec1::<f32>()?;
            let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
            // Of the cosine u t, where u = v / |v|: (t - (u t) u) / |v|.
            let inverse = 1.0 / dot(&image, &image).sqrt();
            let cosine = dot(&image, text) * inverse;
            let gradient = image.iter().zip(text).map(|(v, t)| (t - cosine * v * inverse) * inverse);
            projection.backward(&gradient.map(|g| g * self.logit_scale).collect::<Vec<_>>())
        })
    }

    /// Text vectors, not normalised: token ids, of any number for each text, to `(texts, projection_dim)`.
    /// What other texts are encoded in the same call makes no difference.
    pub fn text_features(&self, texts: &[Vec<u32>]) -> Result<Tensor> {
        let Projected { tower, projection } = self.text.as_ref().ok_or_else(|| absent("text"))?;
        projection.forward(&tower.pooled(texts)?)
    }

    /// What the cosine of an image and a text is multiplied with to be their score.
    pub fn logit_scale(&self) -> f32 {
        self.logit_scale
    }

    /// The vision tower, or `ArgumentInvalid` where the model has none.
    pub fn vision(&self) -> Result<&ImageTower> {
        self.vision.as_ref().map(|half| &half.tower).ok_or_else(|| absent("image"))
    }

    /// The text tower, or `ArgumentInvalid` where the model has none.
    pub fn text(&self) -> Result<&ClipText> {
        self.text.as_ref().map(|half| &half.tower).ok_or_else(|| absent("text"))
    }
}

fn absent(tower: &str) -> Error {
    Error::new(ErrorKind::ArgumentInvalid, format!("The model was loaded without its {tower} tower."))
}
