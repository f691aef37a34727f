//! CLIP: images and texts as vectors that can be compared.
//!
//! ```text
//! pixels (b, 3, size, size) -> vision -> (b, 1 + patches, width) -> class token -> projection -> (b, dim)
//! ids (t, any length)       -> text   -> (t, length, width)      -> end token   -> projection -> (t, dim)
//! ```
//!
//! The score of an image and a text is the cosine of their two vectors times [`DualEncoder::logit_scale`].

mod config;
mod open_clip;
mod text;
mod vision;

use std::sync::Arc;

use candle_core::Tensor;

use config::Names;
pub use config::{ClipTextConfig, DualConfig, TowerConfig};
pub use text::ClipText;

use crate::kernels::{Dtype, Matrix};
use crate::models::vision::{
    Architecture, ClassHead, EfficientNet, EncoderState, ImageHead, ImageTower, ResNet, Trace, VisionConfig,
};
use crate::nn::Linear;
use crate::weights::{Scope, Weights};
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
pub struct DualEncoder {
    vision: Option<ImageEncoder>,
    text: Option<TextEncoder>,
    logit_scale: f32,
}

/// A vision tower, and what makes an embedding of what it pools.
#[derive(Debug, Clone)]
pub(in crate::models) struct ImageEncoder {
    pub(in crate::models) tower: Arc<ImageTower>,
    pub(in crate::models) head: ImageHead,
}

/// A text tower, and the projection of what it pools.
#[derive(Debug, Clone)]
pub(in crate::models) struct TextEncoder {
    pub(in crate::models) tower: ClipText,
    pub(in crate::models) projection: Linear,
}

impl DualEncoder {
    /// The model that `config` describes, of `weights`. The error names every tensor that does not fit.
    pub fn new(config: &DualConfig, weights: Weights) -> Result<Self> {
        Self::with_towers(config, Towers::Both, weights)
    }

    /// [`DualEncoder::new`] of `towers` only. Tensors of the other are unknown to it, as any others.
    pub fn with_towers(config: &DualConfig, towers: Towers, weights: Weights) -> Result<Self> {
        let root = weights.root_or("clip");
        let vision = (towers != Towers::Text).then(|| ImageEncoder::load(config, &root)).transpose()?;
        let text = (towers != Towers::Image).then(|| TextEncoder::load(config, &root)).transpose()?;
        let model = Self::of(vision, text, &root)?;
        weights.finish()?;
        Ok(model)
    }

    /// The model of its towers and the `logit_scale` in `root`.
    pub(in crate::models) fn of(
        vision: Option<ImageEncoder>,
        text: Option<TextEncoder>,
        root: &Scope<'_>,
    ) -> Result<Self> {
        Ok(Self { vision, text, logit_scale: root.take("logit_scale", ())?.to_vec0::<f32>()?.exp() })
    }

    /// Image vectors, not normalised: pixels `(batch, 3, size, size)` to `(batch, projection_dim)`.
    pub fn image_features(&self, pixels: &Tensor) -> Result<Tensor> {
        self.image_features_of(self.vision()?.begin(pixels)?)
    }

    /// [`DualEncoder::image_features`] of images that are on their way through the vision tower.
    pub fn image_features_of(&self, state: EncoderState) -> Result<Tensor> {
        let ImageEncoder { tower, head } = self.vision.as_ref().ok_or_else(|| absent("image"))?;
        head.forward(&tower.pooled(state)?)
    }

