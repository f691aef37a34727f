//! How images are brought to size for a model of `timm`, by the `pretrained_cfg` of its `config.json`.
//!
//! Source: `timm.data.transforms_factory.transforms_imagenet_eval`, and `torchvision`'s `Resize` and `CenterCrop` of PIL's
//! images, which it is made of.

use serde_json::{Map, Value};

use super::Filter;
use super::settings::{Rounding, Settings, Size};
use crate::json::without_non_finite;
use crate::{Error, ErrorKind, Result};

/// The mean and deviation of ImageNet's images, where a file has none.
const MEAN: [f64; 3] = [0.485, 0.456, 0.406];
const DEVIATION: [f64; 3] = [0.229, 0.224, 0.225];
/// How much of an image's side is looked at, where a file does not say it.
const CROP: f64 = 0.875;

/// Reads the `config.json` of a model.
pub(super) fn settings(json: &[u8]) -> Result<Settings> {
    let file: Map<String, Value> = serde_json::from_slice(&without_non_finite(json)).map_err(|error| {
        Error::new(ErrorKind::ConfigInvalid, "The file config.json is not a JSON object.").with_source(error)
    })?;
    let empty = Map::new();
    let keys = file.get("pretrained_cfg").and_then(Value::as_object).unwrap_or(&empty);
    let key = |name: &str| keys.get(name).filter(|value| !value.is_null());
    let side = match key("input_size") {
        None => 224,
        Some(value) => match value.as_array().map(Vec::as_slice) {
            Some([_, height, width]) if height == width => {
                let side = height.as_u64().filter(|side| (1..=4096).contains(side));
                side.ok_or_else(|| invalid("input_size", "is not from 1 to 4096"))? as u32
            }
            _ => return Err(invalid("input_size", "is not [3, n, n]")),
        },
    };
    let filter = match key("interpolation").map(Value::as_str) {
        Some(Some("bilinear")) => Filter::Bilinear,
        // By chance in training.
        None | Some(Some("bicubic" | "random")) => Filter::Bicubic,
        Some(Some("nearest")) => Filter::Nearest,
        Some(_) => return Err(invalid("interpolation", "is none of bilinear, bicubic and nearest")),
    };
    let part = key("crop_pct").map_or(Some(CROP), Value::as_f64).filter(|part| (0.1..=1.0).contains(part));
    let part = part.ok_or_else(|| invalid("crop_pct", "is not from 0.1 to 1"))?;
    // At most ten times 4096.
    let scaled = (f64::from(side) / part).floor() as u32;
    let resize = match key("crop_mode").map(Value::as_str) {
        None | Some(Some("center")) => Size::ShortestEdge(scaled),
        Some(Some("squash")) => Size::Exact { height: scaled, width: scaled },
        Some(_) => return Err(invalid("crop_mode", "is neither center nor squash")),
    };
    let triple = |name: &str, default: [f64; 3]| {
        let Some(value) = key(name) else { return Ok(default) };
        let numbers =
            value.as_array().and_then(|list| list.iter().map(Value::as_f64).collect::<Option<Vec<_>>>());
        let numbers = numbers.and_then(|numbers| <[f64; 3]>::try_from(numbers).ok());
        numbers.ok_or_else(|| invalid(name, "is not a list of three numbers"))
    };
    let deviation = triple("std", DEVIATION)?;
    if deviation.iter().any(|&value| value as f32 == 0.0) {
        return Err(invalid("std", "is zero, and pixels are divided by it"));
    }
    Ok(Settings {
        resize: Some(resize),
        filter,
        crop: Some((side, side)),
        rounding: Rounding::HalfToEven,
        rescale: Some(1.0 / 255.0),
        normalize: Some((triple("mean", MEAN)?, deviation)),
    })
}

fn invalid(key: &str, why: &str) -> Error {
    Error::new(ErrorKind::ConfigInvalid, format!("In config.json, pretrained_cfg.{key} {why}."))
}
