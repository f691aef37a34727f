//! `tokenizer.json` of every kind, and a text.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ocelli::text::{CaptionTokenizer, ClipTokenizer, RobertaTokenizer, SiglipTokenizer};

const TEXT: &str = "A photo of 3 cafés, you're <|endoftext|> 猫!";

fuzz_target!(|file: &[u8]| {
    if let Ok(tokenizer) = ClipTokenizer::from_json(file, 77) {
        check(tokenizer.encode(TEXT), tokenizer.vocab_size(), 77);
    }
    if let Ok(tokenizer) = SiglipTokenizer::from_json(file, 64) {
        check(tokenizer.encode(TEXT), tokenizer.vocab_size(), 64);
    }
    if let Ok(tokenizer) = RobertaTokenizer::from_json(file, 77) {
        check(tokenizer.encode(TEXT), tokenizer.vocab_size(), 77);
    }
    if let Ok(tokenizer) = CaptionTokenizer::from_json(file) {
        check(tokenizer.encode(TEXT, 20), tokenizer.vocab_size(), 20);
        let _ = tokenizer.decode(&[0, 1, 2, u32::MAX]);
    }
});

/// Ids are within the vocabulary, and as many as there is room for.
fn check(ids: ocelli::Result<Vec<u32>>, vocabulary: usize, room: usize) {
    if let Ok(ids) = ids {
        assert!(ids.len() <= room && ids.iter().all(|&id| (id as usize) < vocabulary));
    }
}
