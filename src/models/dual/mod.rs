//! Dual encoders: images and texts as vectors that can be compared. CLIP, SigLIP, and what else is made of an image tower
//! and a text tower, or of one of them.
//!
//! ```text
//! pixels (b, 3, size, size) -> image tower -> one vector (b, width) -> head -> (b, dim)
//! ids (t, any length)       -> text tower  -> one vector (t, width) -> head -> (t, dim)
//! ```
//!
//! The logit of an image and a text is the cosine of their two vectors times [`DualEncoder::logit_scale`], plus
//! [`DualEncoder::logit_bias`] where a model has one.

mod bert;
mod config;
mod dinov2;
mod open_clip;
mod projection;
mod siglip;
mod text;
mod text_offload;
mod text_states;

use std::sync::Arc;

use candle_core::Tensor;

pub use bert::{BertPooling, BertText, BertTextConfig};
pub use config::{ClipTextConfig, DualConfig, TextConfig, TextPooling, TokenizerKind, TowerConfig};
use projection::Projection;
pub use projection::ProjectionConfig;
use text::argument;
pub use text::{ClipText, TextPrefix};
pub use text_offload::TextBatch;
pub use text_states::{ClipTextEncoder, MaskedText, TextPass, TextStates};

use crate::models::vision::{
    Architecture, ClassHead, EfficientNet, EncoderState, ImageHead, ImageTower, ResNet, Trace, VisionConfig,
    VisionTransformer,
};
use crate::weights::{Scope, Weights};
use crate::{Error, Result};

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

/// A dual encoder, or one of its towers: the reference's `CLIPModel` or `SiglipModel`, or a model of `open_clip`.
#[derive(Debug, Clone)]
pub struct DualEncoder {
    vision: Option<ImageEncoder>,
    text: Option<TextEncoder>,
    logit_scale: f32,
    logit_bias: Option<f32>,
}

/// A vision tower, and what makes an embedding of what it pools.
#[derive(Debug, Clone)]
pub(in crate::models) struct ImageEncoder {
    pub(in crate::models) tower: Arc<ImageTower>,
    pub(in crate::models) head: ImageHead,
}

/// A text tower, and what makes an embedding of what it pools.
#[derive(Debug, Clone)]
pub(in crate::models) struct TextEncoder {
    tower: TextTower,
    projection: Projection,
}

/// A text tower of one of the kinds that there are.
#[derive(Debug, Clone)]
pub enum TextTower {
    /// CLIP's and SigLIP's.
    Clip(ClipText),
    /// BERT's.
    Bert(BertText),
}

impl TextTower {
    /// One vector for each text, `(texts, width)`: token ids, of any number for each.
    pub fn pooled(&self, texts: &[Vec<u32>]) -> Result<Tensor> {
        self.pooled_after(None, texts)
    }

    /// [`TextTower::pooled`] of texts that begin as those before did: see [`ClipText::pooled_after`].
    pub fn pooled_after(&self, prefix: Option<&mut TextPrefix>, texts: &[Vec<u32>]) -> Result<Tensor> {
        match self {
            Self::Clip(tower) => tower.pooled_after(prefix, texts),
            Self::Bert(tower) => tower.pooled(texts),
        }
    }
}

impl DualEncoder {
    /// The model that `config` describes, of `weights`. The error names every tensor that does not fit.
    pub fn new(config: &DualConfig, weights: Weights) -> Result<Self> {
        Self::with_towers(config, Towers::Both, weights)
    }

    /// [`DualEncoder::new`] of `towers` only, as far as `config` has them. Tensors of the other are unknown to it, as any
    /// others.
    pub fn with_towers(config: &DualConfig, towers: Towers, weights: Weights) -> Result<Self> {
        let root = weights.root();
        let vision = config.vision.as_ref().filter(|_| towers != Towers::Text);
        let vision = vision.map(|vision| ImageEncoder::load(config, vision, &root)).transpose()?;
        let text = config.text.as_ref().filter(|_| towers != Towers::Image);
        let text = text.map(|text| TextEncoder::load(config, text, &root)).transpose()?;
        let model = Self::of(vision, text, config.sigmoid, &root)?;
        weights.finish()?;
        Ok(model)
    }

