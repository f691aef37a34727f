//! The vision transformer of BLIP, by the names of its tensors.

use crate::Result;
use crate::models::vision::{TransformerConfig, VisionTransformer};
use crate::nn::{EncoderLayer, LayerNorm, PatchEmbed, SelfAttention};
use crate::weights::Scope;

/// The tower in `scope`, the file's `vision_model`. Unlike CLIP's it normalises every state at the end and none at the
/// beginning.
pub(super) fn load(
    config: &TransformerConfig,
    image_size: usize,
    scope: &Scope<'_>,
) -> Result<VisionTransformer> {
    let (width, patch) = (config.tower.hidden_size, config.patch_size);
    let positions = 1 + config.patches(image_size);
    let sizes = config.tower.sizes();

    let embeddings = scope.scope("embeddings");
    let layers = scope.scope("encoder.layers");
    Ok(VisionTransformer {
        image_size,
        patches: PatchEmbed::load(&embeddings.scope("patch_embedding"), width, patch, true)?,
        class: embeddings.take("class_embedding", (1, 1, width))?,
        positions: embeddings.take("position_embedding", (1, positions, width))?,
        pre_norm: None,
        layers: (0..config.tower.layers)
            .map(|i| {
                EncoderLayer::load(&layers.scope(i), &sizes, |scope, heads| {
                    SelfAttention::load_fused(scope, heads, ["qkv", "projection"])
                })
            })
            .collect::<Result<_>>()?,
        post_norm: LayerNorm::load(&scope.scope("post_layernorm"), width, sizes.epsilon)?,
        pools: false,
    })
}
