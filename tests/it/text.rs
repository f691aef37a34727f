//! Token ids and captions against transformers. Golden data: `python tests/golden/text/make.py`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use ocelli::ErrorKind;
use ocelli::tasks::MAX_TEXT_TOKENS;
use ocelli::text::{CaptionTokenizer, ClipTokenizer, MAX_CHARACTERS, RobertaTokenizer, SiglipTokenizer};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::corpus::{Ranges, Tables, fnv1a};
use crate::support::random;

const CONTEXT: usize = 77;

fn read(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/text").join(name)).unwrap()
}

fn golden<T: DeserializeOwned>(name: &str) -> T {
    serde_json::from_slice(&read(name)).unwrap()
}

/// A file of the folder of published configuration files, which is not part of the project.
fn hub(name: &str) -> Option<Vec<u8>> {
    let shared = std::env::var_os("OCELLI_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let path = shared.join("hub").join(name);
    let file = std::fs::read(&path).ok();
    if file.is_none() {
        println!("Skipped: {} is not here; set OCELLI_SHARED to the folder that holds hub/.", path.display());
    }
    file
}

fn small_clip() -> ClipTokenizer {
    ClipTokenizer::from_json(&read("clip-tokenizer.json"), CONTEXT).unwrap()
}

fn small_blip() -> CaptionTokenizer {
    CaptionTokenizer::from_json(&read("blip-tokenizer.json")).unwrap()
}

fn check_clip(tokenizer: &ClipTokenizer, name: &str) {
    let cases: Vec<(String, Vec<u32>)> = golden(name);
    assert!(cases.len() > 300, "{name} holds {} cases", cases.len());
    for (text, ids) in cases {
        let got = tokenizer.encode(&text).unwrap();
        assert_eq!(got, ids, "{name}: {text:?}");
        assert!(got.len() <= CONTEXT && got.last() == Some(&tokenizer.end_token()), "{name}: {text:?}");
        assert!(got.iter().all(|&id| (id as usize) < tokenizer.vocab_size()), "{name}: {text:?}");
    }
}

#[derive(Deserialize)]
struct BlipGolden {
    encode: Vec<(String, Vec<u32>)>,
    decode: Vec<(Vec<u32>, String)>,
    whole: Vec<(String, Vec<u32>)>,
    vocab_size: usize,
}

fn check_blip(tokenizer: &CaptionTokenizer, name: &str) {
    let cases: BlipGolden = golden(name);
    assert!(cases.encode.len() > 300 && cases.decode.len() > 50, "{name} holds too few cases");
    assert_eq!(tokenizer.vocab_size(), cases.vocab_size);
    for (text, ids) in cases.encode {
        assert_eq!(tokenizer.encode_prompt(&text).unwrap(), ids, "{name}: {text:?}");
    }
    assert!(cases.whole.len() > 50 && cases.whole.iter().any(|(_, ids)| ids.len() == MAX_TEXT_TOKENS));
    for (text, ids) in cases.whole {
        assert_eq!(tokenizer.encode(&text, MAX_TEXT_TOKENS).unwrap(), ids, "{name}: {text:?}");
    }
    for (ids, text) in cases.decode {
        assert_eq!(tokenizer.decode(&ids).unwrap(), text, "{name}: {ids:?}");
    }
}

#[test]
fn clip_ids_equal_the_reference() {
    check_clip(&small_clip(), "clip.json");
}

#[test]
fn words_are_cut_as_the_reference_does_it_where_the_file_does_not() {
    // As `transformers` wrote files before version 4.17: words are not cut at all, and spaces are tokens.
    let bytes = json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true});
    for normalizer in [Value::Null, json!({"type": "Lowercase"})] {
        let old = changed(|file| {
            file["normalizer"] = normalizer.clone();
            file["pre_tokenizer"] = bytes.clone();
            file["post_processor"] = bytes.clone();
        });
        check_clip(&ClipTokenizer::from_json(&old, CONTEXT).unwrap(), "clip.json");
    }
    // As the package makes it of `vocab.json` and `merges.txt`.
    let parts = changed(|file| {
        for part in ["normalizer", "pre_tokenizer", "post_processor", "decoder"] {
            file.as_object_mut().unwrap().remove(part);
        }
    });
    check_clip(&ClipTokenizer::from_json(&parts, CONTEXT).unwrap(), "clip.json");
}

