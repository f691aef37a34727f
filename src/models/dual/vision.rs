//! The vision transformer of CLIP, by the names of its tensors.

use super::text::self_attention;
use crate::Result;
use crate::models::vision::{TransformerConfig, VisionTransformer};
use crate::nn::{EncoderLayer, LayerNorm, PatchEmbed};
use crate::weights::Scope;

/// The tower in `scope`, the file's `vision_model`.
pub(super) fn load(
    config: &TransformerConfig,
    image_size: usize,
    scope: &Scope<'_>,
) -> Result<VisionTransformer> {
    let (width, patch) = (config.tower.hidden_size, config.patch_size);
    let positions = 1 + config.patches(image_size);
    let sizes = config.tower.sizes();
    let norm = |name| LayerNorm::load(&scope.scope(name), width, sizes.epsilon);

    let embeddings = scope.scope("embeddings");
    let layers = scope.scope("encoder.layers");
    Ok(VisionTransformer {
        image_size,
        patches: PatchEmbed::load(&embeddings.scope("patch_embedding"), width, patch, false)?,
        class: embeddings.take("class_embedding", width)?.reshape((1, 1, width))?,
        positions: embeddings.take("position_embedding.weight", (positions, width))?.unsqueeze(0)?,
        // The reference's spelling of this one is `pre_layrnorm`.
        pre_norm: Some(norm("pre_layrnorm")?),
        layers: (0..config.tower.layers)
            .map(|i| EncoderLayer::load(&layers.scope(i), &sizes, self_attention))
            .collect::<Result<_>>()?,
        post_norm: norm("post_layernorm")?,
        pools: true,
    })
}
