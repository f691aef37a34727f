//! What is lost by int8: the built-in models and models with outlier channels, int8 against f32.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};
use ocelli::image;
use ocelli::kernels::Dtype;
use ocelli::models::blip::{BlipAnswerer, BlipConfig};
use ocelli::tasks::{
    CaptionOptions, Captioner, CaptionerFiles, LabelSet, Matcher, MatcherFiles, ModelFiles, Tagger,
    TaggerFiles,
};
use ocelli::weights::{PACKING_VERSION, Weights, WeightsLoader};

use crate::seeded::{Seeded, cosine, load, serialise, with_outliers};

/// Largest difference of the cosine of a picture and a text, of the built-in matcher.
const SIMILARITY: f32 = 0.01;
/// Largest difference of the probability that they match.
const MATCH: f32 = 0.06;
/// Largest difference of an answer's log-likelihood, for each of its tokens, in a narrow model of chance.
const LOG_LIKELIHOOD: f32 = 0.2;
/// Least cosine of an embedding in int8 and the same in f32.
const COSINE: f32 = 0.999;
/// The same where a few channels are fifty times as large as the others.
const COSINE_WITH_OUTLIERS: f32 = 0.998;
const TEMPLATE: &str = "a photo of a {}.";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(model: &str, file: &str) -> Vec<u8> {
    fs::read(root().join("tests/golden/trained").join(model).join(file)).unwrap()
}

fn tagger(weights: Weights) -> Tagger {
    let files = ["config.json", "preprocessor_config.json", "tokenizer.json"].map(|f| read("clip-tiny", f));
    let files = ModelFiles { config: &files[0], preprocessor: &files[1], tokenizer: &files[2] };
    Tagger::new(TaggerFiles::read(files).unwrap(), weights).unwrap()
}

fn captioner(weights: Weights) -> Captioner {
    let files = ["config.json", "preprocessor_config.json", "tokenizer.json"].map(|f| read("blip-tiny", f));
    let files = ModelFiles { config: &files[0], preprocessor: &files[1], tokenizer: &files[2] };
    Captioner::new(CaptionerFiles::read(files).unwrap(), weights).unwrap()
}

fn matcher(weights: Weights) -> Matcher {
    let files = ["config.json", "preprocessor_config.json", "tokenizer.json"].map(|f| read("blip-tiny", f));
    let files = ModelFiles { config: &files[0], preprocessor: &files[1], tokenizer: &files[2] };
    Matcher::new(MatcherFiles::read(files).unwrap(), weights).unwrap()
}

/// The drawings that the repository has.
fn pictures() -> Vec<(PathBuf, image::RgbImage)> {
    let mut paths: Vec<PathBuf> = fs::read_dir(root().join("tests/images/drawings"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "png"))
        .collect();
    paths.sort();
    assert!(paths.len() >= 12, "{} pictures prove little", paths.len());
    paths.into_iter().map(|path| (path.clone(), image::decode(&fs::read(path).unwrap()).unwrap())).collect()
}

fn labels() -> Vec<String> {
    serde_json::from_slice(&read("clip-tiny", "labels.json")).unwrap()
}

#[test]
fn embeddings_of_the_built_in_model_keep_their_direction() {
    let bytes = read("clip-tiny", "model.safetensors");
    let [exact, int8] = [Dtype::F32, Dtype::Int8].map(|dtype| tagger(load(dtype, &bytes)));
    for (path, picture) in pictures() {
        let (a, b) = (exact.image_embedding(&picture).unwrap(), int8.image_embedding(&picture).unwrap());
        assert_ne!(a, b, "int8 changes nothing: this test proves nothing");
        assert!(cosine(&a, &b) >= COSINE, "{}: {}", path.display(), cosine(&a, &b));
    }
    let texts: Vec<String> = labels().iter().step_by(9).map(|label| TEMPLATE.replace("{}", label)).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let (a, b) = (exact.text_embeddings(&texts).unwrap(), int8.text_embeddings(&texts).unwrap());
    for ((a, b), text) in a.iter().zip(&b).zip(texts) {
        assert!(cosine(a, b) >= COSINE, "{text}: {}", cosine(a, b));
    }
}

