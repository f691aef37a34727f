//! PyTorch files and GGUF: every kind of tensor in every division into chunks, and files that are wrong.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::HashMap;
use std::path::PathBuf;

use candle_core::{DType, Device, Tensor};
use ocelli::ErrorKind;
use ocelli::kernels::Dtype;
use ocelli::models::dual::{DualConfig, DualEncoder};
use ocelli::weights::{Weights, WeightsLoader, is_matrix};

use crate::support::{load, refuse};

/// Largest difference of numbers in block formats: products are rounded in another order.
const BOUND: f32 = 1e-6;

fn read(name: &str) -> Vec<u8> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/formats");
    std::fs::read(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The tensors of a safetensors file, by candle's reader.
fn expected(name: &str) -> HashMap<String, Tensor> {
    candle_core::safetensors::load_buffer(&read(name), &Device::Cpu).unwrap()
}

fn assert_same(what: &str, weights: Weights, expected: &HashMap<String, Tensor>, bound: f32) {
    let tensors = weights.into_tensors().unwrap();
    assert_eq!(tensors.len(), expected.len(), "{what}");
    for (name, tensor) in tensors {
        let other = &expected[&name];
        assert_eq!(tensor.dims(), other.dims(), "{what}: {name}");
        let [a, b] = [&tensor, other]
            .map(|t| t.to_dtype(DType::F32).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap());
        let off = a.iter().zip(&b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(off <= bound, "{what}: {name} is off by {off}");
    }
}

#[test]
fn pytorch_files_give_every_tensor() {
    let expected = expected("expected.safetensors");
    for name in ["plain.bin", "protocol-5.bin", "zip64.bin", "nested.bin", "trainer.bin"] {
        let file = read(name);
        for chunk in (1..=40).chain([1000, 1 << 20]) {
            assert_same(&format!("{name} in chunks of {chunk}"), load(&file, chunk).unwrap(), &expected, 0.0);
        }
    }
}

#[test]
fn gguf_files_give_every_block_format() {
    let (file, expected) = (read("blocks.gguf"), expected("blocks.safetensors"));
    for chunk in (1..=40).chain([209, 1000, 1 << 20]) {
        assert_same(&format!("in chunks of {chunk}"), load(&file, chunk).unwrap(), &expected, BOUND);
    }
}

#[test]
fn all_formats_pack_alike() {
    let packed = |file: &[u8]| {
        let mut loader = WeightsLoader::keeping(Dtype::Int8);
        let mut packed = Vec::new();
        for chunk in file.chunks(333) {
            loader.push(chunk).unwrap();
            packed.extend(loader.take_packed());
        }
        let weights = loader.finish().unwrap().into_tensors().unwrap();
        (packed, weights)
    };
    for name in ["plain.bin", "blocks.gguf"] {
        let (bytes, weights) = packed(&read(name));
        let again: HashMap<String, Tensor> = weights.into_iter().collect();
        assert_same(name, load(&bytes, 100).unwrap(), &again, 0.0);
    }
}

#[test]
fn refuses_to_call_anything() {
    let error = refuse(&read("call.bin"));
    assert_eq!(error.kind(), ErrorKind::WeightsInvalid);
    // The function has another name on other systems.
    assert!(error.to_string().ends_with(".system`, which no weights need: do not trust it."), "{error}");
}

#[test]
fn files_cut_anywhere_are_truncated() {
    for name in ["plain.bin", "zip64.bin", "blocks.gguf"] {
        let file = read(name);
        let whole = load(&file, 1000).unwrap().len();
        let mut complete = 0;
        for length in 0..file.len() {
            match load(&file[..length], 1 << 20) {
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::WeightsTruncated, "{name} {length}: {error}")
                }
                // What follows the last tensor (padding, a zip's directory) is not needed.
                Ok(weights) => {
                    assert_eq!(weights.len(), whole, "{name}, {length} bytes");
                    complete += 1;
                }
            }
        }
        assert!(complete < file.len() / 2, "{name}: most of the file is not needed");
    }
}

/// `file` with the first `from` replaced by `to`, of the same length.
fn replaced(file: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let at = file.windows(from.len()).position(|window| window == from).unwrap();
    let mut file = file.to_vec();
    file[at..at + to.len()].copy_from_slice(to);
    file
}