    /// What of one image, which keeps its states, makes it fit a text with the vector `text`, of length 1: the
    /// relevance of [`Trace`] for the logit of the two, the cosine times [`DualEncoder::logit_scale`]. Computes the
    /// layers that are left.
    pub fn relevance(&self, state: EncoderState, text: &[f32]) -> Result<Trace> {
        let ImageEncoder { tower, head } = self.vision.as_ref().ok_or_else(|| absent("image"))?;
        tower.relevance(state, |pooled| {
            let image = head.forward(pooled)?.flatten_all()?.to_vec1::<f32>()?;
            let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
            // Of the cosine u t, where u = v / |v|: (t - (u t) u) / |v|.
            let inverse = 1.0 / dot(&image, &image).sqrt();
            let cosine = dot(&image, text) * inverse;
            let gradient = image.iter().zip(text).map(|(v, t)| (t - cosine * v * inverse) * inverse);
            head.backward(pooled, &gradient.map(|g| g * self.logit_scale).collect::<Vec<_>>())
        })
    }

    /// Text vectors, not normalised: token ids, of any number for each text, to `(texts, projection_dim)`.
    /// What other texts are encoded in the same call makes no difference.
    pub fn text_features(&self, texts: &[Vec<u32>]) -> Result<Tensor> {
        let TextEncoder { tower, projection } = self.text.as_ref().ok_or_else(|| absent("text"))?;
        projection.forward(&tower.pooled(texts)?)
    }

    /// What the cosine of an image and a text is multiplied with to be their score.
    pub fn logit_scale(&self) -> f32 {
        self.logit_scale
    }

    /// The vision tower, or `ArgumentInvalid` where the model has none.
    pub fn vision(&self) -> Result<&ImageTower> {
        self.vision.as_ref().map(|half| &*half.tower).ok_or_else(|| absent("image"))
    }

    /// The text tower, or `ArgumentInvalid` where the model has none.
    pub fn text(&self) -> Result<&ClipText> {
        self.text.as_ref().map(|half| &half.tower).ok_or_else(|| absent("text"))
    }
}

impl ImageEncoder {
    /// The tower and the head in `root`.
    fn load(config: &DualConfig, root: &Scope<'_>) -> Result<Self> {
        let VisionConfig { image_size, architecture } = &config.vision;
        let (tower, head) = match architecture {
            Architecture::Transformer(transformer) => {
                let (width, dim) = (transformer.tower.hidden_size, config.projection_dim);
                let projection = Linear::load_without_bias(&root.scope("visual_projection"), width, dim)?;
                let tower = vision::load(transformer, *image_size, &root.scope("vision_model"))?;
                (ImageTower::Transformer(tower), ImageHead::Linear(projection))
            }
            Architecture::ResNet(resnet) => {
                (ImageTower::ResNet(ResNet::load(resnet, &root.scope("visual"))?), ImageHead::Identity)
            }
            Architecture::EfficientNet(network) => {
                let scope = root.scope("vision_model");
                let head =
                    ClassHead::load(root, &scope, network.features, network.classes, config.projection_dim)?;
                let tower = EfficientNet::load(network, &scope)?;
                (ImageTower::EfficientNet(tower), ImageHead::Classes(head))
            }
        };
        Ok(Self { tower: Arc::new(tower), head })
    }
}

impl TextEncoder {
    /// The tower and the projection in `root`.
    pub(in crate::models) fn load(config: &DualConfig, root: &Scope<'_>) -> Result<Self> {
        let (width, dim) = (config.text.tower.hidden_size, config.projection_dim);
        match config.names {
            Names::Transformers => Ok(Self {
                projection: Linear::load_without_bias(&root.scope("text_projection"), width, dim)?,
                tower: ClipText::load(&config.text, &root.scope("text_model"))?,
            }),
            Names::OpenClip => {
                // A matrix to multiply with from the right.
                let projection = root.take("text_projection", (width, dim))?.t()?.contiguous()?;
                let values = projection.flatten_all()?.to_vec1::<f32>()?;
                let projection = Matrix::pack(Dtype::F32, dim, width, &values)?;
                let tower = ClipText::load_open_clip(&config.text, root)?;
                Ok(Self { projection: Linear::new(Arc::new(projection), None), tower })
            }
        }
    }
}

fn absent(tower: &str) -> Error {
    Error::new(ErrorKind::ArgumentInvalid, format!("The model was loaded without its {tower} tower."))
}
