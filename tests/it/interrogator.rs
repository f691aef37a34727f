//! Interrogation against CLIP Interrogator on the same features, and over the tagger that it was given.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use ocelli::kernels::Dtype;
use ocelli::tasks::{
    Interrogation, InterrogationSettings, MAX_TERMS, Mode, ModelFiles, Tagger, TaggerFiles, TaggerTexts,
    TermLists, Terms, TextFeatures,
};
use ocelli::weights::WeightsLoader;
use ocelli::{ErrorKind, Result, image};
use serde::Deserialize;

/// The largest difference of a similarity from the reference's.
const BOUND: f32 = 1e-5;
const DIMENSIONS: usize = 24;
const CONTEXT: usize = 77;

#[derive(Deserialize)]
struct Expected {
    lists: HashMap<String, Vec<String>>,
    models: HashMap<String, ExpectedModel>,
}

#[derive(Deserialize)]
struct ExpectedModel {
    images: Vec<Vec<f32>>,
    tops: Vec<Vec<String>>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    mode: String,
    chunk: usize,
    shortlist: usize,
    min: usize,
    max: Option<usize>,
    image: usize,
    caption: String,
    prompt: String,
    similarity: f32,
}

impl Expected {
    fn read() -> Self {
        serde_json::from_slice(&read("tests/golden/interrogator/expected.json")).unwrap()
    }

    fn terms(&self) -> Terms {
        let list = |name: &str| self.lists[name].join("\n");
        Terms::read(TermLists {
            mediums: &list("mediums"),
            artists: &list("artists"),
            movements: &list("movements"),
            sites: &list("sites"),
            flavors: &list("flavors"),
            negative: &list("negative"),
        })
        .unwrap()
    }
}

fn read(path: impl AsRef<Path>) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

fn tagger() -> Tagger {
    let read = |name: &str| read(Path::new("tests/golden/trained/clip-tiny").join(name));
    let (config, preprocessor) = (read("config.json"), read("preprocessor_config.json"));
    let tokenizer = read("tokenizer.json");
    let files = ModelFiles { config: &config, preprocessor: &preprocessor, tokenizer: &tokenizer };
    let mut loader = WeightsLoader::new(Dtype::F32);
    loader.push(&read("model.safetensors")).unwrap();
    Tagger::new(TaggerFiles::read(files).unwrap(), loader.finish().unwrap()).unwrap()
}

/// The model `words` of `make.py`, with the vectors of the words that it has met.
#[derive(Default)]
struct Words(HashMap<String, [f64; DIMENSIONS]>);

impl Words {
    fn words(text: &str) -> impl Iterator<Item = &str> {
        // A comma is a word.
        text.split_inclusive(',').flat_map(|part| {
            let (words, comma) = part.strip_suffix(',').map_or((part, None), |words| (words, Some(",")));
            words.split_whitespace().chain(comma)
        })
    }

    fn vector(word: &str) -> [f64; DIMENSIONS] {
        let hash = |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        let mut state = word.bytes().fold(0xcbf2_9ce4_8422_2325, hash);
        std::array::from_fn(|_| {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            ((z ^ (z >> 31)) >> 40) as f64 / f64::from(1 << 23) - 1.0
        })
    }
}

impl TextFeatures for Words {
    fn embed(&mut self, texts: &[String]) -> Result<Vec<Vec<f32>>> {
        let embed = |text: &String| {
            let mut sums = [0.0; DIMENSIONS];
            for (place, word) in Self::words(text).take(CONTEXT - 2).enumerate() {
                let weight = 1.0 - place as f64 / 128.0;
                if !self.0.contains_key(word) {
                    self.0.insert(word.to_owned(), Self::vector(word));
                }
                sums.iter_mut().zip(&self.0[word]).for_each(|(sum, x)| *sum += x * weight);
            }
            let length = sums.iter().map(|x| x * x).sum::<f64>().sqrt();
            sums.iter().map(|x| (x / length) as f32).collect()
        };
        Ok(texts.iter().map(embed).collect())
    }

    fn fills_context(&self, text: &str) -> Result<bool> {
        Ok(Self::words(text).count() + 2 >= CONTEXT)
    }
}

