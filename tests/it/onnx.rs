//! ONNX files as Optimum exports them and onnxruntime quantises them, against the reference with the same numbers. The files
//! are made by `tests/golden/onnx/make.py`.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::HashMap;

use candle_core::{Device, Tensor};
use ocelli::ErrorKind;
use ocelli::kernels::Dtype;
use ocelli::models::dual::{DualConfig, DualEncoder};
use ocelli::models::vit::{VitConfig, VitModel};
use ocelli::weights::{Weights, WeightsLoader};

use crate::golden::{Golden, assert_close, pixels};
use crate::support::{load, random, refuse};

const CLIP: [&str; 5] =
    ["clip.onnx", "clip-slim.onnx", "clip-fp16.onnx", "clip-uint8.onnx", "clip-int8.onnx"];

fn read(file: &str) -> Vec<u8> {
    let path = format!("{}/tests/golden/onnx/{file}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// What the reference gives with the numbers of `file`.
fn expected(file: &str) -> HashMap<String, Tensor> {
    let all = candle_core::safetensors::load_buffer(&read("expected.safetensors"), &Device::Cpu).unwrap();
    let of_file = |(key, value): (String, Tensor)| {
        let (of, what) = key.split_once('/')?;
        (of == file).then(|| (what.to_owned(), value))
    };
    all.into_iter().filter_map(of_file).collect()
}

fn weights(file: &str) -> Weights {
    load(&read(file), 1009).unwrap()
}

#[test]
fn clip_is_the_reference_s() {
    let config = DualConfig::from_json(&Golden::read("clip-gelu-eos-7").config).unwrap();
    for file in CLIP {
        let expected = expected(file);
        let model = DualEncoder::new(&config, weights(file)).unwrap();
        let images = model.image_features(&pixels(config.image_size().unwrap())).unwrap();
        assert_close(&format!("{file} images"), &images, &expected["image_features"]);
        let texts = model.text_features(&[vec![1, 5, 17, 33, 7]]).unwrap();
        assert_close(&format!("{file} texts"), &texts, &expected["text_features"]);
        let golden = Golden::read("clip-gelu-eos-7");
        let scale = Tensor::new(&[model.logit_scale()], &Device::Cpu).unwrap();
        // Half precision and folding leave three digits of it.
        let off = (scale.to_vec1::<f32>().unwrap()[0]
            / golden.floats("logit_scale").to_vec1::<f32>().unwrap()[0])
            .ln();
        assert!(off.abs() < 2e-3, "{file}: the scale is off by {off}");
    }
}

#[test]
fn siglip_is_the_reference_s() {
    let config = DualConfig::from_json(&Golden::read("siglip").config).unwrap();
    for file in ["siglip.onnx", "siglip-int8.onnx"] {
        let expected = expected(file);
        let model = DualEncoder::new(&config, weights(file)).unwrap();
        let images = model.image_features(&pixels(config.image_size().unwrap())).unwrap();
        assert_close(&format!("{file} images"), &images, &expected["image_features"]);
        let texts = model.text_features(&[vec![5, 17, 33, 99, 1, 1, 1, 1]]).unwrap();
        assert_close(&format!("{file} texts"), &texts, &expected["text_features"]);
        for (what, found) in
            [("logit_scale", model.logit_scale()), ("logit_bias", model.logit_bias().unwrap())]
        {
            assert_close(
                &format!("{file} {what}"),
                &Tensor::new(&[found], &Device::Cpu).unwrap(),
                &expected[what],
            );
        }
    }
}

#[test]
fn vit_is_the_reference_s() {
    let config = VitConfig::from_json(&Golden::read("vit-labels").config).unwrap();
    for file in ["vit.onnx", "vit-uint8.onnx"] {
        let model = VitModel::new(&config, weights(file)).unwrap();
        let images = pixels(config.image_size);
        let logits = model.logits(model.vision().begin(&images).unwrap()).unwrap();
        assert_close(file, &logits, &expected(file)["logits"]);
    }
}

#[test]
fn any_division_into_chunks_gives_the_same_tensors_packed_or_not() {
    for file in ["clip-uint8.onnx", "siglip.onnx"] {
        let bytes = read(file);
        let all = |weights: Weights| -> Vec<(String, Vec<f32>)> {
            let tensors = weights.into_tensors().unwrap();
            tensors.into_iter().map(|(name, t)| (name, t.flatten_all().unwrap().to_vec1().unwrap())).collect()
        };
        let whole = all(load(&bytes, usize::MAX).unwrap());
        for chunk in [1, 7, 4096] {
            let mut loader = WeightsLoader::keeping(Dtype::F32);
            let mut packed = Vec::new();
            for chunk in bytes.chunks(chunk) {
                loader.push(chunk).unwrap();
                packed.extend(loader.take_packed());
            }
            assert!(all(loader.finish().unwrap()) == whole, "{file} in chunks of {chunk}");
            assert!(all(load(&packed, 999).unwrap()) == whole, "{file} kept");
        }
    }
}

#[test]
fn files_cut_anywhere_are_truncated_and_changed_ones_never_panic() {
    let bytes = read("vit-uint8.onnx");
    let mut truncated = 0;
    for cut in (1..bytes.len()).step_by(997) {
        match load(&bytes[..cut], 1 << 16) {
            // The graph is complete, and only what is said of it is not.
            Ok(_) => assert!(cut > bytes.len() - 64, "{cut}"),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WeightsTruncated, "{cut}: {error}");
                truncated += 1;
            }
        }
    }
    assert!(truncated > 90);
    let mut next = random();
    for _ in 0..2000 {
        let mut changed = bytes.clone();
        for _ in 0..=next(3) {
            let at = next(changed.len());
            changed[at] = next(256) as u8;
        }
        let _ = load(&changed, 1 + next(1 << 16));
    }
}

