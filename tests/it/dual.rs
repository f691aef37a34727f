//! Dual encoders of the families besides CLIP's against their references, on small models.

#![allow(clippy::unwrap_used, clippy::panic)]

use ocelli::ErrorKind;
use ocelli::image::RgbImage;
use ocelli::models::dual::{DualConfig, DualEncoder, Towers};
use ocelli::tasks::{ModelFiles, Scores, Tagger, TaggerFiles};

use ocelli::kernels::Dtype;
use ocelli::weights::WeightsLoader;

use crate::golden::{BOUND, Golden, assert_close, difference, pixels, unit};
use crate::seeded::serialise;

const BOTH: [&str; 4] = ["open-clip-vit", "open-clip-vit-whole", "open-clip-xlm-roberta", "siglip"];
const IMAGES_ALONE: [&str; 3] = ["dinov2", "dinov2-registers", "clip-vision-alone"];

fn model(golden: &Golden) -> (DualConfig, DualEncoder) {
    let config = DualConfig::from_json(&golden.config).unwrap();
    let model = DualEncoder::new(&config, golden.weights()).unwrap();
    (config, model)
}

#[test]
fn images_and_texts_are_the_reference_s() {
    for name in BOTH {
        let golden = Golden::read(name);
        let (config, model) = model(&golden);
        let images = model.image_features(&pixels(config.image_size().unwrap())).unwrap();
        assert_close(&format!("{name} images"), &images, golden.floats("image_features"));
        let texts = model.text_features(&golden.texts()).unwrap();
        assert_close(&format!("{name} texts"), &texts, golden.floats("text_features"));
        let logits = unit(&images).matmul(&unit(&texts).t().unwrap()).unwrap();
        let (scale, bias) = (model.logit_scale(), model.logit_bias().unwrap_or(0.0));
        let logits = logits.affine(scale.into(), bias.into()).unwrap();
        let off = difference(&logits, golden.floats("logits_per_image"));
        assert!(off <= BOUND * scale, "{name}: logits are off by {off:e}");
    }
}

#[test]
fn texts_in_any_company_are_the_same() {
    for name in BOTH {
        let golden = Golden::read(name);
        let (_, model) = model(&golden);
        let texts = golden.texts();
        let together = model.text_features(&texts).unwrap();
        for (i, text) in texts.into_iter().enumerate() {
            let alone = model.text_features(&[text]).unwrap();
            assert!(difference(&alone, &together.narrow(0, i, 1).unwrap()) <= BOUND, "{name}");
        }
    }
}

#[test]
fn towers_alone_are_the_reference_s() {
    for name in IMAGES_ALONE {
        let golden = Golden::read(name);
        let (config, model) = model(&golden);
        let images = model.image_features(&pixels(config.image_size().unwrap())).unwrap();
        assert_close(name, &images, golden.floats("image_features"));
        assert_eq!(model.text_features(&[vec![1]]).unwrap_err().kind(), ErrorKind::ArgumentInvalid);
    }
    for name in BOTH {
        let golden = Golden::read(name);
        let config = DualConfig::from_json(&golden.config).unwrap();
        let load = |towers| {
            let weights = golden.weights();
            weights.pass_over(config.unused(towers));
            DualEncoder::with_towers(&config, towers, weights).unwrap()
        };
        let images = load(Towers::Image).image_features(&pixels(config.image_size().unwrap())).unwrap();
        assert_close(name, &images, golden.floats("image_features"));
        let texts = load(Towers::Text).text_features(&golden.texts()).unwrap();
        assert_close(name, &texts, golden.floats("text_features"));
    }
}

#[test]
fn positions_are_interpolated_for_smaller_images() {
    for name in &IMAGES_ALONE[..2] {
        let golden = Golden::read(name);
        let config = DualConfig::from_json(&golden.config).unwrap().resized(24);
        assert_eq!(config.image_size(), Some(24));
        let model = DualEncoder::new(&config, golden.weights()).unwrap();
        let images = model.image_features(&pixels(24)).unwrap();
        assert_close(name, &images, golden.floats("image_features_24"));
    }
    let clip = Golden::read("clip-vision-alone");
    let config = DualConfig::from_json(&clip.config).unwrap().resized(64);
    assert_eq!(config.image_size(), Some(32), "others are for one size");
}