#[test]
fn says_what_is_wrong_with_a_pytorch_file() {
    let file = read("plain.bin");
    let stored = [b"PK\x03\x04".as_slice(), &[0, 0, 8, 8, 0, 0]].concat();
    let mut cases = vec![
        (replaced(&file, b"LongStorage", b"LoudStorage"), "a storage of an unknown kind"),
        (replaced(&file, b"little", b"bigbig"), "high byte first"),
        (replaced(&file, &stored, b"PK\x03\x04\0\0\x09\x08\0\0"), "is encrypted"),
        (replaced(&file, &stored, b"PK\x03\x04\0\0\x08\x08\x08\0"), "is compressed"),
        (
            replaced(&file, b"/data.pkl", b"/dota.pkl"),
            "torch.save(torch.jit.load(file).state_dict(), \"pytorch_model.bin\")",
        ),
        // The shape of the first tensor, (6, 5), becomes (9, 5).
        (
            replaced(&file, b"K\0K\x06K\x05\x86", b"K\0K\x09K\x05\x86"),
            "`plain.weight` reaches beyond its storage",
        ),
    ];
    cases.push(([b"\x80\x02".as_slice(), &[b'.'; 70]].concat(), "of the old form, before version 1.6"));
    for (file, words) in cases {
        let error = refuse(&file);
        assert_eq!(error.kind(), ErrorKind::WeightsInvalid, "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn says_what_is_wrong_with_a_gguf_file() {
    let file = read("blocks.gguf");
    let mut version = file.clone();
    version[4] = 9;
    let mut many = file.clone();
    many[8..16].copy_from_slice(&u64::MAX.to_le_bytes());
    let mut longer = file.clone();
    longer.resize(file.len() + 100, 0);
    let cases = [
        (version, "version 9"),
        (many, "announces 18446744073709551615 tensors"),
        (longer, "go on after their last tensor"),
        // The last byte of a tensor's entry before its offset: the type.
        (replaced(&file, b"q4_k.values\x02\0\0\0\0\x02", b"q4_k.values\x09\0\0\0\0\x02"), "has 9 dimensions"),
    ];
    for (file, words) in cases {
        let error = refuse(&file);
        assert_eq!(error.kind(), ErrorKind::WeightsInvalid, "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn mutations_never_panic() {
    let mut state = 0x9E37_79B9_7F4A_7C15u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 16) as usize % below
    };
    let mut refused = 0;
    for name in ["plain.bin", "zip64.bin", "blocks.gguf"] {
        let file = read(name);
        for _ in 0..1500 {
            let mut changed = file.clone();
            for _ in 0..1 + random(4) {
                // Most of what can go wrong is near the beginning.
                let near = if random(3) > 0 { changed.len().min(2000) } else { changed.len() };
                let at = random(near);
                match random(4) {
                    0 => changed[at] = [0, 1, 0x7F, 0x80, 0xFF][random(5)],
                    1 => changed[at] ^= 1 << random(8),
                    2 => {
                        changed[at] =
                            b"(}])NJKMXqrhjtusaecQRb.\x80\x85\x86\x87\x88\x89\x8A\x93\x94\x95"[random(33)]
                    }
                    _ => changed.truncate(at + 1),
                }
            }
            refused += usize::from(load(&changed, 1 + random(5000)).is_err());
        }
    }
    println!("{refused} of 4500 refused");
    assert!(refused > 1000);
}

/// Runs `ocelli-convert`. Returns what it wrote to its standard error.
fn convert(arguments: &[&str]) -> Result<(), String> {
    let run =
        std::process::Command::new(env!("CARGO_BIN_EXE_ocelli-convert")).args(arguments).output().unwrap();
    let error = String::from_utf8(run.stderr).unwrap();
    if run.status.success() { Ok(()) } else { Err(error) }
}

#[test]
fn converts_to_files_that_load() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    for name in ["blip-tied", "clip-quick-gelu-eos-2"] {
        check_conversion(&root.join("tests/golden/models").join(name).join("model.safetensors"));
    }
}

#[test]
fn what_was_converted_is_the_whole_model() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/models/clip-quick-gelu-eos-2");
    let out = std::env::temp_dir().join(format!("ocelli-convert-{}-whole.gguf", std::process::id()));
    let model = folder.join("model.safetensors");
    convert(&[model.to_str().unwrap(), "--dtype", "q8", "-o", out.to_str().unwrap()]).unwrap();
    let file = std::fs::read(&out).unwrap();
    std::fs::remove_file(&out).unwrap();
    let config = DualConfig::from_json(&std::fs::read(folder.join("config.json")).unwrap()).unwrap();
    // The temperature, a number of no dimension, is among what it needs.
    DualEncoder::new(&config, load(&file, 4096).unwrap()).unwrap();
}

