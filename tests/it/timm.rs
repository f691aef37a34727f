//! Vision transformers of `timm` against the reference on golden models; see tests/golden/models/make_timm.py.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::PathBuf;

use ocelli::ErrorKind;
use ocelli::image::{Preprocessor, RgbImage, decode};
use ocelli::models::vit::{VitConfig, VitModel};
use ocelli::tasks::{Classifier, ClassifierFiles};

use crate::golden::{BOUND, Golden, assert_close, pixels};

const MODELS: [&str; 3] = ["timm-tagger", "timm-classes", "timm-mean"];

fn read(file: &str) -> Vec<u8> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/models");
    std::fs::read(folder.join(file)).unwrap_or_default()
}

fn pictures() -> [RgbImage; 2] {
    ["wide.png", "tall.png"].map(|name| decode(&read(name)).unwrap())
}

#[test]
fn logits_are_the_reference_s() {
    for name in MODELS {
        let golden = Golden::read(name);
        let config = VitConfig::from_json(&golden.config).unwrap();
        let model = VitModel::new(&config, golden.weights()).unwrap();
        let logits = model.logits(model.vision().begin(&pixels(config.image_size)).unwrap()).unwrap();
        assert_close(name, &logits, golden.floats("logits"));
    }
}

#[test]
fn scores_of_pictures_are_the_reference_s() {
    for name in MODELS {
        let golden = Golden::read(name);
        let tags = read(&format!("{name}/selected_tags.csv"));
        let files = ClassifierFiles::read(&golden.config, b"", &tags).unwrap();
        let classifier = Classifier::new(files, golden.weights()).unwrap();
        let preprocessor = Preprocessor::from_timm(&golden.config).unwrap();
        let preprocessor = if tags.is_empty() { preprocessor } else { preprocessor.of_drawings() };
        for (i, picture) in pictures().iter().enumerate() {
            let batch = golden.floats("batch").get(i).unwrap();
            assert_close(&format!("{name} pixels"), &preprocessor.tensor(picture).unwrap(), &batch);
            let scores = classifier.classify(picture).unwrap();
            let expected = golden.floats("scores").get(i).unwrap().to_vec1::<f32>().unwrap();
            for (score, expected) in scores.iter().zip(&expected) {
                assert!((score - expected).abs() <= BOUND, "{name}: {score} instead of {expected}");
            }
        }
    }
}

#[test]
fn tags_have_names_and_kinds_and_a_frame_beyond_the_picture() {
    let golden = Golden::read("timm-tagger");
    let tags = read("timm-tagger/selected_tags.csv");
    let files = ClassifierFiles::read(&golden.config, b"", &tags).unwrap();
    let classifier = Classifier::new(files, golden.weights()).unwrap();
    assert_eq!(classifier.labels(), ["general", "sensitive", "1girl", "=_=", "a,\"b\"", "long_hair"]);
    let kinds = ["rating", "rating", "general", "general", "character", "general"];
    assert_eq!(classifier.kinds().unwrap(), kinds);
    let preprocessor = Preprocessor::from_timm(&golden.config).unwrap().of_drawings();
    let frame = preprocessor.frame(&RgbImage::new(40, 20));
    assert_eq!((frame.left, frame.top, frame.width, frame.height), (0.0, -0.5, 1.0, 2.0));
    // A strip would be a square of a hundred times its size.
    let strip = preprocessor.tensor(&RgbImage::new(60_000, 3)).unwrap();
    assert_eq!(strip.dims(), [3, 32, 32]);
}

#[test]
fn what_cannot_be_computed_is_refused_by_its_key() {
    let golden = Golden::read("timm-classes");
    for (change, key) in [
        (r#"{"model_args": {"qk_norm": true}}"#, "model_args.qk_norm"),
        (r#"{"architecture": "swin_base"}"#, "architecture"),
        (r#"{"model_args": {"reg_tokens": 4}}"#, "model_args.reg_tokens"),
        (r#"{"model_args": {"no_embed_class": true}}"#, "model_args.no_embed_class"),
        (r#"{"model_args": {"act_layer": "swiglu"}}"#, "model_args.act_layer"),
        (r#"{"model_args": {"img_size": 30, "patch_size": 8}}"#, "model_args.img_size"),
        (r#"{"global_pool": "map"}"#, "global_pool"),
        (r#"{"num_classes": 0}"#, "num_classes"),
        (r#"{"num_classes": 2, "label_names": ["a"]}"#, "label_names"),
        (r#"{"pretrained_cfg": {"interpolation": "magic"}}"#, "pretrained_cfg.interpolation"),
        (r#"{"pretrained_cfg": {"crop_mode": "border"}}"#, "pretrained_cfg.crop_mode"),
        (r#"{"pretrained_cfg": {"std": [1, 0, 1]}}"#, "pretrained_cfg.std"),
    ] {
        let changes: serde_json::Value = serde_json::from_str(change).unwrap();
        let config = golden.config_with(|config| {
            for (key, value) in changes.as_object().unwrap() {
                config[key] = value.clone();
            }
        });
        let error = ClassifierFiles::read(&config, b"", b"").err().unwrap();
        assert_eq!(error.kind(), ErrorKind::ConfigInvalid);
        assert!(error.to_string().contains(key), "{change}: {error}");
    }
    let few = ClassifierFiles::read(&golden.config, b"", b"name,category\na,0\n").err().unwrap();
    assert_eq!(few.to_string(), "selected_tags.csv has 1 tags, but config.json 5 classes.");
}
