//! `config.json` of a dual encoder.

pub use super::super::config::TowerConfig;
use super::super::config::{MOST_PATCHES, Section, invalid};
use super::text::TEXT_BATCH;
use super::{BertTextConfig, ProjectionConfig, Towers, dinov2, open_clip, siglip};
use crate::Result;
use crate::models::vision::{Architecture, TransformerConfig, VisionConfig};
use crate::nn::Activation;

/// The configuration of a dual encoder, or of one of its towers.
#[derive(Debug, Clone)]
pub struct DualConfig {
    /// The vision tower.
    pub vision: Option<VisionConfig>,
    /// The text tower.
    pub text: Option<TextConfig>,
    /// Whether a linear layer without a bias makes an embedding of what a vision transformer pools.
    pub projects_images: bool,
    /// What makes an embedding of what the text tower pools.
    pub text_projection: ProjectionConfig,
    /// Width of the features that both towers are projected to.
    pub projection_dim: usize,
    /// Whether the model was trained for scores that are the sigmoid of logits with a bias, each for itself.
    pub sigmoid: bool,
    /// How texts become token ids.
    pub tokenizer: TokenizerKind,
    /// What is added to the logit that stands for "none of these labels". It is not the reference's, but ocelli's own
    /// key, `ocelli.none_offset`: measured for a model, or else 0.
    pub none_offset: f32,
    /// What logits are divided by before they become scores beside "none of these": `ocelli.temperature`, or else 1.
    pub temperature: f32,
    /// The score from which on a label is right often enough to be shown: `ocelli.sure_threshold`, where it was measured.
    pub sure_threshold: Option<f32>,
    /// Whether the file is an `open_clip_config.json`, which says of pre-processing what another file says otherwise.
    pub(super) is_open_clip: bool,
}

/// A text tower of one of the kinds that there are.
#[derive(Debug, Clone)]
pub enum TextConfig {
    /// CLIP's and SigLIP's.
    Clip(ClipTextConfig),
    /// BERT's.
    Bert(BertTextConfig),
}

/// How texts become token ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenizerKind {
    /// CLIP's byte-level BPE, between a start and an end token; filled up to the context with `pad`, where there is one.
    Clip {
        /// The token that texts are filled up with.
        pad: Option<u32>,
    },
    /// SentencePiece, an end token, and padding up to the context: SigLIP.
    Siglip,
    /// SentencePiece between a start and an end token: RoBERTa.
    Roberta {
        /// Tokens that a text may have.
        context: usize,
    },
}

/// The text tower of CLIP or SigLIP.
#[derive(Debug, Clone)]
pub struct ClipTextConfig {
    /// Width, depth and so on.
    pub tower: TowerConfig,
    /// Number of token ids.
    pub vocab_size: usize,
    /// Tokens that a text may have, the first and the last included.
    pub max_position_embeddings: usize,
    /// Whether tokens see only those before them; otherwise the whole text, padding included.
    pub causal: bool,
    /// Which token stands for the text.
    pub pooling: TextPooling,
    /// The token at whose first position a text is pooled; 2 stands for the largest id in the text (see
    /// [`ClipTextConfig::pooled`]).
    pub eos_token_id: u32,
}

/// Which token stands for a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextPooling {
    /// The first end token.
    EndToken,
    /// The last one, whatever it is.
    Last,
}

/// A historical error in published files: the token 2 is not at the end of texts.
pub(super) const WRONG_EOS: u32 = 2;

impl DualConfig {
    /// Reads `config.json` of the model types `clip`, `siglip`, `dinov2` and `dinov2_with_registers`, and of one tower alone,
    /// such as `clip_vision_model`; keys that are absent have the reference's defaults. A file with the key `model_cfg` is
    /// read as an `open_clip_config.json`.
    ///
    /// # Errors
    /// `ConfigInvalid`.
    pub fn from_json(json: &[u8]) -> Result<Self> {
        let root = Section::parse_any(json)?;
        if root.has("model_cfg") {
            return open_clip::read(&root);
        }
        match root.text("model_type")?.unwrap_or("clip") {
            "clip" => {
                let vision = clip_vision(&clip_tower(&root, "vision_config")?, "vision_config")?;
                let text = ClipTextConfig::read(&clip_tower(&root, "text_config")?)?;
                Self::of(&root, Some(vision), Some(TextConfig::Clip(text)), clip_dim(&root)?)
            }
            "clip_vision_model" => {
                Self::of(&root, Some(clip_vision(&root, "the top level")?), None, clip_dim(&root)?)
            }
            "clip_text_model" => {
                let text = ClipTextConfig::read(&root)?;
                Self::of(&root, None, Some(TextConfig::Clip(text)), clip_dim(&root)?)
            }
            "siglip" => siglip::read(&root),
            "siglip_vision_model" => siglip::read_vision(&root),
            "siglip_text_model" => siglip::read_text(&root),
            "dinov2" | "dinov2_with_registers" => dinov2::read(&root),
            _ => Err(root.unknown(
                "model_type",
                "\"clip\", \"siglip\", \"dinov2\", \"dinov2_with_registers\", or one tower of them",
            )),
        }
    }

