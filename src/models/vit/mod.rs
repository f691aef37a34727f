//! ViT: images into classes that were fixed when the model was trained.
//!
//! ```text
//! pixels (b, 3, size, size) -> vision -> (b, 1 + patches, width) -> class token -> classifier -> (b, labels)
//! ```

mod config;

use candle_core::Tensor;

pub use config::{MAX_LABEL_CHARS, MAX_LABELS, VitConfig};

use crate::Result;
use crate::models::vision::{EncoderState, ImageTower, TransformerConfig, VisionTransformer};
use crate::nn::Linear;
use crate::weights::Weights;

/// A ViT classifier: the reference's `ViTForImageClassification`.
#[derive(Debug, Clone)]
pub struct VitModel {
    vision: ImageTower,
    classifier: Linear,
}

impl VitModel {
    /// The model that `config` describes, of `weights`. The error names every tensor that does not fit.
    pub fn new(config: &VitConfig, weights: Weights) -> Result<Self> {
        let root = weights.root();
        let transformer = TransformerConfig {
            qkv_bias: config.qkv_bias,
            ..TransformerConfig::vit(config.tower, config.patch_size)
        };
        let scope = root.scope("vision_model");
        let vision = VisionTransformer::load(&transformer, config.image_size, &scope)?;
        let vision = ImageTower::Transformer(Box::new(vision));
        let width = config.tower.hidden_size;
        let classifier = Linear::load(&root.scope("classifier"), width, config.labels.len())?;
        weights.finish()?;
        Ok(Self { vision, classifier })
    }

    /// The vision tower.
    pub fn vision(&self) -> &ImageTower {
        &self.vision
    }

    /// A number for each label: `(batch, labels)`. Computes the layers that are left.
    pub fn logits(&self, state: EncoderState) -> Result<Tensor> {
        self.classifier.forward(&self.vision.pooled(state)?)
    }
}