/// Runs every case of a model, and compares.
fn check(name: &str, model: &ExpectedModel, terms: &Terms, features: &mut impl TextFeatures) {
    let mut differ = std::collections::HashSet::new();
    for (case, limit) in model.cases.iter().zip([7, 64].into_iter().cycle()) {
        let mode = Mode::from_name(&case.mode).unwrap();
        let what = format!("{name}, {} of picture {}, chunks of {}", case.mode, case.image, case.chunk);
        let settings = InterrogationSettings {
            min_flavors: case.min,
            max_flavors: case.max,
            shortlist: case.shortlist,
            chunk: case.chunk,
            ..InterrogationSettings::new(mode)
        };
        let captions = if case.caption.is_empty() { vec![] } else { vec![&case.caption] };
        let image = model.images[case.image].clone();
        let mut run = Interrogation::new(settings, image, &captions, terms).unwrap();
        while run.step(terms, features, limit).unwrap() {
            let (done, total) = run.progress();
            assert!(done < total || total == 0, "{what}: {done} of {total}");
        }
        assert_eq!(run.prompt(), case.prompt, "{what}");
        assert!((run.similarity() - case.similarity).abs() <= BOUND, "{what}: {}", run.similarity());
        assert_eq!(run.caption(), case.caption, "{what}");
        differ.insert(&case.prompt);
    }
    assert!(differ.len() * 2 > model.cases.len(), "the cases must differ, or this proves nothing");
    // Every term in its place: what the fast mode lists, without a caption's influence.
    for (image, tops) in model.images.iter().zip(&model.tops) {
        let settings =
            InterrogationSettings { max_flavors: Some(8), ..InterrogationSettings::new(Mode::Fast) };
        let mut run = Interrogation::new(settings, image.clone(), &["x"], terms).unwrap();
        while run.step(terms, features, 64).unwrap() {}
        let listed: Vec<&str> = run.prompt().split(", ").skip(1).collect();
        assert!(listed.len() >= 3 && listed.len() <= 8, "{name}: {listed:?}");
        assert_eq!(listed, tops[..listed.len()], "{name}");
    }
}

#[test]
fn agrees_with_the_reference_on_the_same_features() {
    let expected = Expected::read();
    let terms = expected.terms();
    let embeddings = Words::default().embed(terms.texts()).unwrap();
    let terms = terms.with_embeddings(&embeddings).unwrap();
    let model = &expected.models["words"];
    check("words", model, &terms, &mut Words::default());
    assert!(model.cases.iter().any(|case| case.chunk < terms.texts().len()), "some are ranked in chunks");
}

#[test]
fn agrees_with_the_reference_over_a_clip_model() {
    let expected = Expected::read();
    let mut tagger = tagger();
    let mut terms = expected.terms();
    let (mut left, mut steps) = (terms.pending(), 0);
    assert_eq!(left, terms.texts().len());
    while left > 0 {
        let before = left;
        left = terms.encode(&mut tagger, 13).unwrap();
        assert!(left < before && before - left <= 14, "{before} to {left}");
        steps += 1;
    }
    assert!(steps > 5);
    check("clip-tiny", &expected.models["clip-tiny"], &terms, &mut TaggerTexts::new(&tagger));

    // They are kept as labels are.
    let kept = tagger.export_embeddings(usize::MAX).unwrap();
    let mut later = self::tagger();
    later.import_embeddings(&kept).unwrap();
    let mut again = expected.terms();
    assert_eq!(again.encode(&mut later, 1).unwrap(), 0, "nothing is computed twice");
}

#[test]
fn a_beginning_that_is_kept_changes_no_embedding() {
    let tagger = tagger();
    let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
    let rounds = [
        texts(&["a cat", "a dog on a table", "a cat, sharp focus"]),
        texts(&["a cat, sharp focus, red", "a cat, sharp focus, blue and white"]),
        texts(&[
            "a cat, sharp focus, red, night sky",
            "a cat, sharp focus, red, moon",
            "a cat, sharp focus, red, moon",
        ]),
        // A shorter beginning again, then another one, then a text alone, which is all of its beginning.
        texts(&["a cat, moon", "a cat, sky"]),
        texts(&["rockets", "windows"]),
        texts(&["rockets in space"]),
        texts(&["rockets in space", "rockets in space"]),
        vec!["many words ".repeat(40), "many words ".repeat(50)],
    ];
    let mut kept = TaggerTexts::new(&tagger);
    for texts in &rounds {
        let alone = tagger.text_embeddings(texts).unwrap();
        for (a, b) in kept.embed(texts).unwrap().concat().iter().zip(alone.concat()) {
            assert!((a - b).abs() <= 1e-6, "{texts:?}");
        }
    }
    assert!(kept.embed(&[]).unwrap().is_empty());
    assert!(kept.fills_context(&rounds[7][0]).unwrap() && !kept.fills_context("a cat").unwrap());
}

