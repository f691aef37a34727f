//! `preprocessor_config.json` in its historical forms, with the reference's defaults.

use serde_json::{Map, Value};

use super::Filter;
use crate::error::{Error, ErrorKind, Result};
use crate::json::without_non_finite;

/// Which reference image processor supplies the values that a file leaves out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PreprocessorKind {
    /// `CLIPImageProcessor`: shortest edge to 224, centre crop of 224 x 224.
    Clip,
    /// `BlipImageProcessor`: 384 x 384, no crop.
    Blip,
    /// `SiglipImageProcessor`: 224 x 224, bicubic, no crop, mean and deviation of one half.
    Siglip,
    /// `ViTImageProcessor`: 224 x 224, bilinear, no crop, mean and deviation of one half.
    Vit,
}

/// Edges that a size may name.
const EDGES: std::ops::RangeInclusive<u64> = 1..=4096;

/// How an image is brought to size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Size {
    /// Both edges as given, whatever becomes of the proportions.
    Exact { height: u32, width: u32 },
    /// The shorter edge as given, proportions kept.
    ShortestEdge(u32),
}

/// What becomes of half a pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rounding {
    /// As `transformers` does it.
    Down,
    /// As `torchvision` does it.
    HalfToEven,
}

/// A file's meaning: `None` where a step is not done.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Settings {
    pub(super) resize: Option<Size>,
    pub(super) filter: Filter,
    /// (height, width)
    pub(super) crop: Option<(u32, u32)>,
    /// What becomes of half a pixel where the crop begins.
    pub(super) rounding: Rounding,
    pub(super) rescale: Option<f64>,
    /// (mean, deviation)
    pub(super) normalize: Option<([f64; 3], [f64; 3])>,
}

/// The mean and deviation of CLIP's training images, which BLIP keeps.
const MEAN: [f64; 3] = [0.481_454_66, 0.457_827_5, 0.408_210_73];
const DEVIATION: [f64; 3] = [0.268_629_54, 0.261_302_58, 0.275_777_11];

/// The values of a reference image processor for what a file leaves out.
struct Defaults {
    size: Size,
    /// Whether a size that is one number means both edges.
    square: bool,
    /// (height, width); only a processor that has one crops unless told otherwise.
    crop: Option<(u32, u32)>,
    filter: Filter,
    mean: [f64; 3],
    deviation: [f64; 3],
}

impl PreprocessorKind {
    fn defaults(self) -> Defaults {
        let exact = |edge| Size::Exact { height: edge, width: edge };
        let blip = Defaults {
            size: exact(384),
            square: true,
            crop: None,
            filter: Filter::Bicubic,
            mean: MEAN,
            deviation: DEVIATION,
        };
        match self {
            Self::Clip => {
                Defaults { size: Size::ShortestEdge(224), square: false, crop: Some((224, 224)), ..blip }
            }
            Self::Blip => blip,
            Self::Siglip => Defaults { size: exact(224), mean: [0.5; 3], deviation: [0.5; 3], ..blip },
            Self::Vit => Defaults { filter: Filter::Bilinear, ..Self::Siglip.defaults() },
        }
    }
}

impl Settings {
    /// Reads a file. A key that is absent has the default of `kind`; so has one that is `null`, except that a
    /// step whose flag is `null` is not done, as in the reference.
    pub(super) fn from_json(json: &[u8], kind: PreprocessorKind) -> Result<Self> {
        let keys: Map<String, Value> =
            serde_json::from_slice(&without_non_finite(json)).map_err(|error| {
                Error::new(ErrorKind::PreprocessorInvalid, "The preprocessor file is not a JSON object.")
                    .with_source(error)
            })?;
        // What processors save together is one file, in which that of images has a part of its own.
        let keys = match keys.get("image_processor") {
            Some(Value::Object(inner)) => inner.clone(),
            _ => keys,
        };
        let file = File { keys };
        let defaults = kind.defaults();
        let square = file.flag("default_to_square", defaults.square)?;
        let resize = if file.flag("do_resize", true)? {
            Some(file.size("size", square)?.unwrap_or(defaults.size))
        } else {
            None
        };
        let crops = file.flag("do_center_crop", defaults.crop.is_some())?;
        let crop = if crops { Some(file.crop(defaults.crop)?) } else { None };
        let rescale = if file.flag("do_rescale", true)? {
            Some(file.number("rescale_factor", 1.0 / 255.0)?)
        } else {
            None
        };
        let normalize = if file.flag("do_normalize", true)? {
            let deviation = file.triple("image_std", defaults.deviation)?;
            // Single precision, because that is what will be divided by.
            if deviation.iter().any(|&value| value as f32 == 0.0) {
                return Err(invalid("image_std", "is zero, and pixels are divided by it"));
            }
            Some((file.triple("image_mean", defaults.mean)?, deviation))
        } else {
            None
        };
        let filter = match file.key("resample") {
            None => defaults.filter,
            Some(value) => value
                .as_u64()
                .and_then(Filter::from_code)
                .ok_or_else(|| invalid("resample", "is not one of PIL's filter numbers, 0 to 5"))?,
        };
        Ok(Self { resize, filter, crop, rounding: Rounding::Down, rescale, normalize })
    }

