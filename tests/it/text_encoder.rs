//! Prompts for image generators against the reference: how they are read, and the states of two small text towers. Golden
//! data: `python tests/golden/prompts/make.py`.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use ocelli::ErrorKind;
use ocelli::kernels::Dtype;
use ocelli::models::dual::{ClipTextEncoder, DualConfig, DualEncoder, MaskedText};
use ocelli::tasks::{
    EmphasisMode, EncodeOptions, EncodedPrompt, MAX_CHUNKS, PaddingToken, TextEncoder, TextEncoderFiles,
};
use ocelli::text::{MAX_CHARACTERS, PromptPart, parse_emphasis};
use ocelli::weights::{Weights, WeightsLoader};
use serde::Deserialize;
use serde_json::json;

use crate::golden::Golden;
use crate::seeded::{self, Seeded, cosine, serialise};

/// Largest difference of a number from the reference's, as part of the largest one of the same tensor.
const BOUND: f32 = 1e-4;
/// Least cosine of the states of a token in int8 and in f32, of a tower as wide as the one of CLIP B/32.
const COSINE_INT8: f32 = 0.998;
/// The same in f16.
const COSINE_F16: f32 = 0.99999;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn folder(name: &str) -> PathBuf {
    root().join("tests/golden/prompts").join(name)
}

fn tokenizer() -> Vec<u8> {
    std::fs::read(root().join("tests/golden/text/clip-tokenizer.json")).unwrap()
}

fn weights(file: &[u8], dtype: Dtype, files: &TextEncoderFiles) -> Weights {
    let mut loader = WeightsLoader::new(dtype);
    loader.pass_over(files.unused());
    if let Some(tower) = files.tower_alone() {
        loader.of_tower(tower);
    }
    file.chunks(10_007).for_each(|chunk| loader.push(chunk).unwrap());
    loader.finish().unwrap()
}

fn encoder_of(config: &[u8], model: &[u8], dtype: Dtype) -> TextEncoder {
    let files = TextEncoderFiles::read(config, &tokenizer()).unwrap();
    let weights = weights(model, dtype, &files);
    TextEncoder::new(files, weights).unwrap()
}

fn encoder(name: &str) -> TextEncoder {
    let read = |file: &str| std::fs::read(folder(name).join(file)).unwrap();
    encoder_of(&read("config.json"), &read("model.safetensors"), Dtype::F32)
}

fn encode(encoder: &mut TextEncoder, prompt: &str, options: &EncodeOptions) -> EncodedPrompt {
    encoder.encode(prompt, None, options).unwrap().0
}

fn expected(name: &str) -> HashMap<String, Tensor> {
    candle_core::safetensors::load(folder(name).join("expected.safetensors"), &Device::Cpu).unwrap()
}

/// Asserts that `found` is `expected` within [`BOUND`].
fn assert_close(what: &str, found: &[f32], expected: &Tensor) {
    let expected = expected.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    assert_eq!(found.len(), expected.len(), "{what}");
    let largest = expected.iter().fold(0.0f32, |largest, x| largest.max(x.abs()));
    let worst = found.iter().zip(&expected).fold(0.0f32, |worst, (a, b)| worst.max((a - b).abs()));
    println!("{what}: off by {worst:e} of {largest}");
    assert!(worst <= BOUND * largest, "{what}: off by {worst:e} of {largest}");
}

#[derive(Deserialize)]
struct Prompt {
    prompt: String,
    parts: Vec<(String, Option<f64>)>,
    /// For how many tokens behind a comma may move, the lengths of the chunks.
    chunks: HashMap<String, Vec<usize>>,
    tokens: Vec<u32>,
}

fn prompts() -> Vec<Prompt> {
    let prompts: Vec<Prompt> =
        serde_json::from_slice(&std::fs::read(folder("expected.json")).unwrap()).unwrap();
    assert!(prompts.len() > 90);
    prompts
}

#[test]
fn prompts_are_read_as_by_the_twin() {
    for Prompt { prompt, parts, .. } in prompts() {
        let found = parse_emphasis(&prompt).unwrap();
        // Of nothing there are no parts here.
        let parts = if prompt.is_empty() { Vec::new() } else { parts };
        assert_eq!(found.len(), parts.len(), "{prompt:?}: {found:?}");
        for (found, (text, weight)) in found.iter().zip(&parts) {
            match (found, weight) {
                (PromptPart::Break, None) => {}
                (PromptPart::Text { text: words, weight: found }, Some(weight)) => {
                    assert_eq!(words, text, "{prompt:?}");
                    assert!(
                        (found - weight).abs() <= 1e-12 * weight.abs(),
                        "{prompt:?}: {text:?} has {found}"
                    );
                }
                _ => panic!("{prompt:?}: {found:?} in the place of {text:?}"),
            }
        }
    }
}