    /// The model of its towers, and of `logit_scale` and `logit_bias` in `root`: where both towers are, they are compared.
    pub(in crate::models) fn of(
        vision: Option<ImageEncoder>,
        text: Option<TextEncoder>,
        biased: bool,
        root: &Scope<'_>,
    ) -> Result<Self> {
        let compares = vision.is_some() && text.is_some();
        let number = |name: &str| -> Result<Option<f32>> {
            let tensor = if compares { Some(root.take(name, ())?) } else { root.take_if_present(name, ())? };
            Ok(tensor.map(|tensor| tensor.to_vec0::<f32>()).transpose()?)
        };
        let logit_scale = number("logit_scale")?.map_or(1.0, f32::exp);
        let logit_bias = if biased { Some(number("logit_bias")?.unwrap_or(0.0)) } else { None };
        Ok(Self { vision, text, logit_scale, logit_bias })
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

    /// The normalised states of all tokens, `(batch, tokens, width)`, of images whose [`EncoderState::whole`] was asked for.
    ///
    /// # Errors
    /// `ArgumentInvalid` where the model has no image tower.
    pub fn image_states_of(&self, state: EncoderState) -> Result<Tensor> {
        self.vision()?.states(state)
    }

    /// Whether an image's vector is more than what its tower pools: a projection, as CLIP has and SigLIP and DINOv2 have not.
    pub fn projects_images(&self) -> bool {
        let identity = |half: &ImageEncoder| {
            matches!((&half.head, &*half.tower), (ImageHead::Identity, ImageTower::Transformer(_)))
        };
        !self.vision.as_ref().is_some_and(identity)
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
        self.text_features_after(None, texts)
    }

    /// [`DualEncoder::text_features`] of texts that begin as those before did: see [`ClipText::pooled_after`]. `prefix` is of
    /// this model alone.
    pub fn text_features_after(&self, prefix: Option<&mut TextPrefix>, texts: &[Vec<u32>]) -> Result<Tensor> {
        let TextEncoder { tower, projection } = self.text.as_ref().ok_or_else(|| absent("text"))?;
        projection.forward(&tower.pooled_after(prefix, texts)?)
    }

    /// What the cosine of an image and a text is multiplied with to be their score.
    pub fn logit_scale(&self) -> f32 {
        self.logit_scale
    }

    /// What is added then, in models whose scores are the sigmoid of that.
    pub fn logit_bias(&self) -> Option<f32> {
        self.logit_bias
    }

    /// The vision tower, or `ArgumentInvalid` where the model has none.
    pub fn vision(&self) -> Result<&Arc<ImageTower>> {
        self.vision.as_ref().map(|half| &half.tower).ok_or_else(|| absent("image"))
    }

    /// The text tower, or `ArgumentInvalid` where the model has none.
    pub fn text(&self) -> Result<&TextTower> {
        self.text.as_ref().map(|half| &half.tower).ok_or_else(|| absent("text"))
    }
}

impl ImageEncoder {
    /// The tower that `vision` describes and its head, in `root`.
    fn load(config: &DualConfig, vision: &VisionConfig, root: &Scope<'_>) -> Result<Self> {
        let VisionConfig { image_size, architecture } = vision;
        let (tower, head) = match architecture {
            Architecture::Transformer(transformer) => {
                let (width, dim) = (transformer.tower.hidden_size, config.projection_dim);
                let tower = VisionTransformer::load(transformer, *image_size, &root.scope("vision_model"))?;
                let projection = root.scope("visual_projection");
                let head = if config.projects_images {
                    ImageHead::Linear(projection::load_linear(&projection, width, dim)?)
                } else {
                    ImageHead::Identity
                };
                (ImageTower::Transformer(Box::new(tower)), head)
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
    /// The tower that `text` describes and its head, in `root`.
    pub(in crate::models) fn load(config: &DualConfig, text: &TextConfig, root: &Scope<'_>) -> Result<Self> {
        let scope = root.scope("text_model");
        let (tower, width) = match text {
            TextConfig::Clip(text) => {
                (TextTower::Clip(ClipText::load(text, &scope)?), text.tower.hidden_size)
            }
            TextConfig::Bert(text) => {
                (TextTower::Bert(BertText::load(text, &scope)?), text.tower.hidden_size)
            }
        };
        let dim = config.projection_dim;
        let projection =
            Projection::load(config.text_projection, &root.scope("text_projection"), width, dim)?;
        Ok(Self { tower, projection })
    }
}

/// The error for what needs a tower that is not there.
pub(crate) fn absent(tower: &str) -> Error {
    argument(format!("The model was loaded without its {tower} tower."))
}
