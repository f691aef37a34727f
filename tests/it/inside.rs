//! Maps of which parts of an image made an answer, against the reference; see tests/golden/inside/make_maps.py.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use candle_core::{Device, Tensor};
use ocelli::image::{self, Frame, RgbImage};
use ocelli::kernels::Dtype;
use ocelli::models::blip::{BlipConfig, BlipMatcher, BlipModel};
use ocelli::models::dual::{DualConfig, DualEncoder};
use ocelli::models::vit::{VitConfig, VitModel};
use ocelli::models::{EncoderState, Trace};
use ocelli::tasks::{
    CaptionOptions, Captioner, CaptionerFiles, Map, Matcher, MatcherFiles, ModelFiles, Tagger, TaggerFiles,
};
use ocelli::weights::{Weights, WeightsLoader};
use ocelli::{ErrorKind, Result};
use serde::Deserialize;

use crate::golden::{Golden, IMAGES, pixels};

/// The largest difference of a map from the reference's, as part of its largest value.
const BOUND: f32 = 1e-3;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn assert_map(what: &str, found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let (low, high) = expected.iter().fold((f32::MAX, 0f32), |(l, h), &v| (l.min(v), h.max(v)));
    assert!(expected.len() == 1 || high - low > 20.0 * BOUND * high, "{what}: a flat map proves nothing");
    let difference = found.iter().zip(expected).fold(0f32, |d, (a, b)| d.max((a - b).abs()));
    println!("{what}: off by {difference:e}, values {low} to {high}");
    assert!(difference <= BOUND * high, "{what}: off by {difference:e}, values {low} to {high}");
}

/// The maps of golden models, by their names.
struct Expected(HashMap<String, Tensor>);

impl Expected {
    fn read() -> Self {
        let bytes = fs::read(root().join("tests/golden/inside/expected.safetensors")).unwrap();
        Self(candle_core::safetensors::load_buffer(&bytes, &Device::Cpu).unwrap())
    }

    fn check(&self, name: &str, found: &[f32]) {
        let tensor = self.0.get(name).unwrap_or_else(|| panic!("no {name}"));
        assert_map(name, found, &tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap());
    }
}

/// Takes a trace all the way back.
fn traced(mut trace: Trace, step: impl Fn(&mut Trace) -> Result<usize>) -> Vec<f32> {
    while step(&mut trace).unwrap() > 0 {}
    trace.map().to_vec()
}

fn kept(mut state: EncoderState) -> EncoderState {
    state.keep();
    state
}

#[test]
fn rollout_agrees_with_the_reference() {
    let expected = Expected::read();
    for name in ["clip-quick-gelu-eos-2", "clip-gelu-eos-7", "clip-config-dict", "clip-silu-relu"] {
        let golden = Golden::read(name);
        let config = DualConfig::from_json(&golden.config).unwrap();
        let model = DualEncoder::new(&config, golden.weights()).unwrap();
        let vision = model.vision().unwrap();
        for i in 0..IMAGES {
            let image = pixels(config.image_size().unwrap()).narrow(0, i, 1).unwrap();
            let trace = vision.rollout(kept(vision.begin(&image).unwrap())).unwrap();
            let map = traced(trace, |trace| vision.trace_back(trace));
            expected.check(&format!("{name}/rollout/{i}"), &map);
        }
    }
    for name in ["blip-tied", "blip-untied", "blip-two-tables"] {
        let golden = Golden::read(name);
        let config = BlipConfig::from_json(&golden.config).unwrap();
        let model = BlipModel::new(&config, golden.weights()).unwrap();
        let vision = model.vision();
        for i in 0..2 {
            let image = pixels(config.vision.image_size).narrow(0, i, 1).unwrap();
            let trace = vision.rollout(kept(vision.begin(&image).unwrap())).unwrap();
            let map = traced(trace, |trace| vision.trace_back(trace));
            expected.check(&format!("{name}/rollout/{i}"), &map);
        }
    }
    for name in ["vit-labels", "vit-no-bias"] {
        let golden = Golden::read(name);
        let config = VitConfig::from_json(&golden.config).unwrap();
        let mut loader = WeightsLoader::new(Dtype::F32);
        loader.pass_over(&["vit.pooler."]);
        loader.push(&golden.model).unwrap();
        let model = VitModel::new(&config, loader.finish().unwrap()).unwrap();
        let vision = model.vision();
        for i in 0..IMAGES {
            let image = pixels(config.image_size).narrow(0, i, 1).unwrap();
            let trace = vision.rollout(kept(vision.begin(&image).unwrap())).unwrap();
            let map = traced(trace, |trace| vision.trace_back(trace));
            expected.check(&format!("{name}/rollout/{i}"), &map);
        }
    }
}

