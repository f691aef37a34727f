//! Templates, hints, "none of these", embeddings and similarity, against the reference: the built-in tagger and golden
//! models.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use ocelli::kernels::Dtype;
use ocelli::models::dual::Towers;
use ocelli::tasks::{Label, LabelSet, ModelFiles, Scored, Scores, Tagger, TaggerFiles};
use ocelli::text::Templates;
use ocelli::weights::{Weights, WeightsLoader};
use ocelli::{ErrorKind, image};
use serde::Deserialize;

/// The largest difference of an embedding's number, a cosine, a logit or a score from the reference's.
const BOUND: f32 = 1e-4;
const PICTURES: [&str; 3] = ["fluent-emoji-butterfly", "noto-rocket", "twemoji-pizza"];

/// One model of `tests/golden/tagging/expected.json`.
#[derive(Deserialize)]
struct Expected {
    labels: Vec<(String, Option<String>)>,
    background: Vec<String>,
    offset: f32,
    sets: Vec<ExpectedSet>,
    texts: Vec<String>,
    logit_scale: f32,
    cosines: Vec<Vec<f32>>,
    logits: Vec<Vec<f32>>,
}

#[derive(Deserialize)]
struct ExpectedSet {
    templates: Vec<String>,
    embeddings: Vec<Vec<f32>>,
    scores: Vec<Vec<f32>>,
    /// Of the labels, and then of none of them.
    softmax: Vec<Vec<f32>>,
    independent: Vec<Vec<f32>>,
}

impl Expected {
    fn read() -> HashMap<String, Self> {
        let path = root().join("tests/golden/tagging/expected.json");
        let all: HashMap<String, Self> = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        assert_eq!(all.len(), 3);
        all
    }