/// A tower of one narrow layer for 77 tokens, whose numbers do not matter.
fn any_tower() -> TextEncoder {
    let config = json!({ "model_type": "clip_text_model", "hidden_size": 8, "intermediate_size": 8,
        "num_attention_heads": 1, "num_hidden_layers": 1, "vocab_size": 759, "eos_token_id": 2 });
    encoder_of(&serde_json::to_vec(&config).unwrap(), &tower(8, 8, 1, "chunks"), Dtype::F32)
}

#[test]
fn tokens_are_dealt_out_as_by_the_twin() {
    let (start, end) = (757, 758);
    let mut encoder = any_tower();
    for Prompt { prompt, parts, chunks, tokens } in prompts() {
        let weights: Vec<f64> = parts.iter().filter_map(|part| part.1).collect();
        for (backtrack, lengths) in &chunks {
            let options = EncodeOptions { comma_backtrack: backtrack.parse().unwrap(), ..Default::default() };
            let encoded = encode(&mut encoder, &prompt, &options);
            assert_eq!(encoded.tokens.len(), 77 * lengths.len(), "{prompt:?}, {backtrack}");
            let mut rest = tokens.as_slice();
            for (row, &length) in encoded.tokens.chunks(77).zip(lengths) {
                let (here, later) = rest.split_at(length);
                let mut ids = vec![start];
                ids.extend(here);
                ids.resize(77, end);
                assert_eq!(row, ids, "{prompt:?}, {backtrack}");
                rest = later;
            }
            let known = |weight: &f32| {
                *weight == 1.0 || weights.iter().any(|&known| (known as f32 - *weight).abs() < 1e-6)
            };
            assert!(encoded.weights.iter().all(known), "{prompt:?}");
        }
    }
}

const SHORT: &str = "a (red:1.3) bus";
const LONG: &str = "a photo of a cat, an (owl above:0.6) a tree BREAK [a dog]";

#[test]
fn states_are_the_reference_s() {
    let plain = EncodeOptions { emphasis: EmphasisMode::NoNorm, ..Default::default() };
    for name in ["openai", "openclip"] {
        let (mut encoder, expected) = (encoder(name), expected(name));
        for (which, prompt) in [("short", SHORT), ("long", LONG)] {
            let bare = prompt.replace(":1.3", ":1").replace(":0.6", ":1").replace(['[', ']'], "");
            for (key, options, prompt) in [
                ("last", plain, &*bare),
                ("masked", EncodeOptions { attention_mask: true, ..plain }, &*bare),
                ("penultimate", EncodeOptions { skip: 1, final_norm: false, ..plain }, &*bare),
                ("penultimate_normed", EncodeOptions { skip: 1, ..plain }, &*bare),
                ("embedded", EncodeOptions { skip: 3, final_norm: false, ..plain }, &*bare),
                ("last_no_norm", plain, prompt),
                ("last_weighed", EncodeOptions::default(), prompt),
                (
                    "penultimate_weighed",
                    EncodeOptions { skip: 1, final_norm: false, ..Default::default() },
                    prompt,
                ),
            ] {
                let what = format!("{name}: {which}.{key}");
                let encoded = encode(&mut encoder, prompt, &options);
                assert_eq!(encoded.width, 24, "{what}");
                assert_close(&what, &encoded.states, &expected[&format!("{which}.{key}")]);
                assert_close(&what, &encoded.pooled, &expected[&format!("{which}.pooled")]);
                let ids = expected[&format!("{which}.tokens")].to_vec1::<i64>().unwrap();
                assert_eq!(encoded.tokens.iter().map(|&id| i64::from(id)).collect::<Vec<_>>(), ids, "{what}");
                match (encoded.projected, expected.get(&format!("{which}.projected"))) {
                    (Some(found), Some(expected)) => assert_close(&what, &found, expected),
                    (found, expected) => assert!(found.is_none() && expected.is_none(), "{what}"),
                }
            }
            let weights = encode(&mut encoder, prompt, &plain).weights;
            assert_close(which, &weights, &expected[&format!("{which}.weights")]);
        }
        assert!(expected.contains_key("short.projected") == (name == "openclip"));
    }
}

