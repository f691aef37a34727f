//! The tasks, from a model's files to answers, over the built-in models and against the reference.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};

use ocelli::kernels::Dtype;
use ocelli::tasks::{
    Caption, CaptionOptions, Captioner, CaptionerFiles, MAX_LABELS, ModelFiles, Sampling, Tagger, TaggerFiles,
};
use ocelli::weights::{Weights, WeightsLoader};
use ocelli::{ErrorKind, Result, image};
use serde::Deserialize;

/// The largest difference of a probability from the reference's.
const SCORE_BOUND: f32 = 1e-4;
/// The token that ends the built-in model's captions.
const SEP: u32 = 3;
const TEMPLATE: &str = "a photo of a {}.";

/// One picture of `tests/golden/builtin/expected.json`.
#[derive(Deserialize)]
struct Expected {
    image: String,
    scores: Vec<f32>,
    ids: Vec<u32>,
    caption: String,
    prompted: Vec<u32>,
    penalised: Vec<u32>,
    beams: Vec<Vec<u32>>,
    beam_scores: Vec<f32>,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn expected() -> Vec<Expected> {
    serde_json::from_slice(&fs::read(root().join("tests/golden/builtin/expected.json")).unwrap()).unwrap()
}

/// The bytes of a built-in model's files.
struct Files {
    config: Vec<u8>,
    preprocessor: Vec<u8>,
    tokenizer: Vec<u8>,
    folder: PathBuf,
}

impl Files {
    fn read(name: &str) -> Self {
        let folder = root().join("tests/golden/trained").join(name);
        let read = |file| fs::read(folder.join(file)).unwrap();
        Self {
            config: read("config.json"),
            preprocessor: read("preprocessor_config.json"),
            tokenizer: read("tokenizer.json"),
            folder,
        }
    }

    fn borrow(&self) -> ModelFiles<'_> {
        ModelFiles { config: &self.config, preprocessor: &self.preprocessor, tokenizer: &self.tokenizer }
    }

    fn weights(&self) -> Weights {
        load(&self.weight_bytes())
    }

    fn weight_bytes(&self) -> Vec<u8> {
        fs::read(self.folder.join("model.safetensors")).unwrap()
    }
}

fn load(bytes: &[u8]) -> Weights {
    let mut loader = WeightsLoader::new(Dtype::F32);
    bytes.chunks(65_521).for_each(|chunk| loader.push(chunk).unwrap());
    loader.finish().unwrap()
}

fn tagger() -> Tagger {
    let files = Files::read("clip-tiny");
    Tagger::new(TaggerFiles::read(files.borrow()).unwrap(), files.weights()).unwrap()
}

pub fn captioner() -> Captioner {
    let files = Files::read("blip-tiny");
    Captioner::new(CaptionerFiles::read(files.borrow()).unwrap(), files.weights()).unwrap()
}

pub fn picture(path: &str) -> image::RgbImage {
    image::decode(&fs::read(root().join(path)).unwrap()).unwrap()
}

fn kind<T>(result: Result<T>) -> ErrorKind {
    result.err().unwrap().kind()
}

#[test]
fn tags_as_the_reference_does() {
    let labels: Vec<String> =
        serde_json::from_slice(&fs::read(root().join("tests/golden/trained/clip-tiny/labels.json")).unwrap())
            .unwrap();
    let mut tagger = tagger();
    let mut set = tagger.labels(&labels, TEMPLATE).unwrap();
    let mut best = std::collections::HashSet::new();
    for expected in expected() {
        let scores = tagger.tag(&picture(&expected.image), &mut set).unwrap();
        assert_eq!(scores.len(), labels.len());
        for ((score, wanted), label) in scores.iter().zip(&expected.scores).zip(&labels) {
            assert!((score - wanted).abs() < SCORE_BOUND, "{}: {label} {score} {wanted}", expected.image);
        }
        best.insert(scores.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).unwrap().0);
    }
    assert!(best.len() > 3, "The pictures are all tagged alike: this test proves nothing.");
}

