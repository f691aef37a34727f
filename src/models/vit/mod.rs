//! ViT: images into classes that were fixed when the model was trained.
//!
//! ```text
//! pixels (b, 3, size, size) -> vision -> (b, 1 + patches, width) -> class token -> classifier -> (b, labels)
//! ```

mod config;

use candle_core::Tensor;

pub use config::{MAX_LABEL_CHARS, MAX_LABELS, VitConfig};

use super::config::TowerConfig;
use crate::Result;
use crate::models::vision::{EncoderState, ImageTower, VisionTransformer};
use crate::nn::{EncoderLayer, LayerNorm, Linear, Mlp, PatchEmbed, SelfAttention, Sizes};
use crate::weights::{Scope, Weights};

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
        let vision = ImageTower::Transformer(load(config, &root.scope("vit"))?);
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

/// The tower in `scope`, the file's `vit`.
fn load(config: &VitConfig, scope: &Scope<'_>) -> Result<VisionTransformer> {
    let TowerConfig { hidden_size: width, layers: count, .. } = config.tower;
    let positions = 1 + (config.image_size / config.patch_size).pow(2);
    let sizes = config.tower.sizes();
    let embeddings = scope.scope("embeddings");
    let layers = scope.scope("encoder.layer");
    let patches = embeddings.scope("patch_embeddings.projection");
    Ok(VisionTransformer {
        image_size: config.image_size,
        patches: PatchEmbed::load(&patches, width, config.patch_size, true)?,
        class: embeddings.take("cls_token", (1, 1, width))?,
        positions: embeddings.take("position_embeddings", (1, positions, width))?,
        pre_norm: None,
        layers: (0..count)
            .map(|i| load_layer(&layers.scope(i), &sizes, config.qkv_bias))
            .collect::<Result<_>>()?,
        post_norm: LayerNorm::load(&scope.scope("layernorm"), width, sizes.epsilon)?,
        pools: true,
    })
}

/// The names are those of the published files.
fn load_layer(scope: &Scope<'_>, sizes: &Sizes, qkv_bias: bool) -> Result<EncoderLayer> {
    let width = sizes.heads.width;
    let norm = |name| LayerNorm::load(&scope.scope(name), width, sizes.epsilon);
    let names = ["attention.query", "attention.key", "attention.value", "output.dense"];
    Ok(EncoderLayer::new(
        norm("layernorm_before")?,
        SelfAttention::load_biased(&scope.scope("attention"), sizes.heads, names, qkv_bias)?,
        norm("layernorm_after")?,
        Mlp::new(
            Linear::load(&scope.scope("intermediate.dense"), width, sizes.intermediate)?,
            Linear::load(&scope.scope("output.dense"), sizes.intermediate, width)?,
            sizes.activation,
        ),
    ))
}
