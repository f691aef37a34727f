//! `config.json` of a CLIP model.

pub use super::super::config::TowerConfig;
use super::super::config::{Section, invalid};
use super::text::TEXT_BATCH;
use super::{Towers, open_clip};
use crate::Result;
use crate::models::vision::{Architecture, TransformerConfig, VisionConfig};
use crate::nn::Activation;

/// The configuration of a CLIP model.
#[derive(Debug, Clone)]
pub struct DualConfig {
    /// The vision tower.
    pub vision: VisionConfig,
    /// The text tower.
    pub text: ClipTextConfig,
    /// Width of the features that both towers are projected to.
    pub projection_dim: usize,
    /// What is added to the logit that stands for "none of these labels". It is not the reference's, but ocelli's own
    /// key, `ocelli.none_offset`: measured for a model, or else 0.
    pub none_offset: f32,
    /// What logits are divided by before they become scores beside "none of these": `ocelli.temperature`, or else 1.
    pub temperature: f32,
    /// The score from which on a label is right often enough to be shown: `ocelli.sure_threshold`, where it was measured.
    pub sure_threshold: Option<f32>,
    pub(super) names: Names,
}

/// Whose names the tensors of a file have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    /// Those of `transformers`.
    Transformers,
    /// Those of `open_clip`.
    OpenClip,
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
pub(super) const WRONG_EOS: u32 = 2;

impl DualConfig {
    /// Reads `config.json`; keys that are absent have the reference's defaults. A file with the key `model_cfg` is read as
    /// an `open_clip_config.json`.
    pub fn from_json(json: &[u8]) -> Result<Self> {
        let root = Section::parse(json, "clip")?;
        if root.has("model_cfg") {
            return open_clip::read(&root);
        }
        // Files of an early version have each tower twice. The reference then lets *every* value of
        // `*_config_dict` win, those that are its defaults included.
        let tower = |name: &str| {
            let dict = format!("{name}_dict");
            root.section(if root.has(&dict) { &dict } else { name })
        };

        let vision = tower("vision_config")?;
        let (image_size, patch_size) = vision.patches(224, 32)?;
        let transformer = TransformerConfig {
            tower: vision.tower(&TowerConfig {
                hidden_size: 768,
                intermediate_size: 3072,
                layers: 12,
                heads: 12,
                activation: Activation::QuickGelu,
                layer_norm_eps: 1e-5,
            })?,
            patch_size,
        };
        let text = ClipTextConfig::read(&tower("text_config")?)?;
        transformer.tower.check_fits("vision_config", 1, 1 + transformer.patches(image_size))?;
        let vision = VisionConfig { image_size, architecture: Architecture::Transformer(transformer) };
        Self::of(&root, vision, text, root.number("projection_dim", 512, 1..=16_384)?)
    }

    /// The configuration of these towers; what else there is, is in `root`.
    pub(in crate::models) fn of(
        root: &Section,
        vision: VisionConfig,
        text: ClipTextConfig,
        projection_dim: usize,
    ) -> Result<Self> {
        let own = root.section("ocelli")?;
        let sure =
            own.has("sure_threshold").then(|| own.real("sure_threshold", 0.0, 0.0..=1.0)).transpose()?;
        Ok(Self {
            vision,
            text,
            projection_dim,
            none_offset: own.real("none_offset", 0.0, -1000.0..=1000.0)? as f32,
            temperature: own.real("temperature", 1.0, 0.01..=100.0)? as f32,
            sure_threshold: sure.map(|sure| sure as f32),
            names: Names::Transformers,
        })
    }

    /// Beginnings of the names of tensors that a model of `towers` alone does without.
    pub fn unused(&self, towers: Towers) -> &'static [&'static str] {
        match (towers, self.names) {
            (Towers::Both, _) => &[],
            (Towers::Image, Names::Transformers) => &["text_model.", "text_projection."],
            (Towers::Text, Names::Transformers) => &["vision_model.", "visual_projection."],
            (Towers::Image, Names::OpenClip) => {
                &["transformer.", "token_embedding.", "positional_embedding", "ln_final.", "text_projection"]
            }
            (Towers::Text, Names::OpenClip) => &["visual."],
        }
    }

    /// What `config.json` says of pre-processing, in the form of a `preprocessor_config.json`, where it is an
    /// `open_clip_config.json`.
    ///
    /// # Errors
    /// `ConfigInvalid`.
    pub fn preprocessor(&self, json: &[u8]) -> Result<Option<Vec<u8>>> {
        if self.names == Names::Transformers {
            return Ok(None);
        }
        open_clip::preprocessor(&Section::parse(json, "clip")?, self.vision.image_size).map(Some)
    }
}

impl ClipTextConfig {
    /// Reads `text_config`.
    pub(in crate::models) fn read(text: &Section) -> Result<Self> {
        let text = Self {
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
        text.tower.check_fits("text_config", TEXT_BATCH, text.max_position_embeddings)?;
        if text.eos_token_id != WRONG_EOS && text.eos_token_id as usize >= text.vocab_size {
            return Err(invalid(format!(
                "In config.json, the end token {} of texts is not below vocab_size ({}).",
                text.eos_token_id, text.vocab_size
            )));
        }
        Ok(text)
    }

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
