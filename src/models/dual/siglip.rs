//! `config.json` of SigLIP and of SigLIP 2 at a fixed resolution, whose model type is the same.

use super::config::{ClipTextConfig, DualConfig, TextConfig, TextPooling, TokenizerKind, WRONG_EOS};
use super::{ProjectionConfig, text::TEXT_BATCH};
use crate::Result;
use crate::models::config::{Section, TowerConfig};
use crate::models::vision::{Architecture, Pooling, TransformerConfig, VisionConfig};
use crate::nn::Activation;

/// The defaults of both towers.
const TOWER: TowerConfig =
    TowerConfig { activation: Activation::GeluTanh, layer_norm_eps: 1e-6, ..TowerConfig::BASE };

/// Both towers.
pub(super) fn read(root: &Section) -> Result<DualConfig> {
    let vision = vision(&root.section("vision_config")?, "vision_config")?;
    let (text, dim) = text(&root.section("text_config")?, "text_config")?;
    config(root, Some(vision), Some(text), dim)
}

/// The file of a vision tower alone.
pub(super) fn read_vision(root: &Section) -> Result<DualConfig> {
    let vision = vision(root, "the top level")?;
    let dim = vision.transformer().map_or(TOWER.hidden_size, |vision| vision.tower.hidden_size);
    config(root, Some(vision), None, dim)
}

/// The file of a text tower alone.
pub(super) fn read_text(root: &Section) -> Result<DualConfig> {
    let (text, dim) = text(root, "the top level")?;
    config(root, None, Some(text), dim)
}

fn config(
    root: &Section,
    vision: Option<VisionConfig>,
    text: Option<ClipTextConfig>,
    dim: usize,
) -> Result<DualConfig> {
    Ok(DualConfig {
        projects_images: false,
        text_projection: ProjectionConfig::Linear { bias: true },
        sigmoid: true,
        tokenizer: TokenizerKind::Siglip,
        ..DualConfig::of(root, vision, text.map(TextConfig::Clip), dim)?
    })
}

fn vision(section: &Section, path: &str) -> Result<VisionConfig> {
    let (image_size, patch_size) = section.patches(224, 16)?;
    let transformer = TransformerConfig {
        class_token: false,
        pooling: Pooling::Attention,
        ..TransformerConfig::vit(section.tower(&TOWER)?, patch_size)
    };
    transformer.tower.check_fits(path, 1, transformer.patches(image_size))?;
    Ok(VisionConfig { image_size, architecture: Architecture::Transformer(transformer) })
}

/// The tower, and the width that its head projects to.
fn text(section: &Section, path: &str) -> Result<(ClipTextConfig, usize)> {
    let text = ClipTextConfig {
        tower: section.tower(&TOWER)?,
        vocab_size: section.number("vocab_size", 32_000, 1..=4_000_000)?,
        max_position_embeddings: section.number("max_position_embeddings", 64, 1..=65_536)?,
        causal: false,
        pooling: TextPooling::Last,
        eos_token_id: WRONG_EOS,
    };
    text.tower.check_fits(path, TEXT_BATCH, text.max_position_embeddings)?;
    let dim = section.number("projection_size", text.tower.hidden_size, 1..=16_384)?;
    Ok((text, dim))
}
