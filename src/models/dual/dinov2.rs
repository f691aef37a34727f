//! `config.json` of DINOv2, which makes embeddings of images alone.

use super::config::DualConfig;
use crate::Result;
use crate::models::config::{Section, TowerConfig, invalid};
use crate::models::vision::{Architecture, TransformerConfig, VisionConfig};

/// The tower. Its positions are for images of the file's `image_size`, and are interpolated for those that the file beside it
/// makes.
pub(super) fn read(root: &Section) -> Result<DualConfig> {
    if root.flag("use_swiglu_ffn", false)? {
        return Err(invalid(
            "The file config.json describes a DINOv2 with gated layers (use_swiglu_ffn), as the giant one has: they are not supported.",
        ));
    }
    let (image_size, patch_size) = root.patches(224, 14)?;
    let width = root.number("hidden_size", 768, 1..=16_384)?;
    let ratio = root.number("mlp_ratio", 4, 1..=16)?;
    let tower = root.tower(&TowerConfig {
        // The file has a ratio in its place.
        intermediate_size: width * ratio,
        layer_norm_eps: 1e-6,
        ..TowerConfig::BASE
    })?;
    let with_registers = root.is("model_type", "dinov2_with_registers");
    let transformer = TransformerConfig {
        registers: if with_registers { root.number("num_register_tokens", 4, 0..=64)? } else { 0 },
        position_side: Some(image_size / patch_size),
        antialias: with_registers,
        qkv_bias: root.flag("qkv_bias", true)?,
        layer_scale: true,
        ..TransformerConfig::vit(tower, patch_size)
    };
    transformer.tower.check_fits(
        "the top level",
        1,
        transformer.prefix() + transformer.patches(image_size),
    )?;
    let vision = VisionConfig { image_size, architecture: Architecture::Transformer(transformer) };
    Ok(DualConfig { projects_images: false, ..DualConfig::of(root, Some(vision), None, width)? })
}
