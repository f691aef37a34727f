//! `config.json` of a ViT classifier.

use super::super::config::{Section, TowerConfig};
use super::timm;
use crate::Result;
use crate::models::vision::TransformerConfig;

/// The most labels that a configuration may have. Taggers of drawings have 10,861.
pub const MAX_LABELS: usize = 20_000;
/// The most characters (Unicode scalar values) that a label of a configuration may have.
pub const MAX_LABEL_CHARS: usize = 1_000;

/// The configuration of a ViT classifier.
#[derive(Debug, Clone)]
pub struct VitConfig {
    /// The tower.
    pub transformer: TransformerConfig,
    /// Height and width of the image in pixels; a multiple of the tower's `patch_size`.
    pub image_size: usize,
    /// What each logit is for, at least one: `id2label`, by id. One without a name is called `LABEL_n`, as the
    /// reference does.
    pub labels: Vec<String>,
    /// Whether each label has a probability of its own, as where several can be true of one image
    /// (`problem_type`), or where there is but one.
    pub independent: bool,
    /// What kind of tag each label is, where there are several: `general`, `character`, `rating` and others.
    pub kinds: Option<Vec<String>>,
}

impl VitConfig {
    /// Reads `config.json`; keys that are absent have the reference's defaults.
    ///
    /// # Errors
    /// `ConfigInvalid`; also for more than [`MAX_LABELS`] labels, and labels over [`MAX_LABEL_CHARS`].
    pub fn from_json(json: &[u8]) -> Result<Self> {
        if timm::is_timm(json)? {
            return timm::read(&Section::parse_any(json)?);
        }
        let root = Section::parse(json, "vit")?;
        let (image_size, patch_size) = root.patches(224, 16)?;
        let tower = root.tower(&TowerConfig::BASE)?;
        let patches = (image_size / patch_size) * (image_size / patch_size);
        tower.check_fits("the top level", 1, 1 + patches)?;
        let labels = root.labels("id2label", MAX_LABELS, MAX_LABEL_CHARS)?;
        let qkv_bias = root.flag("qkv_bias", true)?;
        Ok(Self {
            transformer: TransformerConfig { qkv_bias, ..TransformerConfig::vit(tower, patch_size) },
            image_size,
            kinds: None,
            independent: labels.len() == 1 || root.is("problem_type", "multi_label_classification"),
            labels,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::ErrorKind;

    fn labels(json: &str) -> Result<Vec<String>> {
        VitConfig::from_json(json.as_bytes()).map(|config| config.labels)
    }

    #[test]
    fn labels_are_sorted_by_id_and_filled_up() {
        let json = r#"{"id2label": {"2": "cat", "10": "dog", "0": "hen"}}"#;
        assert_eq!(labels(json).unwrap(), ["hen", "LABEL_1", "cat"]);
        assert_eq!(labels(r#"{"num_labels": 3}"#).unwrap(), ["LABEL_0", "LABEL_1", "LABEL_2"]);
        assert_eq!(labels(r#"{"id2label": {"0": "a"}, "num_labels": 3}"#).unwrap(), ["a"]);
        assert_eq!(labels(r#"{"id2label": null}"#).unwrap(), ["LABEL_0", "LABEL_1"]);
        assert_eq!(labels(r#"{"id2label": {"0": 7, "1": "one"}}"#).unwrap(), ["7", "one"]);
    }

    #[test]
    fn sides_may_come_twice_and_unused_numbers_may_be_none() {
        let config = |json: &str| VitConfig::from_json(json.as_bytes());
        let twice = config(r#"{"image_size": [32, 32], "patch_size": [8, 8], "loss": NaN}"#).unwrap();
        assert_eq!((twice.image_size, twice.transformer.patch_size), (32, 8));
        let error = config(r#"{"image_size": [32, 40]}"#).unwrap_err();
        assert!(error.to_string().contains("the same one twice"), "{error}");
    }

    #[test]
    fn labels_that_are_none_or_too_many_are_refused() {
        let many = |count| {
            let pairs: Vec<String> = (0..count).map(|i| format!(r#""{i}": "x""#)).collect();
            format!(r#"{{"id2label": {{{}}}}}"#, pairs.join(","))
        };
        assert_eq!(labels(&many(MAX_LABELS)).unwrap().len(), MAX_LABELS);
        let long = "é".repeat(MAX_LABEL_CHARS);
        assert_eq!(labels(&format!(r#"{{"id2label": {{"0": "{long}"}}}}"#)).unwrap()[0], long);
        for wrong in [
            many(MAX_LABELS + 1),
            format!(r#"{{"id2label": {{"0": "{long}é"}}}}"#),
            r#"{"id2label": {}}"#.to_owned(),
            r#"{"id2label": {"first": "x"}}"#.to_owned(),
            r#"{"id2label": {"-1": "x"}}"#.to_owned(),
            r#"{"id2label": {"0": [5]}}"#.to_owned(),
            r#"{"id2label": ["x"]}"#.to_owned(),
            r#"{"num_labels": 0}"#.to_owned(),
            format!(r#"{{"num_labels": {}}}"#, MAX_LABELS + 1),
        ] {
            let error = labels(&wrong).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConfigInvalid);
            assert!(error.to_string().len() < 300, "{error}");
        }
    }

    #[test]
    fn probabilities_are_apart_where_several_labels_can_be_true() {
        let independent = |json: &str| VitConfig::from_json(json.as_bytes()).unwrap().independent;
        assert!(!independent("{}"));
        assert!(!independent(r#"{"problem_type": "single_label_classification"}"#));
        assert!(independent(r#"{"problem_type": "multi_label_classification"}"#));
        assert!(independent(r#"{"num_labels": 1}"#));
    }
}