    fn set(&self, tagger: &Tagger, templates: &[String]) -> LabelSet {
        let labels: Vec<Label<'_>> =
            self.labels.iter().map(|(name, hint)| Label { name, hint: hint.as_deref() }).collect();
        tagger.label_set(&labels, Templates::parse(templates).unwrap()).unwrap()
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files of a model of `expected.json`.
pub struct Files {
    config: Vec<u8>,
    preprocessor: Vec<u8>,
    tokenizer: Vec<u8>,
    weights: Vec<u8>,
}

impl Files {
    pub fn read(name: &str) -> Self {
        let read = |path: PathBuf| fs::read(path).unwrap();
        if name == "clip-tiny" {
            let folder = root().join("tests/golden/trained/clip-tiny");
            return Self {
                config: read(folder.join("config.json")),
                preprocessor: read(folder.join("preprocessor_config.json")),
                tokenizer: read(folder.join("tokenizer.json")),
                weights: read(folder.join("model.safetensors")),
            };
        }
        let folder = root().join("tests/golden/models").join(name);
        let config = read(folder.join("config.json"));
        let parsed: serde_json::Value = serde_json::from_slice(&config).unwrap();
        let side = &parsed["vision_config"]["image_size"];
        Self {
            config,
            preprocessor: format!(r#"{{"size": {side}, "crop_size": {side}}}"#).into_bytes(),
            tokenizer: read(root().join(format!("tests/golden/tagging/{name}.tokenizer.json"))),
            weights: read(folder.join("model.safetensors")),
        }
    }

    fn files(&self, towers: Towers) -> TaggerFiles {
        let Self { config, preprocessor, tokenizer, .. } = self;
        TaggerFiles::read_only(ModelFiles { config, preprocessor, tokenizer }, towers).unwrap()
    }

    /// The weights as a model of `towers` wants them.
    fn weights(&self, towers: Towers) -> Weights {
        let mut loader = WeightsLoader::new(Dtype::F32);
        loader.pass_over(self.files(towers).unused());
        self.weights.chunks(65_521).for_each(|chunk| loader.push(chunk).unwrap());
        loader.finish().unwrap()
    }

    pub fn tagger(&self, towers: Towers) -> Tagger {
        Tagger::new(self.files(towers), self.weights(towers)).unwrap()
    }
}

fn pictures() -> Vec<image::RgbImage> {
    let read = |name| fs::read(root().join(format!("tests/images/drawings/{name}.png"))).unwrap();
    PICTURES.iter().map(|name| image::decode(&read(name)).unwrap()).collect()
}

fn assert_close(what: &str, found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (i, (a, b)) in found.iter().zip(expected).enumerate() {
        assert!((a - b).abs() <= BOUND, "{what}: {a} instead of {b} at {i}");
    }
}

#[test]
fn averages_templates_as_the_reference_does() {
    for (name, expected) in Expected::read() {
        let mut tagger = Files::read(&name).tagger(Towers::Both);
        for set in &expected.sets {
            let what = format!("{name}, {} templates", set.templates.len());
            let mut labels = expected.set(&tagger, &set.templates);
            assert_eq!(labels.prompts(), labels.len() * set.templates.len());
            // Odd steps end within templates and across them.
            let (mut steps, mut left) = (0, labels.pending());
            while left > 0 {
                let before = left;
                left = tagger.encode_labels(&mut labels, 7).unwrap();
                assert!(left < before && before - left <= 7, "{what}");
                steps += 1;
            }
            assert_eq!(steps, labels.prompts().div_ceil(7), "{what}");
            for (found, expected) in labels.embeddings().iter().zip(&set.embeddings) {
                assert_close(&what, found, expected);
            }
            for (picture, expected) in pictures().iter().zip(&set.scores) {
                assert_close(&what, &tagger.tag(picture, &mut labels).unwrap(), expected);
            }
        }
    }
}

#[test]
fn none_of_these_scores_as_the_reference_says() {
    for (name, expected) in Expected::read() {
        let mut tagger = Files::read(&name).tagger(Towers::Both);
        let mut background = tagger.labels(&expected.background, "{}").unwrap();
        for set in &expected.sets {
            let mut labels = expected.set(&tagger, &set.templates);
            for (i, picture) in pictures().iter().enumerate() {
                let embedding = tagger.image_embedding(picture).unwrap();
                for (scores, expected_scores) in
                    [(Scores::Softmax, &set.softmax[i]), (Scores::Independent, &set.independent[i])]
                {
                    let offset = Some(expected.offset);
                    let Scored { labels, none } =
                        tagger.score(&embedding, &mut labels, &mut background, scores, offset).unwrap();
                    let what = format!("{name}, {} templates, {scores:?}", set.templates.len());
                    assert_close(&what, &[labels, vec![none]].concat(), expected_scores);
                }
            }
        }
    }
}

#[test]
fn an_offset_that_is_no_number_is_not_the_weights_fault() {
    let mut tagger = Files::read("clip-tiny").tagger(Towers::Both);
    let mut labels = tagger.labels(&["rocket"], "a photo of a {}.").unwrap();
    let mut background = tagger.labels(&["a photo."], "{}").unwrap();
    let embedding = tagger.image_embedding(&pictures()[0]).unwrap();
    for scores in [Scores::Softmax, Scores::Independent] {
        let mut none = |offset| tagger.score(&embedding, &mut labels, &mut background, scores, Some(offset));
        // What JavaScript has as 1e39 is infinity here.
        for wrong in [1e39f64 as f32, f32::NEG_INFINITY, f32::NAN] {
            let error = none(wrong).err().unwrap();
            assert_eq!(error.kind(), ErrorKind::ArgumentInvalid, "{wrong}");
            assert!(error.to_string().starts_with("noneOffset must be"), "{error}");
        }
        for (offset, expected) in [(f32::MAX, 1.0), (-f32::MAX, 0.0)] {
            assert_eq!(none(offset).unwrap().none, expected, "{offset} {scores:?}");
        }
    }
}

#[test]
fn the_offset_of_the_background_comes_from_the_models_files() {
    let mut files = Files::read("clip-tiny");
    let mut config: serde_json::Value = serde_json::from_slice(&files.config).unwrap();
    let picture = &pictures()[0];
    let mut none = |value: serde_json::Value, offset| {
        config["ocelli"]["none_offset"] = value;
        files.config = config.to_string().into_bytes();
        let mut tagger = files.tagger(Towers::Both);
        let mut labels = tagger.labels(&["rocket"], "a photo of a {}.").unwrap();
        let mut background = tagger.labels(&["a photo."], "{}").unwrap();
        let embedding = tagger.image_embedding(picture).unwrap();
        tagger.score(&embedding, &mut labels, &mut background, Scores::Softmax, offset).unwrap().none
    };
    let (own, given, absent) = (none(2.5.into(), None), none(0.into(), Some(2.5)), none(().into(), None));
    assert_eq!(own, given);
    assert!(absent < own, "{absent} {own}");
    assert_eq!(absent, none(0.into(), None));

    config["ocelli"]["none_offset"] = "much".into();
    let Files { preprocessor, tokenizer, .. } = &files;
    let config = config.to_string().into_bytes();
    let error = TaggerFiles::read(ModelFiles { config: &config, preprocessor, tokenizer }).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::ConfigInvalid);
    assert!(error.to_string().contains("ocelli.none_offset"), "{error}");
}

#[test]
fn similarity_is_the_references_logits() {
    for (name, expected) in Expected::read() {
        let mut tagger = Files::read(&name).tagger(Towers::Both);
        assert!((tagger.logit_scale() - expected.logit_scale).abs() <= BOUND);
        let mut texts = tagger.texts(&expected.texts).unwrap();
        for (i, picture) in pictures().iter().enumerate() {
            let cosines = tagger.similarity(&tagger.encode_image(picture).unwrap(), &mut texts).unwrap();
            assert_close(&name, &cosines, &expected.cosines[i]);
            let logits: Vec<f32> = cosines.iter().map(|cosine| cosine * tagger.logit_scale()).collect();
            assert_close(&name, &logits, &expected.logits[i]);
        }
        let embeddings = tagger.text_embeddings(&expected.texts).unwrap();
        for (together, alone) in texts.embeddings().iter().zip(&embeddings) {
            assert_close(&name, together, alone);
        }
    }
}

#[test]
fn a_tower_alone_gives_what_both_give_and_refuses_the_rest() {
    for name in Expected::read().keys() {
        let files = Files::read(name);
        let both = files.tagger(Towers::Both);
        let (images, mut texts) = (files.tagger(Towers::Image), files.tagger(Towers::Text));
        let [whole, image, text] =
            [Towers::Both, Towers::Image, Towers::Text].map(|t| files.weights(t).len());
        assert!(image < whole && text < whole && image + text <= whole + 1, "{image} + {text}, {whole}");

        let picture = &pictures()[0];
        assert_eq!(images.image_embedding(picture).unwrap(), both.image_embedding(picture).unwrap());
        let known = both.text_embeddings(&["a cat"]).unwrap();
        assert_eq!(texts.text_embeddings(&["a cat"]).unwrap(), known);
        let mut set = texts.texts(&["a cat"]).unwrap();
        assert_eq!(texts.encode_labels(&mut set, 1).unwrap(), 0);
        assert_eq!(*set.embeddings()[0], known[0]);

        let refused = [
            (texts.encode_image(picture).err().unwrap(), "image"),
            (images.text_embeddings(&["a cat"]).err().unwrap(), "text"),
        ];
        for (error, tower) in refused {
            assert_eq!(error.kind(), ErrorKind::ArgumentInvalid);
            assert_eq!(error.to_string(), format!("The model was loaded without its {tower} tower."));
        }
        // Weights of the other tower are ignored, as any that are not asked for.
        Tagger::new(files.files(Towers::Image), files.weights(Towers::Both)).unwrap();
    }
}

#[test]
fn what_was_remembered_needs_no_text_tower() {
    let expected = &Expected::read()["clip-tiny"];
    let templates = &expected.sets[1].templates;
    let files = Files::read("clip-tiny");
    let (mut first, mut second) = (files.tagger(Towers::Both), files.tagger(Towers::Both));
    assert!(first.export_embeddings(usize::MAX).is_none(), "nothing yet");
    let mut set = expected.set(&first, templates);
    while first.encode_labels(&mut set, 64).unwrap() > 0 {}
    let bytes = first.export_embeddings(usize::MAX).unwrap();
    second.import_embeddings(&bytes).unwrap();

    let mut known = expected.set(&second, templates);
    assert_eq!(second.encode_labels(&mut known, 1).unwrap(), 0, "all in one step");
    assert_eq!(known.embeddings(), set.embeddings());
    assert!(second.export_embeddings(usize::MAX).is_none(), "nothing new");
    // Other templates are other embeddings.
    let mut other = expected.set(&second, &expected.sets[0].templates);
    assert!(second.encode_labels(&mut other, 1).unwrap() > 0);

    let mut golden = Files::read("clip-gelu-eos-7").tagger(Towers::Both);
    assert_eq!(
        golden.import_embeddings(&bytes).unwrap_err().kind(),
        ErrorKind::ArgumentInvalid,
        "another width"
    );
}