    /// (height, width) of every result, if it is the same for every image.
    pub(super) fn output_size(&self) -> Result<(u32, u32)> {
        match (self.crop, self.resize) {
            (Some(crop), _) => Ok(crop),
            (None, Some(Size::Exact { height, width })) => Ok((height, width)),
            _ => Err(Error::new(
                ErrorKind::PreprocessorInvalid,
                "The preprocessor file gives images of varying size: neither `crop_size` nor an exact `size` fixes it.",
            )),
        }
    }
}

fn invalid(key: &str, why: &str) -> Error {
    Error::new(ErrorKind::PreprocessorInvalid, format!("In the preprocessor file, `{key}` {why}."))
}

struct File {
    keys: Map<String, Value>,
}

impl File {
    fn key(&self, key: &str) -> Option<&Value> {
        self.keys.get(key).filter(|value| !value.is_null())
    }

    fn flag(&self, key: &str, default: bool) -> Result<bool> {
        match self.keys.get(key) {
            None => Ok(default),
            Some(Value::Null) => Ok(false),
            Some(value) => value.as_bool().ok_or_else(|| invalid(key, "is neither true nor false")),
        }
    }

    fn number(&self, key: &str, default: f64) -> Result<f64> {
        self.key(key).map_or(Ok(default), |value| finite(key, value))
    }

    /// One value for each channel, or one for all.
    fn triple(&self, key: &str, default: [f64; 3]) -> Result<[f64; 3]> {
        match self.key(key) {
            None => Ok(default),
            Some(Value::Array(values)) => match values.as_slice() {
                [red, green, blue] => Ok([finite(key, red)?, finite(key, green)?, finite(key, blue)?]),
                _ => Err(invalid(key, "does not have three values")),
            },
            Some(value) => finite(key, value).map(|value| [value; 3]),
        }
    }

    /// A number, a list `[height, width]`, or an object with a known set of keys; `None` where there is none.
    fn size(&self, key: &str, square: bool) -> Result<Option<Size>> {
        const UNKNOWN: &str = "is neither a number, nor {\"shortest_edge\"}, nor {\"height\", \"width\"}: ocelli knows no other form";
        let Some(value) = self.key(key) else { return Ok(None) };
        let exact = |height, width| -> Result<Size> {
            Ok(Size::Exact { height: edge(key, height)?, width: edge(key, width)? })
        };
        let size = match value {
            Value::Array(values) => match values.as_slice() {
                [height, width] => exact(height, width)?,
                _ => return Err(invalid(key, UNKNOWN)),
            },
            Value::Object(map) => {
                let mut named: Vec<_> =
                    map.iter().filter(|(_, value)| !value.is_null()).map(|(name, _)| name.as_str()).collect();
                named.sort_unstable();
                match named.as_slice() {
                    ["height", "width"] => exact(&map["height"], &map["width"])?,
                    ["shortest_edge"] => Size::ShortestEdge(edge(key, &map["shortest_edge"])?),
                    _ => return Err(invalid(key, UNKNOWN)),
                }
            }
            value if square => exact(value, value)?,
            value => Size::ShortestEdge(edge(key, value)?),
        };
        Ok(Some(size))
    }

    fn crop(&self, default: Option<(u32, u32)>) -> Result<(u32, u32)> {
        match self.size("crop_size", true)? {
            Some(Size::Exact { height, width }) => Ok((height, width)),
            Some(Size::ShortestEdge(_)) => Err(invalid("crop_size", "does not have `height` and `width`")),
            None => default
                .ok_or_else(|| invalid("crop_size", "is absent, although `do_center_crop` asks for a crop")),
        }
    }
}

/// A finite number that single precision can hold.
fn finite(key: &str, value: &Value) -> Result<f64> {
    match value.as_f64() {
        Some(number) if (number as f32).is_finite() => Ok(number),
        _ => Err(invalid(key, "is not a finite number")),
    }
}