#[test]
fn blip_ids_and_words_equal_the_reference() {
    check_blip(&small_blip(), "blip.json");
}

#[test]
fn published_clip_ids_equal_the_reference() {
    let Some(json) = hub("TinyCLIP-ViT-8M-16-Text-3M-YFCC15M/tokenizer.json") else { return };
    let tokenizer = ClipTokenizer::from_json(&json, CONTEXT).unwrap();
    assert_eq!((tokenizer.vocab_size(), tokenizer.end_token()), (49_408, 49_407));
    check_clip(&tokenizer, "clip-hub.json");
}

#[test]
fn published_blip_ids_and_words_equal_the_reference() {
    let Some(json) = hub("blip-image-captioning-base/tokenizer.json") else { return };
    check_blip(&CaptionTokenizer::from_json(&json).unwrap(), "blip-hub.json");
}

/// The ids of every string of the corpus, of which only hashes are stored. Few distinct ids would prove little, so
/// there must be `least_ids`.
fn check_corpus(encode: impl Fn(&str) -> Vec<u32>, name: &str, least_ids: usize) {
    let (strings, expected) = (golden::<Tables>("corpus.json").strings(), read(name));
    assert_eq!(expected.len(), 4 * strings.len(), "{name}");
    let (mut seen, mut wrong) = (HashSet::new(), 0);
    for (text, wanted) in strings.iter().zip(expected.as_chunks::<4>().0) {
        let ids = encode(text);
        if fnv1a(ids.iter().flat_map(|id| id.to_le_bytes())) != u32::from_le_bytes(*wanted) {
            wrong += 1;
            println!("{name}: {}\n  our ids: {ids:?}", text.escape_default());
        }
        seen.extend(ids);
    }
    println!("{name}: {} strings, {} distinct ids", strings.len(), seen.len());
    assert!(seen.len() >= least_ids, "{name}: only {} distinct ids", seen.len());
    assert_eq!(wrong, 0, "{name}: ids differ from the reference's (see above)");
}

/// The ids of a whole text, however long.
fn clip_ids(json: &[u8]) -> impl Fn(&str) -> Vec<u32> {
    let tokenizer = ClipTokenizer::from_json(json, usize::MAX).unwrap();
    move |text| tokenizer.encode(text).unwrap()
}

fn blip_ids(json: &[u8]) -> impl Fn(&str) -> Vec<u32> {
    let tokenizer = CaptionTokenizer::from_json(json).unwrap();
    move |text| tokenizer.encode_prompt(text).unwrap()
}

#[test]
fn the_corpus_is_the_one_that_was_hashed_and_has_variety() {
    let tables: Tables = golden("corpus.json");
    let strings = tables.strings();
    let bytes = strings.iter().flat_map(|text| text.bytes().chain([0xff]));
    assert_eq!(fnv1a(bytes), tables.hash, "corpus.rs and corpus.py make different strings");

    let distinct: HashSet<&String> = strings.iter().collect();
    assert!(distinct.len() >= 10_000, "only {} distinct strings", distinct.len());
    let with = |ranges: &Ranges| {
        let within = |code: u32| ranges.iter().any(|&(first, last)| (first..=last).contains(&code));
        strings.iter().filter(|text| text.chars().any(|character| within(character.into()))).count()
    };
    for (name, ranges) in &tables.scripts {
        assert!(with(ranges) >= 100, "{name} is in {} strings only", with(ranges));
    }
    for (name, ranges, least) in [
        ("emoji", &tables.emoji, 2000),
        ("joiners", &vec![(0x200d, 0x200d)], 500),
        ("marks", &tables.marks, 2000),
        ("controls", &tables.controls, 2000),
        ("blanks other than spaces", &tables.spaces[1..].to_vec(), 2000),
    ] {
        assert!(with(ranges) >= least, "{name} are in {} strings only", with(ranges));
    }
    let longest = |text: &String| text.split_whitespace().map(|word| word.chars().count()).max();
    let long = strings.iter().filter(|text| longest(text) >= Some(200)).count();
    assert!(long >= 250, "only {long} strings have a word of 200 characters");
}

