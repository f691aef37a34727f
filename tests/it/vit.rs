//! ViT against the reference on golden models; see tests/golden/models/make_vit.py.
#![allow(clippy::unwrap_used, clippy::panic)]

use candle_core::Tensor;
use ocelli::ErrorKind;
use ocelli::image::RgbImage;
use ocelli::kernels::Dtype;
use ocelli::models::vit::{VitConfig, VitModel};
use ocelli::tasks::{Classifier, ClassifierFiles};
use ocelli::weights::{Weights, WeightsLoader};

use crate::golden::{self, Golden, IMAGES, assert_close, difference, pixels};

use crate::seeded::{Seeded, int8_matrices, load, serialise};

const MODELS: [&str; 2] = ["vit-labels", "vit-no-bias"];

/// The model's weights, without what it does not need.
fn weights(golden: &Golden) -> Weights {
    let mut loader = WeightsLoader::new(Dtype::F32);
    loader.pass_over(&["vit.pooler."]);
    loader.push(&golden.model).unwrap();
    loader.finish().unwrap()
}

fn model(golden: &Golden, config: &[u8]) -> (VitConfig, VitModel) {
    let config = VitConfig::from_json(config).unwrap();
    let model = VitModel::new(&config, weights(golden)).unwrap();
    (config, model)
}

#[test]
fn agrees_with_the_reference() {
    for name in MODELS {
        let golden = Golden::read(name);
        let (config, model) = model(&golden, &golden.config);
        let images = pixels(config.image_size);
        let logits = model.logits(model.vision().begin(&images).unwrap()).unwrap();
        assert_close(name, &logits, golden.floats("logits"));
        let best = golden.ids("best");
        for i in 0..IMAGES {
            let alone =
                model.logits(model.vision().begin(&images.narrow(0, i, 1).unwrap()).unwrap()).unwrap();
            assert!(difference(&alone, &logits.narrow(0, i, 1).unwrap()) < 1e-5);
            let alone = alone.squeeze(0).unwrap().to_vec1::<f32>().unwrap();
            let mut order: Vec<u32> = (0..alone.len() as u32).collect();
            order.sort_by(|&a, &b| alone[b as usize].total_cmp(&alone[a as usize]));
            assert_eq!(order[..2], best[2 * i..2 * i + 2], "{name}: the best two of image {i}");
        }
    }
}

const SEEDED: &[u8] = br#"{"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2,
    "num_attention_heads": 4, "image_size": 32, "patch_size": 8, "num_labels": 100}"#;

/// A model wide enough for its layers to become int8 (those of the golden ones are too small): its tensors, and a file.
fn seeded_classifier() -> (Seeded, Vec<u8>) {
    const WIDTH: usize = 64;
    let mut model = Seeded::new(3);
    for i in 0..2 {
        let layer = format!("vit.encoder.layer.{i}");
        for name in ["attention.query", "attention.key", "attention.value", "output.dense"] {
            model.linear(&format!("{layer}.attention.{name}"), WIDTH, WIDTH);
        }
        model.linear(&format!("{layer}.intermediate.dense"), 2 * WIDTH, WIDTH);
        model.linear(&format!("{layer}.output.dense"), WIDTH, 2 * WIDTH);
        model.norm(&format!("{layer}.layernorm_before"), WIDTH);
        model.norm(&format!("{layer}.layernorm_after"), WIDTH);
    }
    model.norm("vit.layernorm", WIDTH);
    model.linear("classifier", 100, WIDTH);
    model.add("vit.embeddings.cls_token", &[1, 1, WIDTH], 1);
    model.add("vit.embeddings.position_embeddings", &[1, 17, WIDTH], 1);
    model.add("vit.embeddings.patch_embeddings.projection.weight", &[WIDTH, 3, 8, 8], 192);
    model.add("vit.embeddings.patch_embeddings.projection.bias", &[WIDTH], 100);
    let bytes = serialise(&model.tensors, "classifier");
    (model, bytes)
}

/// The most by which int8 weights may move a logit, as a part of the range of the logits. Measured: 0.0082 at most.
const INT8_BOUND: f32 = 0.02;

#[test]
fn int8_weights_give_nearly_the_same_logits() {
    let (seeded, bytes) = seeded_classifier();
    let config = VitConfig::from_json(SEEDED).unwrap();
    // In each layer four of attention and two of the MLP; patches and labels.
    assert_eq!(int8_matrices(&seeded.tensors, &bytes), 2 * 6 + 2);
    let images = pixels(config.image_size);
    let [exact, int8] = [Dtype::F32, Dtype::Int8].map(|dtype| {
        let model = VitModel::new(&config, load(dtype, &bytes)).unwrap();
        model.logits(model.vision().begin(&images).unwrap()).unwrap().to_vec2::<f32>().unwrap()
    });
    for (exact, int8) in exact.iter().zip(&int8) {
        assert_ne!(exact, int8, "nothing was quantised: this test proves nothing");
        let range =
            exact.iter().copied().fold(f32::MIN, f32::max) - exact.iter().copied().fold(f32::MAX, f32::min);
        let largest = exact.iter().zip(int8).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        println!("{} of {range}", largest / range);
        assert!(largest <= INT8_BOUND * range, "{largest} of {range}");
    }
}