#[test]
fn texts_match_as_well_as_before() {
    let bytes = read("blip-tiny", "model.safetensors");
    let mut matchers = [Dtype::F32, Dtype::Int8].map(|dtype| matcher(load(dtype, &bytes)));
    let texts = [
        "a butterfly on a white ground",
        "a rocket",
        "a pizza on a white ground",
        "a kite and a lion",
        "nothing",
    ];
    let (mut similarity, mut matching) = (0.0f32, 0.0f32);
    for (path, picture) in pictures() {
        let [exact, int8] = matchers.each_mut().map(|matcher| {
            let (texts, encoding) = (matcher.texts(&texts).unwrap(), matcher.encode_image(&picture).unwrap());
            matcher.matches(&encoding, &texts).unwrap()
        });
        assert_ne!(exact, int8, "{}: int8 changes nothing: this test proves nothing", path.display());
        for (a, b) in exact.iter().zip(&int8) {
            similarity = similarity.max((a.similarity - b.similarity).abs());
            matching = matching.max((a.probability().unwrap() - b.probability().unwrap()).abs());
        }
    }
    println!("similarities differ by at most {similarity}, matches by {matching}");
    assert!(similarity <= SIMILARITY, "{similarity}");
    assert!(matching <= MATCH, "{matching}");
}

/// A model that answers questions, wide enough for its layers to become int8: no such model is small enough to be kept.
fn seeded_answerer() -> (BlipConfig, Vec<u8>) {
    const WIDTH: usize = 64;
    let config = BlipConfig::from_json(
        br#"{
            "text_config": {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4,
                "vocab_size": 100, "max_position_embeddings": 24, "bos_token_id": 98, "sep_token_id": 5},
            "vision_config": {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4,
                "image_size": 32, "patch_size": 8}
        }"#,
    )
    .unwrap();
    let mut model = Seeded::new(7);
    for i in 0..2 {
        let layer = format!("vision_model.encoder.layers.{i}");
        model.linear(&format!("{layer}.self_attn.qkv"), 3 * WIDTH, WIDTH);
        model.linear(&format!("{layer}.self_attn.projection"), WIDTH, WIDTH);
        model.linear(&format!("{layer}.mlp.fc1"), 2 * WIDTH, WIDTH);
        model.linear(&format!("{layer}.mlp.fc2"), WIDTH, 2 * WIDTH);
        for scope in ["text_encoder", "text_decoder.bert"] {
            let layer = format!("{scope}.encoder.layer.{i}");
            for name in ["self.query", "self.key", "self.value", "output.dense"] {
                model.linear(&format!("{layer}.attention.{name}"), WIDTH, WIDTH);
                model.linear(&format!("{layer}.crossattention.{name}"), WIDTH, WIDTH);
            }
            model.linear(&format!("{layer}.intermediate.dense"), 2 * WIDTH, WIDTH);
            model.linear(&format!("{layer}.output.dense"), WIDTH, 2 * WIDTH);
        }
    }
    model.linear("text_decoder.cls.predictions.transform.dense", WIDTH, WIDTH);
    model.norm("vision_model.post_layernorm", WIDTH);
    model.norm("text_decoder.cls.predictions.transform.LayerNorm", WIDTH);
    for scope in ["text_encoder", "text_decoder.bert"] {
        model.norm(&format!("{scope}.embeddings.LayerNorm"), WIDTH);
    }
    for i in 0..2 {
        for name in ["layer_norm1", "layer_norm2"] {
            model.norm(&format!("vision_model.encoder.layers.{i}.{name}"), WIDTH);
        }
        for scope in ["text_encoder", "text_decoder.bert"] {
            for name in ["attention.output", "crossattention.output", "output"] {
                model.norm(&format!("{scope}.encoder.layer.{i}.{name}.LayerNorm"), WIDTH);
            }
        }
    }
    for scope in ["text_encoder", "text_decoder.bert"] {
        model.add(format!("{scope}.embeddings.word_embeddings.weight"), &[100, WIDTH], WIDTH);
        model.add(format!("{scope}.embeddings.position_embeddings.weight"), &[24, WIDTH], WIDTH);
    }
    model.add("text_decoder.cls.predictions.bias", &[100], 100);
    model.add("vision_model.embeddings.class_embedding", &[1, 1, WIDTH], 1);
    model.add("vision_model.embeddings.position_embedding", &[1, 17, WIDTH], 1);
    model.add("vision_model.embeddings.patch_embedding.weight", &[WIDTH, 3, 8, 8], 192);
    model.add("vision_model.embeddings.patch_embedding.bias", &[WIDTH], 100);
    (config, serialise(&model.tensors, "answerer"))
}