#[test]
fn clip_ids_of_the_corpus_equal_the_reference() {
    check_corpus(clip_ids(&read("clip-tokenizer.json")), "clip-ids.bin", 400);
}

#[test]
fn blip_ids_of_the_corpus_equal_the_reference() {
    check_corpus(blip_ids(&read("blip-tokenizer.json")), "blip-ids.bin", 200);
}

#[test]
fn published_clip_ids_of_the_corpus_equal_the_reference() {
    let Some(json) = hub("TinyCLIP-ViT-8M-16-Text-3M-YFCC15M/tokenizer.json") else { return };
    check_corpus(clip_ids(&json), "clip-hub-ids.bin", 4000);
}

#[test]
fn published_blip_ids_of_the_corpus_equal_the_reference() {
    let Some(json) = hub("blip-image-captioning-base/tokenizer.json") else { return };
    check_corpus(blip_ids(&json), "blip-hub-ids.bin", 2500);
}

#[test]
fn a_whole_text_has_its_frame_in_any_room() {
    let tokenizer = small_blip();
    let (start, end) = tokenizer.frame().unwrap();
    let inner = tokenizer.encode_prompt("a photo of a cat").unwrap();
    assert!(inner.len() > 3 && start != end);
    for most in 2..inner.len() + 4 {
        let ids = tokenizer.encode("a photo of a cat", most).unwrap();
        let kept = inner.len().min(most - 2);
        assert_eq!(ids, [&[start], &inner[..kept], &[end]].concat());
    }
    assert_eq!(tokenizer.encode("", 35).unwrap(), [start, end]);

    // Without a post-processor the tokens are known by their names; without the names there are none.
    let mut file: Value = golden("blip-tokenizer.json");
    file["post_processor"] = Value::Null;
    let plain = CaptionTokenizer::from_json(file.to_string().as_bytes()).unwrap();
    assert_eq!(plain.frame().unwrap(), (start, end));
    let renamed = file.to_string().replace("[CLS]", "[BEGIN]");
    let error = CaptionTokenizer::from_json(renamed.as_bytes()).unwrap().frame().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TokenizerInvalid);
}

/// The small CLIP file, changed by `change`.
fn changed(change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut file: Value = golden("clip-tokenizer.json");
    change(&mut file);
    file.to_string().into_bytes()
}

#[test]
fn truncation_and_padding_of_the_file_are_ignored() {
    let json = changed(|file| {
        file["truncation"] =
            json!({"direction": "Left", "max_length": 4, "strategy": "LongestFirst", "stride": 0});
        file["padding"] = json!({
            "strategy": {"Fixed": 77}, "direction": "Right", "pad_to_multiple_of": null,
            "pad_id": 0, "pad_type_id": 0, "pad_token": "!",
        });
    });
    assert_ne!(json, read("clip-tokenizer.json"));
    check_clip(&ClipTokenizer::from_json(&json, CONTEXT).unwrap(), "clip.json");
}