/// A field of a message with bytes as its value.
fn field(number: u8, value: &[u8]) -> Vec<u8> {
    let mut length = value.len();
    let mut bytes = vec![number << 3 | 2];
    while length >= 0x80 {
        bytes.push(length as u8 | 0x80);
        length >>= 7;
    }
    bytes.push(length as u8);
    bytes.extend_from_slice(value);
    bytes
}

fn node(op: &str, name: &str, inputs: &[&str]) -> Vec<u8> {
    let mut node: Vec<u8> = inputs.iter().flat_map(|input| field(1, input.as_bytes())).collect();
    node.extend(field(2, b"out"));
    node.extend(field(3, name.as_bytes()));
    node.extend(field(4, op.as_bytes()));
    field(1, &node)
}

fn tensor(name: &str, kind: u8, dims: &[u8], raw: &[u8]) -> Vec<u8> {
    let mut tensor: Vec<u8> = dims.iter().flat_map(|&dimension| [0x08, dimension]).collect();
    tensor.extend([0x10, kind]);
    tensor.extend(field(8, name.as_bytes()));
    tensor.extend(field(9, raw));
    field(5, &tensor)
}

fn model(graph: &[Vec<u8>]) -> Vec<u8> {
    let mut model = vec![0x08, 8];
    model.extend(field(2, b"a test"));
    model.extend(field(7, &graph.concat()));
    model
}

fn refused(graph: &[Vec<u8>], kind: ErrorKind, sentence: &str) {
    let error = refuse(&model(graph));
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(sentence), "{error}");
}