#[test]
fn a_look_can_be_taken_layer_by_layer_and_asked_twice() {
    let (mut tagger, captioner) = (tagger(), captioner());
    let picture = picture(&expected()[0].image);
    let mut set = tagger.labels(&["cat", "rocket", "pizza"], "a photo of a {}.").unwrap();
    let scores = tagger.tag(&picture, &mut set).unwrap();
    let mut encoding = tagger.encode_image(&picture).unwrap();
    let mut left = tagger.advance(&mut encoding).unwrap();
    assert!(left > 1, "Of one layer nothing can be seen.");
    let embedding = tagger.embedding_of(&encoding).unwrap();
    assert_eq!(tagger.tag_embedding(&embedding, &mut set).unwrap(), scores, "part of the way");
    while left > 0 {
        left = tagger.advance(&mut encoding).unwrap();
    }
    assert_eq!(tagger.advance(&mut encoding).unwrap(), 0);
    let embedding = tagger.embedding_of(&encoding).unwrap();
    assert_eq!(tagger.tag_embedding(&embedding, &mut set).unwrap(), scores, "all the way");

    let options = CaptionOptions::default();
    let caption = captioner.caption(&picture, &options).unwrap();
    let mut encoding = captioner.encode_image(&picture).unwrap();
    while captioner.advance(&mut encoding).unwrap() > 0 {}
    let plan = captioner.plan(&options).unwrap();
    for _ in 0..2 {
        let run = captioner.write(&encoding, &plan).unwrap();
        assert_eq!(run.collect::<Result<String, _>>().unwrap(), caption);
    }
}

#[test]
fn captions_as_the_reference_does() {
    let captioner = captioner();
    let mut captions = std::collections::HashSet::new();
    let (mut in_pieces, mut improved) = (false, 0);
    for expected in expected() {
        let mut run = captioner.start(&picture(&expected.image), &CaptionOptions::default()).unwrap();
        let pieces: Vec<String> = run.by_ref().map(Result::unwrap).collect();
        assert_eq!(pieces.concat(), expected.caption, "{}", expected.image);
        in_pieces |= pieces.len() > 1;
        // The reference's ids end with the [SEP] that ours leave out.
        assert!(expected.ids.starts_with(run.token_ids()), "{}", expected.image);
        captions.insert(expected.caption);

        improved += usize::from(expected.beams[0] != expected.ids);
    }
    assert!(in_pieces, "No caption came in pieces.");
    assert!(improved > 0, "Beams find what greed finds: this test proves nothing.");
    assert!(captions.len() > 3, "The captions are all alike: this test proves nothing.");
}

/// The ids that `options` lead to, and the captions.
fn written(captioner: &Captioner, image: &str, options: &CaptionOptions) -> (Vec<u32>, Vec<Caption>) {
    let mut run = captioner.start(&picture(image), options).unwrap();
    let text: String = run.by_ref().map(Result::unwrap).collect();
    let captions = run.captions().unwrap();
    assert_eq!(captions[0].text, text, "the pieces are the best caption");
    (run.token_ids().to_vec(), captions)
}

#[test]
fn searches_as_the_reference_does() {
    let captioner = captioner();
    let penalised = CaptionOptions {
        repetition_penalty: Some(1.3),
        no_repeat_ngram_size: Some(2),
        min_tokens: 12,
        ..CaptionOptions::default()
    };
    let beams = CaptionOptions { num_beams: Some(3), num_captions: Some(3), ..CaptionOptions::default() };
    let prompted = CaptionOptions { prompt: Some("two small".to_owned()), ..beams.clone() };
    for expected in expected() {
        // The reference's ids end with the [SEP] that ours leave out.
        let without_end = |ids: &[u32]| ids[..ids.len() - usize::from(ids.last() == Some(&SEP))].to_vec();
        let (ids, _) = written(&captioner, &expected.image, &penalised);
        assert_eq!(ids, without_end(&expected.penalised), "{}, penalised", expected.image);
        assert_ne!(expected.penalised, expected.ids);

        let (ids, captions) = written(&captioner, &expected.image, &prompted);
        assert_eq!(ids, without_end(&expected.prompted), "{} after a prompt", expected.image);
        assert!(captions[0].text.starts_with("two small"));

        let (ids, captions) = written(&captioner, &expected.image, &beams);
        assert_eq!(ids, without_end(&expected.beams[0]), "{} with beams", expected.image);
        assert_eq!(captions.len(), 3);
        let files = Files::read("blip-tiny");
        let tokenizer = ocelli::text::CaptionTokenizer::from_json(&files.tokenizer).unwrap();
        for (caption, (ids, score)) in captions.iter().zip(expected.beams.iter().zip(&expected.beam_scores)) {
            assert_eq!(caption.text, tokenizer.decode(ids).unwrap(), "{}", expected.image);
            assert!((caption.score - score).abs() < SCORE_BOUND, "{}: {}", expected.image, caption.score);
        }
    }
}