#[test]
fn start_and_end_are_found_without_a_post_processor() {
    let plain = changed(|file| file["post_processor"] = Value::Null);
    check_clip(&ClipTokenizer::from_json(&plain, CONTEXT).unwrap(), "clip.json");
    let template = changed(|file| {
        let special = |processor: &Value, key: &str| processor[key].clone();
        let (cls, sep) = (special(&file["post_processor"], "cls"), special(&file["post_processor"], "sep"));
        let piece = |token: &Value| json!({"SpecialToken": {"id": token[0], "type_id": 0}});
        let entry = |token: &Value| json!({"id": token[0], "ids": [token[1]], "tokens": [token[0]]});
        file["post_processor"] = json!({
            "type": "TemplateProcessing",
            "single": [piece(&cls), {"Sequence": {"id": "A", "type_id": 0}}, piece(&sep)],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}],
            "special_tokens": {"<|startoftext|>": entry(&cls), "<|endoftext|>": entry(&sep)},
        });
    });
    check_clip(&ClipTokenizer::from_json(&template, CONTEXT).unwrap(), "clip.json");
}

#[test]
fn a_short_context_keeps_the_end_token() {
    let json = read("clip-tokenizer.json");
    let whole = small_clip().encode("a photo of a cat").unwrap();
    for context in 2..10 {
        let tokenizer = ClipTokenizer::from_json(&json, context).unwrap();
        let ids = tokenizer.encode("a photo of a cat").unwrap();
        assert_eq!(ids.len(), whole.len().min(context));
        assert_eq!(ids[..ids.len() - 1], whole[..ids.len() - 1]);
        assert_eq!(ids.last(), Some(&tokenizer.end_token()));
    }
    for context in [0, 1] {
        let kind = ClipTokenizer::from_json(&json, context).err().map(|error| error.kind());
        assert_eq!(kind, Some(ErrorKind::TokenizerInvalid));
    }
}

/// A file with another decoder, put in as these bytes.
fn with_decoder(file: &[u8], decoder: &[u8]) -> Vec<u8> {
    let mut value: Value = serde_json::from_slice(file).unwrap();
    value.as_object_mut().unwrap().remove("decoder");
    let rest = serde_json::to_vec(&value).unwrap();
    [b"{\"decoder\":", decoder, b",", &rest[1..]].concat()
}

