//! `config.json` of a CLIP model.

pub use super::super::config::TowerConfig;
use super::super::config::{Section, invalid};
use super::text::TEXT_BATCH;
use crate::Result;
use crate::nn::Activation;

/// The configuration of a CLIP model.
#[derive(Debug, Clone)]
pub struct ClipConfig {
    /// The vision tower.
    pub vision: ClipVisionConfig,
    /// The text tower.
    pub text: ClipTextConfig,
    /// Width of the features that both towers are projected to.
    pub projection_dim: usize,
    /// What is added to the logit that stands for "none of these labels". It is not the reference's, but ocelli's own
    /// key, `ocelli.none_offset`: measured for a model, or else 0.
    pub none_offset: f32,
}

/// The vision tower of a CLIP model.
#[derive(Debug, Clone)]
pub struct ClipVisionConfig {
    /// Width, depth and so on.
    pub tower: TowerConfig,
    /// Height and width of the image in pixels; a multiple of `patch_size`.
    pub image_size: usize,
    /// Height and width of a patch in pixels.
    pub patch_size: usize,
}

/// The text tower of a CLIP model.
#[derive(Debug, Clone)]
pub struct ClipTextConfig {
    /// Width, depth and so on.
    pub tower: TowerConfig,
    /// Number of token ids.
    pub vocab_size: usize,
    /// Tokens that a text may have, the first and the last included.
    pub max_position_embeddings: usize,
    /// The token at whose first position a text is pooled; 2 stands for the largest id in the text (see
    /// [`ClipTextConfig::pooled`]).
    pub eos_token_id: u32,
}

/// A historical error in published files: the token 2 is not at the end of texts.
const WRONG_EOS: u32 = 2;

impl ClipConfig {
    /// Reads `config.json`; keys that are absent have the reference's defaults.
    pub fn from_json(json: &[u8]) -> Result<Self> {
        let root = Section::parse(json, "clip")?;
        // Files of an early version have each tower twice. The reference then lets *every* value of
        // `*_config_dict` win, those that are its defaults included.
        let tower = |name: &str| {
            let dict = format!("{name}_dict");
            root.section(if root.has(&dict) { &dict } else { name })
        };

        let vision = tower("vision_config")?;
        let (image_size, patch_size) = vision.patches(224, 32)?;
        let vision = ClipVisionConfig {
            tower: vision.tower(&TowerConfig {
                hidden_size: 768,
                intermediate_size: 3072,
                layers: 12,
                heads: 12,
                activation: Activation::QuickGelu,
                layer_norm_eps: 1e-5,
            })?,
            image_size,
            patch_size,
        };

        let text = tower("text_config")?;
        let text = ClipTextConfig {
            tower: text.tower(&TowerConfig {
                hidden_size: 512,
                intermediate_size: 2048,
                layers: 12,
                heads: 8,
                activation: Activation::QuickGelu,
                layer_norm_eps: 1e-5,
            })?,
            vocab_size: text.number("vocab_size", 49_408, 1..=4_000_000)?,
            max_position_embeddings: text.number("max_position_embeddings", 77, 1..=65_536)?,
            eos_token_id: text.id("eos_token_id", 49_407)?,
        };
        let patches = (image_size / patch_size) * (image_size / patch_size);
        vision.tower.check_fits("vision_config", 1, 1 + patches)?;
        text.tower.check_fits("text_config", TEXT_BATCH, text.max_position_embeddings)?;
        if text.eos_token_id != WRONG_EOS && text.eos_token_id as usize >= text.vocab_size {
            return Err(invalid(format!(
                "In config.json, the end token {} of texts is not below vocab_size ({}).",
                text.eos_token_id, text.vocab_size
            )));
        }
        Ok(Self {
            vision,
            text,
            projection_dim: root.number("projection_dim", 512, 1..=16_384)?,
            none_offset: root.section("ocelli")?.real("none_offset", 0.0, -1000.0..=1000.0)? as f32,
        })
    }
}

impl ClipTextConfig {
    /// The position of `ids` whose state stands for the whole text, if there is one.
    ///
    /// The first position of the end token; or, where the configuration has the historical `2`, the first
    /// position of the largest id, which the end token is in every published vocabulary.
    pub fn pooled(&self, ids: &[u32]) -> Option<usize> {
        if self.eos_token_id == WRONG_EOS {
            let largest = ids.iter().max()?;
            ids.iter().position(|id| id == largest)
        } else {
            ids.iter().position(|&id| id == self.eos_token_id)
        }
    }
}