#[test]
fn several_captions_are_drawn_at_once_and_a_seed_draws_the_same() {
    let captioner = captioner();
    let image = &expected()[0].image;
    let options = |count, seed| CaptionOptions {
        sampling: Some(Sampling { temperature: 1.5, top_p: 0.95, seed, ..Sampling::default() }),
        num_captions: Some(count),
        ..CaptionOptions::default()
    };
    let (_, captions) = written(&captioner, image, &options(8, 5));
    assert_eq!(captions.len(), 8);
    assert!(captions.is_sorted_by(|a, b| a.score >= b.score));
    let texts: std::collections::HashSet<&str> = captions.iter().map(|caption| &*caption.text).collect();
    assert!(texts.len() > 2, "all alike: this proves nothing");
    assert_eq!(written(&captioner, image, &options(8, 5)).1, captions);
    assert_ne!(written(&captioner, image, &options(8, 6)).1, captions);
    let (_, alone) = written(&captioner, image, &options(1, 5));
    assert!(texts.contains(&*alone[0].text));
    assert_eq!(captioner.captions(&picture(image), &options(1, 5)).unwrap(), alone);

    // Of drawing nothing but the most probable, there is one outcome.
    let greedy = CaptionOptions {
        sampling: Some(Sampling { top_k: 1, seed: 9, ..Sampling::default() }),
        ..CaptionOptions::default()
    };
    let (ids, _) = written(&captioner, image, &greedy);
    assert!(expected()[0].ids.starts_with(&ids));
}

#[test]
fn labels_are_encoded_in_steps_and_only_once() {
    let mut tagger = tagger();
    let labels = ["cat", "dog", "cat", "teapot", "tree", "sun"];
    let mut set = tagger.labels(&labels, TEMPLATE).unwrap();
    assert_eq!(set.pending(), 6);
    // Two go through the model; the second "cat" comes with the first.
    assert_eq!(tagger.encode_labels(&mut set, 2).unwrap(), 3);
    assert_eq!(tagger.encode_labels(&mut set, 2).unwrap(), 1);
    assert_eq!(tagger.encode_labels(&mut set, 2).unwrap(), 0);

    let image = picture(&expected()[0].image);
    let scores = tagger.tag(&image, &mut set).unwrap();
    assert_eq!(scores[0], scores[2], "the same label has the same score");
    assert!((scores.iter().sum::<f32>() - 1.0).abs() < 1e-5);

    // A set of labels that are all known needs no step of its own.
    let mut known = tagger.labels(&["sun", "cat"], TEMPLATE).unwrap();
    assert_eq!(tagger.encode_labels(&mut known, 1).unwrap(), 0);
    // Another template is another prompt.
    let mut other = tagger.labels(&["sun", "cat"], "{}").unwrap();
    assert_eq!(tagger.encode_labels(&mut other, 1).unwrap(), 1);
}