#[test]
fn files_that_are_no_tokenizer_of_the_kind_are_refused() {
    let (clip, blip) = (read("clip-tokenizer.json"), read("blip-tokenizer.json"));
    let bad = [
        b"".to_vec(),
        b"<!doctype html>".to_vec(),
        b"{}".to_vec(),
        b"[]".to_vec(),
        b"null".to_vec(),
        br#"{"model": {}}"#.to_vec(),
        br#"{"model": {"type": "BPE", "vocab": {}, "merges": []}, "added_tokens": []}"#.to_vec(),
        clip[..clip.len() / 2].to_vec(),
        vec![b' '; (32 << 20) + 1],
        vec![b'['; 100_000],
        changed(|file| file["model"]["dropout"] = json!(0.1)),
        changed(|file| file["model"]["merges"] = json!(["no such"])),
        changed(|file| file["model"]["vocab"]["a"] = json!(-1)),
        changed(|file| file["pre_tokenizer"]["pretokenizers"][0]["pattern"]["Regex"] = json!("(")),
        // Found by fuzzing: the tokenizer library panics at these.
        with_decoder(&clip, br#"{"type":"Metaspace","\ud800":"x"}"#),
        with_decoder(&clip, b"{\"type\":\"Metaspace\",\"\xff\":\"x\"}"),
    ];
    for json in &bad {
        let head = String::from_utf8_lossy(&json[..json.len().min(60)]).into_owned();
        let kind = ClipTokenizer::from_json(json, CONTEXT).err().map(|error| error.kind());
        assert_eq!(kind, Some(ErrorKind::TokenizerInvalid), "{head}");
        let kind = CaptionTokenizer::from_json(json).err().map(|error| error.kind());
        assert_eq!(kind, Some(ErrorKind::TokenizerInvalid), "{head}");
    }
    for (what, file) in [
        ("a frame outside the vocabulary", changed(|file| file["post_processor"]["sep"][1] = json!(99_999))),
        (
            "no frame",
            changed(|file| {
                file["post_processor"] = Value::Null;
                file["added_tokens"] = json!([]);
                let vocab = file["model"]["vocab"].as_object_mut().unwrap();
                vocab.retain(|token, _| !token.starts_with("<|"));
                file["model"]["unk_token"] = Value::Null;
            }),
        ),
        ("the other kind", blip),
    ] {
        let kind = ClipTokenizer::from_json(&file, CONTEXT).err().map(|error| error.kind());
        assert_eq!(kind, Some(ErrorKind::TokenizerInvalid), "{what}");
    }
    assert_eq!(
        CaptionTokenizer::from_json(&clip).err().map(|error| error.kind()),
        Some(ErrorKind::TokenizerInvalid)
    );
}

#[test]
fn a_text_beyond_the_limit_is_refused_and_one_within_it_is_not() {
    for letter in ["a", "é", "猫", "😀", " ", "!"] {
        let (within, beyond) = (letter.repeat(MAX_CHARACTERS), letter.repeat(MAX_CHARACTERS + 1));
        assert!(small_clip().encode(&within).unwrap().len() <= CONTEXT, "{letter:?}");
        assert!(small_blip().encode_prompt(&within).is_ok(), "{letter:?}");
        let kind = small_clip().encode(&beyond).err().map(|error| error.kind());
        assert_eq!(kind, Some(ErrorKind::ArgumentInvalid), "{letter:?}");
        let kind = small_blip().encode_prompt(&beyond).err().map(|error| error.kind());
        assert_eq!(kind, Some(ErrorKind::ArgumentInvalid), "{letter:?}");
    }
}

#[test]
fn ids_outside_the_vocabulary_are_left_out() {
    let tokenizer = small_blip();
    let mut ids = tokenizer.encode_prompt("a cat").unwrap();
    ids.insert(1, u32::MAX);
    assert_eq!(tokenizer.decode(&ids).unwrap(), "a cat");
}

#[test]
fn a_changed_file_gives_a_tokenizer_or_an_error_never_a_panic() {
    let mut random = random();
    let texts = ["a photo of a cat.", "it's 3 CAFÉS <|endoftext|> [SEP] 猫😀", "", "\u{301}\0\u{200b}"];
    let rounds: usize = std::env::var("OCELLI_MUTATIONS").ok().and_then(|n| n.parse().ok()).unwrap_or(300);
    for name in ["clip-tokenizer.json", "blip-tokenizer.json"] {
        let original = read(name);
        // Everything but the vocabulary is settings: half of the changes go there, and to what follows the model.
        let model = original.windows(7).position(|window| window == b"\"model\"").unwrap();
        let mut usable = 0;
        for _ in 0..rounds {
            let mut bytes = original.clone();
            for _ in 0..1 + random(3) {
                let at = if random(2) == 0 { random(model) } else { random(bytes.len()) };
                match random(4) {
                    0 => bytes[at] = b"0129\"{}[],:-. \\#a"[random(17)],
                    1 => drop(bytes.remove(at)),
                    2 => bytes.insert(at, b"0129\"{}[],:-. \\#a"[random(17)]),
                    // Another key or value of the same file, so that what comes out is often still JSON.
                    _ => {
                        let from = random(model - 12);
                        let piece = original[from..from + 12].to_vec();
                        bytes.splice(at..at, piece);
                    }
                }
            }
            if let Ok(tokenizer) = ClipTokenizer::from_json(&bytes, CONTEXT) {
                usable += 1;
                for text in texts {
                    if let Ok(ids) = tokenizer.encode(text) {
                        assert!(
                            ids.len() <= CONTEXT
                                && ids.iter().all(|&id| (id as usize) < tokenizer.vocab_size())
                        );
                    }
                }
            }
            if let Ok(tokenizer) = CaptionTokenizer::from_json(&bytes) {
                usable += 1;
                for text in texts {
                    if let Ok(ids) = tokenizer.encode_prompt(text) {
                        assert!(ids.iter().all(|&id| (id as usize) < tokenizer.vocab_size()));
                        tokenizer.decode(&ids).unwrap();
                    }
                }
            }
        }
        assert!(usable > rounds / 20, "{name}: only {usable} of {rounds} changed files could be used at all");
    }
}

/// Texts, and the ids that the reference makes of them.
type Cases = Vec<(String, Vec<u32>)>;

/// A tokenizer that the golden data's script has trained, the tokens that a text may have, and its texts.
fn trained(name: &str) -> (Vec<u8>, usize, Cases) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/text");
    let read = |end: &str| std::fs::read(format!("{folder}/{name}.{end}.json")).unwrap();
    let expected: serde_json::Value = serde_json::from_slice(&read("ids")).unwrap();
    let cases = expected["cases"].as_array().unwrap().iter().map(|case| {
        (case["text"].as_str().unwrap().to_owned(), serde_json::from_value(case["ids"].clone()).unwrap())
    });
    (read("tokenizer"), expected["context"].as_u64().unwrap() as usize, cases.collect())
}