/// `make.py` of tests/golden/pipeline makes what is expected.
#[test]
fn states_of_all_tokens_are_the_reference_s() {
    let path = format!("{}/tests/golden/pipeline/states.safetensors", env!("CARGO_MANIFEST_DIR"));
    let expected = candle_core::safetensors::load(path, &candle_core::Device::Cpu).unwrap();
    for name in ["siglip", "dinov2"] {
        let golden = Golden::read(name);
        let (config, model) = model(&golden);
        assert!(!model.projects_images(), "{name}");
        let mut state = model.vision().unwrap().begin(&pixels(config.image_size().unwrap())).unwrap();
        state.whole();
        let states = model.image_states_of(state.clone()).unwrap();
        assert_eq!(states.dims(), expected[name].dims(), "{name}");
        assert_close(name, &states, &expected[name]);
        // What is pooled of them is the same as ever.
        assert_close(name, &model.image_features_of(state).unwrap(), golden.floats("image_features"));
    }
    for name in ["open-clip-vit", "open-clip-xlm-roberta", "clip-vision-alone"] {
        assert!(model(&Golden::read(name)).1.projects_images(), "{name}");
    }
}

/// Each family's own traits show in the outputs: otherwise agreeing with the reference would prove little.
#[test]
fn every_quirk_matters() {
    type Change = fn(&mut serde_json::Value);
    let changes: [(&str, Change); 8] = [
        ("open-clip-vit", |config| config["model_cfg"]["quick_gelu"] = false.into()),
        ("open-clip-vit-whole", |config| config["model_cfg"]["vision_cfg"]["pool_type"] = "tok".into()),
        ("open-clip-vit-whole", |config| {
            config["model_cfg"]["vision_cfg"]["final_ln_after_pool"] = true.into();
        }),
        ("open-clip-vit-whole", |config| config["model_cfg"]["text_cfg"]["no_causal_mask"] = false.into()),
        ("open-clip-xlm-roberta", |config| {
            config["model_cfg"]["text_cfg"]["hf_pooler_type"] = "cls_last_hidden_state_pooler".into();
        }),
        ("open-clip-xlm-roberta", |config| {
            config["model_cfg"]["text_cfg"]["hf_config"]["pad_token_id"] = 3.into();
        }),
        ("siglip", |config| config["vision_config"]["hidden_act"] = "gelu".into()),
        ("siglip", |config| config["text_config"]["layer_norm_eps"] = 0.5.into()),
    ];
    for (name, change) in changes {
        let golden = Golden::read(name);
        let config = DualConfig::from_json(&golden.config_with(change)).unwrap();
        let model = DualEncoder::new(&config, golden.weights()).unwrap();
        let images = model.image_features(&pixels(config.image_size().unwrap())).unwrap();
        let texts = model.text_features(&golden.texts()).unwrap();
        let images = difference(&images, golden.floats("image_features"));
        let texts = difference(&texts, golden.floats("text_features"));
        assert!(images.max(texts) > BOUND, "{name}: only {images:e} and {texts:e}");
    }
}

