//! CLIP against the reference on small models with every quirk of configuration.

#![allow(clippy::unwrap_used, clippy::panic)]

use candle_core::Tensor;
use ocelli::ErrorKind;
use ocelli::models::dual::{ClipText, ClipTextConfig, DualConfig, DualEncoder, TextConfig, TextTower};
use ocelli::weights::Weights;

use crate::golden::{BOUND, Golden, IMAGES, assert_close, difference, pixels, unit};

const MODELS: [&str; 4] = ["clip-quick-gelu-eos-2", "clip-gelu-eos-7", "clip-config-dict", "clip-silu-relu"];

fn model(golden: &Golden, config: &[u8]) -> (DualConfig, DualEncoder) {
    let config = DualConfig::from_json(config).unwrap();
    let model = DualEncoder::new(&config, golden.weights()).unwrap();
    (config, model)
}

fn text_of(config: &DualConfig) -> &ClipTextConfig {
    let Some(TextConfig::Clip(text)) = &config.text else { panic!("the text tower is CLIP's") };
    text
}

fn clip_text(model: &DualEncoder) -> &ClipText {
    let TextTower::Clip(text) = model.text().unwrap() else { panic!("the text tower is CLIP's") };
    text
}

#[test]
fn agrees_with_the_reference() {
    for name in MODELS {
        let golden = Golden::read(name);
        let (config, model) = model(&golden, &golden.config);
        let images = pixels(config.image_size().unwrap());
        let texts = golden.texts();

        let states = model.vision().unwrap().hidden_states(&images.narrow(0, 0, 1).unwrap()).unwrap();
        assert_close(&format!("{name} vision"), &states, golden.floats("vision_states"));
        let states = clip_text(&model).states(&[&texts[0]]).unwrap().unsqueeze(0).unwrap();
        assert_close(&format!("{name} text"), &states, golden.floats("text_states"));

        let image_features = model.image_features(&images).unwrap();
        assert_close(&format!("{name} image features"), &image_features, golden.floats("image_features"));
        let text_features = model.text_features(&texts).unwrap();
        assert_close(&format!("{name} text features"), &text_features, golden.floats("text_features"));

        let scale = Tensor::new(&[model.logit_scale()], images.device()).unwrap();
        assert_close(&format!("{name} scale"), &scale, golden.floats("logit_scale"));
        let cosines = unit(&image_features).matmul(&unit(&text_features).t().unwrap()).unwrap();
        let logits = (cosines * f64::from(model.logit_scale())).unwrap();
        assert_close(&format!("{name} logits"), &logits, golden.floats("logits_per_image"));
    }
}

#[test]
fn what_else_is_in_the_batch_makes_no_difference() {
    for name in MODELS {
        let golden = Golden::read(name);
        let (config, model) = model(&golden, &golden.config);

        let images = pixels(config.image_size().unwrap());
        let together = model.image_features(&images).unwrap();
        for i in 0..IMAGES {
            let alone = model.image_features(&images.narrow(0, i, 1).unwrap()).unwrap();
            assert!(difference(&alone, &together.narrow(0, i, 1).unwrap()) <= BOUND / 10.0);
        }

        // More texts than go through the layers at once, of mixed lengths.
        let few = golden.texts();
        let many: Vec<_> = few.iter().cycle().take(100).cloned().collect();
        let together = model.text_features(&many).unwrap();
        let expected = golden.floats("text_features");
        for (i, ids) in few.iter().enumerate() {
            let twice = model.text_features(&[ids.clone(), ids.clone()]).unwrap();
            assert!(difference(&twice.narrow(0, 1, 1).unwrap(), &expected.narrow(0, i, 1).unwrap()) <= BOUND);
        }
        for i in 0..many.len() {
            let row = together.narrow(0, i, 1).unwrap();
            assert!(difference(&row, &expected.narrow(0, i % few.len(), 1).unwrap()) <= BOUND);
        }
    }
}

