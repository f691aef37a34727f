//! `config.json` of a BLIP model: a captioner, a matcher, or one that answers questions.

use super::super::config::{Section, TowerConfig, invalid};
use super::argument;
use crate::Result;
use crate::models::vision::{Architecture, Pooling, TransformerConfig, VisionConfig};

/// The most captions that are written side by side. Each has as many logits as there are words.
pub const MAX_SIDE_BY_SIDE: usize = 64;
/// The most words of a model: the logits of all captions then take 256 MiB. Published models have 30,524.
const MAX_WORDS: usize = (1 << 26) / MAX_SIDE_BY_SIDE;

/// The configuration of a BLIP model. It does not say which: captioners, matchers and answerers are described alike.
#[derive(Debug, Clone)]
pub struct BlipConfig {
    /// The vision tower.
    pub vision: VisionConfig,
    /// Width of what texts attend to of an image.
    pub image_width: usize,
    /// The text encoder and the text decoder, of which a model has one or both.
    pub text: BlipTextConfig,
    /// Width of the embeddings of images and texts that a matcher compares.
    pub image_text_hidden_size: usize,
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
        let tower = vision.tower(&TowerConfig { layer_norm_eps: 1e-5, ..TowerConfig::BASE })?;
        // Texts see the states of all patches.
        let transformer =
            TransformerConfig { pooling: Pooling::States, ..TransformerConfig::vit(tower, patch_size) };

        // `encoder_hidden_size` is not read: the reference always takes the width of the vision tower.
        let tied = root.flag("tie_word_embeddings", true)?;
        let tokens = 1 + transformer.patches(image_size);
        let text = BlipTextConfig::read(&root.section("text_config")?, "text_config", tied, tokens)?;
        transformer.tower.check_fits("vision_config", 1, tokens)?;
        Ok(Self {
            image_width: transformer.tower.hidden_size,
            vision: VisionConfig { image_size, architecture: Architecture::Transformer(transformer) },
            text,
            image_text_hidden_size: root.number("image_text_hidden_size", 256, 1..=16_384)?,
        })
    }
}

impl BlipTextConfig {
    /// Reads the section `name`. Texts attend to `tokens` of an image; the output layer is `tied` if the file says so
    /// outside the section.
    pub(in crate::models) fn read(text: &Section, name: &str, tied: bool, tokens: usize) -> Result<Self> {
        if !text.flag("is_decoder", true)? {
            return Err(invalid(format!(
                "In config.json, {name}.is_decoder is false: texts of this model cannot see images."
            )));
        }
        let text = Self {
            tower: text.tower(&TowerConfig { heads: 8, ..TowerConfig::BASE })?,
            vocab_size: text.number("vocab_size", 30_524, 1..=MAX_WORDS)?,
            max_position_embeddings: text.number("max_position_embeddings", 512, 1..=65_536)?,
            bos_token_id: text.id("bos_token_id", 30_522)?,
            sep_token_id: text.id("sep_token_id", 102)?,
            tie_word_embeddings: text.flag("tie_word_embeddings", true)? || tied,
        };
        text.tower.check_fits(name, 1, text.max_position_embeddings.max(tokens))?;
        for (key, id) in [("bos_token_id", text.bos_token_id), ("sep_token_id", text.sep_token_id)] {
            if id as usize >= text.vocab_size {
                return Err(invalid(format!(
                    "In config.json, {name}.{key} ({id}) is not below {name}.vocab_size ({}).",
                    text.vocab_size
                )));
            }
        }
        Ok(text)
    }

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