#[test]
fn answers_are_about_as_likely_as_before() {
    let (config, bytes) = seeded_answerer();
    let models =
        [Dtype::F32, Dtype::Int8].map(|dtype| BlipAnswerer::new(&config, load(dtype, &bytes)).unwrap());
    let answers: Vec<Vec<u32>> =
        [&[30, 44][..], &[12], &[8, 8, 8, 8], &[61, 62, 63]].map(|ids| [&[98], ids, &[5]].concat()).to_vec();
    let mut pictures = Seeded::new(11);
    let (mut largest, mut lowest, mut highest) = (0.0f32, f32::MAX, f32::MIN);
    for _ in 0..4 {
        let pixels = pictures.numbers(&[1, 3, 32, 32], 2);
        for question in [&[97, 12, 40, 5][..], &[97, 60, 61, 62, 63, 5]] {
            let [exact, int8] = models.each_ref().map(|model| {
                let states = model.vision().states(model.vision().begin(&pixels).unwrap()).unwrap();
                let start = model.ask(&model.project_image(&states).unwrap(), question).unwrap();
                model.log_likelihoods(&start, &answers).unwrap()
            });
            assert_ne!(exact, int8, "int8 changes nothing: this test proves nothing");
            for ((a, b), ids) in exact.iter().zip(&int8).zip(&answers) {
                let tokens = (ids.len() - 1) as f32;
                largest = largest.max((a - b).abs() / tokens);
                (lowest, highest) = (lowest.min(a / tokens), highest.max(a / tokens));
            }
        }
    }
    println!("log-likelihoods for each token differ by at most {largest}, of {lowest} to {highest}");
    assert!(highest - lowest > 1.0, "The answers are all as likely: this test proves nothing.");
    assert!(largest <= LOG_LIKELIHOOD, "{largest}");
}

/// The built-in models in f32 and in int8.
struct Pair {
    labels: Vec<String>,
    taggers: [Tagger; 2],
    sets: [LabelSet; 2],
    captioners: [Captioner; 2],
}

impl Pair {
    fn load() -> Self {
        let labels = labels();
        let bytes = read("clip-tiny", "model.safetensors");
        let taggers = [Dtype::F32, Dtype::Int8].map(|dtype| tagger(load(dtype, &bytes)));
        let sets = [0, 1].map(|i: usize| taggers[i].labels(&labels, TEMPLATE).unwrap());
        let bytes = read("blip-tiny", "model.safetensors");
        let captioners = [Dtype::F32, Dtype::Int8].map(|dtype| captioner(load(dtype, &bytes)));
        Self { labels, taggers, sets, captioners }
    }

    /// The best tags of a picture.
    fn tags(&mut self, picture: &image::RgbImage) -> [&str; 2] {
        let best = [0, 1].map(|i| {
            let scores = self.taggers[i].tag(picture, &mut self.sets[i]).unwrap();
            scores.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).unwrap().0
        });
        best.map(|i| self.labels[i].as_str())
    }

    fn captions(&self, picture: &image::RgbImage) -> [String; 2] {
        [0, 1].map(|i| self.captioners[i].caption(picture, &CaptionOptions::default()).unwrap())
    }

    /// Asserts that of the best tags at most one in a hundred differs, and of the captions one in twenty.
    fn assert_alike(&mut self, pictures: impl Iterator<Item = (PathBuf, image::RgbImage)>) {
        let (mut count, mut other_tags, mut other_captions) = (0, Vec::new(), Vec::new());
        for (path, picture) in pictures {
            count += 1;
            let tags = self.tags(&picture).map(str::to_owned);
            if tags[0] != tags[1] {
                other_tags.push((path.clone(), tags));
            }
            let captions = self.captions(&picture);
            if captions[0] != captions[1] {
                other_captions.push((path, captions));
            }
        }
        println!(
            "of {count} pictures {} tags and {} captions differ",
            other_tags.len(),
            other_captions.len()
        );
        assert!(other_tags.len() * 100 <= count, "{other_tags:?}");
        assert!(other_captions.len() * 20 <= count, "{other_captions:?}");
    }
}

#[test]
fn best_tags_and_captions_of_the_built_in_models_stay() {
    Pair::load().assert_alike(pictures().into_iter());
}

/// Photographs of the test part that are looked at, if `OCELLI_PHOTOS` names no other number: all would take minutes.
const PHOTOS: usize = 100;