#[test]
fn what_follows_the_end_token_makes_no_difference() {
    let golden = Golden::read("clip-gelu-eos-7");
    let (_, model) = model(&golden, &golden.config);
    let features = |ids: &[u32]| model.text_features(&[ids.to_vec()]).unwrap();
    let plain = features(&[98, 5, 17, 7]);
    assert_eq!(difference(&plain, &features(&[98, 5, 17, 7, 99, 7, 0])), 0.0);
    assert!(
        difference(&plain, &features(&[98, 5, 18, 7])) > 0.05,
        "texts must differ, or this proves nothing"
    );
}

/// Each quirk shows in the outputs: otherwise agreeing with the reference would not prove it right.
#[test]
fn every_quirk_matters() {
    let changes: [(&str, &str, &str, serde_json::Value); 10] = [
        (MODELS[0], "text_config", "hidden_act", "gelu".into()),
        (MODELS[0], "vision_config", "hidden_act", "gelu".into()),
        (MODELS[0], "text_config", "eos_token_id", 40.into()),
        (MODELS[0], "vision_config", "num_attention_heads", 2.into()),
        (MODELS[1], "text_config", "hidden_act", "gelu_new".into()),
        (MODELS[1], "text_config", "eos_token_id", 2.into()),
        (MODELS[1], "vision_config", "layer_norm_eps", 1e-5.into()),
        (MODELS[2], "text_config_dict", "hidden_act", "gelu".into()),
        (MODELS[2], "text_config_dict", "layer_norm_eps", 0.5.into()),
        (MODELS[2], "vision_config_dict", "num_attention_heads", 4.into()),
    ];
    for (name, section, key, value) in changes {
        let golden = Golden::read(name);
        let changed = golden.config_with(|config| config[section][key] = value.clone());
        let (config, model) = model(&golden, &changed);
        let found = if section.starts_with("text") {
            // Only texts that have the changed end token.
            let mut texts = golden.texts();
            texts.retain(|ids| text_of(&config).pooled(ids).is_some());
            let right =
                DualEncoder::new(&DualConfig::from_json(&golden.config).unwrap(), golden.weights()).unwrap();
            difference(&model.text_features(&texts).unwrap(), &right.text_features(&texts).unwrap())
        } else {
            let features = model.image_features(&pixels(config.image_size().unwrap())).unwrap();
            difference(&features, golden.floats("image_features"))
        };
        println!("{name} {section}.{key} = {value}: {found:e}");
        assert!(found > 2.0 * BOUND, "{name}: {section}.{key} = {value} changes nothing ({found:e})");
    }
}

#[test]
fn names_all_tensors_that_do_not_fit() {
    let golden = Golden::read(MODELS[0]);
    let config = DualConfig::from_json(&golden.config).unwrap();
    let mut tensors = golden.tensors();
    tensors.remove("logit_scale").unwrap();
    let bias = tensors.remove("text_model.encoder.layers.1.mlp.fc1.bias").unwrap();
    tensors.insert("text_model.encoder.layers.1.mlp.fc1.byas".to_owned(), bias);
    let patch = tensors.get_mut("vision_model.embeddings.patch_embedding.weight").unwrap();
    *patch = patch.narrow(2, 0, 4).unwrap();

    let error = DualEncoder::new(&config, Weights::from_tensors(tensors)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WeightsMismatch);
    let text = error.to_string();
    for part in [
        "missing: `text_model.encoder.layers.1.mlp.fc1.bias`, `logit_scale`",
        "misshapen: `vision_model.embeddings.patch_embedding.weight` is [32, 3, 4, 8] instead of [32, 3, 8, 8]",
        "unknown: `text_model.encoder.layers.1.mlp.fc1.byas`",
    ] {
        assert!(text.contains(part), "{text}");
    }

    // A different model altogether: five names and a count, and no allocation of what is missing.
    let huge = golden.config_with(|config| {
        config["vision_config"]["hidden_size"] = 16_384.into();
        config["vision_config"]["patch_size"] = 1024.into();
        config["vision_config"]["image_size"] = 4096.into();
        config["vision_config"]["num_hidden_layers"] = 256.into();
        config["text_config"]["vocab_size"] = 4_000_000.into();
    });
    let error = DualEncoder::new(&DualConfig::from_json(&huge).unwrap(), golden.weights()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WeightsMismatch);
    assert!(error.to_string().contains(" more"), "{error}");
    assert!(error.to_string().len() < 2000, "{error}");
}