#[test]
fn the_most_labels_work_and_one_more_is_refused() {
    let mut tagger = tagger();
    let labels: Vec<String> = (0..=MAX_LABELS).map(|i| format!("thing {i}")).collect();
    assert_eq!(kind(tagger.labels(&labels, "{}")), ErrorKind::LabelsTooMany);
    let mut set = tagger.labels(&labels[1..], "{}").unwrap();
    let scores = tagger.tag(&picture(&expected()[0].image), &mut set).unwrap();
    assert_eq!(scores.len(), MAX_LABELS);

    // The next picture asks for the same labels; a second set of as many pushes the first out of memory, not itself.
    for template in ["a {}", "the {}"] {
        let mut set = tagger.labels(&labels[1..], template).unwrap();
        while tagger.encode_labels(&mut set, 32).unwrap() > 0 {}
        let mut again = tagger.labels(&labels[1..], template).unwrap();
        assert_eq!(tagger.encode_labels(&mut again, 1).unwrap(), 0, "{template}");
    }
}

fn drawn(sampling: Sampling) -> CaptionOptions {
    CaptionOptions { sampling: Some(sampling), ..CaptionOptions::default() }
}

#[test]
fn a_caption_continues_its_prompt_and_ends_at_its_limit() {
    let captioner = captioner();
    let image = picture(&expected()[0].image);
    let caption = |prompt: Option<&str>, max_tokens| {
        let prompt = prompt.map(str::to_owned);
        captioner.caption(&image, &CaptionOptions { prompt, max_tokens, ..CaptionOptions::default() })
    };
    let whole = caption(None, None).unwrap();
    let short = caption(None, Some(2)).unwrap();
    assert!(whole.starts_with(&short) && short.len() < whole.len(), "{short:?} is no start of {whole:?}");
    assert!(caption(Some("two apples"), None).unwrap().starts_with("two apples"));
    assert_eq!(kind(caption(None, Some(0))), ErrorKind::ArgumentInvalid);
    let with = |options: CaptionOptions| captioner.caption(&image, &options);
    let longer = with(CaptionOptions { min_tokens: 28, ..CaptionOptions::default() }).unwrap();
    assert!(
        longer.starts_with(&whole) && longer.len() > whole.len(),
        "{longer:?} is no longer than {whole:?}"
    );
    for wrong in [
        CaptionOptions { min_tokens: 4, max_tokens: Some(3), ..CaptionOptions::default() },
        CaptionOptions { num_beams: Some(0), ..CaptionOptions::default() },
        CaptionOptions { num_beams: Some(65), ..CaptionOptions::default() },
        CaptionOptions { length_penalty: Some(f32::NAN), ..CaptionOptions::default() },
    ] {
        assert_eq!(kind(with(wrong)), ErrorKind::ArgumentInvalid);
    }
    assert!(captioner.plan(&CaptionOptions { num_captions: Some(64), ..drawn(Sampling::default()) }).is_ok());
    let with = |count, beams| CaptionOptions {
        num_captions: Some(count),
        num_beams: Some(beams),
        ..CaptionOptions::default()
    };
    assert!(captioner.plan(&with(3, 3)).is_ok());
    for (name, wrong) in [
        ("repetitionPenalty", CaptionOptions { repetition_penalty: Some(0.0), ..CaptionOptions::default() }),
        (
            "repetitionPenalty",
            CaptionOptions { repetition_penalty: Some(f32::NAN), ..CaptionOptions::default() },
        ),
        ("noRepeatNgramSize", CaptionOptions { no_repeat_ngram_size: Some(0), ..CaptionOptions::default() }),
        ("temperature", drawn(Sampling { temperature: 0.0, ..Sampling::default() })),
        ("temperature", drawn(Sampling { temperature: f32::INFINITY, ..Sampling::default() })),
        ("topK", drawn(Sampling { top_k: 0, ..Sampling::default() })),
        ("topP", drawn(Sampling { top_p: 0.0, ..Sampling::default() })),
        ("topP", drawn(Sampling { top_p: 1.01, ..Sampling::default() })),
        ("topP", drawn(Sampling { top_p: f64::NAN, ..Sampling::default() })),
        ("numBeams", CaptionOptions { num_beams: Some(2), ..drawn(Sampling::default()) }),
        ("numCaptions", CaptionOptions { num_captions: Some(65), ..drawn(Sampling::default()) }),
        ("numCaptions", with(0, 3)),
        ("numCaptions", with(4, 3)),
        ("numCaptions", with(2, 1)),
    ] {
        let error = captioner.plan(&wrong).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::ArgumentInvalid, "{name}");
        assert!(error.to_string().starts_with(name) && error.to_string().ends_with('.'), "{name}: {error}");
    }
    assert_eq!(kind(caption(None, Some(60_000))), ErrorKind::ArgumentInvalid);

    // Of 32 tokens that the model has room for, one begins the caption and one comes after the prompt.
    let filled = |count| caption(Some(&"a ".repeat(count)), None);
    assert!(filled(30).is_ok());
    for count in [31, 1_900] {
        let error = filled(count).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ArgumentInvalid);
        let message = format!("The prompt has {count} tokens; the model takes at most 30.");
        assert_eq!(error.to_string(), message);
    }
    let two =
        CaptionOptions { prompt: Some("a ".repeat(30)), max_tokens: Some(2), ..CaptionOptions::default() };
    let message = "maxTokens is 2; after this prompt the model can write 1 to 1 tokens.";
    assert_eq!(captioner.plan(&two).err().unwrap().to_string(), message);
}

