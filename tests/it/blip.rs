//! BLIP against the reference on small models with every quirk of configuration.

#![allow(clippy::unwrap_used, clippy::panic)]

use candle_core::Tensor;
use ocelli::ErrorKind;
use ocelli::models::blip::{BlipConfig, BlipModel};
use ocelli::weights::Weights;

use crate::golden::{BOUND, Golden, IMAGES, assert_close, difference, pixels};

const MODELS: [&str; 3] = ["blip-tied", "blip-untied", "blip-two-tables"];
/// Tokens of the golden captions, the prompt included.
const MAX_LENGTH: usize = 16;

/// A captioner of the golden data.
pub fn model(golden: &Golden) -> (BlipConfig, BlipModel) {
    let config = BlipConfig::from_json(&golden.config).unwrap();
    let model = BlipModel::new(&config, golden.weights()).unwrap();
    (config, model)
}

/// The image states of the golden image `i`.
pub fn states(model: &BlipModel, config: &BlipConfig, i: usize) -> Tensor {
    model.image_states(&pixels(config.vision.image_size).narrow(0, i, 1).unwrap()).unwrap()
}

/// The most likely caption that begins with `prompt`, which begins with `[DEC]`.
fn greedy(model: &BlipModel, config: &BlipConfig, states: &Tensor, prompt: &[u32]) -> Vec<u32> {
    let mut state = model.start(states).unwrap();
    let (mut ids, mut new) = (prompt.to_vec(), prompt.to_vec());
    while ids.len() < MAX_LENGTH && ids.last() != Some(&config.text.sep_token_id) {
        let next = model.step(&mut state, &new).unwrap().argmax(0).unwrap().to_vec0::<u32>().unwrap();
        ids.push(next);
        new = vec![next];
    }
    ids
}

#[test]
fn agrees_with_the_reference() {
    for name in MODELS {
        let golden = Golden::read(name);
        let (config, model) = model(&golden);
        let images = pixels(config.vision.image_size);

        let found = model.image_states(&images.narrow(0, 0, 2).unwrap()).unwrap();
        assert_close(&format!("{name} image states"), &found, golden.floats("image_states"));

        let ids = golden.ids("ids");
        for i in 0..2 {
            let mut state = model.start(&states(&model, &config, i)).unwrap();
            let logits = model.step_all(&mut state, &ids).unwrap();
            assert_close(&format!("{name} logits {i}"), &logits, golden.floats(&format!("logits_{i}")));
            assert_eq!(state.len(), ids.len());
        }
        for i in 0..IMAGES {
            let states = states(&model, &config, i);
            let free = greedy(&model, &config, &states, &[config.text.bos_token_id]);
            assert_eq!(free, golden.ids(&format!("greedy_{i}")), "{name} image {i}");
            let prompted = greedy(&model, &config, &states, &golden.ids("prompt"));
            assert_eq!(prompted, golden.ids(&format!("prompted_{i}")), "{name} image {i} with a prompt");
        }
    }
}

#[test]
fn any_division_into_steps_gives_the_same_logits() {
    for name in MODELS {
        let golden = Golden::read(name);
        let (config, model) = model(&golden);
        let ids = golden.ids("ids");
        for i in 0..2 {
            let whole = golden.floats(&format!("logits_{i}"));
            let states = states(&model, &config, i);
            for size in 1..=ids.len() {
                let mut state = model.start(&states).unwrap();
                let mut done = 0;
                for new in ids.chunks(size) {
                    let logits = model.step(&mut state, new).unwrap();
                    done += new.len();
                    let expected = whole.get(done - 1).unwrap();
                    let difference = difference(&logits, &expected);
                    assert!(
                        difference <= BOUND,
                        "{name}: {size} at a time, token {done}: off by {difference:e}"
                    );
                }
            }
        }
    }
}

#[test]
fn clones_of_a_state_go_separate_ways() {
    let golden = Golden::read(MODELS[0]);
    let (config, model) = model(&golden);
    let ids = golden.ids("ids");
    let mut state = model.start(&states(&model, &config, 0)).unwrap();
    model.step(&mut state, &ids[..3]).unwrap();
    let mut other = state.clone();
    model.step(&mut other, &[50, 51, 52]).unwrap();
    let logits = model.step(&mut state, &ids[3..]).unwrap();
    assert_close("first", &logits, &golden.floats("logits_0").get(ids.len() - 1).unwrap());
    assert_eq!((state.len(), other.len()), (ids.len(), 6));
}

/// The table of words under either of its names is the same model; `make.py` checks that it is so to the
/// reference. Two equal tables are one.
#[test]
fn the_output_layer_may_have_any_of_its_names() {
    let (words, decoder) = (
        "text_decoder.bert.embeddings.word_embeddings.weight",
        "text_decoder.cls.predictions.decoder.weight",
    );
    let (bias, decoder_bias) =
        ("text_decoder.cls.predictions.bias", "text_decoder.cls.predictions.decoder.bias");
    let golden = Golden::read("blip-tied");
    let config = BlipConfig::from_json(&golden.config).unwrap();
    let tensors = golden.tensors();
    assert!(tensors.contains_key(words) && !tensors.contains_key(decoder), "or this proves nothing");

    for (rename, copy) in [(true, false), (false, true)] {
        let mut tensors = tensors.clone();
        for (from, to) in [(words, decoder), (bias, decoder_bias)] {
            let tensor = tensors[from].clone();
            if rename {
                tensors.remove(from);
            }
            let copied = if copy { tensor.copy().unwrap() } else { tensor };
            tensors.insert(to.to_owned(), copied);
        }
        let model = BlipModel::new(&config, Weights::from_tensors(tensors)).unwrap();
        let mut state = model.start(&states(&model, &config, 0)).unwrap();
        let logits = model.step_all(&mut state, &golden.ids("ids")).unwrap();
        assert_close("other names", &logits, golden.floats("logits_0"));
    }

    let mut none = tensors.clone();
    none.remove(words);
    none.remove(bias);
    let error = BlipModel::new(&config, Weights::from_tensors(none)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WeightsMismatch);
    assert!(error.to_string().contains(words) && error.to_string().contains(bias), "{error}");

    // Where the configuration forbids to share, a missing output layer is missing.
    let untied = golden.config_with(|config| {
        config["tie_word_embeddings"] = false.into();
        config["text_config"]["tie_word_embeddings"] = false.into();
    });
    let error = BlipModel::new(&BlipConfig::from_json(&untied).unwrap(), golden.weights()).unwrap_err();
    assert!(error.to_string().contains(&format!("missing: `{decoder}`")), "{error}");
}