fn edge(key: &str, value: &Value) -> Result<u32> {
    value
        .as_u64()
        .filter(|edge| EDGES.contains(edge))
        .and_then(|edge| u32::try_from(edge).ok())
        .ok_or_else(|| invalid(key, "is not a whole number from 1 to 4096"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str, kind: PreprocessorKind) -> Result<Settings> {
        Settings::from_json(json.as_bytes(), kind)
    }

    #[test]
    fn an_empty_file_is_the_reference_processor() {
        let clip = read("{}", PreprocessorKind::Clip).map(|s| (s.resize, s.crop, s.filter, s.rescale));
        let wanted = (Some(Size::ShortestEdge(224)), Some((224, 224)), Filter::Bicubic, Some(1.0 / 255.0));
        assert_eq!(clip.ok(), Some(wanted));
        let blip = read("{}", PreprocessorKind::Blip).map(|s| (s.resize, s.crop, s.filter, s.normalize));
        let exact = |edge| Some(Size::Exact { height: edge, width: edge });
        assert_eq!(blip.ok(), Some((exact(384), None, Filter::Bicubic, Some((MEAN, DEVIATION)))));
        let vit = read("{}", PreprocessorKind::Vit).map(|s| (s.resize, s.crop, s.filter, s.normalize));
        assert_eq!(vit.ok(), Some((exact(224), None, Filter::Bilinear, Some(([0.5; 3], [0.5; 3])))));
    }

    #[test]
    fn every_historical_form_of_a_size_is_read() {
        use PreprocessorKind::{Blip, Clip, Vit};
        let exact = |height, width| Some(Size::Exact { height, width });
        for (json, kind, wanted) in [
            (r#"{"size": 96}"#, Clip, Some(Size::ShortestEdge(96))),
            (r#"{"size": 96}"#, Blip, exact(96, 96)),
            (r#"{"size": 96}"#, Vit, exact(96, 96)),
            (r#"{"size": 96, "default_to_square": true}"#, Clip, exact(96, 96)),
            (r#"{"size": [96, 64]}"#, Clip, exact(96, 64)),
            (r#"{"size": {"height": 96, "width": 64}}"#, Clip, exact(96, 64)),
            (r#"{"size": {"shortest_edge": 96, "longest_edge": null}}"#, Blip, Some(Size::ShortestEdge(96))),
            (r#"{"size": null}"#, Clip, Some(Size::ShortestEdge(224))),
            (r#"{"do_resize": false, "size": "?"}"#, Clip, None),
        ] {
            assert_eq!(read(json, kind).ok().map(|settings| settings.resize), Some(wanted), "{json}");
        }
        for (json, wanted) in [
            (r#"{"crop_size": 96}"#, (96, 96)),
            (r#"{"crop_size": {"height": 96, "width": 64}}"#, (96, 64)),
            (r#"{"crop_size": [96, 64]}"#, (96, 64)),
        ] {
            assert_eq!(read(json, Clip).ok().and_then(|settings| settings.crop), Some(wanted), "{json}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused_by_name() {
        for (json, key) in [
            (r#"{"size": 0}"#, "size"),
            (r#"{"size": 4097}"#, "size"),
            (r#"{"size": -1}"#, "size"),
            (r#"{"size": 224.5}"#, "size"),
            (r#"{"size": "224"}"#, "size"),
            (r#"{"size": {"longest_edge": 224}}"#, "size"),
            (r#"{"size": {"shortest_edge": 224, "longest_edge": 300}}"#, "size"),
            (r#"{"size": [224]}"#, "size"),
            (r#"{"crop_size": {"shortest_edge": 224}}"#, "crop_size"),
            (r#"{"resample": 6}"#, "resample"),
            (r#"{"resample": "bicubic"}"#, "resample"),
            (r#"{"image_std": [0.2, 0, 0.2]}"#, "image_std"),
            (r#"{"image_std": 1e-60}"#, "image_std"),
            (r#"{"image_mean": [0.5, 0.5]}"#, "image_mean"),
            (r#"{"image_mean": 1e60}"#, "image_mean"),
            (r#"{"rescale_factor": "1/255"}"#, "rescale_factor"),
            (r#"{"do_rescale": 1}"#, "do_rescale"),
            ("[]", "JSON object"),
            ("<html>", "JSON object"),
            ("", "JSON object"),
        ] {
            let error = read(json, PreprocessorKind::Clip).err();
            assert_eq!(error.as_ref().map(Error::kind), Some(ErrorKind::PreprocessorInvalid), "{json}");
            assert!(error.is_some_and(|error| error.to_string().contains(key)), "{json}");
        }
        for kind in [PreprocessorKind::Blip, PreprocessorKind::Vit] {
            assert!(read(r#"{"do_center_crop": true}"#, kind).is_err(), "{kind:?}");
        }
    }

    #[test]
    fn a_size_that_varies_with_the_image_is_refused() {
        for json in [r#"{"do_center_crop": false}"#, r#"{"do_center_crop": false, "do_resize": false}"#] {
            let settings = read(json, PreprocessorKind::Clip);
            assert!(settings.is_ok_and(|settings| settings.output_size().is_err()), "{json}");
        }
    }
}