    /// The configuration of these towers, with CLIP's heads; what else there is, is in `root`.
    pub(in crate::models) fn of(
        root: &Section,
        vision: Option<VisionConfig>,
        text: Option<TextConfig>,
        projection_dim: usize,
    ) -> Result<Self> {
        let own = root.section("ocelli")?;
        let sure =
            own.has("sure_threshold").then(|| own.real("sure_threshold", 0.0, 0.0..=1.0)).transpose()?;
        Ok(Self {
            vision,
            text,
            projects_images: true,
            text_projection: ProjectionConfig::Linear { bias: false },
            projection_dim,
            sigmoid: false,
            tokenizer: TokenizerKind::Clip { pad: None },
            none_offset: own.real("none_offset", 0.0, -1000.0..=1000.0)? as f32,
            temperature: own.real("temperature", 1.0, 0.01..=100.0)? as f32,
            sure_threshold: sure.map(|sure| sure as f32),
            is_open_clip: false,
        })
    }

    /// Beginnings of the names of tensors that a model of `towers` alone does without.
    pub fn unused(&self, towers: Towers) -> &'static [&'static str] {
        match towers {
            Towers::Both => &[],
            Towers::Image => &["text_model.", "text_projection.", "logit_scale", "logit_bias"],
            Towers::Text => &["vision_model.", "visual_projection.", "visual.", "logit_scale", "logit_bias"],
        }
    }

    /// The tower that a model has alone, as names of its tensors have it, for
    /// [`WeightsLoader::of_tower`](crate::weights::WeightsLoader::of_tower).
    pub fn tower_alone(&self) -> Option<&'static str> {
        match (&self.vision, &self.text) {
            (Some(_), None) => Some("vision_model"),
            (None, Some(_)) => Some("text_model"),
            _ => None,
        }
    }

    /// The side in pixels of the images that the model takes, where it has a vision tower.
    pub fn image_size(&self) -> Option<usize> {
        self.vision.as_ref().map(|vision| vision.image_size)
    }

    /// The configuration for images of another size, where the model's positions are interpolated.
    #[must_use]
    pub fn resized(mut self, image_size: usize) -> Self {
        if let Some(VisionConfig { image_size: own, architecture: Architecture::Transformer(transformer) }) =
            &mut self.vision
        {
            let side = image_size / transformer.patch_size;
            let fits =
                (1..=MOST_PATCHES).contains(&side) && image_size.is_multiple_of(transformer.patch_size);
            if transformer.position_side.is_some() && fits {
                *own = image_size;
            }
        }
        self
    }

    /// What `config.json` says of pre-processing, in the form of a `preprocessor_config.json`, where it is an
    /// `open_clip_config.json`.
    ///
    /// # Errors
    /// `ConfigInvalid`.
    pub fn preprocessor(&self, json: &[u8]) -> Result<Option<Vec<u8>>> {
        match self.image_size().filter(|_| self.is_open_clip) {
            None => Ok(None),
            Some(size) => open_clip::preprocessor(&Section::parse_any(json)?, size).map(Some),
        }
    }
}

/// The section of a tower in a file of CLIP's.
///
/// Files of an early version have each tower twice. The reference then lets *every* value of `*_config_dict` win, those that
/// are its defaults included.
fn clip_tower(root: &Section, name: &str) -> Result<Section> {
    let dict = format!("{name}_dict");
    root.section(if root.has(&dict) { &dict } else { name })
}

fn clip_dim(root: &Section) -> Result<usize> {
    root.number("projection_dim", 512, 1..=16_384)
}

/// CLIP's vision transformer, which `vision` describes; `path` is where that stands.
fn clip_vision(vision: &Section, path: &str) -> Result<VisionConfig> {
    let (image_size, patch_size) = vision.patches(224, 32)?;
    let tower = vision.tower(&TowerConfig {
        activation: Activation::QuickGelu,
        layer_norm_eps: 1e-5,
        ..TowerConfig::BASE
    })?;
    let transformer = TransformerConfig::clip(tower, patch_size);
    transformer.tower.check_fits(path, 1, 1 + transformer.patches(image_size))?;
    Ok(VisionConfig { image_size, architecture: Architecture::Transformer(transformer) })
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
            causal: true,
            pooling: TextPooling::EndToken,
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
        if self.pooling == TextPooling::Last {
            ids.len().checked_sub(1)
        } else if self.eos_token_id == WRONG_EOS {
            let largest = ids.iter().max()?;
            ids.iter().position(|id| id == largest)
        } else {
            ids.iter().position(|&id| id == self.eos_token_id)
        }
    }
}