/// Each quirk shows in the outputs: otherwise agreeing with the reference would not prove it right.
#[test]
fn every_quirk_matters() {
    let changes: [(&str, &str, serde_json::Value); 4] = [
        (MODELS[0], "hidden_act", "quick_gelu".into()),
        (MODELS[0], "num_attention_heads", 2.into()),
        (MODELS[0], "layer_norm_eps", 0.5.into()),
        (MODELS[1], "layer_norm_eps", 0.5.into()),
    ];
    for (name, key, value) in changes {
        let golden = Golden::read(name);
        let (config, model) = model(&golden, &golden.config_with(|config| config[key] = value.clone()));
        let logits = model.logits(model.vision().begin(&pixels(config.image_size)).unwrap()).unwrap();
        let difference = difference(&logits, golden.floats("logits"));
        assert!(difference > 10.0 * golden::BOUND, "{name} with {key} {value}: only {difference:e}");
    }
}

#[test]
fn wrong_weights_are_named() {
    let golden = Golden::read(MODELS[1]);
    let config =
        |change: fn(&mut serde_json::Value)| VitConfig::from_json(&golden.config_with(change)).unwrap();
    for (config, named) in [
        (config(|config| config["qkv_bias"] = true.into()), "self_attn.q_proj.bias"),
        (config(|config| config["num_labels"] = 5.into()), "classifier.weight"),
        (config(|config| config["image_size"] = 32.into()), "position_embedding"),
    ] {
        let error = VitModel::new(&config, weights(&golden)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WeightsMismatch);
        assert!(error.to_string().contains(named), "{error}");
    }
}

fn classifier(golden: &Golden, config: &[u8], preprocessor: &str) -> ocelli::Result<Classifier> {
    let files = ClassifierFiles::read(config, preprocessor.as_bytes(), b"")?;
    let mut loader = WeightsLoader::new(Dtype::F32);
    loader.pass_over(files.unused());
    loader.push(&golden.model)?;
    Classifier::new(files, loader.finish()?)
}

fn picture() -> RgbImage {
    RgbImage::from_fn(64, 48, |x, y| ::image::Rgb([x as u8 * 3, y as u8 * 5, (x * y) as u8]))
}

#[test]
fn classifies_pictures_by_name() {
    let golden = Golden::read(MODELS[0]);
    let classifier = classifier(&golden, &golden.config, r#"{"size": 32}"#).unwrap();
    assert_eq!(classifier.labels(), ["cat", "hen", "dog", "sea, ocean", "LABEL_4"]);
    let scores = classifier.classify(&picture()).unwrap();
    assert!((scores.iter().sum::<f32>() - 1.0).abs() < 1e-5);
    let mut encoding = classifier.encode_image(&picture()).unwrap();
    let left = classifier.advance(&mut encoding).unwrap();
    assert_eq!(left, 2);
    assert_eq!(classifier.classify_encoded(&encoding).unwrap(), scores, "part of the way");

    // Where several labels can be true, each is a sigmoid of its own.
    let config = golden.config_with(|config| config["problem_type"] = "multi_label_classification".into());
    let apart = self::classifier(&golden, &config, r#"{"size": 32}"#).unwrap().classify(&picture()).unwrap();
    let logits: Vec<f32> = apart.iter().map(|p| (p / (1.0 - p)).ln()).collect();
    let total: f32 = logits.iter().map(|logit| logit.exp()).sum();
    for (logit, score) in logits.iter().zip(&scores) {
        assert!((logit.exp() / total - score).abs() < 1e-4, "{apart:?} {scores:?}");
    }
}

#[test]
fn files_that_do_not_fit_are_refused_before_the_weights() {
    let golden = Golden::read(MODELS[0]);
    let kind = |config: &[u8], preprocessor: &str| {
        ClassifierFiles::read(config, preprocessor.as_bytes(), b"").err().unwrap().kind()
    };
    assert_eq!(kind(&golden.config, "{}"), ErrorKind::PreprocessorInvalid);
    assert_eq!(kind(br#"{"model_type": "clip"}"#, r#"{"size": 32}"#), ErrorKind::ConfigInvalid);
}

#[test]
fn weights_that_give_no_numbers_are_an_error() {
    let golden = Golden::read(MODELS[1]);
    let mut tensors = golden.tensors();
    let bias = &tensors["classifier.bias"];
    let nan = Tensor::full(f32::NAN, bias.shape(), bias.device()).unwrap();
    tensors.insert("classifier.bias".to_owned(), nan);
    let files = ClassifierFiles::read(&golden.config, br#"{"size": 48}"#, b"").unwrap();
    let classifier = Classifier::new(files, Weights::from_tensors(tensors)).unwrap();
    let error = classifier.classify(&picture()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WeightsInvalid);
}

/// Finite numbers, whose sum is not: in int8 as in f32.
#[test]
fn weights_whose_sums_are_no_numbers_are_an_error() {
    let (mut seeded, _) = seeded_classifier();
    for name in ["0.output.dense.bias", "1.attention.output.dense.bias"] {
        let bias = Tensor::full(3e38f32, 64, &candle_core::Device::Cpu).unwrap();
        assert!(seeded.tensors.insert(format!("vit.encoder.layer.{name}"), bias).is_some());
    }
    let bytes = serialise(&seeded.tensors, "classifier-overflow");
    for dtype in [Dtype::F32, Dtype::F16, Dtype::Int8] {
        let files = ClassifierFiles::read(SEEDED, br#"{"size": 32}"#, b"").unwrap();
        let classifier = Classifier::new(files, load(dtype, &bytes)).unwrap();
        assert_eq!(
            classifier.classify(&picture()).unwrap_err().kind(),
            ErrorKind::WeightsInvalid,
            "{dtype:?}"
        );
    }
}
