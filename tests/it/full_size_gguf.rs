//! BLIP large at its true size from GGUF files laid out as `lmz/candle-blip` publishes them, against candle's own BLIP.
//!
//! Candle's tools quantise every matrix whose rows are whole blocks and leave the rest in f32, under the names of
//! `transformers`. The files are made here, of seeded weights, by the same functions (4-bit: 0.3 GB, 8-bit: 0.5 GB), and
//! stream through the loader; the reference computes in f32 with what the blocks stand for. `OCELLI_FULL` asks for it: it
//! takes a minute or two, and 6 GB of memory. Without it the test says so and passes.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, HashMap};
use std::io::Cursor;

use candle_core::quantized::{GgmlDType, QTensor, gguf_file};
use candle_core::{D, DType, Device, Module, Tensor};
use candle_nn::{VarBuilder, VarMap};
use candle_transformers::models::blip::{BlipForConditionalGeneration, Config};
use ocelli::kernels::Dtype;
use ocelli::models::blip::{BlipConfig, BlipModel};
use ocelli::weights::WeightsLoader;

/// Bytes at a time, as a browser delivers them.
const CHUNK: usize = 1 << 20;
/// Largest difference from the reference, as part of its largest number: both add in f32, in another order.
const F32_BOUND: f32 = 1e-4;
/// Least cosine with the reference where matrices are quantised once more, to int8.
const INT8_COSINE: f32 = 0.998;

/// `config.json` of `Salesforce/blip-image-captioning-large`, as far as it is read.
fn config() -> BlipConfig {
    let json = serde_json::json!({
        "model_type": "blip",
        "text_config": {
            "vocab_size": 30524, "hidden_size": 768, "encoder_hidden_size": 1024, "num_attention_heads": 12,
        },
        "vision_config": {
            "hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 24, "num_attention_heads": 16,
            "image_size": 384, "patch_size": 16, "layer_norm_eps": 1e-5,
        },
    });
    BlipConfig::from_json(json.to_string().as_bytes()).unwrap()
}

/// Numbers between -1 and 1, the same in every run (xorshift; Marsaglia, 2003).
fn numbers(seed: u64, count: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    std::iter::repeat_with(next).take(count).collect()
}

/// Seeded weights under the names and in the shapes that candle's model asks for.
fn seeded() -> BTreeMap<String, Tensor> {
    let map = VarMap::new();
    let builder = VarBuilder::from_varmap(&map, DType::F32, &Device::Cpu);
    BlipForConditionalGeneration::new(&Config::image_captioning_large(), builder).unwrap();
    let shapes = map.data().lock().unwrap();
    let shapes: BTreeMap<&String, _> = shapes.iter().map(|(name, var)| (name, var.shape().clone())).collect();
    let mut tensors: BTreeMap<String, Tensor> = BTreeMap::new();
    for (i, (name, shape)) in shapes.into_iter().enumerate() {
        let is_norm = name.to_lowercase().contains("norm") && name.ends_with("weight");
        let (mean, width) = if is_norm { (1.0, 0.1) } else { (0.0, 0.05) };
        let values: Vec<f32> =
            numbers(i as u64 + 1, shape.elem_count()).into_iter().map(|x| mean + width * x).collect();
        tensors.insert(name.clone(), Tensor::from_vec(values, shape, &Device::Cpu).unwrap());
    }
    // The published model has one table of words.
    let words = tensors["text_decoder.bert.embeddings.word_embeddings.weight"].clone();
    tensors.insert("text_decoder.cls.predictions.decoder.weight".to_owned(), words);
    tensors
}

/// A file of `tensors`, and what it stands for.
fn gguf(tensors: &BTreeMap<String, Tensor>, dtype: GgmlDType) -> (Vec<u8>, HashMap<String, Tensor>) {
    let quantised: Vec<(&str, QTensor)> = tensors
        .iter()
        .map(|(name, tensor)| {
            let whole = tensor.rank() == 2 && tensor.dim(1).unwrap().is_multiple_of(dtype.block_size());
            let dtype = if whole { dtype } else { GgmlDType::F32 };
            (name.as_str(), QTensor::quantize(tensor, dtype).unwrap())
        })
        .collect();
    let dequantised = quantised
        .iter()
        .map(|(name, tensor)| ((*name).to_owned(), tensor.dequantize(&Device::Cpu).unwrap()))
        .collect();
    let entries: Vec<(&str, &QTensor)> = quantised.iter().map(|(name, tensor)| (*name, tensor)).collect();
    let mut file = Cursor::new(Vec::new());
    gguf_file::write(&mut file, &[], &entries).unwrap();
    (file.into_inner(), dequantised)
}

fn load(file: &[u8], dtype: Dtype) -> BlipModel {
    let mut loader = WeightsLoader::new(dtype);
    file.chunks(CHUNK).for_each(|chunk| loader.push(chunk).unwrap());
    BlipModel::new(&config(), loader.finish().unwrap()).unwrap()
}

/// The largest difference as part of the largest number of `expected`, and the cosine.
fn compare(found: &Tensor, expected: &Tensor) -> (f32, f32) {
    let flat = |tensor: &Tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    let (found, expected) = (flat(found), flat(expected));
    assert_eq!(found.len(), expected.len());
    let largest = expected.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
    let off = found.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(a * b)).sum::<f64>();
    let cosine = dot(&found, &expected) / (dot(&found, &found) * dot(&expected, &expected)).sqrt();
    (off / largest, cosine as f32)
}

#[test]
fn blip_large_of_a_gguf_file_is_candles() {
    if std::env::var_os("OCELLI_FULL").is_none() {
        println!("skipped: OCELLI_FULL does not ask for models of full size");
        return;
    }
    let tensors = seeded();
    let pixels = Tensor::from_vec(numbers(7, 3 * 384 * 384), (1, 3, 384, 384), &Device::Cpu).unwrap();
    let ids = [30522_u32, 1037, 3861, 1997];
    for ggml in [GgmlDType::Q4K, GgmlDType::Q8_0] {
        let (file, dequantised) = gguf(&tensors, ggml);
        println!("{ggml:?}: {} MB", file.len() / 1_000_000);
        let builder = VarBuilder::from_tensors(dequantised, DType::F32, &Device::Cpu);
        let mut reference =
            BlipForConditionalGeneration::new(&Config::image_captioning_large(), builder).unwrap();
        let states = reference.vision_model().forward(&pixels).unwrap();
        let input = Tensor::new(&ids, &Device::Cpu).unwrap().unsqueeze(0).unwrap();
        let logits = reference.text_decoder().forward(&input, &states).unwrap();
        let logits = logits.squeeze(0).unwrap();
        assert_eq!(logits.dim(D::Minus1).unwrap(), 30524);
        drop(reference);

        for dtype in [Dtype::F32, Dtype::Int8] {
            let model = load(&file, dtype);
            let found = model.image_states(&pixels).unwrap();
            // The decoder is compared on the reference's states: what the tower is off by is told above.
            let mut state = model.start(&states).unwrap();
            let written = model.step_all(&mut state, &ids).unwrap();
            for (what, found, expected) in [("states", &found, &states), ("logits", &written, &logits)] {
                let (off, cosine) = compare(found, expected);
                println!("{ggml:?} as {dtype:?}, {what}: off by {off:e}, cosine {cosine}");
                assert!(cosine >= INT8_COSINE, "{ggml:?} {dtype:?} {what}: cosine {cosine}");
                assert!(dtype != Dtype::F32 || off <= F32_BOUND, "{ggml:?} {what}: off by {off:e}");
            }
        }
    }
}
