//! Reading `config.json`, which nobody has checked before.

use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use crate::json::without_non_finite;
use crate::nn::{Activation, Heads, Sizes};
use crate::{Error, ErrorKind, Result};

/// Names and values longer than this are cut in messages.
const SHOWN: usize = 60;
/// Patches along one side of an image; the published models have up to 24. Attention needs memory for the
/// square of their number in the whole image, and would fail in the middle of an answer.
pub(super) const MOST_PATCHES: usize = 64;
/// Numbers that one intermediate result may have: 1 GiB as f32. Larger ones would not fit wasm's memory, and
/// their 32-bit sizes would wrap there.
pub(super) const MOST_NUMBERS: u64 = 1 << 28;

/// One object of `config.json`. A key that is absent or null has its default.
#[derive(Clone)]
pub(super) struct Section {
    /// Where it is, for messages: empty, or ending with a full stop.
    path: String,
    keys: Map<String, Value>,
}

impl Section {
    /// The whole file, if it describes a model of type `model_type`.
    pub(super) fn parse(json: &[u8], model_type: &str) -> Result<Self> {
        let root = Self::parse_any(json)?;
        match root.keys.get("model_type") {
            None | Some(Value::Null) => {}
            Some(Value::String(found)) if found == model_type => {}
            Some(found) => {
                let found = show(found);
                return Err(invalid(format!(
                    "The file config.json describes a model of type {found}, not {model_type}."
                )));
            }
        }
        Ok(root)
    }

    /// The whole file, whatever it describes.
    pub(super) fn parse_any(json: &[u8]) -> Result<Self> {
        let value = serde_json::from_slice(&without_non_finite(json))
            .map_err(|error| invalid("The file config.json is not valid JSON.").with_source(error))?;
        let Value::Object(keys) = value else {
            return Err(invalid("The file config.json is not a JSON object."));
        };
        Ok(Self { path: String::new(), keys })
    }

    /// The object `name`, empty if it is absent.
    pub(super) fn section(&self, name: &str) -> Result<Self> {
        let keys = match self.get(name) {
            None => Map::new(),
            Some(Value::Object(keys)) => keys.clone(),
            Some(other) => return Err(self.wrong(name, "an object", other)),
        };
        Ok(Self { path: format!("{}{name}.", self.path), keys })
    }