#[test]
fn relevance_agrees_with_the_reference() {
    let expected = Expected::read();
    for name in ["clip-quick-gelu-eos-2", "clip-gelu-eos-7", "clip-config-dict", "clip-silu-relu"] {
        let golden = Golden::read(name);
        let config = DualConfig::from_json(&golden.config).unwrap();
        let model = DualEncoder::new(&config, golden.weights()).unwrap();
        let (ids, lengths) = (golden.ids("ids"), golden.ids("lengths"));
        let longest = ids.len() / lengths.len();
        let texts: Vec<Vec<u32>> =
            (0..2).map(|i| ids[i * longest..][..lengths[i] as usize].to_vec()).collect();
        let texts = model.text_features(&texts).unwrap().to_vec2::<f32>().unwrap();
        for i in 0..2 {
            let image = pixels(config.image_size().unwrap()).narrow(0, i, 1).unwrap();
            let state = kept(model.vision().unwrap().begin(&image).unwrap());
            for (j, text) in texts.iter().enumerate() {
                let length = text.iter().map(|x| x * x).sum::<f32>().sqrt();
                let text: Vec<f32> = text.iter().map(|x| x / length).collect();
                let trace = model.relevance(state.clone(), &text).unwrap();
                let map = traced(trace, |trace| model.vision().unwrap().trace_back(trace));
                expected.check(&format!("{name}/relevance/{i}/{j}"), &map);
            }
        }
    }
}

#[test]
fn what_each_token_saw_agrees_with_the_reference() {
    let expected = Expected::read();
    for name in ["blip-tied", "blip-untied", "blip-two-tables"] {
        let golden = Golden::read(name);
        let config = BlipConfig::from_json(&golden.config).unwrap();
        let model = BlipModel::new(&config, golden.weights()).unwrap();
        let ids = [config.text.bos_token_id, 7, 60, 3, 3, 41, 12, 88];
        for i in 0..2 {
            let image = pixels(config.vision.image_size).narrow(0, i, 1).unwrap();
            let states = model.image_states(&image).unwrap();
            let maps = model.token_maps(&states, &ids).unwrap();
            let rows = maps.chunks_exact(states.dim(1).unwrap());
            assert!(rows.clone().all(|row| (row.iter().sum::<f32>() - 1.0).abs() < 1e-5));
            let patches: Vec<f32> = rows.flat_map(|row| &row[1..]).copied().collect();
            expected.check(&format!("{name}/tokens/{i}"), &patches);
        }
        let states = model.image_states(&pixels(config.vision.image_size).narrow(0, 0, 1).unwrap()).unwrap();
        for wrong in [vec![], vec![98], vec![98; 25], vec![98, 100]] {
            let error = model.token_maps(&states, &wrong).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ArgumentInvalid, "{wrong:?}");
        }
    }
}

#[test]
fn what_makes_a_text_match_agrees_with_the_reference() {
    let expected = Expected::read();
    for name in ["blip-itm-gelu", "blip-itm-deep"] {
        let golden = Golden::read(name);
        let config = BlipConfig::from_json(&golden.config).unwrap();
        let model = BlipMatcher::new(&config, golden.weights()).unwrap();
        let vision = model.vision();
        for i in 0..2 {
            let image = pixels(config.vision.image_size).narrow(0, i, 1).unwrap();
            let image = model.project_image(&vision.states(vision.begin(&image).unwrap()).unwrap()).unwrap();
            for (j, ids) in [&[97, 12, 40, 33, 5][..], &[97, 60, 5]].into_iter().enumerate() {
                let map = model.grad_cam(&image, ids).unwrap();
                expected.check(&format!("{name}/match/{i}/{j}"), &map);
            }
            for wrong in [&[][..], &[97, 5], &[97, 100, 5], &[97; 60]] {
                let error = model.grad_cam(&image, wrong).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::ArgumentInvalid, "{wrong:?}");
            }
        }
    }
}