/// Each quirk shows in the outputs: otherwise agreeing with the reference would not prove it right.
#[test]
fn every_quirk_matters() {
    let changes: [(&str, &str, &str, serde_json::Value); 7] = [
        (MODELS[0], "text_config", "num_attention_heads", 4.into()),
        (MODELS[0], "text_config", "hidden_act", "gelu_new".into()),
        (MODELS[0], "vision_config", "hidden_act", "quick_gelu".into()),
        (MODELS[0], "vision_config", "num_attention_heads", 2.into()),
        (MODELS[1], "text_config", "layer_norm_eps", 0.1.into()),
        (MODELS[1], "text_config", "hidden_act", "gelu".into()),
        (MODELS[1], "vision_config", "hidden_act", "gelu".into()),
    ];
    for (name, section, key, value) in changes {
        let golden = Golden::read(name);
        let changed = golden.config_with(|config| config[section][key] = value.clone());
        let config = BlipConfig::from_json(&changed).unwrap();
        let model = BlipModel::new(&config, golden.weights()).unwrap();
        let mut state = model.start(&states(&model, &config, 0)).unwrap();
        let logits = model.step_all(&mut state, &golden.ids("ids")).unwrap();
        let found = difference(&logits, golden.floats("logits_0"));
        println!("{name} {section}.{key} = {value}: {found:e}");
        assert!(found > 2.0 * BOUND, "{name}: {section}.{key} = {value} changes nothing ({found:e})");
    }
}

#[test]
fn refuses_steps_that_the_model_cannot_take() {
    let golden = Golden::read(MODELS[0]);
    let (config, model) = model(&golden);
    let states = states(&model, &config, 0);
    let mut state = model.start(&states).unwrap();
    let most = config.text.max_position_embeddings;
    for ids in [vec![], vec![100], vec![98, u32::MAX], vec![1; most + 1]] {
        assert_eq!(model.step(&mut state, &ids).unwrap_err().kind(), ErrorKind::ArgumentInvalid, "{ids:?}");
    }
    // A refused step changes nothing.
    let logits = model.step_all(&mut state, &golden.ids("ids")).unwrap();
    assert_close("after refusals", &logits, golden.floats("logits_0"));

    let mut full = model.start(&states).unwrap();
    model.step(&mut full, &vec![1; most]).unwrap();
    let error = model.step(&mut full, &[1]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ArgumentInvalid);
    assert!(error.to_string().contains(&most.to_string()), "{error}");

    let two = Tensor::cat(&[&states, &states], 0).unwrap();
    for wrong in [two, states.narrow(2, 0, 8).unwrap(), states.get(0).unwrap()] {
        assert_eq!(model.start(&wrong).unwrap_err().kind(), ErrorKind::ArgumentInvalid);
    }
    assert_eq!(model.image_states(&pixels(16)).unwrap_err().kind(), ErrorKind::ArgumentInvalid);
}

#[test]
fn names_the_key_that_is_wrong() {
    let cases = [
        (r#"{"model_type": "clip"}"#, r#""clip""#),
        (r#"{"text_config": {"is_decoder": false}}"#, "text_config.is_decoder"),
        (r#"{"text_config": {"is_decoder": "yes"}}"#, "text_config.is_decoder"),
        (r#"{"text_config": {"bos_token_id": 30524}}"#, "text_config.bos_token_id"),
        (r#"{"text_config": {"sep_token_id": -1}}"#, "text_config.sep_token_id"),
        (r#"{"text_config": {"vocab_size": 50}}"#, "text_config.bos_token_id"),
        // The logits of 64 captions would take more than 256 MiB.
        (r#"{"text_config": {"vocab_size": 1048577}}"#, "text_config.vocab_size"),
        (r#"{"vision_config": {"image_size": [384, 400]}}"#, "vision_config.image_size"),
        (r#"{"vision_config": {"hidden_act": null, "patch_size": 17}}"#, "vision_config.patch_size"),
    ];
    for (json, part) in cases {
        let error = BlipConfig::from_json(json.as_bytes()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConfigInvalid, "{json}");
        assert!(error.to_string().contains(part), "{json}: {error}");
    }
    let most = BlipConfig::from_json(br#"{"text_config": {"vocab_size": 1048576}}"#).unwrap();
    assert_eq!(most.text.vocab_size, 1 << 20);
    let config = BlipConfig::from_json(b"{}").unwrap();
    let vision = config.vision.transformer().unwrap();
    assert_eq!((config.vision.image_size, vision.patch_size, vision.tower.heads), (384, 16, 12));
    assert_eq!((config.text.vocab_size, config.text.tower.heads), (30_524, 8));
    assert_eq!((config.text.bos_token_id, config.text.sep_token_id), (30_522, 102));
}
