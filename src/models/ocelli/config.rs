//! `config.json` of a model that tags, captions and matches with one image tower.

use super::super::blip::{BlipConfig, BlipTextConfig};
use super::super::config::Section;
use super::super::dual::{ClipTextConfig, DualConfig, TextConfig};
use crate::Result;
use crate::models::vision::{Architecture, EfficientNetConfig, VisionConfig};

/// What `vision_config.model_type` must be.
const VISION: &str = "efficientnet_lite";

/// The configuration of an ocelli model: that of its tagger, and that of its captioner and matcher.
#[derive(Debug, Clone)]
pub struct OcelliConfig {
    /// The tower, the text tower, and what both are projected to.
    pub tagger: DualConfig,
    /// The tower, the decoder and text encoder, and what they attend to.
    pub texts: BlipConfig,
}

/// What the model's `model_type` is.
pub const MODEL_TYPE: &str = "ocelli";

impl OcelliConfig {
    /// Reads `config.json`: `vision_config` as `timm` has it, `text_config` as CLIP's, `decoder_config` as BLIP's
    /// `text_config`, for the decoder and the text encoder alike.
    ///
    /// # Errors
    /// `ConfigInvalid`.
    pub fn from_json(json: &[u8]) -> Result<Self> {
        let root = Section::parse(json, MODEL_TYPE)?;
        let vision = root.section("vision_config")?;
        if !vision.is("model_type", VISION) {
            return Err(vision.unknown("model_type", &format!("\"{VISION}\"")));
        }
        let network = EfficientNetConfig::read(&vision)?;
        let places = network.map_side().pow(2);
        let vision = VisionConfig {
            image_size: network.image_size,
            architecture: Architecture::EfficientNet(network),
        };

        let decoder = root.section("decoder_config")?;
        let tied = root.flag("tie_word_embeddings", true)?;
        let texts = BlipConfig {
            vision: vision.clone(),
            image_width: decoder.number("encoder_hidden_size", 768, 1..=16_384)?,
            text: BlipTextConfig::read(&decoder, "decoder_config", tied, places)?,
            image_text_hidden_size: root.number("image_text_hidden_size", 256, 1..=16_384)?,
        };
        let dim = root.number("projection_dim", 512, 1..=16_384)?;
        let text = ClipTextConfig::read(&root.section("text_config")?)?;
        let tagger = DualConfig::of(&root, Some(vision), Some(TextConfig::Clip(text)), dim)?;
        Ok(Self { tagger, texts })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn what_is_absurd_is_refused_by_name() {
        let config = |vision: &str, rest: &str| {
            let json = format!(
                r#"{{"model_type": "ocelli", "vision_config": {{"model_type": "efficientnet_lite", {vision}}}{rest}}}"#
            );
            OcelliConfig::from_json(json.as_bytes())
        };
        let lite = r#""architecture": "tf_efficientnet_lite2""#;
        let read = config(lite, "").unwrap();
        assert_eq!((read.tagger.image_size(), read.texts.image_width), (Some(260), 768));
        for (vision, rest, part) in [
            (r#""architecture": "tf_efficientnet_lite5""#, "", "vision_config.architecture"),
            (r#""architecture": 2"#, "", "vision_config.architecture"),
            (r#""image_size": 224"#, "", "vision_config.architecture"),
            (&format!(r#"{lite}, "image_size": 31"#), "", "vision_config.image_size"),
            (&format!(r#"{lite}, "image_size": 4294967297"#), "", "vision_config.image_size"),
            (&format!(r#"{lite}, "num_classes": 0"#), "", "vision_config.num_classes"),
            (&format!(r#"{lite}, "hidden_size": 1e9"#), "", "vision_config.hidden_size"),
            (&format!(r#"{lite}, "depth_coefficient": 1e300"#), "", "vision_config.depth_coefficient"),
            (&format!(r#"{lite}, "width_coefficient": 4, "image_size": 2048"#), "", "memory"),
            (&format!(r#"{lite}, "model_type": "vit""#), "", "vision_config.model_type"),
            (lite, r#", "decoder_config": {"encoder_hidden_size": 0}"#, "decoder_config.encoder_hidden_size"),
            (lite, r#", "decoder_config": {"vocab_size": 50}"#, "decoder_config.bos_token_id"),
            (lite, r#", "text_config": {"hidden_size": 100000}"#, "text_config.hidden_size"),
            (lite, r#", "ocelli": {"temperature": 0}"#, "ocelli.temperature"),
            (lite, r#", "ocelli": {"sure_threshold": 1.5}"#, "ocelli.sure_threshold"),
            (lite, r#", "projection_dim": -1"#, "projection_dim"),
        ] {
            let error = config(vision, rest).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConfigInvalid);
            assert!(error.to_string().contains(part), "{vision} {rest}: {error}");
        }
    }
}