#[test]
fn in_a_single_layer_no_word_of_a_text_has_a_gradient() {
    let golden = Golden::read("blip-itm-defaults");
    let config = BlipConfig::from_json(&golden.config).unwrap();
    let model = BlipMatcher::new(&config, golden.weights()).unwrap();
    let vision = model.vision();
    let image = pixels(config.vision.image_size).narrow(0, 0, 1).unwrap();
    let image = model.project_image(&vision.states(vision.begin(&image).unwrap()).unwrap()).unwrap();
    assert_eq!(model.grad_cam(&image, &[97, 12, 40, 33, 5]).unwrap(), [0.0; 4]);
}

#[test]
fn only_one_image_whose_states_were_kept_can_be_traced() {
    let golden = Golden::read("clip-gelu-eos-7");
    let config = DualConfig::from_json(&golden.config).unwrap();
    let model = DualEncoder::new(&config, golden.weights()).unwrap();
    let (vision, images) = (model.vision().unwrap(), pixels(config.image_size().unwrap()));
    let one = images.narrow(0, 0, 1).unwrap();
    let mut late = vision.begin(&one).unwrap();
    vision.advance(&mut late).unwrap();
    for state in [vision.begin(&one).unwrap(), kept(late), kept(vision.begin(&images).unwrap())] {
        assert_eq!(vision.rollout(state).unwrap_err().kind(), ErrorKind::ArgumentInvalid);
    }
}

#[test]
fn weights_that_give_no_numbers_are_an_error_and_not_a_map() {
    let golden = Golden::read("clip-gelu-eos-7");
    let config = DualConfig::from_json(&golden.config).unwrap();
    let mut tensors = golden.tensors();
    let weight = &tensors["vision_model.encoder.layers.1.mlp.fc2.bias"];
    let nan = Tensor::full(f32::NAN, weight.shape(), weight.device()).unwrap();
    tensors.insert("vision_model.encoder.layers.1.mlp.fc2.bias".to_owned(), nan);
    let model = DualEncoder::new(&config, Weights::from_tensors(tensors)).unwrap();
    let image = pixels(config.image_size().unwrap()).narrow(0, 0, 1).unwrap();
    let state = kept(model.vision().unwrap().begin(&image).unwrap());
    assert_eq!(model.vision().unwrap().rollout(state).unwrap_err().kind(), ErrorKind::WeightsInvalid);
}

/// One drawing of `tests/golden/inside/builtin.json`.
#[derive(Deserialize)]
struct Drawing {
    image: String,
    rollout: Vec<f32>,
    texts: Vec<Text>,
    captioner_rollout: Vec<f32>,
    captions: Vec<Caption>,
    matches: Vec<Text>,
}

#[derive(Deserialize)]
struct Caption {
    given: bool,
    caption: String,
    words: Vec<ExpectedWord>,
}

#[derive(Deserialize)]
struct ExpectedWord {
    word: String,
    start: usize,
    end: usize,
    pieces: usize,
    values: Vec<f32>,
}

#[derive(Deserialize)]
struct Text {
    text: String,
    values: Vec<f32>,
}

fn drawings() -> Vec<Drawing> {
    serde_json::from_slice(&fs::read(root().join("tests/golden/inside/builtin.json")).unwrap()).unwrap()
}

fn picture(path: &str) -> RgbImage {
    image::decode(&fs::read(root().join(path)).unwrap()).unwrap()
}

/// The files of a built-in model: configuration, preprocessor, tokenizer; and its weights but the `unused`.
fn builtin(name: &str, unused: &[&str], dtype: Dtype) -> ([Vec<u8>; 3], Weights) {
    let read = |file| fs::read(root().join("tests/golden/trained").join(name).join(file)).unwrap();
    let mut loader = WeightsLoader::new(dtype);
    loader.pass_over(unused);
    loader.push(&read("model.safetensors")).unwrap();
    (["config.json", "preprocessor_config.json", "tokenizer.json"].map(read), loader.finish().unwrap())
}

fn borrow([config, preprocessor, tokenizer]: &[Vec<u8>; 3]) -> ModelFiles<'_> {
    ModelFiles { config, preprocessor, tokenizer }
}

fn tagger(dtype: Dtype) -> Tagger {
    let (files, weights) = builtin("clip-tiny", &[], dtype);
    Tagger::new(TaggerFiles::read(borrow(&files)).unwrap(), weights).unwrap()
}

