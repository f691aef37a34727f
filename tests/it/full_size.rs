//! CLIP B/32 and BLIP base at their true size, natively, through everything but the browser.
//!
//! `python tests/full/make.py` makes the models (1.5 GB); `OCELLI_FULL=target/full` says that they are there.
//! Without it the tests say so and pass. `python tests/full/make_towers.py` makes RN50, SigLIP, XLM-RoBERTa and EfficientNet-Lite0
//! beside them, and `python tests/full/make_text_encoder.py` the text tower of CLIP L/14.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Instant;

use ocelli::image::{Preprocessor, PreprocessorKind};
use ocelli::kernels::Dtype;
use ocelli::models::dual::{DualConfig, DualEncoder, Towers};
use ocelli::models::ocelli::{OcelliConfig, OcelliModel, Parts};
use ocelli::tasks::{
    CaptionOptions, Captioner, CaptionerFiles, EncodeOptions, ModelFiles, Tagger, TaggerFiles, TextEncoder,
    TextEncoderFiles,
};
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
    weights_as(path, Dtype::F32)
}

fn weights_as(path: &Path, dtype: Dtype) -> Weights {
    let start = Instant::now();
    let mut file = std::fs::File::open(path).unwrap();
    let (mut loader, mut chunk) = (WeightsLoader::new(dtype), vec![0; CHUNK]);
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

/// Largest difference of a number of an embedding of length 1 from the reference's.
const EMBEDDING_BOUND: f32 = 1e-4;
/// Least cosine of an embedding in int8 and the reference's.
const INT8_COSINE: f32 = 0.999;
/// The same of EfficientNet-Lite0, whose layers are narrow.
const NARROW_COSINE: f32 = 0.998;

/// The answers of tests/full/make_towers.py.
fn towers() -> Option<(PathBuf, Value)> {
    let (full, _) = full()?;
    let Ok(expected) = std::fs::read(full.join("towers.json")) else {
        println!("skipped: tests/full/make_towers.py has not been run");
        return None;
    };
    let expected = serde_json::from_slice(&expected).unwrap();
    Some((full, expected))
}

/// Compares the features `(images, dim)` that `model` makes of the pictures with the reference's.
fn compare_towers(name: &str, int8: f32, model: impl Fn(&[u8], Weights) -> DualEncoder) {
    let Some((full, expected)) = towers() else { return };
    let folder = full.join("towers").join(name);
    let read = |file: &str| std::fs::read(folder.join(file)).unwrap();
    let preprocessor =
        Preprocessor::from_json(&read("preprocessor_config.json"), PreprocessorKind::Clip).unwrap();
    for (dtype, least) in dtypes(int8) {
        let config = read("config.json");
        let mut loader = WeightsLoader::new(dtype);
        if let Some(tower) = DualConfig::from_json(&config).ok().and_then(|config| config.tower_alone()) {
            loader.of_tower(tower);
        }
        read("model.safetensors").chunks(CHUNK).for_each(|chunk| loader.push(chunk).unwrap());
        let model = model(&config, loader.finish().unwrap());
        let names = expected["images"].as_array().unwrap();
        for (file, reference) in names.iter().zip(expected[name].as_array().unwrap()) {
            let pixels = preprocessor.tensor(&image(&full, file)).unwrap().unsqueeze(0).unwrap();
            let start = Instant::now();
            let mut found =
                model.image_features(&pixels).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
            let time = start.elapsed();
            let length = found.iter().map(|x| x * x).sum::<f32>().sqrt();
            found.iter_mut().for_each(|x| *x /= length);
            let reference: Vec<f32> =
                reference.as_array().unwrap().iter().map(|x| x.as_f64().unwrap() as f32).collect();
            let off = found.iter().zip(&reference).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            let cosine: f32 = found.iter().zip(&reference).map(|(a, b)| a * b).sum();
            println!("{name} {dtype:?} {file}: off by {off:e}, cosine {cosine}, in {time:?}");
            assert!(cosine >= least, "{name} {dtype:?} {file}: cosine {cosine}");
            assert!(dtype != Dtype::F32 || off <= EMBEDDING_BOUND, "{name} {file}: off by {off:e}");
        }
    }
}

/// Each dtype with the least cosine of what it gives and the reference's, of int8 `int8`.
fn dtypes(int8: f32) -> [(Dtype, f32); 3] {
    [(Dtype::F32, 0.9999), (Dtype::F16, 0.9999), (Dtype::Int8, int8)]
}

#[test]
fn rn50_sees_as_the_reference() {
    let model =
        |config: &[u8], weights| DualEncoder::new(&DualConfig::from_json(config).unwrap(), weights).unwrap();
    compare_towers("rn50", INT8_COSINE, model);
}

#[test]
fn siglip_sees_as_the_reference() {
    let model = |config: &[u8], weights| {
        DualEncoder::with_towers(&DualConfig::from_json(config).unwrap(), Towers::Image, weights).unwrap()
    };
    compare_towers("siglip", INT8_COSINE, model);
}

#[test]
fn xlm_roberta_reads_as_the_reference() {
    let Some((full, expected)) = towers() else { return };
    let folder = full.join("towers/xlm_roberta");
    let [config, preprocessor, tokenizer] = small(&folder);
    for (dtype, least) in dtypes(INT8_COSINE) {
        let files = ModelFiles { config: &config, preprocessor: &preprocessor, tokenizer: &tokenizer };
        let files = TaggerFiles::read_only(files, Towers::Text).unwrap();
        let weights = weights_as(&folder.join("model.safetensors"), dtype);
        let tagger = Tagger::new(files, weights).unwrap();
        for answer in expected["xlm_roberta"].as_array().unwrap() {
            let found = tagger.text_embeddings(&[answer["text"].as_str().unwrap()]).unwrap().concat();
            let reference: Vec<f32> = serde_json::from_value(answer["embedding"].clone()).unwrap();
            let off = found.iter().zip(&reference).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            let cosine: f32 = found.iter().zip(&reference).map(|(a, b)| a * b).sum();
            println!("xlm_roberta {dtype:?}: off by {off:e}, cosine {cosine}");
            assert!(cosine >= least, "xlm_roberta {dtype:?}: cosine {cosine}");
            assert!(dtype != Dtype::F32 || off <= EMBEDDING_BOUND, "xlm_roberta: off by {off:e}");
        }
    }
}

#[test]
fn efficientnet_lite0_sees_as_the_reference() {
    let model = |config: &[u8], weights: Weights| {
        let parts = Parts { tagger: true, captioner: false, matcher: false };
        weights.pass_over(&OcelliModel::unused(parts));
        let config = OcelliConfig::from_json(config).unwrap();
        OcelliModel::new(&config, parts, weights).unwrap().tagger.unwrap()
    };
    compare_towers("lite0", NARROW_COSINE, model);
}

/// Largest difference of a state's number from the reference's, as part of the largest one.
const STATE_BOUND: f32 = 1e-4;
/// Least cosine of a token's state in int8 and the reference's.
const STATE_COSINE: f32 = 0.999;

#[test]
fn clip_l_14_reads_prompts_as_the_reference() {
    let Some(folder) = std::env::var_os("OCELLI_FULL").map(|full| PathBuf::from(full).join("text_encoder"))
    else {
        println!("skipped: OCELLI_FULL does not name the folder that tests/full/make_text_encoder.py makes");
        return;
    };
    let Ok(prompts) = std::fs::read(folder.join("prompts.json")) else {
        println!("skipped: tests/full/make_text_encoder.py has not been run");
        return;
    };
    let prompts: Vec<String> = serde_json::from_slice(&prompts).unwrap();
    let expected =
        candle_core::safetensors::load(folder.join("expected.safetensors"), &candle_core::Device::Cpu)
            .unwrap();
    let read = |file: &str| std::fs::read(folder.join(file)).unwrap();
    for (dtype, least) in [(Dtype::F32, 0.99999), (Dtype::F16, 0.9999), (Dtype::Int8, STATE_COSINE)] {
        let files = TextEncoderFiles::read(&read("config.json"), &read("tokenizer.json")).unwrap();
        let mut encoder =
            TextEncoder::new(files, weights_as(&folder.join("model.safetensors"), dtype)).unwrap();
        for (i, prompt) in prompts.iter().enumerate() {
            for (key, skip) in [("last", 0), ("penultimate", 1)] {
                let options = EncodeOptions { skip, final_norm: skip == 0, ..Default::default() };
                let start = Instant::now();
                let (encoded, _) = encoder.encode(prompt, None, &options).unwrap();
                let time = start.elapsed();
                for (what, found) in [(key, &encoded.states), ("pooled", &encoded.pooled)] {
                    let expected = expected[&format!("{i}.{what}")].flatten_all().unwrap().to_vec1().unwrap();
                    let (off, cosine) = compare_states(found, &expected);
                    println!(
                        "CLIP L/14 {dtype:?} {what} of {prompt:?}: off by {off:e}, cosine {cosine}, in {time:?}"
                    );
                    assert!(cosine >= least, "{dtype:?} {what}: cosine {cosine}");
                    assert!(dtype != Dtype::F32 || off <= STATE_BOUND, "{what}: off by {off:e}");
                }
            }
        }
    }
}

/// The largest difference as part of the largest number, and the least cosine of the rows of 768 numbers.
fn compare_states(found: &[f32], expected: &[f32]) -> (f32, f32) {
    assert_eq!(found.len(), expected.len());
    let largest = expected.iter().fold(0.0f32, |most, x| most.max(x.abs()));
    let off = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    let rows = found.chunks(768).zip(expected.chunks(768));
    (off / largest, rows.map(|(a, b)| crate::seeded::cosine(a, b)).fold(1.0, f32::min))
}
