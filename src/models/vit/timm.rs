//! `config.json` of a vision transformer as `timm` publishes it, such as a tagger with thousands of independent classes.
//!
//! Source: `timm.models.vision_transformer.VisionTransformer` and its configurations.

use super::VitConfig;
use super::config::{MAX_LABEL_CHARS, MAX_LABELS};
use crate::Result;
use crate::models::config::{Section, TowerConfig, invalid};
use crate::models::vision::{FinalNorm, Pooling, TransformerConfig};
use crate::nn::Activation;

/// Width, layers and heads of the transformers that `timm` has by name.
const SIZES: [(&str, [usize; 3]); 6] = [
    ("vit_tiny_", [192, 12, 3]),
    ("vit_small_", [384, 12, 6]),
    ("vit_medium_", [512, 12, 8]),
    ("vit_base_", [768, 12, 12]),
    ("vit_large_", [1024, 24, 16]),
    ("vit_huge_", [1280, 32, 16]),
];
/// Arguments of a model that are read here, or say nothing of what it computes.
const KNOWN: [&str; 20] = [
    "img_size",
    "patch_size",
    "embed_dim",
    "depth",
    "num_heads",
    "mlp_ratio",
    "qkv_bias",
    "class_token",
    "no_embed_class",
    "pre_norm",
    "global_pool",
    "fc_norm",
    "act_layer",
    "init_values",
    "num_classes",
    "in_chans",
    "drop_rate",
    "drop_path_rate",
    "weight_init",
    "dynamic_img_size",
];

/// Whether a `config.json` is one of `timm`'s.
///
/// # Errors
/// `ConfigInvalid` where it is no JSON object.
pub fn is_timm(json: &[u8]) -> Result<bool> {
    Ok(Section::parse_any(json)?.has("architecture"))
}

/// The classifier that the file describes.
pub(super) fn read(root: &Section) -> Result<VitConfig> {
    let name = root.text("architecture")?.unwrap_or_default();
    let args = root.section("model_args")?;
    if let Some(stranger) = args.names().find(|name| !KNOWN.contains(name)) {
        let known = "left out: ocelli does not know what it means";
        return Err(args.unknown(stranger, known));
    }
    let Some((_, [width, layers, heads])) = SIZES.iter().find(|(prefix, _)| name.starts_with(prefix)) else {
        return Err(
            root.unknown("architecture", "one of timm's vision transformers, such as vit_base_patch16_224")
        );
    };
    if args.has("in_chans") {
        args.number("in_chans", 3, 3..=3)?;
    }
    let [patch, image] = sides(name);
    let image_size = args.number("img_size", image, 1..=4096)?;
    let patch_size = args.number("patch_size", patch, 1..=1024)?;
    let side = args.check_patches([("img_size", image_size), ("patch_size", patch_size)])?;
    let hidden_size = args.number("embed_dim", *width, 1..=16_384)?;
    let ratio = args.real("mlp_ratio", 4.0, 0.1..=16.0)?;
    let tower = TowerConfig {
        hidden_size,
        // As the reference: cut to a whole number. At most 2^18.
        intermediate_size: (hidden_size as f64 * ratio) as usize,
        layers: args.number("depth", *layers, 1..=256)?,
        heads: args.number("num_heads", *heads, 1..=1024)?,
        activation: activation(&args)?,
        layer_norm_eps: 1e-6,
    };
    if !hidden_size.is_multiple_of(tower.heads) {
        return Err(invalid(format!(
            "In config.json, model_args.embed_dim ({hidden_size}) is not a multiple of model_args.num_heads ({}).",
            tower.heads
        )));
    }
    let class_token = args.flag("class_token", true)?;
    if args.flag("no_embed_class", false)? && class_token {
        return Err(
            args.unknown("no_embed_class", "false: class tokens without a position are not supported")
        );
    }
    let pooling = pooling(root, &args)?;
    // By default the norm comes after the mean, and before nothing else.
    let after = args.flag("fc_norm", pooling == Pooling::Mean)?;
    let transformer = TransformerConfig {
        class_token,
        patch_bias: !args.flag("pre_norm", false)?,
        qkv_bias: args.flag("qkv_bias", true)?,
        pre_norm: args.flag("pre_norm", false)?,
        final_norm: if after { FinalNorm::AfterPooling } else { FinalNorm::BeforePooling },
        layer_scale: args.has("init_values"),
        pooling,
        ..TransformerConfig::vit(tower, patch_size)
    };
    transformer.tower.check_fits("model_args", 1, transformer.prefix() + side * side)?;
    let classes = root.number("num_classes", 1000, 1..=MAX_LABELS)?;
    let labels = match root.value("label_names").and_then(|names| names.as_array()) {
        None => (0..classes).map(|id| format!("LABEL_{id}")).collect(),
        Some(names) => {
            let text = |name: &serde_json::Value| {
                name.as_str().filter(|name| name.chars().nth(MAX_LABEL_CHARS).is_none()).map(str::to_owned)
            };
            let labels: Option<Vec<String>> = names.iter().map(text).collect();
            labels.filter(|labels| labels.len() == classes).ok_or_else(|| {
                invalid("In config.json, label_names is not a list of a text for each of num_classes.")
            })?
        }
    };
    Ok(VitConfig { transformer, image_size, independent: classes == 1, labels, kinds: None })
}

/// The sides of patch and image that an architecture's name tells: `vit_base_patch16_224`.
fn sides(name: &str) -> [usize; 2] {
    let number = |text: &str| -> Option<usize> {
        let digits = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
        text[..digits].parse().ok()
    };
    let patch = name.split_once("patch").and_then(|(_, rest)| number(rest));
    let image = name.split('_').skip(3).find_map(number);
    [patch.unwrap_or(16), image.unwrap_or(224)]
}

fn activation(args: &Section) -> Result<Activation> {
    match args.text("act_layer")? {
        None | Some("gelu") => Ok(Activation::Gelu),
        Some("gelu_tanh") => Ok(Activation::GeluTanh),
        Some("quick_gelu") => Ok(Activation::QuickGelu),
        Some("silu") => Ok(Activation::Silu),
        Some("relu") => Ok(Activation::Relu),
        Some(_) => Err(args.unknown("act_layer", "gelu, gelu_tanh, quick_gelu, silu or relu")),
    }
}

/// How one vector is made of an image: as the arguments say, or else the file itself.
fn pooling(root: &Section, args: &Section) -> Result<Pooling> {
    let from = if args.has("global_pool") { args } else { root };
    match from.text("global_pool")? {
        None | Some("token") => Ok(Pooling::ClassToken),
        Some("avg") => Ok(Pooling::Mean),
        Some(_) => Err(from.unknown("global_pool", "token or avg")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_sides() {
        assert_eq!(sides("vit_base_patch16_224"), [16, 224]);
        assert_eq!(sides("vit_large_patch14_clip_336.openai"), [14, 336]);
        assert_eq!(sides("vit_base_patch32"), [32, 224]);
    }
}
