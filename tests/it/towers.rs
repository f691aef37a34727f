//! Models with convolutional towers against the reference; see tests/golden/models/make_towers.py.
#![allow(clippy::unwrap_used, clippy::panic)]

use ocelli::ErrorKind;
use ocelli::image::RgbImage;
use ocelli::kernels::Dtype;
use ocelli::models::Trace;
use ocelli::models::dual::{DualConfig, DualEncoder, Towers};
use ocelli::models::ocelli::{OcelliConfig, OcelliModel, Parts};
use ocelli::tasks::{
    CaptionOptions, LabelSet, ModelFiles, Ocelli, OcelliFiles, OcelliModelFiles, Scores, Tagger, TaggerFiles,
};
use ocelli::weights::{Weights, WeightsLoader};
use serde_json::{Value, json};

use crate::golden::{self, Golden, IMAGES, assert_close, difference, pixels, unit};

const RESNET: &str = "open-clip-resnet";
const LITE: &str = "ocelli-lite";
/// The largest difference of a map from the reference's, as part of its largest value.
const MAP_BOUND: f32 = 1e-3;
/// Least cosine of an embedding in int8 or f16 and the same in f32.
const COSINE: f32 = 0.995;
/// The captions and texts of make_towers.py.
const CAPTION: [u32; 8] = [98, 7, 60, 3, 3, 41, 12, 88];
const MATCHED: [&[u32]; 2] = [&[97, 12, 40, 33, 5], &[97, 60, 5]];

fn weights(golden: &Golden, dtype: Dtype, unused: &[&str]) -> Weights {
    let mut loader = WeightsLoader::new(dtype);
    loader.pass_over(unused);
    golden.model.chunks(10_007).for_each(|chunk| loader.push(chunk).unwrap());
    loader.finish().unwrap()
}

fn resnet(dtype: Dtype) -> (Golden, DualEncoder) {
    let golden = Golden::read(RESNET);
    let config = DualConfig::from_json(&golden.config).unwrap();
    let model = DualEncoder::new(&config, weights(&golden, dtype, &[])).unwrap();
    (golden, model)
}

fn lite(dtype: Dtype) -> (Golden, OcelliModel) {
    let golden = Golden::read(LITE);
    let config = OcelliConfig::from_json(&golden.config).unwrap();
    let model = OcelliModel::new(&config, Parts::ALL, weights(&golden, dtype, &[])).unwrap();
    (golden, model)
}

/// Both taggers, with the size of their images.
fn taggers(dtype: Dtype) -> [(Golden, DualEncoder, usize); 2] {
    let ((resnet_golden, resnet), (lite_golden, lite)) = (resnet(dtype), lite(dtype));
    [(resnet_golden, resnet, 96), (lite_golden, lite.tagger.unwrap(), 70)]
}

fn assert_map(golden: &Golden, name: &str, found: &[f32]) {
    let expected = golden.floats(name).flatten_all().unwrap().to_vec1::<f32>().unwrap();
    assert_eq!(found.len(), expected.len(), "{name}");
    let high = expected.iter().fold(0f32, |high, &value| high.max(value));
    let difference = found.iter().zip(&expected).fold(0f32, |most, (a, b)| most.max((a - b).abs()));
    println!("{name}: off by {difference:e} of {high}");
    assert!(high > 0.0 && difference <= MAP_BOUND * high, "{name}: {found:?}, not {expected:?}");
}