fn text_file(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/golden/text/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn picture() -> RgbImage {
    RgbImage::from_fn(40, 30, |x, y| image::Rgb([(x * 6) as u8, (y * 8) as u8, (x * y % 256) as u8]))
}

#[test]
fn features_are_embeddings_before_they_are_scaled() {
    let golden = Golden::read("siglip");
    let tokenizer = text_file("siglip.tokenizer.json");
    let preprocessor = br#"{"size": {"height": 32, "width": 32}, "crop_size": {"height": 32, "width": 32}}"#;
    let files = ModelFiles { config: &golden.config, preprocessor, tokenizer: &tokenizer };
    let tagger = Tagger::new(TaggerFiles::read(files).unwrap(), golden.weights()).unwrap();
    let length = |row: &[f32]| row.iter().map(|x| x * x).sum::<f32>().sqrt();
    let compare = |features: Vec<f32>, embedding: Vec<f32>| {
        assert!((length(&features) - 1.0).abs() > 0.1 && (length(&embedding) - 1.0).abs() < 1e-5);
        let scaled = features.iter().map(|x| x / length(&features));
        assert!(scaled.zip(embedding).all(|(a, b)| (a - b).abs() < 1e-6));
    };
    let mut encoding = tagger.encode_image(&picture()).unwrap();
    encoding.whole();
    compare(tagger.features_of(&encoding).unwrap(), tagger.embedding_of(&encoding).unwrap());
    assert_eq!(tagger.states_of(&encoding).unwrap().len(), 16 * 32);
    let texts = ["a cat", "a house"];
    let rows = tagger.text_features(&texts).unwrap().into_iter().zip(tagger.text_embeddings(&texts).unwrap());
    rows.for_each(|(features, embedding)| compare(features, embedding));

    let golden = Golden::read("clip-vision-alone");
    let files = ModelFiles { config: &golden.config, preprocessor, tokenizer: b"" };
    let tagger = Tagger::new(TaggerFiles::read(files).unwrap(), golden.weights()).unwrap();
    let encoding = tagger.encode_image(&picture()).unwrap();
    assert_eq!(tagger.features_of(&encoding).unwrap().len(), 24);
    assert_eq!(tagger.states_of(&encoding).unwrap_err().kind(), ErrorKind::ArgumentInvalid);
    assert_eq!(tagger.text_features(&["cat"]).unwrap_err().kind(), ErrorKind::ArgumentInvalid);
}

/// Every label has a probability of its own, which others do not change.
#[test]
fn siglip_judges_each_label_for_itself() {
    let golden = Golden::read("siglip");
    let tokenizer = text_file("siglip.tokenizer.json");
    let files = ModelFiles {
        config: &golden.config,
        preprocessor: br#"{"size": {"height": 32, "width": 32}}"#,
        tokenizer: &tokenizer,
    };
    let mut tagger = Tagger::new(TaggerFiles::read(files).unwrap(), golden.weights()).unwrap();
    let encoding = tagger.encode_image(&picture()).unwrap();
    let template = "a photo of a {}.";
    let mut both = tagger.labels(&["cat", "house"], template).unwrap();
    let embedding = tagger.embedding_of(&encoding).unwrap();
    let scores = tagger.tag_embedding(&embedding, &mut both).unwrap();
    let cosines = tagger.similarity(&encoding, &mut both).unwrap();
    for (score, cosine) in scores.iter().zip(cosines) {
        let logit = cosine * tagger.logit_scale() - 3.5;
        assert!((score - 1.0 / (1.0 + (-logit).exp())).abs() < 1e-5, "{score} of {logit}");
    }
    let mut one = tagger.labels(&["house"], template).unwrap();
    let embedding = tagger.embedding_of(&encoding).unwrap();
    let alone = tagger.tag_embedding(&embedding, &mut one).unwrap();
    assert!((alone[0] - scores[1]).abs() < 1e-5);
    let mut background = tagger.texts(&["a photo of something."]).unwrap();
    let embedding = tagger.embedding_of(&encoding).unwrap();
    let scored = tagger.score(&embedding, &mut both, &mut background, Scores::Independent, None).unwrap();
    assert!(scored.labels.iter().zip(&scores).all(|(a, b)| (a - b).abs() < 1e-5));
    let best = scores.iter().copied().fold(0.0, f32::max);
    assert!((scored.none - (1.0 - best)).abs() < 1e-5);
}

#[test]
fn a_tower_alone_needs_no_files_of_the_other() {
    let golden = Golden::read("dinov2");
    let files = ModelFiles {
        config: &golden.config,
        preprocessor: br#"{"size": {"shortest_edge": 26}, "crop_size": {"height": 24, "width": 24}}"#,
        tokenizer: b"",
    };
    let tagger = Tagger::new(TaggerFiles::read(files).unwrap(), golden.weights()).unwrap();
    assert_eq!(tagger.image_embedding(&picture()).unwrap().len(), 32);
    assert_eq!(tagger.text_embeddings(&["cat"]).unwrap_err().kind(), ErrorKind::ArgumentInvalid);

    let golden = Golden::read("siglip");
    let tokenizer = text_file("siglip.tokenizer.json");
    let files = ModelFiles { config: &golden.config, preprocessor: b"", tokenizer: &tokenizer };
    let files = TaggerFiles::read_only(files, Towers::Text).unwrap();
    let tagger = Tagger::new(files, golden.weights()).unwrap();
    assert_eq!(tagger.text_embeddings(&["cat"]).unwrap()[0].len(), 32);
    let files = ModelFiles { config: &golden.config, preprocessor: b"{}", tokenizer: b"" };
    let error = TaggerFiles::read_only(files, Towers::Text).err().unwrap();
    assert!(error.to_string().contains("no tokenizer.json"), "{error}");
}

#[test]
fn a_tower_that_was_saved_alone_does_not_say_which_it_is() {
    let golden = Golden::read("siglip");
    let all = golden.tensors();
    for (kind, tower) in [("vision", "vision_model."), ("text", "text_model.")] {
        let config = golden.config_with(|config| {
            let mut flat = config[format!("{kind}_config")].clone();
            flat["model_type"] = format!("siglip_{kind}_model").into();
            *config = flat;
        });
        let config = DualConfig::from_json(&config).unwrap();
        assert_eq!(config.tower_alone().map(|name| format!("{name}.")).as_deref(), Some(tower));
        // As `transformers` saves it since version 5.
        let bare = all
            .iter()
            .filter_map(|(name, tensor)| Some((name.strip_prefix(tower)?.to_owned(), tensor.clone())));
        let mut loader = WeightsLoader::new(Dtype::F32);
        loader.of_tower(config.tower_alone().unwrap());
        loader.push(&serialise(&bare.collect(), kind)).unwrap();
        let model = DualEncoder::new(&config, loader.finish().unwrap()).unwrap();
        if kind == "vision" {
            assert_close(kind, &model.image_features(&pixels(32)).unwrap(), golden.floats("image_features"));
        } else {
            assert_close(
                kind,
                &model.text_features(&golden.texts()).unwrap(),
                golden.floats("text_features"),
            );
        }
    }
}