fn check_conversion(model: &std::path::Path) {
    let exact = load(&std::fs::read(model).unwrap(), 1 << 20).unwrap().into_tensors().unwrap();
    let largest = std::fs::metadata(model).unwrap().len() * 3;
    // A number of a row becomes one of so many steps of the row's largest.
    for (dtype, bound) in [("f32", 0.0), ("f16", 1e-3), ("int8", 0.008), ("q8", 0.005), ("q4", 0.08)] {
        let out = std::env::temp_dir().join(format!("ocelli-convert-{}-{dtype}.gguf", std::process::id()));
        convert(&[model.to_str().unwrap(), "--dtype", dtype, "-o", out.to_str().unwrap()]).unwrap();
        let file = std::fs::read(&out).unwrap();
        std::fs::remove_file(&out).unwrap();
        assert!((file.len() as u64) < largest);
        let tensors = load(&file, 4096).unwrap().into_tensors().unwrap();
        assert_eq!(tensors.len(), exact.len());
        for ((name, tensor), (other, exact)) in tensors.iter().zip(&exact) {
            assert_eq!(name, other);
            // A single number comes back in one dimension.
            assert!(tensor.dims() == exact.dims() || exact.rank() == 0 && tensor.dims() == [1], "{name}");
            let [a, b] = [tensor, exact].map(|t| t.flatten_all().unwrap().to_vec1::<f32>().unwrap());
            let most = b.iter().fold(0.0, |most: f32, b| most.max(b.abs()));
            let off = a.iter().zip(&b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(off <= bound * most, "{dtype}: {name} is off by {off}, of {most}");
        }
    }
}

#[test]
fn bytes_of_int8_are_computed_with_as_they_are() {
    let model =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/models/blip-tied/model.safetensors");
    let out = std::env::temp_dir().join(format!("ocelli-convert-{}-bytes.safetensors", std::process::id()));
    convert(&[model.to_str().unwrap(), "--dtype", "int8", "-o", out.to_str().unwrap()]).unwrap();
    let small = std::fs::read(&out).unwrap();
    std::fs::remove_file(&out).unwrap();
    // Packed from the bytes, or from the numbers that were quantised: the same.
    let [small, whole] = [small, std::fs::read(&model).unwrap()].map(|file| {
        let mut loader = WeightsLoader::new(Dtype::Int8);
        loader.push(&file).unwrap();
        let tensors = loader.finish().unwrap().into_tensors().unwrap();
        tensors.into_iter().filter(|(name, tensor)| is_matrix(name, tensor.dims())).collect::<Vec<_>>()
    });
    assert!(!small.is_empty());
    for ((name, small), (_, whole)) in small.iter().zip(&whole) {
        let [a, b] = [small, whole].map(|t| t.flatten_all().unwrap().to_vec1::<f32>().unwrap());
        assert!(a == b, "{name}");
    }
}

#[test]
fn the_converter_says_what_is_wrong() {
    let folder = std::env::temp_dir();
    let out = folder.join(format!("ocelli-convert-{}-never.gguf", std::process::id()));
    let out = out.to_str().unwrap();
    let golden = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/formats");
    let call = golden.join("call.bin");
    let cases = [
        (vec![], "are needed"),
        (vec!["a", "--dtype", "q5", "-o", out], "--dtype is \"q5\""),
        (vec!["/nowhere/at/all", "--dtype", "q8", "-o", out], "/nowhere/at/all cannot be read"),
        (vec![call.to_str().unwrap(), "--dtype", "q8", "-o", out], "which no weights need"),
        (vec!["a", "--quickly"], "quickly"),
    ];
    for (arguments, words) in cases {
        let error = convert(&arguments).unwrap_err();
        assert!(error.contains(words), "{error}");
        assert!(!PathBuf::from(out).exists());
    }
}

#[test]
fn a_whole_folder_is_converted_with_what_is_beside_the_weights() {
    let folder = std::env::temp_dir().join(format!("ocelli-convert-{}-folder", std::process::id()));
    let (model, out) = (folder.join("model"), folder.join("out"));
    std::fs::create_dir_all(&model).unwrap();
    let golden = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/models/clip-gelu-eos-7");
    let run = |dtype: &str, out: &PathBuf| {
        convert(&[model.to_str().unwrap(), "--dtype", dtype, "-o", out.to_str().unwrap()])
    };
    assert!(run("q8", &out).unwrap_err().contains("has no weights"));
    let whole = std::fs::read(golden.join("model.safetensors")).unwrap();
    // In two files, of which the second has one tensor.
    let header = br#"{"one.more":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#;
    let more = [&(header.len() as u64).to_le_bytes()[..], header, &1f32.to_le_bytes()].concat();
    std::fs::write(model.join("model-1.safetensors"), &whole).unwrap();
    std::fs::write(model.join("model-2.safetensors"), more).unwrap();
    let index = model.join("model.safetensors.index.json");
    std::fs::write(&index, r#"{"weight_map":{"a":"model-2.safetensors","b":"model-1.safetensors"}}"#)
        .unwrap();
    assert!(run("q8", &out).unwrap_err().contains("has no config.json"));
    std::fs::copy(golden.join("config.json"), model.join("config.json")).unwrap();
    std::fs::write(model.join("tokenizer.json"), "{}").unwrap();
    std::fs::write(model.join("optimizer.pt"), "large").unwrap();
    assert!(run("f32", &model).unwrap_err().contains("must be another"));
    run("f32", &out).unwrap();
    let mut names: Vec<_> = std::fs::read_dir(&out)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["config.json", "model.gguf", "tokenizer.json"]);
    let converted = load(&std::fs::read(out.join("model.gguf")).unwrap(), 1 << 16).unwrap();
    assert_eq!(converted.len(), load(&whole, 1 << 16).unwrap().len() + 1);
    for (text, words) in [
        ("{", "it is no JSON"),
        (r#"{"weight_map": {}}"#, "it names no files"),
        (r#"{"weight_map": {"a": "../b"}}"#, "it names files elsewhere"),
        (r#"{"weight_map": {"a": "missing.safetensors"}}"#, "missing.safetensors cannot be read"),
    ] {
        std::fs::write(&index, text).unwrap();
        let error = run("q8", &out).unwrap_err();
        assert!(error.contains(words), "{error}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