#[test]
fn towers_agree_with_the_reference() {
    for (golden, model, size) in taggers(Dtype::F32) {
        let (images, vision) = (pixels(size), model.vision().unwrap());
        let maps = vision.hidden_states(&images.narrow(0, 0, 1).unwrap()).unwrap();
        assert_close("maps", &maps, golden.floats("image_maps"));
        let image = model.image_features(&images).unwrap();
        assert_close("image features", &image, golden.floats("image_features"));
        let text = model.text_features(&golden.texts()).unwrap();
        assert_close("text features", &text, golden.floats("text_features"));
        let logits = unit(&image).matmul(&unit(&text).t().unwrap()).unwrap();
        let logits = (logits * f64::from(model.logit_scale())).unwrap();
        assert_close("logits", &logits, golden.floats("logits_per_image"));
        for i in 0..IMAGES {
            let alone = model.image_features(&images.narrow(0, i, 1).unwrap()).unwrap();
            assert!(difference(&alone, &image.narrow(0, i, 1).unwrap()) < 1e-5);
        }
    }
}

#[test]
fn fewer_bits_give_nearly_the_same_embeddings() {
    let exact = taggers(Dtype::F32);
    for dtype in [Dtype::F16, Dtype::Int8] {
        let mut changed = 0;
        for ((golden, model, size), (_, exact, _)) in taggers(dtype).iter().zip(&exact) {
            let pairs = [
                [model, exact].map(|model| unit(&model.image_features(&pixels(*size)).unwrap())),
                [model, exact].map(|model| unit(&model.text_features(&golden.texts()).unwrap())),
            ];
            // Of these narrow models few matrices are large enough to be stored in fewer bits than 32.
            changed += pairs.iter().filter(|[found, exact]| difference(found, exact) > 0.0).count();
            for [found, exact] in pairs {
                let cosines = (found * exact).unwrap().sum(1).unwrap().to_vec1::<f32>().unwrap();
                println!("{dtype:?}: {cosines:?}");
                assert!(cosines.iter().all(|&cosine| cosine >= COSINE), "{dtype:?}: {cosines:?}");
            }
        }
        assert!(changed > 0, "{dtype:?}: nothing was quantised: this test proves nothing");
    }
}

#[test]
fn maps_are_those_of_grad_cam() {
    for (golden, model, size) in taggers(Dtype::F32) {
        let vision = model.vision().unwrap();
        let text = unit(&model.text_features(&golden.texts()).unwrap()).to_vec2::<f32>().unwrap();
        for i in 0..2 {
            let state = vision.begin(&pixels(size).narrow(0, i, 1).unwrap()).unwrap();
            for (j, text) in text.iter().take(2).enumerate() {
                let mut trace: Trace = model.relevance(state.clone(), text).unwrap();
                assert_eq!(vision.trace_back(&mut trace).unwrap(), 0);
                assert_map(&golden, &format!("cam_{i}_{j}"), trace.map());
            }
            let error = vision.rollout(state).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ArgumentInvalid);
            assert!(error.to_string().contains("no attention"), "{error}");
        }
        let two = vision.begin(&pixels(size)).unwrap();
        assert_eq!(model.relevance(two, &text[0]).unwrap_err().kind(), ErrorKind::ArgumentInvalid);
    }
}

#[test]
fn an_image_goes_through_block_by_block() {
    // Stem and blocks; of the EfficientNet also the last convolution.
    for ((_, model, size), blocks) in taggers(Dtype::F32).into_iter().zip([6, 12]) {
        let (vision, image) = (model.vision().unwrap(), pixels(size));
        let mut state = vision.begin(&image).unwrap();
        for left in (0..blocks).rev() {
            assert_eq!(vision.advance(&mut state).unwrap(), left);
        }
        assert_eq!(vision.advance(&mut state).unwrap(), 0);
        let features = model.image_features_of(state).unwrap();
        assert_eq!(difference(&features, &model.image_features(&image).unwrap()), 0.0);
        let wrong = vision.begin(&pixels(size - 1)).unwrap_err();
        assert_eq!(wrong.kind(), ErrorKind::ArgumentInvalid);
    }
}

