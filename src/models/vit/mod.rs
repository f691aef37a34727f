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
use crate::models::{Passage, Trace, check_pixels};
use crate::nn::{
    EncoderLayer, LayerNorm, Linear, Mlp, PatchEmbed, SelfAttention, Sight, Sizes, with_class_token,
};
use crate::weights::{Scope, Weights};

/// A ViT classifier: the reference's `ViTForImageClassification`.
#[derive(Debug, Clone)]
pub struct VitModel {
    image_size: usize,
    patches: PatchEmbed,
    /// `(1, 1, width)`
    class: Tensor,
    /// `(1, 1 + patches, width)`
    positions: Tensor,
    layers: Vec<EncoderLayer>,
    norm: LayerNorm,
    classifier: Linear,
}

impl VitModel {
    /// The model that `config` describes, of `weights`. The error names every tensor that does not fit.
    pub fn new(config: &VitConfig, weights: Weights) -> Result<Self> {
        let TowerConfig { hidden_size: width, layers: count, .. } = config.tower;
        let positions = 1 + (config.image_size / config.patch_size).pow(2);
        let sizes = config.tower.sizes();
        let root = weights.root();
        let vit = root.scope("vit");
        let embeddings = vit.scope("embeddings");
        let layers = vit.scope("encoder.layer");
        let patches = embeddings.scope("patch_embeddings.projection");
        let model = Self {
            image_size: config.image_size,
            patches: PatchEmbed::load(&patches, width, config.patch_size, true)?,
            class: embeddings.take("cls_token", (1, 1, width))?,
            positions: embeddings.take("position_embeddings", (1, positions, width))?,
            layers: (0..count)
                .map(|i| load_layer(&layers.scope(i), &sizes, config.qkv_bias))
                .collect::<Result<_>>()?,
            norm: LayerNorm::load(&vit.scope("layernorm"), width, sizes.epsilon)?,
            classifier: Linear::load(&root.scope("classifier"), width, config.labels.len())?,
        };
        weights.finish()?;
        Ok(model)
    }

    /// Images before the first layer: pixels `(batch, 3, size, size)`.
    pub fn begin(&self, pixels: &Tensor) -> Result<Passage> {
        check_pixels(pixels, self.image_size)?;
        let (x, lengths) = with_class_token(&self.patches.forward(pixels)?, &self.class, &self.positions)?;
        Ok(Passage::new(x, lengths))
    }

    /// Takes images through one more layer. Returns how many layers are left.
    pub fn advance(&self, passage: &mut Passage) -> Result<usize> {
        passage.advance(&self.layers, |layer, passage| {
            let (x, sight) = (&passage.states, Sight::Sequences(&passage.lengths));
            if passage.done + 1 < self.layers.len() {
                layer.forward(x, sight)
            } else {
                // Of the last layer only the class token is asked for.
                layer.forward_at(x, sight, &passage.firsts())
            }
        })
    }

    /// A number for each label: `(batch, labels)`. Computes the layers that are left.
    pub fn logits(&self, mut passage: Passage) -> Result<Tensor> {
        while self.advance(&mut passage)? > 0 {}
        self.classifier.forward(&self.norm.forward(&passage.states)?)
    }

    /// Goes back through one more layer. Returns how many layers are left.
    pub fn trace_back(&self, trace: &mut Trace) -> Result<usize> {
        trace.step(&self.layers)
    }

    /// Attention rollout of one image that keeps its states. Computes the layers that are left.
    pub fn rollout(&self, mut passage: Passage) -> Result<Trace> {
        while self.advance(&mut passage)? > 0 {}
        Trace::new(&passage, self.layers.len(), None)
    }
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
