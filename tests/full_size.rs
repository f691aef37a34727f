//! CLIP B/32 and BLIP base at their true size, natively, through everything but the browser.
//!
//! `python tests/full/make.py` makes the models (1.5 GB); `OCELLI_FULL=target/full` says that they are there.
//! Without it the tests say so and pass.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Instant;

use ocelli::kernels::Dtype;
use ocelli::tasks::{CaptionOptions, Captioner, CaptionerFiles, ModelFiles, Tagger, TaggerFiles};
use ocelli::weights::{Weights, WeightsLoader};
use serde_json::Value;

/// Largest difference of a probability from the reference's.
const SCORE_BOUND: f64 = 1e-4;
/// Bytes at a time, as a browser delivers them.
const CHUNK: usize = 64 << 10;

/// The folder of the models, and what the reference answers.
fn full() -> Option<(PathBuf, Value)> {
    let Some(folder) = std::env::var_os("OCELLI_FULL") else {
        println!("skipped: OCELLI_FULL does not name the folder that tests/full/make.py makes");
        return None;
    };
    let folder = PathBuf::from(folder);
    let expected = serde_json::from_slice(&std::fs::read(folder.join("expected.json")).unwrap()).unwrap();
    Some((folder, expected))
}

fn weights(path: &Path) -> Weights {
    let start = Instant::now();
    let mut file = std::fs::File::open(path).unwrap();
    let (mut loader, mut chunk) = (WeightsLoader::new(Dtype::F32), vec![0; CHUNK]);
    loop {
        let length = file.read(&mut chunk).unwrap();
        if length == 0 {
            break;
        }
        loader.push(&chunk[..length]).unwrap();
    }
    let weights = loader.finish().unwrap();
    println!("{}: {} tensors in {:?}", path.display(), weights.len(), start.elapsed());
    weights
}

/// The small files of a model: configuration, preprocessor, tokenizer.
fn small(folder: &Path) -> [Vec<u8>; 3] {
    ["config.json", "preprocessor_config.json", "tokenizer.json"]
        .map(|name| std::fs::read(folder.join(name)).unwrap())
}

fn image(full: &Path, name: &Value) -> ocelli::image::RgbImage {
    ocelli::image::decode(&std::fs::read(full.join("images").join(name.as_str().unwrap())).unwrap()).unwrap()
}

#[test]
fn clip_tags_as_the_reference() {
    let Some((full, expected)) = full() else { return };
    let expected = &expected["clip"];
    let folder = full.join("openai/clip-vit-base-patch32/resolve/refs/pr/15");
    let [config, preprocessor, tokenizer] = small(&folder);
    let files = ModelFiles { config: &config, preprocessor: &preprocessor, tokenizer: &tokenizer };
    let files = TaggerFiles::read(files).unwrap();
    let mut tagger = Tagger::new(files, weights(&folder.join("model.safetensors"))).unwrap();

    let labels: Vec<&str> =
        expected["labels"].as_array().unwrap().iter().map(|l| l.as_str().unwrap()).collect();
    let mut set = tagger.labels(&labels, expected["template"].as_str().unwrap()).unwrap();
    for answer in expected["images"].as_array().unwrap() {
        let start = Instant::now();
        let scores = tagger.tag(&image(&full, &answer["file"]), &mut set).unwrap();
        println!("{} in {:?}: {scores:?}", answer["file"], start.elapsed());
        for (score, expected) in scores.iter().zip(answer["scores"].as_array().unwrap()) {
            let difference = (f64::from(*score) - expected.as_f64().unwrap()).abs();
            assert!(difference <= SCORE_BOUND, "{}: off by {difference:e}", answer["file"]);
        }
    }
}

#[test]
fn blip_writes_as_the_reference() {
    let Some((full, expected)) = full() else { return };
    let expected = &expected["blip"];
    let folder = full.join("Salesforce/blip-image-captioning-base/resolve/main");
    let [config, preprocessor, tokenizer] = small(&folder);
    let files = ModelFiles { config: &config, preprocessor: &preprocessor, tokenizer: &tokenizer };
    let files = CaptionerFiles::read(files).unwrap();
    let captioner = Captioner::new(files, weights(&folder.join("model.safetensors"))).unwrap();

    let max_tokens = expected["max_new_tokens"].as_u64().map(|n| n as usize);
    for answer in expected["images"].as_array().unwrap() {
        let image = image(&full, &answer["file"]);
        for (kind, prompt) in [("free", None), ("prompted", expected["prompt"].as_str())] {
            let start = Instant::now();
            let prompt = prompt.map(str::to_owned);
            let options = CaptionOptions { prompt, max_tokens, ..CaptionOptions::default() };
            let mut run = captioner.start(&image, &options).unwrap();
            let text: String = run.by_ref().map(Result::unwrap).collect();
            println!("{} {kind} in {:?}: {text}", answer["file"], start.elapsed());
            let mut tokens: Vec<u64> =
                answer[kind]["tokens"].as_array().unwrap().iter().filter_map(Value::as_u64).collect();
            tokens.retain(|&token| token != 102);
            let found: Vec<u64> = run.token_ids().iter().map(|&id| u64::from(id)).collect();
            assert_eq!(found, tokens, "{} {kind}", answer["file"]);
            assert_eq!(text, answer[kind]["caption"].as_str().unwrap(), "{} {kind}", answer["file"]);
        }
    }
}