fn captioner(dtype: Dtype) -> Captioner {
    let (files, weights) =
        builtin("blip-tiny", &["text_encoder.", "vision_proj.", "text_proj.", "itm_head."], dtype);
    Captioner::new(CaptionerFiles::read(borrow(&files)).unwrap(), weights).unwrap()
}

fn matcher(dtype: Dtype) -> Matcher {
    let (files, weights) = builtin("blip-tiny", &["text_decoder."], dtype);
    Matcher::new(MatcherFiles::read(borrow(&files)).unwrap(), weights).unwrap()
}

fn assert_square(map: &Map) {
    assert_eq!((map.rows, map.columns, map.values.len(), map.frame), (6, 6, 36, Frame::WHOLE));
}

#[test]
fn the_builtin_models_are_looked_into_as_by_the_reference() {
    let (tagger, captioner) = (tagger(Dtype::F32), captioner(Dtype::F32));
    for drawing in drawings() {
        let picture = picture(&drawing.image);
        let map = tagger.rollout(&picture).unwrap();
        assert_square(&map);
        assert_map(&drawing.image, &map.values, &drawing.rollout);
        let map = captioner.rollout(&picture).unwrap();
        assert_square(&map);
        assert_map(&drawing.image, &map.values, &drawing.captioner_rollout);
        for Text { text, values } in &drawing.texts {
            let map = tagger.explain(&picture, text).unwrap();
            assert_square(&map);
            assert_map(&format!("{}, {text}", drawing.image), &map.values, values);
        }
    }
}

#[test]
fn the_words_of_captions_see_what_they_see_in_the_reference() {
    let captioner = captioner(Dtype::F32);
    let mut several = 0;
    for drawing in drawings() {
        let encoding = captioner.encode_image(&picture(&drawing.image)).unwrap();
        for Caption { given, caption, words } in drawing.captions {
            if !given {
                let written = captioner.caption(&picture(&drawing.image), &CaptionOptions::default());
                assert_eq!(written.unwrap(), caption);
            }
            let found = captioner.attention(&encoding, &caption).unwrap();
            assert_eq!(found.len(), words.len(), "{caption}");
            let units: Vec<u16> = caption.encode_utf16().collect();
            for (found, expected) in found.iter().zip(&words) {
                assert_eq!(found.range, expected.start..expected.end, "{}", expected.word);
                assert_eq!(String::from_utf16(&units[found.range.clone()]).unwrap(), expected.word);
                assert_square(&found.map);
                assert_map(&expected.word, &found.map.values, &expected.values);
                several += usize::from(expected.pieces > 1);
            }
        }
    }
    assert!(several > 3, "Hardly a word is made of several tokens: this test proves too little.");
    let encoding = captioner.encode_image(&picture(&drawings()[0].image)).unwrap();
    for wrong in ["", " \t", &"word ".repeat(40), &"x".repeat(10_001)] {
        let kind = captioner.attention(&encoding, wrong).unwrap_err().kind();
        assert_eq!(kind, ErrorKind::ArgumentInvalid, "{}", wrong.len());
    }
}

#[test]
fn the_builtin_matcher_sees_what_makes_a_text_match_as_the_reference_does() {
    let matcher = matcher(Dtype::F32);
    for drawing in drawings() {
        let encoding = matcher.encode_image(&picture(&drawing.image)).unwrap();
        let texts: Vec<&str> = drawing.matches.iter().map(|found| found.text.as_str()).collect();
        let texts = matcher.texts(&texts).unwrap();
        for (i, Text { text, values }) in drawing.matches.iter().enumerate() {
            let map = matcher.explain(&encoding, &texts, i).unwrap();
            assert_square(&map);
            assert_map(&format!("{}, {text}", drawing.image), &map.values, values);
        }
    }
    let mut encoding = matcher.encode_image(&picture(&drawings()[0].image)).unwrap();
    // Texts that the tokenizer finds no words in may be compared all the same.
    let texts = matcher.texts(&["a rocket", "\u{200b}"]).unwrap();
    for none in [1, 2] {
        let kind = matcher.explain(&encoding, &texts, none).unwrap_err().kind();
        assert_eq!(kind, ErrorKind::ArgumentInvalid, "{none}");
    }
    let map = matcher.explain(&encoding, &texts, 0).unwrap();
    while matcher.advance(&mut encoding).unwrap() > 0 {}
    assert_eq!(matcher.explain(&encoding, &texts, 0).unwrap(), map);
}

