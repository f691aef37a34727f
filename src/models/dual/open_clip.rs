//! `open_clip_config.json`, which stands in the place of config.json beside models of the Python library `open_clip`.

use super::config::{ClipTextConfig, DualConfig, Names, WRONG_EOS};
use super::text::TEXT_BATCH;
use crate::Result;
use crate::models::config::{Section, TowerConfig, invalid};
use crate::models::vision::{Architecture, ResNetConfig, VisionConfig};
use crate::nn::Activation;

/// What the file says of the model: its key `model_cfg`. Of image towers it may describe ResNets; vision transformers
/// are read in the hub's own form only.
pub(super) fn read(root: &Section) -> Result<DualConfig> {
    let model = root.section("model_cfg")?;
    let projection_dim = model.number("embed_dim", 512, 1..=16_384)?;
    let vision = model.section("vision_cfg")?;
    if vision.has("timm_model_name") || !vision.has_list("layers") {
        return Err(invalid(
            "The file config.json describes a model of open_clip whose image tower is not a ResNet: \
             of these, only the form that transformers reads is supported.",
        ));
    }
    let vision = ResNetConfig::read(&vision, projection_dim)?;

    let text = model.section("text_cfg")?;
    if text.has("hf_model_name") || (text.has("pool_type") && !text.is("pool_type", "argmax")) {
        return Err(invalid("The file config.json describes a text tower of open_clip that is not CLIP's."));
    }
    let width = text.number("width", 512, 1..=16_384)?;
    let heads = text.number("heads", 8, 1..=1024)?;
    if !width.is_multiple_of(heads) {
        return Err(invalid(format!(
            "In config.json, text_cfg.width ({width}) is not a multiple of text_cfg.heads ({heads})."
        )));
    }
    let ratio = text.real("mlp_ratio", 4.0, 0.1..=16.0)?;
    let quick = model.flag("quick_gelu", false)?;
    let tower = TowerConfig {
        hidden_size: width,
        // Bounded by the ranges above.
        intermediate_size: ((width as f64 * ratio) as usize).max(1),
        layers: text.number("layers", 12, 1..=256)?,
        heads,
        activation: if quick { Activation::QuickGelu } else { Activation::Gelu },
        layer_norm_eps: 1e-5,
    };
    let text = ClipTextConfig {
        tower,
        vocab_size: text.number("vocab_size", 49_408, 1..=4_000_000)?,
        max_position_embeddings: text.number("context_length", 77, 1..=65_536)?,
        // Texts are pooled at their largest id.
        eos_token_id: WRONG_EOS,
    };
    text.tower.check_fits("text_cfg", TEXT_BATCH, text.max_position_embeddings)?;
    let vision = VisionConfig { image_size: vision.image_size, architecture: Architecture::ResNet(vision) };
    Ok(DualConfig { names: Names::OpenClip, ..DualConfig::of(root, vision, text, projection_dim)? })
}

/// What the file says of pre-processing, its key `preprocess_cfg`, in the form of a `preprocessor_config.json`.
pub(super) fn preprocessor(root: &Section, image_size: usize) -> Result<Vec<u8>> {
    let section = root.section("preprocess_cfg")?;
    let resample = match section.text("interpolation")? {
        None | Some("bicubic" | "random") => 3,
        Some("bilinear") => 2,
        Some(_) => return Err(section.unknown("interpolation", "\"bicubic\" or \"bilinear\"")),
    };
    let exact = serde_json::json!({ "height": image_size, "width": image_size });
    let size = match section.text("resize_mode")? {
        None | Some("shortest") => serde_json::json!({ "shortest_edge": image_size }),
        Some("squash") => exact.clone(),
        Some(_) => return Err(section.unknown("resize_mode", "\"shortest\" or \"squash\"")),
    };
    let mut json = serde_json::json!({ "size": size, "crop_size": exact, "resample": resample });
    for (from, to) in [("mean", "image_mean"), ("std", "image_std")] {
        if let (Some(value), Some(json)) = (section.value(from), json.as_object_mut()) {
            json.insert(to.to_owned(), value.clone());
        }
    }
    Ok(json.to_string().into_bytes())
}