#[test]
fn files_that_do_not_fit_each_other_are_refused_before_the_weights() {
    let mut files = Files::read("clip-tiny");
    files.preprocessor = br#"{"size": 224, "crop_size": 224}"#.to_vec();
    assert_eq!(kind(TaggerFiles::read(files.borrow())), ErrorKind::PreprocessorInvalid);

    let mut files = Files::read("clip-tiny");
    files.config = fs::read(root().join("tests/golden/trained/blip-tiny/config.json")).unwrap();
    assert_eq!(kind(TaggerFiles::read(files.borrow())), ErrorKind::ConfigInvalid);

    let mut files = Files::read("blip-tiny");
    files.tokenizer = fs::read(root().join("tests/golden/trained/clip-tiny/tokenizer.json")).unwrap();
    assert_eq!(kind(CaptionerFiles::read(files.borrow())), ErrorKind::TokenizerInvalid);
}

#[test]
fn a_tokenizer_that_ends_texts_with_another_token_is_refused() {
    let mut files = Files::read("clip-tiny");
    let mut config: serde_json::Value = serde_json::from_slice(&files.config).unwrap();
    let end = config["text_config"]["eos_token_id"].as_u64().unwrap();
    config["text_config"]["eos_token_id"] = (end - 1).into();
    files.config = config.to_string().into_bytes();
    assert_eq!(kind(TaggerFiles::read(files.borrow())), ErrorKind::TokenizerInvalid);
}

#[test]
fn weights_that_give_no_numbers_are_an_error_and_not_a_result() {
    let files = Files::read("clip-tiny");
    let mut bytes = files.weight_bytes();
    let start = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header: serde_json::Value = serde_json::from_slice(&bytes[8..start]).unwrap();
    let place = start + header["logit_scale"]["data_offsets"][0].as_u64().unwrap() as usize;
    // As f16, 0x5590 is 89: its exponential is beyond f32.
    bytes[place..place + 2].copy_from_slice(&0x5590u16.to_le_bytes());
    let mut tagger = Tagger::new(TaggerFiles::read(files.borrow()).unwrap(), load(&bytes)).unwrap();
    let mut set = tagger.labels(&["cat", "dog"], TEMPLATE).unwrap();
    assert_eq!(kind(tagger.tag(&picture(&expected()[0].image), &mut set)), ErrorKind::WeightsInvalid);
}

#[test]
fn weights_of_another_model_are_named() {
    let (clip, blip) = (Files::read("clip-tiny"), Files::read("blip-tiny"));
    let error = Tagger::new(TaggerFiles::read(clip.borrow()).unwrap(), blip.weights()).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::WeightsMismatch);
    assert!(error.to_string().contains("vision_model"), "{error}");
}