#[test]
fn what_comes_later_changes_no_token_before_it() {
    // Padding, the mask and a cut: the tokens of the text itself are the same with all of them.
    let mut encoder = encoder("openai");
    let default = EncodeOptions::default();
    let usual = encode(&mut encoder, "a red bus", &default);
    for options in [
        EncodeOptions { padding: PaddingToken::Token(5), ..default },
        EncodeOptions { attention_mask: true, ..default },
    ] {
        let other = encode(&mut encoder, "a red bus", &options);
        assert_eq!(usual.states[..5 * 24], other.states[..5 * 24]);
        assert_ne!(usual.states[5 * 24..], other.states[5 * 24..]);
        assert_eq!(usual.pooled, other.pooled);
    }
    assert_eq!(
        encode(&mut encoder, "a red bus", &EncodeOptions { padding: PaddingToken::End, ..default }),
        usual
    );
    // As `FrozenCLIPEmbedder` cuts.
    let options = EncodeOptions { truncate: true, emphasis: EmphasisMode::None, ..default };
    let cut = encode(&mut encoder, "a photo of a cat, a dog and a tree above an owl BREAK (a bus)", &options);
    let whole = encode(&mut encoder, "a photo of a cat, a dog and a tree above an owl", &default);
    assert_eq!(cut.tokens.len(), 14);
    assert_eq!(cut.tokens[..7], whole.tokens[..7]);
    assert_eq!((cut.tokens[0], cut.tokens[13]), (757, 758));
    assert!(cut.weights.iter().all(|&weight| weight == 1.0));
}

#[test]
fn the_negative_prompt_is_computed_once() {
    let mut encoder = encoder("openclip");
    let options = EncodeOptions::default();
    let first = encoder.begin("a cat", Some("blurry"), &options).unwrap();
    assert_eq!(first.total(), 3, "both go through the layers together");
    assert_eq!(first.encoded().unwrap_err().kind(), ErrorKind::ArgumentInvalid);
    let (_, negative) = encoder.encode("a cat", Some("blurry"), &options).unwrap();
    let negative = negative.unwrap();
    assert_eq!(negative, encode(&mut encoder, "blurry", &options));

    // Everything is known: nothing is computed.
    let mut run = encoder.begin("blurry", Some("blurry"), &options).unwrap();
    assert_eq!((run.total(), encoder.step(&mut run).unwrap()), (0, 0));
    assert_eq!(run.negative().unwrap(), Some(negative.clone()));
    assert_eq!(run.encoded().unwrap(), negative);
    // Weights are applied to what is known.
    let (weighed, _) = encoder.encode("(blurry:1.4)", Some("blurry"), &options).unwrap();
    assert_ne!(weighed.states, negative.states);
    assert_eq!(weighed.tokens, negative.tokens);
    // Other options are another computation.
    let other = EncodeOptions { skip: 1, ..options };
    assert_eq!(encoder.begin("blurry", None, &other).unwrap().total(), 3);
    // The prompt itself is not kept.
    assert_eq!(encoder.begin("a cat", Some("blurry"), &options).unwrap().total(), 3);
}

#[test]
fn prompt_and_negative_prompt_are_equally_long() {
    let mut encoder = encoder("openclip");
    let options = EncodeOptions::default();
    let (prompt, negative) = encoder.encode("a cat BREAK a dog BREAK a bus", Some(""), &options).unwrap();
    let (negative, empty) = (negative.unwrap(), encode(&mut encoder, "", &options));
    assert_eq!(prompt.states.len(), 3 * 14 * 24);
    assert_eq!(negative.states, empty.states.repeat(3));
    let (short, long) = encoder.encode("a cat", Some("a dog BREAK a bus"), &options).unwrap();
    assert_eq!(short.states.len(), long.unwrap().states.len());
    assert_eq!(short.states[14 * 24..], empty.states);
    assert_eq!(short.pooled, encode(&mut encoder, "a cat", &options).pooled);
}

#[test]
fn many_chunks_are_as_each_alone() {
    let mut encoder = encoder("openai");
    let words: Vec<String> = (0..20).map(|i| format!("a cat {}", "dog ".repeat(i % 9))).collect();
    let options = EncodeOptions { skip: 1, attention_mask: true, ..Default::default() };
    let all = encode(&mut encoder, &words.join(" BREAK "), &options);
    for (word, states) in words.iter().zip(all.states.chunks(14 * 24)) {
        let alone = encode(&mut encoder, word, &options);
        let worst = alone.states.iter().zip(states).fold(0.0f32, |worst, (a, b)| worst.max((a - b).abs()));
        assert!(worst < 1e-5, "{word}: {worst}");
    }
}