#[test]
fn accepts_the_names_of_older_files() {
    let golden = Golden::read(MODELS[0]);
    let config = DualConfig::from_json(&golden.config).unwrap();
    let old = |name: &str| {
        let name = format!("clip.{name}");
        let norm = name.contains("norm");
        if norm { name.replace(".weight", ".gamma").replace(".bias", ".beta") } else { name }
    };
    let tensors = golden.tensors().into_iter().map(|(name, tensor)| (old(&name), tensor)).collect();
    let model = DualEncoder::new(&config, Weights::from_tensors(tensors)).unwrap();
    let features = model.image_features(&pixels(config.image_size().unwrap())).unwrap();
    assert_close("old names", &features, golden.floats("image_features"));
}

#[test]
fn refuses_ids_and_pixels_that_the_model_does_not_have() {
    let golden = Golden::read(MODELS[1]);
    let (_, model) = model(&golden, &golden.config);
    let bad: [&[u32]; 5] = [&[], &[98, 100, 7], &[98, u32::MAX, 7], &[98, 5, 6], &[7; 11]];
    for ids in bad {
        let error = model.text_features(&[vec![98, 7], ids.to_vec()]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ArgumentInvalid, "{ids:?}");
    }
    assert_eq!(model.text_features(&[]).unwrap_err().kind(), ErrorKind::ArgumentInvalid);
    let images = pixels(32);
    for pixels in [&images, &images.narrow(1, 0, 1).unwrap(), &images.get(0).unwrap()] {
        assert_eq!(model.image_features(pixels).unwrap_err().kind(), ErrorKind::ArgumentInvalid);
    }
}

#[test]
fn names_the_key_that_is_wrong() {
    let cases: [(&str, &str); 14] = [
        ("", "not valid JSON"),
        ("[]", "not a JSON object"),
        (r#"{"model_type": "bert"}"#, r#""bert""#),
        (r#"{"projection_dim": 0}"#, "projection_dim"),
        (r#"{"vision_config": 5}"#, "vision_config"),
        (r#"{"vision_config": {"hidden_size": 1e9}}"#, "vision_config.hidden_size"),
        (
            r#"{"vision_config": {"hidden_size": 100, "num_attention_heads": 7}}"#,
            "vision_config.num_attention_heads",
        ),
        (r#"{"vision_config": {"image_size": 30, "patch_size": 16}}"#, "vision_config.image_size"),
        (r#"{"vision_config": {"patch_size": 0}}"#, "vision_config.patch_size"),
        (r#"{"vision_config": {"num_channels": 4}}"#, "vision_config.num_channels"),
        (r#"{"text_config": {"num_hidden_layers": -1}}"#, "text_config.num_hidden_layers"),
        (r#"{"text_config": {"hidden_act": "mish"}}"#, "text_config.hidden_act"),
        (r#"{"text_config": {"layer_norm_eps": "no"}}"#, "text_config.layer_norm_eps"),
        (r#"{"text_config_dict": {"vocab_size": 18446744073709551616}}"#, "text_config_dict.vocab_size"),
    ];
    for (json, part) in cases {
        let error = DualConfig::from_json(json.as_bytes()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConfigInvalid, "{json}");
        assert!(error.to_string().contains(part), "{json}: {error}");
    }
}

#[test]
fn absent_and_null_keys_have_the_defaults_of_the_published_model() {
    for json in
        ["{}", r#"{"text_config": null, "vision_config": {"hidden_size": null}, "text_config_dict": null}"#]
    {
        let config = DualConfig::from_json(json.as_bytes()).unwrap();
        let vision = config.vision.as_ref().unwrap().transformer().unwrap();
        assert_eq!((config.image_size().unwrap(), vision.patch_size, config.projection_dim), (224, 32, 512));
        assert_eq!((text_of(&config).vocab_size, text_of(&config).max_position_embeddings), (49_408, 77));
        assert_eq!((text_of(&config).tower.hidden_size, vision.tower.hidden_size), (512, 768));
        assert_eq!(text_of(&config).pooled(&[49_406, 320, 49_407, 49_407]), Some(2));
    }
}
