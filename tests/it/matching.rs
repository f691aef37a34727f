//! The tasks of matching and answering: the built-in matcher against the reference, and an answerer over a golden model.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};

use ocelli::kernels::Dtype;
use ocelli::tasks::{
    Answerer, AnswererFiles, CaptionOptions, DEFAULT_ANSWER_TOKENS, MAX_LABELS, Matcher, MatcherFiles,
    ModelFiles, TextMatch,
};
use ocelli::weights::{Weights, WeightsLoader};
use ocelli::{ErrorKind, Result, image};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::golden::{Golden, IMAGES, pixels};

/// The largest difference of a cosine or a logit from the reference's.
const BOUND: f32 = 1e-4;
/// The largest difference of the same text among others.
const TOGETHER: f32 = 1e-5;

/// `tests/golden/builtin/matching.json`.
#[derive(Deserialize)]
struct Expected {
    texts: Vec<String>,
    pictures: Vec<Picture>,
}

#[derive(Deserialize)]
struct Picture {
    image: String,
    cosines: Vec<f32>,
    logits: Vec<[f32; 2]>,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn expected() -> Expected {
    serde_json::from_slice(&fs::read(root().join("tests/golden/builtin/matching.json")).unwrap()).unwrap()
}

fn picture(path: &str) -> image::RgbImage {
    image::decode(&fs::read(root().join(path)).unwrap()).unwrap()
}

fn kind<T>(result: Result<T>) -> ErrorKind {
    result.err().unwrap().kind()
}

fn load(folder: &Path, unused: &[&str]) -> Weights {
    let mut loader = WeightsLoader::new(Dtype::F32);
    loader.pass_over(unused);
    let bytes = fs::read(folder.join("model.safetensors")).unwrap();
    bytes.chunks(65_521).for_each(|chunk| loader.push(chunk).unwrap());
    loader.finish().unwrap()
}

fn matcher() -> Matcher {
    let folder = root().join("tests/golden/trained/blip-tiny");
    let [config, preprocessor, tokenizer] = ["config.json", "preprocessor_config.json", "tokenizer.json"]
        .map(|file| fs::read(folder.join(file)).unwrap());
    let files = ModelFiles { config: &config, preprocessor: &preprocessor, tokenizer: &tokenizer };
    let files = MatcherFiles::read(files).unwrap();
    let weights = load(&folder, files.unused());
    Matcher::new(files, weights).unwrap()
}

#[test]
fn matches_as_the_reference_does() {
    let mut matcher = matcher();
    let expected = expected();
    let texts = matcher.texts(&expected.texts).unwrap();
    let (mut best, mut reordered) = (std::collections::HashSet::new(), false);
    for Picture { image, cosines, logits } in expected.pictures {
        let encoding = matcher.encode_image(&picture(&image)).unwrap();
        let found = matcher.matches(&encoding, &texts).unwrap();
        assert_eq!(found.len(), cosines.len());
        for (i, TextMatch { index, similarity, margin }) in found.iter().copied().enumerate() {
            let [no, yes] = logits[i];
            let margin = margin.unwrap();
            assert_eq!(index, i);
            assert!((similarity - cosines[i]).abs() < BOUND, "{image} {i}: {similarity} {}", cosines[i]);
            assert!((margin - (yes - no)).abs() < 2.0 * BOUND, "{image} {i}: {margin} {}", yes - no);
            let probability = yes.exp() / (yes.exp() + no.exp());
            assert!((found[i].probability().unwrap() - probability).abs() < BOUND, "{image} {i}");
        }
        assert_eq!(
            matcher.similarities(&encoding, &texts).unwrap(),
            found.iter().map(|found| found.similarity).collect::<Vec<_>>()
        );

        let all = matcher.rank(&encoding, &texts, usize::MAX).unwrap();
        assert!(all.is_sorted_by(|a, b| a.margin >= b.margin));
        let quick = matcher.rank(&encoding, &texts, 0).unwrap();
        assert!(quick.is_sorted_by(|a, b| a.similarity >= b.similarity));
        assert!(quick.iter().all(|found| found.margin.is_none() && found.probability().is_none()));
        let some = matcher.rank(&encoding, &texts, 2).unwrap();
        assert!(some[..2].iter().all(|found| found.margin.is_some()) && some[0].margin >= some[1].margin);
        assert!(some[2..].iter().zip(&quick[2..]).all(|(a, b)| a == b));
        best.insert(all[0].index);
        reordered |= all.iter().zip(&quick).any(|(a, b)| a.index != b.index);
    }
    assert!(best.len() > 2, "The same text is best for all pictures: this test proves nothing.");
    assert!(reordered, "Matching changes no order: this test proves nothing.");
}

#[test]
fn texts_in_any_batches_are_the_same() {
    let mut matcher = matcher();
    let expected = expected();
    let texts = matcher.texts(&expected.texts).unwrap();
    let mut encoding = matcher.encode_image(&picture(&expected.pictures[0].image)).unwrap();
    while matcher.advance(&mut encoding).unwrap() > 0 {}
    let whole = matcher.matches(&encoding, &texts).unwrap();
    for limit in [1, 2, 5] {
        // A matcher of its own: the first one remembers all embeddings.
        let mut matcher = self::matcher();
        let mut run = matcher.compare(&encoding, &texts, usize::MAX).unwrap();
        let mut left = run.total();
        assert_eq!(left, 2 * whole.len());
        assert_eq!(kind(run.matches()), ErrorKind::ArgumentInvalid);
        while left > 0 {
            let now = matcher.step(&mut run, limit).unwrap();
            assert!(now < left && left - now <= limit, "{left} {now}");
            left = now;
        }
        assert_eq!(matcher.step(&mut run, limit).unwrap(), 0);
        for (a, b) in run.matches().unwrap().iter().zip(&whole) {
            assert!((a.similarity - b.similarity).abs() < TOGETHER);
            assert!((a.margin.unwrap() - b.margin.unwrap()).abs() < 10.0 * TOGETHER);
        }
        // Embeddings are remembered: the next list costs one step.
        let mut again = matcher.compare(&encoding, &texts, 0).unwrap();
        assert_eq!(matcher.step(&mut again, 1).unwrap(), 0);
    }
}

#[test]
fn the_most_texts_work_and_what_is_no_text_is_refused() {
    let mut matcher = matcher();
    let texts: Vec<String> = (0..=MAX_LABELS).map(|i| format!("thing {i}")).collect();
    assert_eq!(kind(matcher.texts(&texts)), ErrorKind::LabelsTooMany);
    assert_eq!(kind(matcher.texts::<&str>(&[])), ErrorKind::LabelsEmpty);
    assert_eq!(kind(matcher.texts(&["a", " \n"])), ErrorKind::LabelEmpty);
    assert_eq!(kind(matcher.texts(&["x".repeat(1001)])), ErrorKind::LabelTooLong);
    assert_eq!(matcher.texts(&["a", ""]).unwrap_err().to_string(), "Text 2 is empty.");
    let texts = matcher.texts(&texts[1..]).unwrap();
    let encoding = matcher.encode_image(&picture(&expected().pictures[0].image)).unwrap();
    let ranked = matcher.rank(&encoding, &texts, 3).unwrap();
    assert_eq!(ranked.len(), MAX_LABELS);
    assert_eq!(ranked.iter().filter(|found| found.margin.is_some()).count(), 3);
}

#[test]
fn what_comes_after_the_last_token_that_is_read_changes_nothing() {
    let mut matcher = matcher();
    let long = "a red kite ".repeat(12);
    let texts = [long.clone(), format!("{long} and a rocket"), "a red kite and a rocket".to_owned()];
    let encoding = matcher.encode_image(&picture(&expected().pictures[0].image)).unwrap();
    let texts = matcher.texts(&texts).unwrap();
    let found = matcher.matches(&encoding, &texts).unwrap();
    assert_eq!(found[0].similarity, found[1].similarity);
    assert_ne!(found[0].similarity, found[2].similarity);
}

/// A tokenizer in which the word of id 7 is `w7`.
fn tokenizer() -> Value {
    let special = [(0, "[PAD]"), (1, "[UNK]"), (5, "[SEP]"), (97, "[CLS]"), (98, "[DEC]")];
    let name = |id| {
        special
            .iter()
            .find(|(other, _)| *other == id)
            .map_or(format!("w{id}"), |(_, name)| (*name).to_owned())
    };
    let vocab: serde_json::Map<String, Value> = (0..100).map(|id| (name(id), id.into())).collect();
    let added: Vec<Value> = special
        .iter()
        .map(|(id, content)| {
            json!({
                "id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
                "normalized": false, "special": true,
            })
        })
        .collect();
    json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": added, "normalizer": null,
        "pre_tokenizer": {"type": "WhitespaceSplit"}, "post_processor": null, "decoder": null,
        "model": {
            "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100, "vocab": vocab,
        },
    })
}