#[test]
fn a_whole_clip_has_the_same_tower() {
    let golden = Golden::read("clip-gelu-eos-7");
    let letters: serde_json::Value = serde_json::from_slice(
        &std::fs::read(root().join("tests/golden/tagging/clip-gelu-eos-7.tokenizer.json")).unwrap(),
    )
    .unwrap();
    let files = TextEncoderFiles::read(&golden.config, &serde_json::to_vec(&letters).unwrap()).unwrap();
    let weights = weights(&golden.model, Dtype::F32, &files);
    assert!(!weights.root().contains("visual_projection.weight"), "the image tower was let in");
    let mut encoder = TextEncoder::new(files, weights).unwrap();
    let found = encode(&mut encoder, "a b", &EncodeOptions::default());
    assert_eq!((found.width, found.states.len(), found.pooled.len()), (32, 320, 32));
    let config = DualConfig::from_json(&golden.config).unwrap();
    let both = DualEncoder::new(&config, golden.weights()).unwrap();
    let features = both.text_features(&[found.tokens[..4].to_vec()]).unwrap();
    assert_close("projected", &found.projected.unwrap(), &features);
}

#[test]
fn every_layer_may_be_skipped_and_the_projection_stays() {
    // Towers of `transformers` and of `open_clip`, and one in which every token sees all of its text.
    for name in ["clip-quick-gelu-eos-2", "clip-gelu-eos-7", "open-clip-vit", "open-clip-vit-whole"] {
        let golden = Golden::read(name);
        let config = DualConfig::from_json(&golden.config).unwrap();
        let model = ClipTextEncoder::new(&config, golden.weights()).unwrap();
        let texts = golden.texts();
        let whole: Vec<MaskedText<'_>> =
            texts.iter().map(|ids| MaskedText { ids, attended: ids.len() }).collect();
        for skip in 0..=model.layers() {
            let pass = model.begin(&whole, skip).unwrap();
            let found = model.finish(pass, true).unwrap();
            assert_eq!(found.states.dims()[0], texts.concat().len());
            let projected = found.projected.unwrap().flatten_all().unwrap().to_vec1().unwrap();
            assert_close(&format!("{name}, skip {skip}"), &projected, golden.floats("text_features"));
        }
        assert_eq!(model.begin(&whole, model.layers() + 1).unwrap_err().kind(), ErrorKind::ArgumentInvalid);
        assert_eq!(model.begin(&[], 0).unwrap_err().kind(), ErrorKind::ArgumentInvalid);
        let unknown = [MaskedText { ids: &[4_000_000], attended: 1 }];
        assert_eq!(model.begin(&unknown, 0).unwrap_err().kind(), ErrorKind::ArgumentInvalid);
    }
}

#[test]
fn names_without_the_tower_s_are_read_too() {
    // `transformers` saves a `CLIPTextModel` so since version 5.
    let read = |file: &str| std::fs::read(folder("openai").join(file)).unwrap();
    let tensors = candle_core::safetensors::load_buffer(&read("model.safetensors"), &Device::Cpu).unwrap();
    let bare = |(name, tensor): (String, Tensor)| (name.trim_start_matches("text_model.").to_owned(), tensor);
    let file = serialise(&tensors.into_iter().map(bare).collect(), "bare-text-tower");
    let mut bare = encoder_of(&read("config.json"), &file, Dtype::F32);
    let options = EncodeOptions::default();
    assert_eq!(encode(&mut bare, SHORT, &options), encode(&mut encoder("openai"), SHORT, &options));
}

/// The file of a text tower of numbers of chance.
fn tower(width: usize, hidden: usize, layers: usize, name: &str) -> Vec<u8> {
    let mut model = Seeded::new(11);
    model.add("text_model.embeddings.token_embedding.weight", &[759, width], 4);
    model.add("text_model.embeddings.position_embedding.weight", &[77, width], 4);
    for layer in 0..layers {
        let name = |part: &str| format!("text_model.encoder.layers.{layer}.{part}");
        for part in ["q_proj", "k_proj", "v_proj", "out_proj"] {
            model.linear(&name(&format!("self_attn.{part}")), width, width);
        }
        model.linear(&name("mlp.fc1"), hidden, width);
        model.linear(&name("mlp.fc2"), width, hidden);
        model.norm(&name("layer_norm1"), width);
        model.norm(&name("layer_norm2"), width);
    }
    model.norm("text_model.final_layer_norm", width);
    serialise(&model.tensors, name)
}