#[test]
fn best_tags_and_captions_of_photographs_stay() {
    let folder = root().join("../shared/data");
    let Ok(table) = fs::read_to_string(folder.join("photos.csv")) else {
        println!("skipped: the photographs are not on this machine");
        return;
    };
    let rows: Vec<&str> = table.lines().filter_map(|line| line.strip_suffix(",test")).collect();
    let wanted = std::env::var("OCELLI_PHOTOS").ok().and_then(|value| value.parse().ok()).unwrap_or(PHOTOS);
    let step = rows.len() / wanted.max(1);
    let photos = rows.iter().step_by(step.max(1)).filter_map(|row| {
        // Labels have no comma; a path may.
        let path = folder.join("photos").join(row.rsplit_once(',')?.0.trim_matches('"'));
        Some((path.clone(), image::decode(&fs::read(path).ok()?).ok()?))
    });
    let photos: Vec<_> = photos.collect();
    assert!(photos.len() >= PHOTOS, "only {} photographs could be read", photos.len());
    Pair::load().assert_alike(photos.into_iter());
}

/// A narrow model has two planes throughout; tests/int8_wide.rs has one whose outliers must be found.
#[test]
fn outlier_channels_do_not_drown_the_others() {
    let bytes = read("clip-tiny", "model.safetensors");
    let tensors = candle_core::safetensors::load_buffer(&bytes, &Device::Cpu).unwrap();
    let float = |(name, t): (String, Tensor)| (name, t.to_dtype(DType::F32).unwrap());
    let (tensors, changed) = with_outliers(&tensors.into_iter().map(float).collect());
    assert!(changed >= 8, "only {changed} layer norms were changed");
    let bytes = serialise(&tensors, "outliers");
    let [exact, int8] = [Dtype::F32, Dtype::Int8].map(|dtype| tagger(load(dtype, &bytes)));
    for (path, picture) in pictures() {
        let (a, b) = (exact.image_embedding(&picture).unwrap(), int8.image_embedding(&picture).unwrap());
        let cosine = cosine(&a, &b);
        assert!(cosine >= COSINE_WITH_OUTLIERS, "{}: {cosine}", path.display());
    }
}

/// The packed form of the built-in tagger, as it comes out while the file goes in.
fn packed(dtype: Dtype, chunk: usize) -> Vec<u8> {
    let mut loader = WeightsLoader::keeping(dtype);
    let mut packed = Vec::new();
    for chunk in read("clip-tiny", "model.safetensors").chunks(chunk) {
        loader.push(chunk).unwrap();
        packed.extend(loader.take_packed());
    }
    loader.finish().unwrap();
    packed
}

#[test]
fn the_packed_form_gives_the_same_model() {
    let bytes = read("clip-tiny", "model.safetensors");
    let picture = &pictures()[0].1;
    for dtype in [Dtype::F32, Dtype::F16, Dtype::Int8] {
        let form = packed(dtype, 65_537);
        assert_eq!(form, packed(dtype, 1 << 20), "the chunks must not show");
        let expected = tagger(load(dtype, &bytes));
        let loaded = tagger(load(dtype, &form));
        assert_eq!(loaded.image_embedding(picture).unwrap(), expected.image_embedding(picture).unwrap());
        assert_eq!(
            loaded.text_embeddings(&["a cat"]).unwrap(),
            expected.text_embeddings(&["a cat"]).unwrap()
        );
    }
}

#[test]
fn a_packed_form_that_is_damaged_is_refused() {
    let form = packed(Dtype::Int8, 1 << 20);
    let read = |bytes: &[u8]| {
        let mut loader = WeightsLoader::new(Dtype::Int8);
        bytes.chunks(10_007).try_for_each(|chunk| loader.push(chunk))?;
        loader.finish()
    };
    assert!(read(&form).is_ok());
    // Every kind of field, and places all over the file.
    let places = (8..64).chain((64..form.len()).step_by(form.len() / 40));
    for place in places {
        let mut damaged = form.clone();
        damaged[place] ^= 0x10;
        assert!(read(&damaged).is_err(), "byte {place} of {} may be anything", form.len());
    }
    for length in (1..form.len()).step_by(form.len() / 50) {
        assert!(read(&form[..length]).is_err(), "{length} of {} bytes are enough", form.len());
    }
    assert!(read(&[&form[..], b"more"].concat()).is_err());
    let mut newer = form.clone();
    newer[8..12].copy_from_slice(&(PACKING_VERSION + 1).to_le_bytes());
    assert!(read(&newer).is_err());
}
