//! ViT: images into classes that were fixed when the model was trained.
//!
//! ```text
//! pixels (b, 3, size, size) -> vision -> (b, tokens, width) -> class token or mean -> classifier -> (b, labels)
//! ```

mod config;
mod timm;

use std::sync::Arc;

use candle_core::Tensor;

pub use config::{MAX_LABEL_CHARS, MAX_LABELS, VitConfig};
pub use timm::is_timm;

use crate::Result;
use crate::models::vision::{EncoderState, ImageTower, VisionTransformer};
use crate::nn::Linear;
use crate::weights::Weights;

/// A ViT classifier: `ViTForImageClassification` of `transformers`, and `VisionTransformer` of `timm`.
#[derive(Debug, Clone)]
pub struct VitModel {
    vision: Arc<ImageTower>,
    classifier: Linear,
}

impl VitModel {
    /// The model that `config` describes, of `weights`. The error names every tensor that does not fit.
    pub fn new(config: &VitConfig, weights: Weights) -> Result<Self> {
        let root = weights.root();
        let scope = root.scope("vision_model");
        let vision = VisionTransformer::load(&config.transformer, config.image_size, &scope)?;
        let vision = Arc::new(ImageTower::Transformer(Box::new(vision)));
        let width = config.transformer.tower.hidden_size;
        let classifier = Linear::load(&root.scope("classifier"), width, config.labels.len())?;
        weights.finish()?;
        Ok(Self { vision, classifier })
    }

    /// The vision tower.
    pub fn vision(&self) -> &Arc<ImageTower> {
        &self.vision
    }

    /// A number for each label: `(batch, labels)`. Computes the layers that are left.
    pub fn logits(&self, state: EncoderState) -> Result<Tensor> {
        self.classifier.forward(&self.vision.pooled(state)?)
    }
}