#[test]
fn says_what_cannot_be_read() {
    let floats = |count: usize| vec![0u8; 4 * count];
    let product = || node("MatMul", "/a/MatMul", &["x", "onnx::MatMul_1"]);
    let fused = node("MatMulNBits", "/a/MatMul_Q4", &["x", "w_Q4"]);
    let mut elsewhere = vec![0x08, 1, 0x10, 1];
    elsewhere.extend(field(8, b"a.weight"));
    elsewhere.extend(field(13, b"there"));
    let many = [0xAC, 0x40].map(|byte| byte);
    let mut large = vec![0x08, many[0], many[1], 0x10, 2];
    large.extend(field(8, b"w_Q4"));
    large.extend(field(9, &vec![0; 0x202C]));
    for (graph, sentence) in [
        (
            vec![fused, field(5, &large)],
            "`/a/MatMul_Q4` of the kind `MatMulNBits`, whose weights cannot be read",
        ),
        (vec![product(), field(5, &elsewhere)], "keeps its numbers in another file"),
        (vec![product(), field(15, b"")], "sparse tensors"),
        (vec![product(), tensor("a.weight", 1, &[2], &floats(2)), product()], "nodes after its tensors"),
        (
            vec![
                node("MatMulInteger", "/a/MatMul_quant", &["x", "w_quantized"]),
                tensor("w_quantized", 2, &[2, 2], &[0; 4]),
            ],
            "`w_quantized` of the ONNX file has no scale before it",
        ),
        (vec![tensor("a.weight", 1, &[2], &floats(3))], "go on after their last tensor"),
    ] {
        refused(&graph, ErrorKind::WeightsInvalid, sentence);
    }
    refused(
        &[tensor("a.weight", 1, &[3], &floats(2))],
        ErrorKind::WeightsTruncated,
        "within the tensor `a.weight`",
    );
    refused(&[product()], ErrorKind::WeightsTruncated, "within the graph");
}

#[test]
fn products_are_turned_and_equal_tensors_go_to_each_layer() {
    let values: Vec<u8> = (0..6).flat_map(|i| (i as f32).to_le_bytes()).collect();
    let bias: Vec<u8> = [1f32, 2.0].iter().flat_map(|value| value.to_le_bytes()).collect();
    let file = model(&[
        node("MatMul", "/layers.0/fc/MatMul", &["x", "onnx::MatMul_7"]),
        node("Add", "/layers.0/fc/Add", &["layers.0.fc.bias", "y"]),
        node("Gemm", "/layers.1/fc/Gemm", &["x", "onnx::MatMul_7", "layers.0.fc.bias"]),
        node("Add", "/layers.1/norm/Add_1", &["y", "onnx::Add_3"]),
        tensor("onnx::MatMul_7", 1, &[3, 2], &values),
        tensor("layers.0.fc.bias", 1, &[2], &bias),
        // A constant of the arithmetic.
        tensor("onnx::Add_3", 1, &[], &1e-5f32.to_le_bytes()),
    ]);
    let tensors: HashMap<_, _> = load(&file, 3).unwrap().into_tensors().unwrap().into_iter().collect();
    assert_eq!(tensors.len(), 4, "{:?}", tensors.keys());
    for layer in ["layers.0.fc", "layers.1.fc"] {
        let weight = tensors[&format!("{layer}.weight")].to_vec2::<f32>().unwrap();
        assert_eq!(weight, [[0.0, 2.0, 4.0], [1.0, 3.0, 5.0]]);
        assert_eq!(tensors[&format!("{layer}.bias")].to_vec1::<f32>().unwrap(), [1.0, 2.0]);
    }
}

#[test]
fn a_graph_that_is_all_copies_and_detours_is_read_in_no_time() {
    // One tensor in a hundred thousand layers, and a chain of as many nodes that hand a value on.
    let layers = (0..50_000).map(|i| node("Add", &format!("/layers.{i}/fc/Add_9"), &["one", "x"]));
    let detours = (0..50_000).map(|i| node("Identity", &format!("/d/Identity_{i}"), &["out"]));
    let mut graph: Vec<Vec<u8>> = layers.chain(detours).collect();
    graph.extend((0..200).map(|_| tensor("one", 1, &[2], &[0; 8])));
    let tensors = load(&model(&graph), 1 << 16).unwrap().into_tensors().unwrap();
    assert!(tensors.len() <= 513, "{}", tensors.len());
}
