//! `open_clip_config.json`, which stands in the place of config.json beside models of the Python library `open_clip`.

use super::bert::{BertPooling, BertTextConfig};
use super::config::{ClipTextConfig, DualConfig, TextConfig, TextPooling, TokenizerKind, WRONG_EOS};
use super::{ProjectionConfig, text::TEXT_BATCH};
use crate::Result;
use crate::models::config::{Section, TowerConfig, invalid};
use crate::models::vision::{
    Architecture, FinalNorm, Pooling, ResNetConfig, TransformerConfig, VisionConfig,
};
use crate::nn::Activation;

/// What the file says of the model: its key `model_cfg`.
///
/// Source: `CLIPVisionCfg` and `CLIPTextCfg` of `open_clip`, whose defaults stand for what is absent.
pub(super) fn read(root: &Section) -> Result<DualConfig> {
    let model = root.section("model_cfg")?;
    let dim = model.number("embed_dim", 512, 1..=16_384)?;
    let quick = model.flag("quick_gelu", false)?;
    let activation = if quick { Activation::QuickGelu } else { Activation::Gelu };

    let section = model.section("vision_cfg")?;
    let vision = if section.has_list("layers") {
        let resnet = ResNetConfig::read(&section, dim)?;
        VisionConfig { image_size: resnet.image_size, architecture: Architecture::ResNet(resnet) }
    } else {
        vision(&section, activation)?
    };
    let section = model.section("text_cfg")?;
    let (text, text_projection, tokenizer) =
        if section.has("hf_model_name") { bert(&section, dim)? } else { clip(&section, activation)? };
    Ok(DualConfig {
        text_projection,
        tokenizer,
        is_open_clip: true,
        sigmoid: model.has("init_logit_bias"),
        ..DualConfig::of(root, Some(vision), Some(text), dim)?
    })
}

/// A vision transformer.
fn vision(section: &Section, activation: Activation) -> Result<VisionConfig> {
    if section.has("timm_model_name") {
        return Err(invalid(
            "The file config.json describes an image tower of timm within a model of open_clip: of these, only the form \
             that transformers reads is supported.",
        ));
    }
    if section.flag("attentional_pool", false)? {
        return Err(section.unknown("attentional_pool", "false"));
    }
    let (image_size, patch_size) = section.patches(224, 16)?;
    let width = section.number("width", 768, 1..=16_384)?;
    let head = section.number("head_width", 64, 1..=16_384)?;
    if !width.is_multiple_of(head) {
        return Err(invalid(format!(
            "In config.json, vision_cfg.width ({width}) is not a multiple of vision_cfg.head_width ({head})."
        )));
    }
    let tower = tower(section, width, width / head, activation)?;
    let pooling = match section.text("pool_type")? {
        None | Some("tok") => Pooling::ClassToken,
        Some("avg") => Pooling::Mean,
        Some(_) => return Err(section.unknown("pool_type", "\"tok\" or \"avg\"")),
    };
    let transformer = TransformerConfig {
        pre_norm: !section.flag("no_ln_pre", false)?,
        final_norm: if section.flag("final_ln_after_pool", false)? {
            FinalNorm::AfterPooling
        } else {
            FinalNorm::BeforePooling
        },
        layer_scale: section.has("ls_init_value"),
        pooling,
        ..TransformerConfig::clip(tower, patch_size)
    };
    transformer.tower.check_fits("vision_cfg", 1, 1 + transformer.patches(image_size))?;
    Ok(VisionConfig { image_size, architecture: Architecture::Transformer(transformer) })
}

/// What both towers have.
fn tower(section: &Section, width: usize, heads: usize, activation: Activation) -> Result<TowerConfig> {
    let ratio = section.real("mlp_ratio", 4.0, 0.1..=16.0)?;
    Ok(TowerConfig {
        hidden_size: width,
        // Bounded by the ranges above.
        intermediate_size: ((width as f64 * ratio) as usize).max(1),
        layers: section.number("layers", 12, 1..=256)?,
        heads,
        activation,
        layer_norm_eps: 1e-5,
    })
}

