//! `config.json` of a BLIP model: a captioner, a matcher, or one that answers questions.

use super::super::config::{Section, TowerConfig, invalid};
use super::argument;
use crate::Result;
use crate::nn::Activation;

/// The most captions that are written side by side. Each has as many logits as there are words.
pub const MAX_SIDE_BY_SIDE: usize = 64;
/// The most words of a model: the logits of all captions then take 256 MiB. Published models have 30,524.
const MAX_WORDS: usize = (1 << 26) / MAX_SIDE_BY_SIDE;

/// The configuration of a BLIP model. It does not say which: captioners, matchers and answerers are described alike.
#[derive(Debug, Clone)]
pub struct BlipConfig {
    /// The vision tower.
    pub vision: BlipVisionConfig,
    /// The text encoder and the text decoder, of which a model has one or both.
    pub text: BlipTextConfig,
    /// Width of the embeddings of images and texts that a matcher compares.
    pub image_text_hidden_size: usize,
}

/// The vision tower of a BLIP model.
#[derive(Debug, Clone)]
pub struct BlipVisionConfig {
    /// Width, depth and so on.
    pub tower: TowerConfig,
    /// Height and width of the image in pixels; a multiple of `patch_size`.
    pub image_size: usize,
    /// Height and width of a patch in pixels.
    pub patch_size: usize,
}

/// The text side of a BLIP model.
///
/// `eos_token_id` is left out on purpose: captions end with `sep_token_id`, and the `2` of published
/// files is an error.
#[derive(Debug, Clone)]
pub struct BlipTextConfig {
    /// Width, depth and so on.
    pub tower: TowerConfig,
    /// Number of token ids.
    pub vocab_size: usize,
    /// Tokens that a text may have, the first included.
    pub max_position_embeddings: usize,
    /// The token that begins every caption and every answer, `[DEC]`.
    pub bos_token_id: u32,
    /// The token that ends every caption and every answer, `[SEP]`.
    pub sep_token_id: u32,
    /// Whether the output layer may share the table of word embeddings.
    pub tie_word_embeddings: bool,
}

impl BlipConfig {
    /// Reads `config.json`; keys that are absent have the reference's defaults.
    pub fn from_json(json: &[u8]) -> Result<Self> {
        let root = Section::parse(json, "blip")?;

        let vision = root.section("vision_config")?;
        let (image_size, patch_size) = vision.patches(384, 16)?;
        let vision = BlipVisionConfig {
            tower: vision.tower(&TowerConfig {
                hidden_size: 768,
                intermediate_size: 3072,
                layers: 12,
                heads: 12,
                activation: Activation::Gelu,
                layer_norm_eps: 1e-5,
            })?,
            image_size,
            patch_size,
        };

        let text = root.section("text_config")?;
        if !text.flag("is_decoder", true)? {
            return Err(invalid(
                "In config.json, text_config.is_decoder is false: texts of this model cannot see images.",
            ));
        }
        let tied = root.flag("tie_word_embeddings", true)?;
        let text = BlipTextConfig {
            // `encoder_hidden_size` is not read: the reference always takes the width of the vision tower.
            tower: text.tower(&TowerConfig {
                hidden_size: 768,
                intermediate_size: 3072,
                layers: 12,
                heads: 8,
                activation: Activation::Gelu,
                layer_norm_eps: 1e-12,
            })?,
            vocab_size: text.number("vocab_size", 30_524, 1..=MAX_WORDS)?,
            max_position_embeddings: text.number("max_position_embeddings", 512, 1..=65_536)?,
            bos_token_id: text.id("bos_token_id", 30_522)?,
            sep_token_id: text.id("sep_token_id", 102)?,
            tie_word_embeddings: text.flag("tie_word_embeddings", true)? || tied,
        };
        let patches = (image_size / patch_size) * (image_size / patch_size);
        vision.tower.check_fits("vision_config", 1, 1 + patches)?;
        text.tower.check_fits("text_config", 1, text.max_position_embeddings.max(1 + patches))?;
        for (name, id) in [("bos_token_id", text.bos_token_id), ("sep_token_id", text.sep_token_id)] {
            if id as usize >= text.vocab_size {
                return Err(invalid(format!(
                    "In config.json, text_config.{name} ({id}) is not below text_config.vocab_size ({}).",
                    text.vocab_size
                )));
            }
        }
        let image_text_hidden_size = root.number("image_text_hidden_size", 256, 1..=16_384)?;
        Ok(Self { vision, text, image_text_hidden_size })
    }
}

impl BlipTextConfig {
    /// Refuses a text of no tokens, of too many, or of such as the model does not have.
    pub(super) fn check_text(&self, ids: &[u32]) -> Result<()> {
        let most = self.max_position_embeddings;
        if ids.is_empty() || ids.len() > most {
            return Err(argument(format!("A text has {} tokens; the model takes 1 to {most}.", ids.len())));
        }
        self.check_known(ids)
    }

    /// Refuses tokens that the model does not have.
    pub(super) fn check_known(&self, ids: &[u32]) -> Result<()> {
        match ids.iter().find(|&&id| id as usize >= self.vocab_size) {
            Some(id) => {
                Err(argument(format!("The token {id} is not one of the model's {}.", self.vocab_size)))
            }
            None => Ok(()),
        }
    }
}
