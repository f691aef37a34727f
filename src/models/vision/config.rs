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

/// A vision transformer, with what the families differ in.
#[derive(Debug, Clone)]
pub struct TransformerConfig {
    /// Width, depth and so on.
    pub tower: TowerConfig,
    /// Height and width of a patch in pixels; it divides the image's.
    pub patch_size: usize,
    /// Whether a class token comes before the patches.
    pub class_token: bool,
    /// How many register tokens come between class token and patches (Darcet et al., "Vision Transformers Need Registers",
    /// 2023). They have no positions.
    pub registers: usize,
    /// Side of the square of patches that the file has positions for, where it is not that of the image: they are
    /// interpolated.
    pub position_side: Option<usize>,
    /// Whether they are smoothed where they get fewer.
    pub antialias: bool,
    /// Whether the patch embedding has a bias.
    pub patch_bias: bool,
    /// Whether queries, keys and values have a bias.
    pub qkv_bias: bool,
    /// Whether there is a layer norm before the first layer.
    pub pre_norm: bool,
    /// Where the layer norm after the last layer is.
    pub final_norm: FinalNorm,
    /// Whether what each half of a layer adds is scaled, channel by channel (Touvron et al., "Going deeper with Image
    /// Transformers", 2021).
    pub layer_scale: bool,
    /// What becomes of the states of all tokens.
    pub pooling: Pooling,
}

/// How one vector is made of the states of all tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pooling {
    /// The states themselves are asked for, too; the vector is the class token's.
    States,
    /// The class token's state.
    ClassToken,
    /// The mean of the patches' states.
    Mean,
    /// What a learnt query attends to of them: SigLIP's head.
    Attention,
}

/// Where the last layer norm is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FinalNorm {
    /// Every state is normalised, and then they are pooled.
    BeforePooling,
    /// The pooled vector is normalised.
    AfterPooling,
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
    /// The transformer of ViT (Dosovitskiy et al., 2020): a class token, no norm before the layers, biases throughout.
    pub fn vit(tower: TowerConfig, patch_size: usize) -> Self {
        Self {
            tower,
            patch_size,
            class_token: true,
            registers: 0,
            position_side: None,
            antialias: false,
            patch_bias: true,
            qkv_bias: true,
            pre_norm: false,
            final_norm: FinalNorm::BeforePooling,
            layer_scale: false,
            pooling: Pooling::ClassToken,
        }
    }

    /// CLIP's: with a norm before the layers, and patches without a bias.
    pub fn clip(tower: TowerConfig, patch_size: usize) -> Self {
        Self { patch_bias: false, pre_norm: true, ..Self::vit(tower, patch_size) }
    }

    /// Patches of an image of `image_size` pixels a side.
    pub(in crate::models) fn patches(&self, image_size: usize) -> usize {
        (image_size / self.patch_size).pow(2)
    }

    /// Tokens before the patches.
    pub fn prefix(&self) -> usize {
        usize::from(self.class_token) + self.registers
    }
}