/// CLIP's text tower.
fn clip(section: &Section, activation: Activation) -> Result<(TextConfig, ProjectionConfig, TokenizerKind)> {
    let pooling = match section.text("pool_type")? {
        None | Some("argmax" | "eos") => TextPooling::EndToken,
        Some("last") => TextPooling::Last,
        Some(_) => return Err(section.unknown("pool_type", "\"argmax\", \"eos\" or \"last\"")),
    };
    if section.flag("embed_cls", false)? {
        return Err(section.unknown("embed_cls", "false"));
    }
    let width = section.number("width", 512, 1..=16_384)?;
    let heads = section.number("heads", 8, 1..=1024)?;
    if !width.is_multiple_of(heads) {
        return Err(invalid(format!(
            "In config.json, text_cfg.width ({width}) is not a multiple of text_cfg.heads ({heads})."
        )));
    }
    let causal = !section.flag("no_causal_mask", false)?;
    let text = ClipTextConfig {
        tower: tower(section, width, heads, activation)?,
        vocab_size: section.number("vocab_size", 49_408, 1..=4_000_000)?,
        max_position_embeddings: section.number("context_length", 77, 1..=65_536)?,
        causal,
        pooling,
        // Texts are pooled at their largest id.
        eos_token_id: WRONG_EOS,
    };
    text.tower.check_fits("text_cfg", TEXT_BATCH, text.max_position_embeddings)?;
    // Where tokens see the padding, or it is pooled, there must be some.
    let pad = section.id("pad_id", 0)?;
    let padded = !causal || pooling == TextPooling::Last;
    let projection = match section.text("proj_type")? {
        None | Some("linear") => ProjectionConfig::Linear { bias: section.flag("proj_bias", false)? },
        Some("none") => ProjectionConfig::Identity,
        Some(_) => return Err(section.unknown("proj_type", "\"linear\" or \"none\"")),
    };
    Ok((TextConfig::Clip(text), projection, TokenizerKind::Clip { pad: padded.then_some(pad) }))
}

/// Sizes of the models of `transformers` that the file names without saying what they are: name, width, layers, heads, token
/// ids. Positions are 514, and the first two rows of them for padding.
const KNOWN_TEXTS: [(&str, usize, usize, usize, usize); 4] = [
    ("xlm-roberta-base", 768, 12, 12, 250_002),
    ("xlm-roberta-large", 1024, 24, 16, 250_002),
    ("roberta-base", 768, 12, 12, 50_265),
    ("roberta-large", 1024, 24, 16, 50_265),
];

/// A text tower of BERT's kind. Beside what `open_clip` writes, `hf_config` may say what the model is, in the form of its own
/// config.json: who loads from a hub puts there what lies under `hf_model_name`.
fn bert(section: &Section, dim: usize) -> Result<(TextConfig, ProjectionConfig, TokenizerKind)> {
    let name = section.text("hf_model_name")?.unwrap_or_default();
    let name = name.rsplit('/').next().unwrap_or_default();
    let own = section.section("hf_config")?;
    let known = KNOWN_TEXTS.iter().find(|known| known.0 == name);
    // Others have the same names of tensors, and count positions or mask otherwise.
    if !matches!(own.text("model_type")?, None | Some("roberta" | "xlm-roberta" | "camembert")) {
        return Err(own.unknown("model_type", "\"roberta\", \"xlm-roberta\" or \"camembert\""));
    }
    if known.is_none() && !own.has("hidden_size") {
        return Err(section
            .unknown("hf_model_name", "xlm-roberta-base, xlm-roberta-large, roberta-base or roberta-large"));
    }
    let &(_, width, layers, heads, vocab_size) = known.unwrap_or(&KNOWN_TEXTS[0]);
    let tower = own.tower(&TowerConfig {
        hidden_size: width,
        intermediate_size: 4 * width,
        layers,
        heads,
        activation: Activation::Gelu,
        layer_norm_eps: 1e-5,
    })?;
    let pooling = match section.text("hf_pooler_type")? {
        None | Some("mean_pooler") => BertPooling::Mean,
        Some("cls_last_hidden_state_pooler") => BertPooling::First,
        Some(_) => {
            return Err(
                section.unknown("hf_pooler_type", "\"mean_pooler\" or \"cls_last_hidden_state_pooler\"")
            );
        }
    };
    let projection = match section.text("hf_proj_type")? {
        None | Some("mlp") => ProjectionConfig::Mlp { hidden: (tower.hidden_size + dim) / 2 },
        Some("linear") => ProjectionConfig::Linear { bias: false },
        Some(_) => return Err(section.unknown("hf_proj_type", "\"mlp\" or \"linear\"")),
    };
    let text = BertTextConfig {
        tower,
        vocab_size: own.number("vocab_size", vocab_size, 1..=4_000_000)?,
        max_position_embeddings: own.number("max_position_embeddings", 514, 3..=65_536)?,
        // Source: `create_position_ids_from_input_ids` of `transformers`.
        first_position: own.number("pad_token_id", 1, 0..=1024)? + 1,
        type_vocab_size: own.number("type_vocab_size", 1, 1..=64)?,
        pooling,
    };
    text.tower.check_fits("text_cfg", 32, text.context())?;
    let context = section.number("context_length", 77, 2..=65_536)?.min(text.context());
    Ok((TextConfig::Bert(text), projection, TokenizerKind::Roberta { context }))
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