#[test]
fn the_most_similar_of_several_captions_is_taken() {
    let (tagger, expected) = (tagger(), Expected::read());
    let mut terms = expected.terms();
    while terms.encode(&mut tagger.clone(), 64).unwrap() > 0 {}
    let picture = image::decode(&read("tests/images/drawings/twemoji-pizza.png")).unwrap();
    let embedding = tagger.image_embedding(&picture).unwrap();
    let captions = ["a butterfly", "a slice of pizza", "a rocket"];
    let settings = InterrogationSettings::new(Mode::Fast);
    let mut run = Interrogation::new(settings, embedding, &captions, &terms).unwrap();
    while run.step(&terms, &mut TaggerTexts::new(&tagger), 2).unwrap() {}
    assert_eq!(run.caption(), "a slice of pizza");
    assert!(run.prompt().starts_with("a slice of pizza, "), "{}", run.prompt());
}

#[test]
fn refuses_lists_that_are_none() {
    let lists = TermLists {
        mediums: "a photo",
        artists: "hokusai\r\n\n  vermeer \n",
        movements: "realism",
        sites: "pixiv",
        flavors: "red\nblue",
        negative: "ugly",
    };
    let terms = Terms::read(lists).unwrap();
    assert_eq!(
        terms.texts()[..4],
        ["by hokusai", "by vermeer", "inspired by hokusai", "inspired by vermeer"]
    );
    assert_eq!(terms.texts()[4..8], ["red", "blue", "a photo", "realism"]);
    assert_eq!(
        terms.texts()[8..],
        ["pixiv", "trending on pixiv", "featured on pixiv", "pixiv contest winner"]
    );

    let refused = |lists| {
        let error = Terms::read(lists).unwrap_err();
        (error.kind(), error.to_string())
    };
    let (kind, sentence) = refused(TermLists { flavors: " \n\n", ..lists });
    assert_eq!((kind, &*sentence), (ErrorKind::LabelsEmpty, "There are no flavors: give at least one."));
    let long = format!("cubism\n{}", "x".repeat(1001));
    let (kind, sentence) = refused(TermLists { movements: &long, ..lists });
    assert_eq!(kind, ErrorKind::LabelTooLong);
    assert!(sentence.starts_with("Movement 2 has 1001 characters"), "{sentence}");
    // Each artist is asked for in two ways.
    let many = "x\n".repeat(MAX_TERMS / 2);
    assert_eq!(refused(TermLists { artists: &many, ..lists }).0, ErrorKind::LabelsTooMany);
    assert_eq!(
        refused(TermLists { negative: &"x\n".repeat(MAX_TERMS + 1), ..lists }).0,
        ErrorKind::LabelsTooMany
    );
}

#[test]
fn refuses_what_cannot_be_interrogated() {
    let expected = Expected::read();
    let pending = expected.terms();
    let embeddings = Words::default().embed(pending.texts()).unwrap();
    let image = expected.models["words"].images[0].clone();
    let usual = InterrogationSettings::new(Mode::Best);
    let kind = |settings, image: &[f32], captions: &[&str], terms: &Terms| {
        Interrogation::new(settings, image.to_vec(), captions, terms).unwrap_err().kind()
    };
    assert_eq!(kind(usual, &image, &["a cat"], &pending), ErrorKind::ArgumentInvalid, "not encoded");
    assert_eq!(pending.pending(), embeddings.len());
    let terms = expected.terms().with_embeddings(&embeddings).unwrap();
    assert_eq!(kind(usual, &image[1..], &["a cat"], &terms), ErrorKind::ArgumentInvalid, "another width");
    assert_eq!(kind(usual, &image, &[], &terms), ErrorKind::LabelsEmpty);
    assert_eq!(kind(usual, &image, &["a cat", " "], &terms), ErrorKind::LabelEmpty);
    let none = InterrogationSettings { max_flavors: Some(0), ..usual };
    assert_eq!(kind(none, &image, &["a cat"], &terms), ErrorKind::ArgumentInvalid);
    let none = InterrogationSettings { shortlist: 0, ..usual };
    assert_eq!(kind(none, &image, &["a cat"], &terms), ErrorKind::ArgumentInvalid);
    let negative = InterrogationSettings::new(Mode::Negative);
    assert_eq!(kind(negative, &image, &["a cat"], &terms), ErrorKind::ArgumentInvalid);
    assert_eq!(Mode::from_name("slow").unwrap_err().kind(), ErrorKind::ArgumentInvalid);
    let fewer = expected.terms().with_embeddings(&embeddings[1..]);
    assert_eq!(fewer.unwrap_err().kind(), ErrorKind::ArgumentInvalid);
}