    /// Names of the keys that are not null.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().filter(|(_, value)| !value.is_null()).map(|(name, _)| name.as_str())
    }

    /// Whether the key is there and not null.
    pub(super) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Whether the key has a list.
    pub(super) fn has_list(&self, name: &str) -> bool {
        self.get(name).is_some_and(Value::is_array)
    }

    /// The value as it is.
    pub(super) fn value(&self, name: &str) -> Option<&Value> {
        self.get(name)
    }

    /// A text.
    pub(super) fn text(&self, name: &str) -> Result<Option<&str>> {
        let Some(value) = self.get(name) else { return Ok(None) };
        value.as_str().map(Some).ok_or_else(|| self.wrong(name, "a text", value))
    }

    /// A whole number in `range`.
    pub(super) fn number(&self, name: &str, default: usize, range: RangeInclusive<usize>) -> Result<usize> {
        let Some(value) = self.get(name) else { return Ok(default) };
        let number = value.as_u64().and_then(|n| usize::try_from(n).ok()).filter(|n| range.contains(n));
        let wanted = || format!("a whole number from {} to {}", range.start(), range.end());
        number.ok_or_else(|| self.wrong(name, &wanted(), value))
    }

    /// A list of `N` whole numbers in `range`.
    pub(super) fn numbers<const N: usize>(
        &self,
        name: &str,
        range: RangeInclusive<usize>,
    ) -> Result<[usize; N]> {
        let value = self.get(name).unwrap_or(&Value::Null);
        let number = |value: &Value| {
            value.as_u64().and_then(|n| usize::try_from(n).ok()).filter(|n| range.contains(n))
        };
        let numbers = value.as_array().and_then(|list| list.iter().map(number).collect::<Option<Vec<_>>>());
        let numbers = numbers.and_then(|numbers| <[usize; N]>::try_from(numbers).ok());
        let wanted = || format!("a list of {N} whole numbers from {} to {}", range.start(), range.end());
        numbers.ok_or_else(|| self.wrong(name, &wanted(), value))
    }

    /// A token id.
    pub(super) fn id(&self, name: &str, default: u32) -> Result<u32> {
        // Every `u32` fits a `usize`; wasm's has 32 bits.
        Ok(self.number(name, default as usize, 0..=u32::MAX as usize)? as u32)
    }

    /// A number in `range`.
    pub(super) fn real(&self, name: &str, default: f64, range: RangeInclusive<f64>) -> Result<f64> {
        let Some(value) = self.get(name) else { return Ok(default) };
        let number = value.as_f64().filter(|n| range.contains(n));
        let wanted = || format!("a number from {} to {}", range.start(), range.end());
        number.ok_or_else(|| self.wrong(name, &wanted(), value))
    }

    /// A yes or no.
    pub(super) fn flag(&self, name: &str, default: bool) -> Result<bool> {
        let Some(value) = self.get(name) else { return Ok(default) };
        value.as_bool().ok_or_else(|| self.wrong(name, "true or false", value))
    }

    /// Whether the key has the value `text`.
    pub(super) fn is(&self, name: &str, text: &str) -> bool {
        self.get(name).is_some_and(|value| value.as_str() == Some(text))
    }

    /// The object `name`, from whole numbers to names: what each number below their count is called, `LABEL_n` where
    /// it has no name. Where there is none, `num_labels` says how many there are: 2 by default, as in the reference.
    /// At most `most` names of at most `chars` characters.
    pub(super) fn labels(&self, name: &str, most: usize, chars: usize) -> Result<Vec<String>> {
        let names = match self.get(name) {
            None => None,
            Some(Value::Object(names)) if (1..=most).contains(&names.len()) => Some(names),
            Some(other) => return Err(self.wrong(name, &format!("an object of 1 to {most} names"), other)),
        };
        let count = match names {
            None => self.number("num_labels", 2, 1..=most)?,
            Some(names) => names.len(),
        };
        let mut labels: Vec<String> = (0..count).map(|id| format!("LABEL_{id}")).collect();
        for (id, label) in names.into_iter().flatten() {
            let wrong = |wanted: &str| self.wrong(&format!("{name}.{}", shorten(id)), wanted, label);
            let id: usize = id.parse().map_err(|_| wrong("under a whole number"))?;
            // Where classes are numbers, so are their names.
            let number = label.as_i64().map(|number| number.to_string());
            let text = number.as_deref().or_else(|| label.as_str());
            let text = text.filter(|text| text.chars().nth(chars).is_none());
            let text = text.ok_or_else(|| wrong(&format!("a text of at most {chars} characters")))?;
            if let Some(label) = labels.get_mut(id) {
                text.clone_into(label);
            }
        }
        Ok(labels)
    }

    /// The keys that every tower has, with the defaults of one.
    pub(super) fn tower(&self, default: &TowerConfig) -> Result<TowerConfig> {
        let tower = TowerConfig {
            hidden_size: self.number("hidden_size", default.hidden_size, 1..=16_384)?,
            intermediate_size: self.number("intermediate_size", default.intermediate_size, 1..=65_536)?,
            layers: self.number("num_hidden_layers", default.layers, 1..=256)?,
            heads: self.number("num_attention_heads", default.heads, 1..=1024)?,
            activation: self.activation(default.activation)?,
            layer_norm_eps: self.real("layer_norm_eps", default.layer_norm_eps, 0.0..=1.0)?,
        };
        if !tower.hidden_size.is_multiple_of(tower.heads) {
            return Err(invalid(format!(
                "In config.json, {0}hidden_size ({1}) is not a multiple of {0}num_attention_heads ({2}).",
                self.path, tower.hidden_size, tower.heads
            )));
        }
        Ok(tower)
    }

    /// `image_size` and `patch_size`.
    pub(super) fn patches(&self, image: usize, patch: usize) -> Result<(usize, usize)> {
        let image = self.side("image_size", image, 1..=4096)?;
        let patch = self.side("patch_size", patch, 1..=1024)?;
        self.check_patches([("image_size", image), ("patch_size", patch)])?;
        // The reference has this key in one model only, and pictures have three channels.
        self.number("num_channels", 3, 3..=3)?;
        Ok((image, patch))
    }

    /// Refuses an image that cannot be cut into patches, or into too many. Image and patch come with what they are called.
    /// Returns how many patches there are on a side.
    pub(super) fn check_patches(&self, [image, patch]: [(&str, usize); 2]) -> Result<usize> {
        let ((image_name, image), (patch_name, patch)) = (image, patch);
        if image.is_multiple_of(patch) && image / patch <= MOST_PATCHES {
            return Ok(image / patch);
        }
        Err(invalid(format!(
            "In config.json, {0}{image_name} ({image}) is not 1 to {MOST_PATCHES} times {0}{patch_name} ({patch}).",
            self.path
        )))
    }

    /// The side of a square: a whole number in `range`, or a list of two that are the same.
    fn side(&self, name: &str, default: usize, range: RangeInclusive<usize>) -> Result<usize> {
        if !self.has_list(name) {
            return self.number(name, default, range);
        }
        let [height, width] = self.numbers(name, range)?;
        if height == width {
            Ok(height)
        } else {
            Err(self.unknown(name, "a whole number or the same one twice"))
        }
    }

    fn activation(&self, default: Activation) -> Result<Activation> {
        let name = "hidden_act";
        let Some(value) = self.get(name) else { return Ok(default) };
        let activation = value.as_str().and_then(Activation::from_name);
        activation.ok_or_else(|| self.wrong(name, "the name of an activation that ocelli has", value))
    }

    /// The error for a value of `name` that is none of `known`.
    pub(super) fn unknown(&self, name: &str, known: &str) -> Error {
        self.wrong(name, known, self.get(name).unwrap_or(&Value::Null))
    }

    fn get(&self, name: &str) -> Option<&Value> {
        self.keys.get(name).filter(|value| !value.is_null())
    }

    fn wrong(&self, name: &str, wanted: &str, found: &Value) -> Error {
        let found = show(found);
        invalid(format!("In config.json, {}{name} must be {wanted}, not {found}.", self.path))
    }
}