#[test]
fn one_encoding_serves_captions_and_matches() {
    let (golden, model) = lite(Dtype::F32);
    let (captioner, matcher) = (model.captioner.unwrap(), model.matcher.unwrap());
    let tagger = model.tagger.unwrap();
    let vision = tagger.vision().unwrap();
    let mut all = vision.begin(&pixels(70)).unwrap();
    while vision.advance(&mut all).unwrap() > 0 {}
    let states = captioner.image_states_of(all.clone()).unwrap();
    assert_close("tokens", &states, golden.floats("image_states"));
    assert_eq!((captioner.class_tokens(), matcher.class_tokens()), (0, 0));
    for i in 0..2 {
        let states = states.narrow(0, i, 1).unwrap();
        let mut state = captioner.start(&states).unwrap();
        let logits = captioner.step_all(&mut state, &CAPTION).unwrap();
        assert_close("logits", &logits, golden.floats(&format!("logits_{i}")));
        assert_map(&golden, &format!("saw_{i}"), &captioner.token_maps(&states, &CAPTION).unwrap());
    }
    let states = matcher.image_states_of(all).unwrap();
    let embeddings = matcher.image_embeddings(&states).unwrap();
    for (j, ids) in MATCHED.into_iter().enumerate() {
        let text = matcher.text_embeddings(&[ids]).unwrap();
        let cosines = embeddings.matmul(&text.t().unwrap()).unwrap().squeeze(1).unwrap();
        // Too alike for `assert_close`.
        assert!(difference(&cosines, golden.floats(&format!("cosines_{j}"))) <= golden::BOUND);
        for i in 0..IMAGES {
            let image = matcher.project_image(&states.narrow(0, i, 1).unwrap()).unwrap();
            let logits = matcher.matching(&image, &[ids]).unwrap();
            let expected = golden.floats(&format!("matching_{j}")).narrow(0, i, 1).unwrap();
            assert!(difference(&logits, &expected) <= golden::BOUND);
            if i < 2 {
                let map = matcher.grad_cam(&image, ids).unwrap();
                assert_map(&golden, &format!("match_cam_{i}_{j}"), &map);
            }
        }
    }
}

#[test]
fn parts_are_loaded_alone() {
    let golden = Golden::read(LITE);
    let config = OcelliConfig::from_json(&golden.config).unwrap();
    let none = Parts { tagger: false, captioner: false, matcher: false };
    let parts = [
        Parts { tagger: true, ..none },
        Parts { captioner: true, ..none },
        Parts { matcher: true, ..none },
        Parts { tagger: false, ..Parts::ALL },
    ];
    for wanted in parts {
        let weights = weights(&golden, Dtype::F32, &OcelliModel::unused(wanted));
        let model = OcelliModel::new(&config, wanted, weights).unwrap();
        let found = (model.tagger.is_some(), model.captioner.is_some(), model.matcher.is_some());
        assert_eq!(found, (wanted.tagger, wanted.captioner, wanted.matcher));
    }
    // What is not wanted may be there all the same.
    OcelliModel::new(&config, parts[0], golden.weights()).unwrap();

    let golden = Golden::read(RESNET);
    let config = DualConfig::from_json(&golden.config).unwrap();
    for towers in [Towers::Image, Towers::Text] {
        let weights = weights(&golden, Dtype::F32, config.unused(towers));
        DualEncoder::with_towers(&config, towers, weights).unwrap();
    }
}