#[test]
fn ids_of_siglip_s_tokenizers_are_the_reference_s() {
    for name in ["siglip", "siglip2"] {
        let (json, context, cases) = trained(name);
        let tokenizer = SiglipTokenizer::from_json(&json, context).unwrap();
        for (text, ids) in cases {
            assert_eq!(tokenizer.encode(&text).unwrap(), ids, "{name}: {text:?}");
        }
        assert_eq!(SiglipTokenizer::from_json(&json, 1).err().unwrap().kind(), ErrorKind::TokenizerInvalid);
    }
    let (roberta, context, cases) = trained("xlm-roberta");
    let tokenizer = RobertaTokenizer::from_json(&roberta, context).unwrap();
    for (text, ids) in cases {
        assert_eq!(tokenizer.encode(&text).unwrap(), ids, "{text:?}");
    }
    let (clip, _, _) = trained("siglip2");
    let error = RobertaTokenizer::from_json(&clip, context).err().unwrap();
    assert!(error.to_string().contains("no start and end token"), "{error}");
}

#[test]
fn a_text_fills_the_context_from_its_last_token_on() {
    let clip = read("clip-tokenizer.json");
    let (siglip, ..) = trained("siglip");
    let (roberta, ..) = trained("xlm-roberta");
    let text = "a photo of a cat";
    // As many tokens as the text has with those around it, in a room that cuts nothing off.
    let tokens = [
        ClipTokenizer::from_json(&clip, 99).unwrap().encode(text).unwrap().len(),
        RobertaTokenizer::from_json(&roberta, 99).unwrap().encode(text).unwrap().len(),
    ];
    for (context, fills) in [(tokens[0] - 1, true), (tokens[0], true), (tokens[0] + 1, false)] {
        let tokenizer = ClipTokenizer::from_json(&clip, context).unwrap();
        assert_eq!(tokenizer.fills_context(text).unwrap(), fills, "CLIP, {context}");
        // Padding is no text.
        assert_eq!(tokenizer.padded(0).fills_context(text).unwrap(), fills, "CLIP, padded, {context}");
    }
    for (context, fills) in [(tokens[1] - 1, true), (tokens[1], true), (tokens[1] + 1, false)] {
        let tokenizer = RobertaTokenizer::from_json(&roberta, context).unwrap();
        assert_eq!(tokenizer.fills_context(text).unwrap(), fills, "RoBERTa, {context}");
    }
    // SigLIP's texts are padded always: the first room that leaves one place is the first that is not filled.
    let padded = |context| SiglipTokenizer::from_json(&siglip, context).unwrap();
    let room = (2..99).find(|&context| !padded(context).fills_context(text).unwrap()).unwrap();
    let ids = padded(room).encode(text).unwrap();
    assert_eq!(ids[room - 1], ids[room - 2], "one place of padding behind the end token");
    let ids = padded(room - 1).encode(text).unwrap();
    assert_ne!(ids[room - 2], ids[room - 3], "and none in less room");
}