/// Pearson's correlation.
fn correlation(a: &[f32], b: &[f32]) -> f32 {
    let mean = |x: &[f32]| x.iter().sum::<f32>() / x.len() as f32;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let sum = |f: &dyn Fn(f32, f32) -> f32| -> f32 {
        a.iter().zip(b).map(|(a, b)| f(a - mean_a, b - mean_b)).sum()
    };
    sum(&|a, b| a * b) / (sum(&|a, _| a * a) * sum(&|_, b| b * b)).sqrt()
}

/// The least correlation of a map of int8 weights with that of f32. Measured: 0.9982 to 0.99999.
const INT8_CORRELATION: f32 = 0.99;

#[test]
fn int8_weights_give_nearly_the_same_maps() {
    let (tagger, captioner, matcher) = (tagger(Dtype::Int8), captioner(Dtype::Int8), matcher(Dtype::Int8));
    for drawing in drawings() {
        let picture = picture(&drawing.image);
        let check = |what: &str, map: Map, expected: &[f32]| {
            let found = correlation(&map.values, expected);
            println!("{} {what}: {found}", drawing.image);
            assert_ne!(map.values, expected, "nothing was quantised: this test proves nothing");
            assert!(found > INT8_CORRELATION, "{} {what}: {found}", drawing.image);
        };
        check("rollout", tagger.rollout(&picture).unwrap(), &drawing.rollout);
        check("captioner's rollout", captioner.rollout(&picture).unwrap(), &drawing.captioner_rollout);
        let encoding = captioner.encode_image(&picture).unwrap();
        for Caption { caption, words, .. } in &drawing.captions {
            for (found, expected) in captioner.attention(&encoding, caption).unwrap().into_iter().zip(words) {
                check(&expected.word, found.map, &expected.values);
            }
        }
        for Text { text, values } in &drawing.texts {
            check(text, tagger.explain(&picture, text).unwrap(), values);
        }
        let encoding = matcher.encode_image(&picture).unwrap();
        for Text { text, values } in &drawing.matches {
            let texts = matcher.texts(&[text]).unwrap();
            check(&format!("match {text}"), matcher.explain(&encoding, &texts, 0).unwrap(), values);
        }
    }
}

#[test]
fn a_map_comes_layer_by_layer_and_tells_its_frame() {
    let tagger = tagger(Dtype::Int8);
    let wide = RgbImage::from_fn(200, 100, |x, y| ::image::Rgb([x as u8, y as u8, 9]));
    let mut encoding = tagger.encode_image(&wide).unwrap();
    encoding.keep();
    let layers = tagger.advance(&mut encoding).unwrap() + 1;
    let mut tracing = tagger.begin_explanation(&encoding, "a cat").unwrap();
    assert_eq!(tracing.map().unwrap_err().kind(), ErrorKind::ArgumentInvalid, "no layer is done");
    let lefts: Vec<usize> = (0..layers).map(|_| tagger.trace_back(&mut tracing).unwrap()).collect();
    assert_eq!(lefts, (0..layers).rev().collect::<Vec<_>>());
    let map = tracing.map().unwrap();
    assert_eq!(map, tagger.explain(&wide, "a cat").unwrap());
    assert_eq!(map.frame, Frame { left: 0.25, top: 0.0, width: 0.5, height: 1.0 });

    let kind = |text: &str| tagger.explain(&wide, text).unwrap_err().kind();
    assert_eq!(kind(" "), ErrorKind::LabelEmpty);
    assert_eq!(kind(&"x".repeat(1001)), ErrorKind::LabelTooLong);
}

#[test]
fn the_map_of_a_match_tells_what_the_model_saw_of_the_picture() {
    let (mut files, weights) = builtin("blip-tiny", &["text_decoder."], Dtype::Int8);
    files[1] = br#"{"size": {"shortest_edge": 96}, "crop_size": 96, "do_center_crop": true}"#.to_vec();
    let matcher = Matcher::new(MatcherFiles::read(borrow(&files)).unwrap(), weights).unwrap();
    let texts = matcher.texts(&["a rocket"]).unwrap();
    let wide = RgbImage::from_fn(200, 100, |x, y| ::image::Rgb([x as u8, y as u8, 9]));
    let map = matcher.explain(&matcher.encode_image(&wide).unwrap(), &texts, 0).unwrap();
    assert_eq!(map.frame, Frame { left: 0.25, top: 0.0, width: 0.5, height: 1.0 });
}