#[test]
fn what_open_clip_cannot_mean_here_is_refused_by_name() {
    let golden = Golden::read(RESNET);
    let refused = |change: fn(&mut Value), part: &str| {
        let error = DualConfig::from_json(&golden.config_with(change)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConfigInvalid);
        assert!(error.to_string().contains(part), "{error}");
    };
    refused(|config| config["model_cfg"]["vision_cfg"] = json!({"timm_model_name": "vit"}), "timm");
    refused(|config| config["model_cfg"]["vision_cfg"]["layers"] = 12.into(), "head_width");
    refused(|config| config["model_cfg"]["vision_cfg"]["layers"] = json!([1, 2]), "layers");
    refused(|config| config["model_cfg"]["vision_cfg"]["layers"] = json!([1, 2, 1, 100_000]), "layers");
    refused(|config| config["model_cfg"]["vision_cfg"]["width"] = 3.into(), "width");
    refused(|config| config["model_cfg"]["vision_cfg"]["width"] = 1e9.into(), "width");
    refused(|config| config["model_cfg"]["vision_cfg"]["image_size"] = 100.into(), "image_size");
    refused(
        |config| {
            config["model_cfg"]["vision_cfg"] =
                json!({"layers": [1, 1, 1, 1], "width": 1024, "image_size": 2048})
        },
        "memory",
    );
    refused(|config| config["model_cfg"]["text_cfg"]["hf_model_name"] = "x".into(), "hf_model_name");
    refused(|config| config["model_cfg"]["text_cfg"]["heads"] = 3.into(), "text_cfg.heads");
}

/// Every letter is a token, but no word is: prompts of the text tower.
fn tokenizer() -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/tagging");
    std::fs::read(format!("{folder}/clip-gelu-eos-7.tokenizer.json")).unwrap()
}

/// Words of the decoder.
fn decoder_tokenizer() -> Vec<u8> {
    let mut vocab =
        json!({"[UNK]": 0, "[CLS]": 97, "[SEP]": 5, "[DEC]": 98, "cat": 10, "dog": 11, ",": 12, ":": 13});
    for id in (1..97).filter(|id| ![5, 10, 11, 12, 13].contains(id)) {
        vocab[format!("w{id}")] = id.into();
    }
    let special = |content: &str, id: u32| {
        json!({"id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
               "normalized": false, "special": true})
    };
    json!({
        "version": "1.0", "truncation": null, "padding": null, "normalizer": null, "post_processor": null, "decoder": null,
        "added_tokens": [special("[UNK]", 0), special("[SEP]", 5), special("[CLS]", 97), special("[DEC]", 98)],
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                  "max_input_chars_per_word": 100, "vocab": vocab},
    })
    .to_string()
    .into_bytes()
}

const PREPROCESSOR: &[u8] = br#"{"size": {"shortest_edge": 74}, "crop_size": 70}"#;

fn ocelli(words: Option<&[u8]>, parts: Parts) -> ocelli::Result<Ocelli> {
    let golden = Golden::read(LITE);
    let config = golden.config_with(|config| config["text_config"]["eos_token_id"] = 7.into());
    let (tokenizer, decoder_tokenizer) = (tokenizer(), decoder_tokenizer());
    let files = OcelliModelFiles {
        config: &config,
        preprocessor: PREPROCESSOR,
        tokenizer: Some(&tokenizer),
        decoder_tokenizer: Some(&decoder_tokenizer),
        words,
    };
    let files = OcelliFiles::read(files, parts)?;
    let weights = weights(&golden, Dtype::F32, &files.unused());
    Ocelli::new(files, weights)
}

fn picture() -> RgbImage {
    RgbImage::from_fn(90, 80, |x, y| ::image::Rgb([x as u8 * 2, y as u8 * 3, (x * y) as u8]))
}

