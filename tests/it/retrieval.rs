//! BLIP's matching against the reference on small models with quirks of configuration.

#![allow(clippy::unwrap_used, clippy::panic)]

use candle_core::Tensor;
use ocelli::ErrorKind;
use ocelli::models::blip::{BlipConfig, BlipMatcher};
use ocelli::weights::Weights;

use crate::golden::{BOUND, Golden, IMAGES, assert_close, difference, pixels};

const MODELS: [&str; 3] = ["blip-itm-gelu", "blip-itm-defaults", "blip-itm-deep"];

fn model(golden: &Golden) -> (BlipConfig, BlipMatcher) {
    let config = BlipConfig::from_json(&golden.config).unwrap();
    let model = BlipMatcher::new(&config, golden.weights()).unwrap();
    (config, model)
}

fn borrow(texts: &[Vec<u32>]) -> Vec<&[u32]> {
    texts.iter().map(Vec::as_slice).collect()
}

/// The states of all images, or of one.
fn states(model: &BlipMatcher, config: &BlipConfig, image: Option<usize>) -> Tensor {
    let all = pixels(config.vision.image_size);
    let some = image.map_or(all.clone(), |i| all.narrow(0, i, 1).unwrap());
    model.vision().states(model.vision().begin(&some).unwrap()).unwrap()
}

fn cosines(model: &BlipMatcher, config: &BlipConfig, texts: &[&[u32]]) -> Tensor {
    let images = model.image_embeddings(&states(model, config, None)).unwrap();
    images.matmul(&model.text_embeddings(texts).unwrap().t().unwrap()).unwrap()
}

#[test]
fn agrees_with_the_reference() {
    for name in MODELS {
        let golden = Golden::read(name);
        let (config, model) = model(&golden);
        let texts = golden.texts();
        let lengths: std::collections::HashSet<usize> = texts.iter().map(Vec::len).collect();
        assert!(lengths.len() > 3, "The texts are all of one length: this test proves nothing.");
        let texts = borrow(&texts);

        let found = cosines(&model, &config, &texts);
        assert_close(&format!("{name} cosines"), &found, golden.floats("cosines"));
        for i in 0..IMAGES {
            let image = model.project_image(&states(&model, &config, Some(i))).unwrap();
            let found = model.matching(&image, &texts).unwrap();
            assert_close(&format!("{name} logits {i}"), &found, &golden.floats("logits").get(i).unwrap());
        }
    }
}

#[test]
fn texts_together_are_as_each_alone() {
    for name in MODELS {
        let golden = Golden::read(name);
        let (config, model) = model(&golden);
        let texts = golden.texts();
        let image = model.project_image(&states(&model, &config, Some(1))).unwrap();
        let (together, embeddings) = (
            model.matching(&image, &borrow(&texts)).unwrap(),
            model.text_embeddings(&borrow(&texts)).unwrap(),
        );
        for (i, text) in texts.iter().enumerate() {
            for (found, all) in [
                (model.matching(&image, &[text]).unwrap(), &together),
                (model.text_embeddings(&[text]).unwrap(), &embeddings),
            ] {
                let difference = difference(&found.squeeze(0).unwrap(), &all.get(i).unwrap());
                assert!(difference <= BOUND, "{name}: text {i} is off by {difference:e}");
            }
        }
        assert!(difference(&together.get(0).unwrap(), &together.get(1).unwrap()) > 100.0 * BOUND);
    }
}

/// Each quirk shows in the outputs: otherwise agreeing with the reference would not prove it right.
#[test]
fn every_quirk_matters() {
    let changes: [(&str, &str, &str, serde_json::Value); 8] = [
        (MODELS[0], "text_config", "num_attention_heads", 4.into()),
        (MODELS[0], "text_config", "hidden_act", "relu".into()),
        (MODELS[0], "vision_config", "num_attention_heads", 2.into()),
        (MODELS[1], "text_config", "layer_norm_eps", 0.1.into()),
        (MODELS[1], "text_config", "hidden_act", "gelu".into()),
        (MODELS[1], "vision_config", "hidden_act", "gelu".into()),
        (MODELS[2], "text_config", "num_attention_heads", 2.into()),
        (MODELS[2], "text_config", "hidden_act", "relu".into()),
    ];
    for (name, section, key, value) in changes {
        let golden = Golden::read(name);
        let changed = golden.config_with(|config| config[section][key] = value.clone());
        let config = BlipConfig::from_json(&changed).unwrap();
        let model = BlipMatcher::new(&config, golden.weights()).unwrap();
        let image = model.project_image(&states(&model, &config, Some(0))).unwrap();
        let texts = golden.texts();
        let logits = model.matching(&image, &borrow(&texts)).unwrap();
        let found = difference(&logits, &golden.floats("logits").get(0).unwrap());
        println!("{name} {section}.{key} = {value}: {found:e}");
        assert!(found > 2.0 * BOUND, "{name}: {section}.{key} = {value} changes nothing ({found:e})");
    }
    // Absent, the width of the embeddings is the reference's.
    assert!(!String::from_utf8(Golden::read(MODELS[1]).config).unwrap().contains("image_text_hidden_size"));
    let golden = Golden::read(MODELS[0]);
    let changed = golden.config_with(|config| config["image_text_hidden_size"] = 21.into());
    let error = BlipMatcher::new(&BlipConfig::from_json(&changed).unwrap(), golden.weights()).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::WeightsMismatch);
    assert!(error.to_string().contains("vision_proj.weight"), "{error}");
}

#[test]
fn refuses_what_it_cannot_read() {
    let golden = Golden::read(MODELS[0]);
    let (config, model) = model(&golden);
    let image = model.project_image(&states(&model, &config, Some(0))).unwrap();
    let most = config.text.max_position_embeddings;
    let long = vec![1; most + 1];
    let wrong: [&[&[u32]]; 5] = [&[], &[&[]], &[&[1], &[100]], &[&[u32::MAX]], &[&[1], &long]];
    for texts in wrong {
        for result in [model.matching(&image, texts), model.text_embeddings(texts)] {
            assert_eq!(result.unwrap_err().kind(), ErrorKind::ArgumentInvalid, "{texts:?}");
        }
    }
    assert!(model.matching(&image, &[&long[1..]]).is_ok());
    let all = states(&model, &config, None);
    for wrong in [all.clone(), all.narrow(2, 0, 8).unwrap(), all.get(0).unwrap()] {
        assert_eq!(model.project_image(&wrong).unwrap_err().kind(), ErrorKind::ArgumentInvalid);
    }
    for wrong in [all.narrow(2, 0, 8).unwrap(), all.get(0).unwrap(), all.narrow(1, 0, 0).unwrap()] {
        assert_eq!(model.image_embeddings(&wrong).unwrap_err().kind(), ErrorKind::ArgumentInvalid);
    }
}

/// The configuration of a captioner may be that of a matcher, so it is the weights that tell.
#[test]
fn weights_without_a_matching_head_are_named() {
    let golden = Golden::read("blip-tied");
    let config = BlipConfig::from_json(&golden.config).unwrap();
    let error = BlipMatcher::new(&config, Weights::from_tensors(golden.tensors())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WeightsMismatch);
    let message = error.to_string();
    assert!(message.contains("text_encoder.embeddings.word_embeddings.weight"), "{message}");
    assert!(message.contains("unknown: `text_decoder."), "{message}");
}