#[test]
fn smaller_dtypes_keep_the_direction_of_states() {
    let config = json!({ "model_type": "clip_text_model", "hidden_size": 512, "intermediate_size": 2048,
        "num_attention_heads": 8, "num_hidden_layers": 4, "vocab_size": 759, "eos_token_id": 2 });
    let (config, file) = (serde_json::to_vec(&config).unwrap(), tower(512, 2048, 4, "wide-text-tower"));
    let prompt = "a photo of a (red:1.2) bus, a cat above a tree, an owl and two dogs";
    for skip in [0, 1] {
        let options = EncodeOptions { skip, ..Default::default() };
        let [exact, half, int8] = [Dtype::F32, Dtype::F16, Dtype::Int8]
            .map(|dtype| encode(&mut encoder_of(&config, &file, dtype), prompt, &options));
        for (what, found, least) in [("f16", half, COSINE_F16), ("int8", int8, COSINE_INT8)] {
            assert_ne!(exact.states, found.states, "{what} changes nothing: this test proves nothing");
            let rows = exact.states.chunks(512).zip(found.states.chunks(512));
            let worst = rows.map(|(a, b)| cosine(a, b)).fold(1.0f32, f32::min);
            println!("{what}, skip {skip}: cosine {worst}, pooled {}", cosine(&exact.pooled, &found.pooled));
            assert!(worst >= least && cosine(&exact.pooled, &found.pooled) >= least, "{what}: {worst}");
        }
    }
    let int8 = seeded::load(Dtype::Int8, &file);
    assert!(!int8.is_empty());
}

#[test]
fn what_cannot_be_encoded_is_refused() {
    let encoder = encoder("openai");
    let default = EncodeOptions::default();
    let refuse = |prompt: &str, options: &EncodeOptions| {
        let error = match encoder.begin(prompt, None, options) {
            Ok(_) => panic!("{prompt:.30} is taken"),
            Err(error) => error,
        };
        assert_eq!(error.kind(), ErrorKind::ArgumentInvalid, "{error}");
        error.to_string()
    };
    let long = "é".repeat(MAX_CHARACTERS + 1);
    for emphasis in [EmphasisMode::Original, EmphasisMode::None] {
        let options = EncodeOptions { emphasis, ..default };
        assert!(refuse(&long, &options).contains(&MAX_CHARACTERS.to_string()));
    }
    assert!(refuse(&"cat ".repeat(12 * MAX_CHUNKS + 1), &default).contains("32 chunks of 12"));
    assert!(refuse(&" BREAK".repeat(MAX_CHUNKS + 1), &default).contains("32 chunks"));
    assert!(encoder.begin(&"cat ".repeat(12 * MAX_CHUNKS), None, &default).is_ok());
    let truncate = EncodeOptions { truncate: true, ..default };
    assert!(encoder.begin(&"cat ".repeat(2_000), None, &truncate).is_ok());
    assert!(refuse("a", &EncodeOptions { skip: 4, ..default }).contains("3 layers"));
    assert!(refuse("a", &EncodeOptions { padding: PaddingToken::Token(759), ..default }).contains("759"));
    assert!(refuse("(a:1.2.3)", &default).contains("1.2.3"));
    assert!(refuse("(a:1000)", &default).contains("100"));
    assert!(refuse(&"(".repeat(65), &default).contains("64"));
    assert!(encoder.begin("a", Some(&long), &default).is_err());
}

#[test]
fn other_models_are_refused() {
    for name in ["siglip", "open-clip-xlm-roberta", "clip-vision-alone", "dinov2"] {
        let golden = Golden::read(name);
        let error = TextEncoderFiles::read(&golden.config, &tokenizer()).err().unwrap();
        assert!(
            matches!(error.kind(), ErrorKind::ConfigInvalid | ErrorKind::TokenizerInvalid),
            "{name}: {error}"
        );
    }
    let config = std::fs::read(folder("openai").join("config.json")).unwrap();
    let error = TextEncoderFiles::read(&config, b"").err().unwrap();
    assert_eq!(error.kind(), ErrorKind::TokenizerInvalid);
    let narrow = json!({ "model_type": "clip_text_model", "vocab_size": 759, "max_position_embeddings": 2, "eos_token_id": 2 });
    let error = TextEncoderFiles::read(&serde_json::to_vec(&narrow).unwrap(), &tokenizer()).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::ConfigInvalid);
}