#[test]
fn one_look_serves_tags_captions_and_matches() {
    let model = ocelli(None, Parts::ALL).unwrap();
    let mut tagger = model.tagger().unwrap().clone();
    let mut encoding = model.encode_image(&picture()).unwrap();
    while model.advance(&mut encoding).unwrap() > 0 {}
    let mut set = tagger.labels(&["cat", "dog"], "{}").unwrap();
    let embedding = tagger.embedding_of(&encoding).unwrap();
    let tags = tagger.tag_embedding(&embedding, &mut set).unwrap();
    assert_eq!(tags, tagger.tag(&picture(), &mut set).unwrap());
    assert_eq!((tagger.none_offset(), tagger.temperature(), tagger.sure_threshold()), (1.5, 2.0, Some(0.25)));
    // The temperature divides logits and background alike.
    let mut background = tagger.texts(&["x"]).unwrap();
    let cosines = tagger.similarity(&encoding, &mut set).unwrap();
    let none = tagger.similarity(&encoding, &mut background).unwrap()[0] * tagger.logit_scale() + 1.5;
    let embedding = tagger.embedding_of(&encoding).unwrap();
    let scored = tagger.score(&embedding, &mut set, &mut background, Scores::Independent, None).unwrap();
    let expected = 1.0 / (1.0 + (-(cosines[0] * tagger.logit_scale() - none) / 2.0).exp());
    assert!((scored.labels[0] - expected).abs() < 1e-5);

    let captioner = model.captioner().unwrap();
    let plan = captioner.plan(&CaptionOptions::default()).unwrap();
    let text: String = captioner.write(&encoding, &plan).unwrap().map(Result::unwrap).collect();
    assert_eq!(text, captioner.caption(&picture(), &CaptionOptions::default()).unwrap());
    let mut matcher = model.matcher().unwrap().clone();
    let texts = matcher.texts(&["cat dog"]).unwrap();
    assert_eq!(matcher.matches(&encoding, &texts).unwrap().len(), 1);
    let maps = [tagger.explain(&picture(), "cat").unwrap(), matcher.explain(&encoding, &texts, 0).unwrap()];
    assert!(maps.iter().all(|map| (map.rows, map.columns, map.values.len()) == (3, 3, 9)));
    assert_eq!(tagger.rollout(&picture()).unwrap_err().kind(), ErrorKind::ArgumentInvalid);
    let alone = ocelli(None, Parts { tagger: false, captioner: false, matcher: true }).unwrap();
    assert_eq!(alone.tagger().err().unwrap().kind(), ErrorKind::ArgumentInvalid);
    assert_eq!(alone.captioner().err().unwrap().kind(), ErrorKind::ArgumentInvalid);
}

#[test]
fn a_broad_word_fits_as_well_as_the_best_of_its_kinds() {
    let words = json!({
        "threshold": 0.0,
        "words": [{"word": "dog"}, {"word": "red", "broader": ["dog"]}, {"word": "cat", "broader": ["red", "dog"]}],
    });
    let words = words.to_string().into_bytes();
    let only = Parts { tagger: true, captioner: false, matcher: false };
    let model = ocelli(Some(&words), only).unwrap();
    let mut tagger = model.tagger().unwrap().clone();
    let encoding = tagger.encode_image(&picture()).unwrap();
    let mut similarity = |mut set: LabelSet| tagger.similarity(&encoding, &mut set).unwrap();
    let plain = |texts: &[&str]| model.tagger().unwrap().texts(texts).unwrap();
    let broad = |labels: &[&str]| model.tagger().unwrap().labels(labels, "{}").unwrap();
    let [dog, red, cat] = similarity(plain(&["dog", "red", "cat"]))[..] else { panic!("three texts") };
    assert!(dog < red.max(cat), "the weights make the word itself fit best: nothing is shown");
    assert_eq!(similarity(broad(&["dog"])), [dog.max(red).max(cat)]);
    assert_eq!(similarity(broad(&["dog", "red"])), [dog, red.max(cat)]);
    assert_eq!(similarity(broad(&["dog", "red", "cat"])), [dog, red, cat]);
    assert_eq!(similarity(model.tagger().unwrap().queries(&["dog"]).unwrap()), [dog.max(red).max(cat)]);

    // The map is that of the word that fits best.
    let best = if red > cat { "red" } else { "cat" };
    let maps = ["dog", best].map(|text| tagger.explain(&picture(), text).unwrap().values);
    assert_eq!(maps[0], maps[1]);
    // And what is embedded is the text alone.
    let mut set = broad(&["dog"]);
    while tagger.encode_labels(&mut set, 1).unwrap() > 0 {}
    assert_eq!((set.len(), set.embeddings().len(), set.prompts()), (1, 1, 3));
}