fn answerer_folder() -> PathBuf {
    root().join("tests/golden/models/blip-vqa-untied")
}

fn answerer_files(tokenizer: &Value) -> Result<AnswererFiles> {
    answerer_files_with(tokenizer, br#"{"size": {"height": 32, "width": 32}}"#)
}

fn answerer_files_with(tokenizer: &Value, preprocessor: &[u8]) -> Result<AnswererFiles> {
    AnswererFiles::read(ModelFiles {
        config: &fs::read(answerer_folder().join("config.json")).unwrap(),
        preprocessor,
        tokenizer: tokenizer.to_string().as_bytes(),
    })
}

fn answerer() -> Answerer {
    let files = answerer_files(&tokenizer()).unwrap();
    let weights = load(&answerer_folder(), files.unused());
    Answerer::new(files, weights).unwrap()
}

#[test]
fn answers_in_steps_and_at_most_as_long_as_allowed() {
    let answerer = answerer();
    let encoding = answerer.encode_image(&picture(&expected().pictures[0].image)).unwrap();
    let mut answers = std::collections::HashSet::new();
    for question in ["w12 w40 w30", "w60", "w80 w81 w82"] {
        for num_beams in [None, Some(3)] {
            let options = CaptionOptions { num_beams, ..CaptionOptions::default() };
            let plan = answerer.plan(question, &options).unwrap();
            let whole = answerer.answer(&encoding, &plan).unwrap();
            let mut run = answerer.write(&encoding, &plan).unwrap();
            let mut steps = 1;
            while run.step().unwrap() {
                steps += 1;
            }
            assert!(!run.step().unwrap(), "It has ended.");
            assert!(steps <= DEFAULT_ANSWER_TOKENS);
            assert_eq!(run.answer().unwrap(), whole);
            let words: Vec<String> = run.token_ids().iter().map(|id| format!("w{id}")).collect();
            assert_eq!(whole, words.join(" "));
            answers.insert(whole);
        }
        let short = CaptionOptions { max_tokens: Some(2), min_tokens: 2, ..CaptionOptions::default() };
        let plan = answerer.plan(question, &short).unwrap();
        let mut run = answerer.write(&encoding, &plan).unwrap();
        while run.step().unwrap() {}
        assert_eq!(run.token_ids().len(), 2);
    }
    assert!(answers.len() > 2, "The answers are all alike: this test proves nothing.");
}

#[test]
fn weighs_answers_in_any_batches() {
    let answerer = answerer();
    let encoding = answerer.encode_image(&picture(&expected().pictures[0].image)).unwrap();
    let answers = ["w30 w44", "w30", "w30 w44 w9", "w12", "w8 w8 w8 w8 w8", "w12"];
    let choices = answerer.choices("w60 w61", &answers).unwrap();
    let scores = answerer.scores(&encoding, &choices).unwrap();
    assert!(scores.iter().all(|&score| score < 0.0) && scores[3] == scores[5]);
    assert!(scores[2] < scores[0], "or answers would not be counted to their end");
    for limit in [1, 2, 4] {
        let mut run = answerer.weigh(&encoding, &choices).unwrap();
        let mut left = answers.len();
        while left > 0 {
            let now = run.step(limit).unwrap();
            assert_eq!(now, left.saturating_sub(limit));
            left = now;
        }
        assert_eq!(run.step(limit).unwrap(), 0);
        assert!(run.scores().iter().zip(&scores).all(|(a, b)| (a - b).abs() < 10.0 * TOGETHER));
        let probabilities = run.probabilities();
        assert!((probabilities.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        let ratio = (probabilities[0] / probabilities[1]).ln();
        assert!((ratio - (scores[0] - scores[1])).abs() < 1e-3);
    }
    let other = answerer.choices("w80", &answers).unwrap();
    assert_ne!(answerer.scores(&encoding, &other).unwrap(), scores, "The question does not matter.");
}

/// The largest difference of a log-likelihood from the reference's where the picture is off by half a level of 256.
/// Measured: 0.38, of scores from -135 to -16.
const ROUNDED: f32 = 0.5;

/// The picture that is nearest to golden pixels, which are -2 to 2, and the preprocessor that makes them of it.
fn rounded(image: usize) -> (image::RgbImage, &'static [u8]) {
    const SIZE: usize = 32;
    let pixels = pixels(SIZE).get(image).unwrap().to_vec3::<f32>().unwrap();
    let picture = image::RgbImage::from_fn(SIZE as u32, SIZE as u32, |x, y| {
        ::image::Rgb(
            [0, 1, 2].map(|c| ((pixels[c][y as usize][x as usize] + 2.0) / 4.0 * 255.0).round() as u8),
        )
    });
    (picture, br#"{"size": {"height": 32, "width": 32}, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.25, 0.25, 0.25]}"#)
}

/// Rows of golden ids that were filled up, as words.
fn words(golden: &Golden, ids: &str, lengths: &str) -> Vec<String> {
    let (ids, lengths) = (golden.ids(ids), golden.ids(lengths));
    let rows = ids.chunks(ids.len() / lengths.len()).zip(lengths);
    // Without the first token and the last, which are not the text's.
    rows.map(|(row, length)| sentence(&row[1..length as usize - 1])).collect()
}

fn sentence(ids: &[u32]) -> String {
    ids.iter().map(|id| format!("w{id}")).collect::<Vec<_>>().join(" ")
}

#[test]
fn answers_questions_in_words_as_the_reference_does() {
    let golden = Golden::read("blip-vqa-untied");
    let (questions, answers) =
        (words(&golden, "questions", "question_lengths"), words(&golden, "answers", "answer_lengths"));
    let beams = |num_beams, max_tokens| CaptionOptions {
        num_beams: Some(num_beams),
        max_tokens: Some(max_tokens),
        ..CaptionOptions::default()
    };
    // Those of tests/vqa.rs that half a level of a picture does not lead elsewhere.
    let searches = [
        ("default", CaptionOptions::default()),
        ("beams_2", beams(2, 12)),
        ("beams_4", CaptionOptions { early_stopping: true, ..beams(4, 12) }),
    ];
    let (mut written, mut largest, mut lowest, mut highest) =
        (std::collections::HashSet::new(), 0f32, f32::MAX, f32::MIN);
    for i in 0..IMAGES {
        let (picture, preprocessor) = rounded(i);
        let files = answerer_files_with(&tokenizer(), preprocessor).unwrap();
        let weights = load(&answerer_folder(), files.unused());
        let answerer = Answerer::new(files, weights).unwrap();
        let encoding = answerer.encode_image(&picture).unwrap();
        for (q, question) in questions.iter().enumerate() {
            for (name, options) in &searches {
                let plan = answerer.plan(question, options).unwrap();
                let mut run = answerer.write(&encoding, &plan).unwrap();
                while run.step().unwrap() {}
                let expected = golden.ids(&format!("{name}_{i}_{q}"));
                // [DEC] before it, [SEP] after it, and what fills it up.
                let length = expected.iter().position(|&id| id == 5).unwrap_or(expected.len());
                assert_eq!(run.token_ids(), &expected[1..length], "{name}, image {i}, {question}");
                assert_eq!(run.answer().unwrap(), sentence(&expected[1..length]));
                written.insert(run.answer().unwrap());
            }
            let choices = answerer.choices(question, &answers).unwrap();
            let scores = answerer.scores(&encoding, &choices).unwrap();
            let expected = golden.floats(&format!("scores_{i}_{q}")).to_vec1::<f32>().unwrap();
            assert_eq!(scores.len(), expected.len());
            for (score, wanted) in scores.iter().zip(&expected) {
                largest = largest.max((score - wanted).abs());
                (lowest, highest) = (lowest.min(*wanted), highest.max(*wanted));
            }
        }
    }
    println!("log-likelihoods of {lowest} to {highest} differ by at most {largest}");
    assert!(written.len() > 10, "{} answers: this test proves little", written.len());
    assert!(highest - lowest > 100.0 * ROUNDED, "The scores are all alike: this test proves nothing.");
    assert!(largest <= ROUNDED, "{largest}");
}

#[test]
fn refuses_questions_and_answers_that_are_none() {
    let answerer = answerer();
    let default = CaptionOptions::default();
    for question in ["", " \t", &"w1 ".repeat(5_000)] {
        assert_eq!(kind(answerer.plan(question, &default)), ErrorKind::ArgumentInvalid);
        assert_eq!(kind(answerer.choices(question, &["w1"])), ErrorKind::ArgumentInvalid);
    }
    // Too long a question loses its end.
    assert!(answerer.plan(&"w1 ".repeat(60), &default).is_ok());
    for options in [
        CaptionOptions { max_tokens: Some(0), ..default.clone() },
        CaptionOptions { max_tokens: Some(24), ..default.clone() },
        CaptionOptions { min_tokens: 21, ..default.clone() },
        CaptionOptions { num_beams: Some(65), ..default.clone() },
        CaptionOptions { length_penalty: Some(f32::NAN), ..default.clone() },
        CaptionOptions { prompt: Some("w1".to_owned()), ..default.clone() },
        CaptionOptions { num_captions: Some(2), num_beams: Some(2), ..default.clone() },
    ] {
        assert_eq!(kind(answerer.plan("w1", &options)), ErrorKind::ArgumentInvalid, "{options:?}");
    }
    assert_eq!(kind(answerer.choices::<&str>("w1", &[])), ErrorKind::LabelsEmpty);
    assert_eq!(kind(answerer.choices("w1", &["w1", ""])), ErrorKind::LabelEmpty);
    assert_eq!(kind(answerer.choices("w1", &["x".repeat(1001)])), ErrorKind::LabelTooLong);
    assert_eq!(kind(answerer.choices("w1", &vec!["w1"; MAX_LABELS + 1])), ErrorKind::LabelsTooMany);
    let error = answerer.choices("w1", &["w1".to_owned(), "w2 ".repeat(23)]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ArgumentInvalid);
    assert!(error.to_string().contains("Answer 2 has 23 tokens"), "{error}");
    assert!(answerer.choices("w1", &["w2 ".repeat(22)]).is_ok());
}

#[test]
fn files_without_a_frame_for_texts_are_refused_before_the_weights() {
    let renamed = tokenizer().to_string().replace("[CLS]", "[BEGIN]");
    let renamed = serde_json::from_str(&renamed).unwrap();
    assert_eq!(kind(answerer_files(&renamed)), ErrorKind::TokenizerInvalid);
}

/// A file may have heads for more than one task, and may lack those of this one.
#[test]
fn a_captioner_is_no_answerer() {
    let folder = root().join("tests/golden/models/blip-tied");
    let files = AnswererFiles::read(ModelFiles {
        config: &fs::read(folder.join("config.json")).unwrap(),
        preprocessor: br#"{"size": {"height": 32, "width": 32}}"#,
        tokenizer: tokenizer().to_string().as_bytes(),
    })
    .unwrap();
    let weights = load(&folder, files.unused());
    let error = Answerer::new(files, weights).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::WeightsMismatch);
    assert!(error.to_string().contains("text_encoder."), "{error}");
}