/// What the towers of all models have in common.
#[derive(Debug, Clone, Copy)]
pub struct TowerConfig {
    /// Width of the hidden states.
    pub hidden_size: usize,
    /// Width between the two layers of the MLP.
    pub intermediate_size: usize,
    /// Number of layers.
    pub layers: usize,
    /// Number of attention heads; it divides `hidden_size`.
    pub heads: usize,
    /// Activation of the MLP.
    pub activation: Activation,
    /// Epsilon of the layer norms.
    pub layer_norm_eps: f64,
}

impl TowerConfig {
    /// The sizes of ViT-B and of BERT base, which most references have as defaults; activation and epsilon are ViT's.
    pub(super) const BASE: Self = Self {
        hidden_size: 768,
        intermediate_size: 3072,
        layers: 12,
        heads: 12,
        activation: Activation::Gelu,
        layer_norm_eps: 1e-12,
    };

    /// Refuses a tower whose largest intermediate result, for `batch` inputs of `tokens` tokens each, has more
    /// than [`MOST_NUMBERS`] numbers. `path` is where the tower stands in config.json.
    pub(super) fn check_fits(&self, path: &str, batch: usize, tokens: usize) -> Result<()> {
        let [batch, tokens, width] = [batch, tokens, self.hidden_size].map(|n| n as u64);
        let scores = (self.heads as u64).saturating_mul(tokens.saturating_mul(tokens));
        let states = tokens.saturating_mul(width.saturating_mul(3).max(self.intermediate_size as u64));
        if batch.saturating_mul(scores.max(states)) <= MOST_NUMBERS {
            return Ok(());
        }
        Err(invalid(format!(
            "In config.json, {path} describes a model that needs more memory than a browser has."
        )))
    }

    /// What a layer needs to know.
    pub(super) fn sizes(&self) -> Sizes {
        Sizes {
            heads: Heads { width: self.hidden_size, count: self.heads },
            intermediate: self.intermediate_size,
            activation: self.activation,
            epsilon: self.layer_norm_eps,
        }
    }
}

/// A [`ErrorKind::ConfigInvalid`] error.
pub(super) fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::ConfigInvalid, message)
}

/// A value as JSON, cut to a length fit for a sentence.
fn show(value: &Value) -> String {
    shorten(&value.to_string())
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((cut, _)) => format!("{}...", &text[..cut]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tower(hidden_size: usize, intermediate_size: usize, heads: usize) -> TowerConfig {
        let activation = Activation::Gelu;
        TowerConfig { hidden_size, intermediate_size, layers: 1, heads, activation, layer_norm_eps: 1e-5 }
    }

    #[test]
    fn towers_that_would_overflow_wasm_are_refused() {
        // 256 heads of 4097 x 4097 scores: more than 32 bits can count.
        assert!(tower(256, 1024, 256).check_fits("vision_config", 1, 4097).is_err());
        assert!(tower(64, 65_536, 1).check_fits("text_config", 32, 4096).is_err());
        assert!(tower(usize::MAX / 4, 1, 1).check_fits("text_config", usize::MAX, usize::MAX).is_err());
        // The largest published ones: CLIP L/14's image tower, BLIP large's, CLIP's texts.
        assert!(tower(1024, 4096, 16).check_fits("vision_config", 1, 257).is_ok());
        assert!(tower(1024, 4096, 16).check_fits("vision_config", 1, 577).is_ok());
        assert!(tower(768, 3072, 12).check_fits("text_config", 32, 77).is_ok());
    }
}
