//! Which tower a model has, as its configuration says.

use super::efficientnet::EfficientNetConfig;
use super::resnet::ResNetConfig;
use crate::models::config::TowerConfig;

/// The vision tower of a model.
#[derive(Debug, Clone)]
pub struct VisionConfig {
    /// Height and width of the image in pixels.
    pub image_size: usize,
    /// What the tower is made of.
    pub architecture: Architecture,
}

/// What a tower is made of.
#[derive(Debug, Clone)]
pub enum Architecture {
    /// A vision transformer.
    Transformer(TransformerConfig),
    /// CLIP's ResNet.
    ResNet(ResNetConfig),
    /// An EfficientNet-Lite.
    EfficientNet(EfficientNetConfig),
}

/// A vision transformer.
#[derive(Debug, Clone)]
pub struct TransformerConfig {
    /// Width, depth and so on.
    pub tower: TowerConfig,
    /// Height and width of a patch in pixels; it divides the image's.
    pub patch_size: usize,
}

impl VisionConfig {
    /// The transformer, where the tower is one.
    pub fn transformer(&self) -> Option<&TransformerConfig> {
        match &self.architecture {
            Architecture::Transformer(transformer) => Some(transformer),
            Architecture::ResNet(_) | Architecture::EfficientNet(_) => None,
        }
    }
}

impl TransformerConfig {
    /// Patches of an image of `image_size` pixels a side.
    pub(in crate::models) fn patches(&self, image_size: usize) -> usize {
        (image_size / self.patch_size).pow(2)
    }
}