#[test]
fn captions_are_prompted_with_what_the_tagger_sees() {
    let words = json!({
        "threshold": 0.0, "most": 1, "templates": ["{}"],
        "words": [{"word": "cat", "kind": "dog"}, {"word": "dog", "kind": "cat"}],
    });
    let words = words.to_string().into_bytes();
    let model = ocelli(Some(&words), Parts { tagger: false, captioner: true, matcher: false }).unwrap();
    let captioner = model.captioner().unwrap();
    assert_eq!((captioner.words_total(), captioner.words_pending()), (2, 2));
    let encoding = captioner.encode_image(&picture()).unwrap();
    let plan = captioner.plan(&CaptionOptions::default()).unwrap();
    let error = captioner.write(&encoding, &plan).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::ArgumentInvalid, "the words are not encoded yet");
    assert_eq!(captioner.encode_words(1).unwrap(), 1);
    assert_eq!(captioner.encode_words(9).unwrap(), 0);
    // The tagger that came with the words knows them now.
    let mut tagger = model.tagger().unwrap().clone();
    let mut set = tagger.labels(&["cat", "dog"], "{}").unwrap();
    assert_eq!(tagger.encode_labels(&mut set, 1).unwrap(), 0);
    let embedding = tagger.embedding_of(&encoding).unwrap();
    let tags = tagger.tag_embedding(&embedding, &mut set).unwrap();
    let best = if tags[0] >= tags[1] { ["cat", "dog"] } else { ["dog", "cat"] };

    let mut run = captioner.write(&encoding, &plan).unwrap();
    assert_eq!(run.words(), best);
    let prompt: &[u32] = if best[0] == "cat" { &[98, 10, 12, 11, 13] } else { &[98, 11, 12, 10, 13] };
    let text: String = run.by_ref().map(Result::unwrap).collect();
    assert_eq!(run.token_ids()[..5], *prompt);
    assert!(!text.is_empty() && !text.contains(':'), "{text}");
    assert_eq!(run.captions().unwrap()[0].text, text);
    // The same words, as a prompt of the caller's, are part of the caption.
    let asked =
        CaptionOptions { prompt: Some(format!("{} : ", best.join(", "))), ..CaptionOptions::default() };
    let whole = captioner.caption(&picture(), &asked).unwrap();
    assert!(whole.ends_with(&text) && whole.contains(':'), "{whole}: {text}");
    let beams = CaptionOptions { num_beams: Some(2), ..CaptionOptions::default() };
    assert!(!captioner.caption(&picture(), &beams).unwrap().contains(':'));
    // A word's map is that of the position that predicts it, after the prompt.
    let first = text.split(' ').next().unwrap();
    let maps = captioner.attention(&encoding, first).unwrap();
    assert_eq!((maps.len(), maps[0].map.values.len()), (1, 9));
    assert!((maps[0].map.values.iter().sum::<f32>() - 1.0).abs() < 1e-4);
}

#[test]
fn a_model_of_open_clip_brings_its_own_preprocessing() {
    let golden = Golden::read(RESNET);
    let tokenizer = tokenizer();
    let read = |config: &[u8], preprocessor: &[u8]| {
        TaggerFiles::read(ModelFiles { config, preprocessor, tokenizer: &tokenizer })
    };
    let [own, given] = [
        &b""[..],
        br#"{"size": 96, "crop_size": 96, "image_mean": [0.4, 0.5, 0.6], "image_std": [0.2, 0.25, 0.3], "resample": 3}"#,
    ]
    .map(|preprocessor| {
        let files = read(&golden.config, preprocessor).unwrap();
        let tagger = Tagger::new(files, golden.weights()).unwrap();
        tagger.image_embedding(&picture()).unwrap()
    });
    assert_eq!(own, given);
    let config = golden.config_with(|config| config["preprocess_cfg"]["interpolation"] = "nearest".into());
    assert_eq!(read(&config, b"").err().unwrap().kind(), ErrorKind::ConfigInvalid);
}
