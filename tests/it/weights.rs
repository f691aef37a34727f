//! The streaming loader: any division into chunks, any order, and files that are wrong in every way.

#![allow(clippy::unwrap_used, clippy::panic)]

use candle_core::Tensor;
use half::{bf16, f16};
use ocelli::ErrorKind;
use ocelli::kernels::Dtype;
use ocelli::weights::{Weights, WeightsLoader};

use crate::support::{load, refuse};

/// A file of a header and a data section.
fn file(header: &str, data: &[u8]) -> Vec<u8> {
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend_from_slice(header.as_bytes());
    file.extend_from_slice(data);
    file
}

fn values(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

/// Seven tensors of three encodings, in another order in the header than in the file, with a buffer that
/// is passed over, empty tensors, and a header filled up with spaces.
fn sample() -> Vec<u8> {
    let header = r#"{"__metadata__":{"format":"pt"},
        "late.f32":{"dtype":"F32","shape":[2,3],"data_offsets":[51,75]},
        "a.f16":{"dtype":"F16","shape":[5],"data_offsets":[0,10]},
        "empty":{"dtype":"F32","shape":[0,4],"data_offsets":[10,10]},
        "x.position_ids":{"dtype":"I64","shape":[1,3],"data_offsets":[10,34]},
        "scalar":{"dtype":"F32","shape":[],"data_offsets":[34,38]},
        "y.num_batches_tracked":{"dtype":"U8","shape":[1],"data_offsets":[38,39]},
        "b.bf16":{"dtype":"BF16","shape":[3,2],"data_offsets":[39,51]},
        "nothing":{"dtype":"BF16","shape":[0],"data_offsets":[75,75]}}     "#;
    let mut data = Vec::new();
    data.extend([0.5f32, -1.0, 65504.0, 6e-8, 3.140625].iter().flat_map(|&v| f16::from_f32(v).to_le_bytes()));
    data.extend([7u8; 24]);
    data.extend(2.6592f32.to_le_bytes());
    data.push(9);
    data.extend([1.0f32, -2.5, 3e38, 1e-38, 0.0, -7.0].iter().flat_map(|&v| bf16::from_f32(v).to_le_bytes()));
    data.extend((0..6).flat_map(|i| (i as f32 / 3.0).to_le_bytes()));
    file(header, &data)
}

fn check_sample(weights: Weights) {
    let root = weights.root();
    let f16s = [0.5, -1.0, 65504.0, f16::from_f32(6e-8).to_f32(), 3.140625];
    assert_eq!(values(&root.scope("a").take("f16", 5).unwrap()), f16s);
    assert_eq!(values(&root.take("scalar", ()).unwrap()), [2.6592]);
    let bf16s = [1.0, -2.5, 3e38, 1e-38, 0.0, -7.0].map(|v| bf16::from_f32(v).to_f32());
    assert_eq!(values(&root.take("b.bf16", (3, 2)).unwrap()), bf16s);
    assert_eq!(values(&root.take("late.f32", (2, 3)).unwrap()), [0, 1, 2, 3, 4, 5].map(|i| i as f32 / 3.0));
    assert_eq!(values(&root.take("empty", (0, 4)).unwrap()), [0f32; 0]);
    assert_eq!(values(&root.take("nothing", 0).unwrap()), [0f32; 0]);
    assert!(weights.is_empty());
    weights.finish().unwrap();
}

#[test]
fn any_division_into_chunks_gives_the_same_tensors() {
    let file = sample();
    for chunk in (1..=64).chain([1000, 16 << 20]) {
        check_sample(load(&file, chunk).unwrap());
    }
    // Chunks of changing sizes, empty ones among them.
    let mut loader = WeightsLoader::new(Dtype::F32);
    let (mut rest, mut size) = (file.as_slice(), 0);
    while !rest.is_empty() {
        size = (size * 5 + 3) % 11;
        let (now, later) = rest.split_at(size.min(rest.len()));
        loader.push(now).unwrap();
        rest = later;
    }
    check_sample(loader.finish().unwrap());
}

#[test]
fn bytes_get_the_scales_of_their_rows() {
    let header = r#"{"a.weight_scale":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},
        "logit_scale":{"dtype":"F32","shape":[],"data_offsets":[8,12]},
        "a.weight":{"dtype":"I8","shape":[2,3],"data_offsets":[12,18]}}"#;
    let mut data: Vec<u8> = [0.5f32, -0.25, 4.0].iter().flat_map(|x| x.to_le_bytes()).collect();
    data.extend([1i8, -2, 127, 4, -128, 0].map(|x| x as u8));
    let file = file(header, &data);
    for chunk in 1..=64 {
        let weights = load(&file, chunk).unwrap();
        let root = weights.root();
        assert_eq!(values(&root.take("logit_scale", ()).unwrap()), [4.0]);
        assert_eq!(values(&root.take("a.weight", (2, 3)).unwrap()), [0.5, -1.0, 63.5, -1.0, 32.0, 0.0]);
        weights.finish().unwrap();
    }
}

#[test]
fn progress_counts_every_byte() {
    let file = sample();
    let mut loader = WeightsLoader::new(Dtype::F32);
    let mut total = None;
    for (i, byte) in file.iter().enumerate() {
        assert_eq!(loader.progress(), (i as u64, total));
        loader.push(std::slice::from_ref(byte)).unwrap();
        total = loader.progress().1;
        assert!(total.is_none_or(|total| total == file.len() as u64));
    }
    assert_eq!(loader.progress(), (file.len() as u64, Some(file.len() as u64)));
}

#[test]
fn a_file_cut_anywhere_is_truncated() {
    let file = sample();
    for length in 0..file.len() {
        let error = load(&file[..length], 16).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WeightsTruncated, "cut at {length}: {error}");
    }
    let error = load(&file[..file.len() - 1], 16).unwrap_err();
    assert!(error.to_string().contains("`late.f32`"), "{error}");
}

#[test]
fn a_file_that_goes_on_is_refused() {
    let mut file = sample();
    file.push(0);
    let error = refuse(&file);
    assert_eq!(error.kind(), ErrorKind::WeightsInvalid);
    assert!(error.to_string().contains("after their last tensor"), "{error}");
}

#[test]
fn says_what_came_instead_of_weights() {
    let cases: [(&[u8], &str); 9] = [
        (b"<!DOCTYPE html><html><head><title>404</title>", "HTML"),
        (b"\n  <html>", "HTML"),
        (br#"{"error":"Repository not found"}"#, "JSON"),
        (b"[1, 2]", "JSON"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "Git LFS"),
        (b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9", "PyTorch file of the old form"),
        (b"Not Found", "a text"),
        (b"\x00\x00\x00\x00\x00\x00\x00\x00\x00", "malformed"),
        (b"\xff\xff\xff\xff\xff\xff\xff\xff\xff", "neither safetensors nor GGUF nor ONNX nor a PyTorch file"),
    ];
    for (bytes, part) in cases {
        let error = load(bytes, usize::MAX).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WeightsInvalid, "{part}");
        assert!(error.to_string().contains(part), "{error}");
        assert_eq!(load(bytes, 1).unwrap_err().kind(), ErrorKind::WeightsInvalid, "{part}, byte by byte");
    }
}

#[test]
fn names_what_is_wrong_with_a_header() {
    let f32s = |entries: &str, bytes: usize| file(entries, &vec![0; bytes]);
    let entry = |dtype: &str, shape: &str, from: u64, to: u64| {
        format!(r#"{{"dtype":"{dtype}","shape":{shape},"data_offsets":[{from},{to}]}}"#)
    };
    let one = |dtype: &str, shape: &str, from, to| format!(r#"{{"w":{}}}"#, entry(dtype, shape, from, to));
    let two = |a: String, b: String| format!(r#"{{"a":{a},"b":{b}}}"#);
    let scaled = |shape: &str, [a, b]: [u64; 2], [c, d]: [u64; 2]| {
        format!(r#"{{"w_scale":{},"w":{}}}"#, entry("F32", shape, a, b), entry("I8", "[2,4]", c, d))
    };
    let full = entry("F32", "[2]", 0, 8);
    let max = u64::MAX;
    let cases = [
        (f32s("{}", 0), "no tensors"),
        (f32s("[]", 0), "not JSON"),
        (f32s("{\"w\":", 8), "malformed"),
        (f32s(r#"{"w":{"dtype":"F32","shape":[2]}}"#, 8), "malformed"),
        (f32s(r#"{"w":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}"#, 8), "malformed"),
        (f32s(&one("F32", "[2]", 0, 12), 12), "`w` needs 8 bytes"),
        (f32s(&one("F32", "[2]", 8, 0), 8), "`w` needs 8 bytes"),
        (f32s(&one("F32", "[2]", 4, 12), 12), "gap"),
        (f32s(&two(full.clone(), full.clone()), 8), "`b` overlaps"),
        (f32s(&two(full.clone(), entry("F32", "[2]", 4, 12)), 12), "`b` overlaps"),
        (f32s(&two(full.clone(), entry("F32", "[2]", 12, 20)), 20), "`b` leaves a gap"),
        (f32s(&format!(r#"{{"w":{full},"w":{full}}}"#), 8), "listed twice"),
        (f32s(&one("F32", "[4294967296,4294967296]", 0, 0), 0), "too large"),
        (f32s(&one("F32", "[0,4294967296,4294967296]", 0, 0), 0), "too large"),
        (f32s(&one("F32", "[2147483648]", 0, 8589934592), 8), "too large"),
        (f32s(&one("F32", &format!("[{max}]"), 0, max), 8), "too large"),
        (f32s(&one("F32", "[1,1,1,1,1,1,1,1,1]", 0, 4), 4), "9 dimensions"),
        (f32s(&one("Q7", "[1]", 0, 8), 8), "unknown type `Q7`"),
        (f32s(&one("I8", "[2,4]", 0, 8), 8), "`w` holds numbers of type I8 without a scale"),
        (f32s(&scaled("[3,1]", [0, 12], [12, 20]), 20), "without a scale for each of its rows"),
        (f32s(&scaled("[1,2]", [0, 8], [8, 16]), 16), "without a scale for each of its rows"),
        (f32s(&scaled("[2,1]", [8, 16], [0, 8]), 16), "before it"),
    ];
    for (file, part) in cases {
        let error = refuse(&file);
        assert_eq!(error.kind(), ErrorKind::WeightsInvalid, "{part}: {error}");
        assert!(error.to_string().contains(part), "{part}: {error}");
    }

    // Together more than can be addressed, though each alone is not.
    let many: Vec<String> = (0..5u64)
        .map(|i| format!(r#""{i}":{}"#, entry("BF16", "[268435456]", i << 29, (i + 1) << 29)))
        .collect();
    let error = refuse(&f32s(&format!("{{{}}}", many.join(",")), 1));
    assert!(error.to_string().contains("more numbers"), "{error}");
    let many: Vec<String> = (0..100_001).map(|i| format!(r#""{i}":{}"#, entry("F32", "[0]", 0, 0))).collect();
    let error = load(&f32s(&format!("{{{}}}", many.join(",")), 0), 1 << 20).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WeightsInvalid);
}

#[test]
fn numbers_that_are_not_finite_are_refused_by_the_tensors_name() {
    // Large enough for int8 and f16, and a vector, which stays f32.
    const SHAPE: [usize; 2] = [64, 67];
    let elements = SHAPE[0] * SHAPE[1];
    let header = |dtype: &str, size: usize| {
        let (matrix, all) = (elements * size, (elements + 1) * size);
        format!(
            r#"{{"a.weight":{{"dtype":"{dtype}","shape":{SHAPE:?},"data_offsets":[0,{matrix}]}},
                "b.bias":{{"dtype":"{dtype}","shape":[1],"data_offsets":[{matrix},{all}]}}}}"#
        )
    };
    let f32s = |values: &[f32]| {
        file(&header("F32", 4), &values.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<_>>())
    };
    let f16s = |values: &[f32]| {
        let bytes = values.iter().flat_map(|&x| f16::from_f32(x).to_le_bytes());
        file(&header("F16", 2), &bytes.collect::<Vec<_>>())
    };
    let bf16s = |values: &[f32]| {
        let bytes = values.iter().flat_map(|&x| bf16::from_f32(x).to_le_bytes());
        file(&header("BF16", 2), &bytes.collect::<Vec<_>>())
    };
    let load = |dtype: Dtype, file: &[u8], chunk: usize| {
        let mut loader = WeightsLoader::new(dtype);
        file.chunks(chunk).try_for_each(|chunk| loader.push(chunk))?;
        loader.finish()
    };
    let fine: Vec<f32> = (0..=elements).map(|i| (i as f32 * 0.37).sin()).collect();
    for dtype in [Dtype::F32, Dtype::F16, Dtype::Int8] {
        for bytes in [f32s(&fine), f16s(&fine), bf16s(&fine)] {
            assert!(load(dtype, &bytes, 1 << 20).is_ok());
        }
        for wrong in [f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            for (place, name) in
                [(0, "a.weight"), (4095, "a.weight"), (elements - 1, "a.weight"), (elements, "b.bias")]
            {
                let mut values = fine.clone();
                values[place] = wrong;
                for (bytes, chunk) in [(f32s(&values), 1 << 20), (f16s(&values), 61), (bf16s(&values), 4099)]
                {
                    let error = load(dtype, &bytes, chunk).unwrap_err();
                    assert_eq!(error.kind(), ErrorKind::WeightsInvalid);
                    let message =
                        format!("The tensor `{name}` holds infinities or what is not a number (NaN).");
                    assert_eq!(error.to_string(), message, "{dtype:?}, {wrong} at {place}");
                }
            }
        }
        // The largest numbers that there are, where a matrix can be stored as what it should be.
        for (large, holds) in [
            (65_519.0, true),
            (65_520.0, dtype != Dtype::F16),
            (8e37, dtype != Dtype::F16),
            (f32::MAX, dtype == Dtype::F32),
        ] {
            let mut values = fine.clone();
            values[5] = -large;
            match load(dtype, &f32s(&values), 1 << 20) {
                Ok(_) => assert!(holds, "{dtype:?} holds {large}"),
                Err(error) => {
                    assert!(!holds, "{dtype:?} does not hold {large}: {error}");
                    assert!(error.to_string().contains("`a.weight` holds numbers too large for"), "{error}");
                }
            }
        }
        let mut values = fine.clone();
        values[elements] = f32::MAX;
        assert!(load(dtype, &f32s(&values), 1 << 20).is_ok(), "a vector is f32");
    }
}

#[test]
fn a_lying_length_costs_nothing() {
    // Sixteen MiB of header and a gigabyte of tensor are promised, and never come.
    let mut loader = WeightsLoader::new(Dtype::F32);
    loader.push(&(16u64 << 20).to_le_bytes()).unwrap();
    loader.push(b"{").unwrap();
    assert_eq!(loader.finish().unwrap_err().kind(), ErrorKind::WeightsTruncated);
    let mut loader = WeightsLoader::new(Dtype::F32);
    let error = loader.push(&((16u64 << 20) + 1).to_le_bytes()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WeightsInvalid);
    // And the loader stays failed.
    assert_eq!(loader.push(b"{}").unwrap_err().kind(), ErrorKind::WeightsInvalid);
    assert_eq!(loader.finish().unwrap_err().kind(), ErrorKind::WeightsInvalid);
}

#[test]
fn mutations_of_a_file_never_panic() {
    let original = sample();
    let header = u64::from_le_bytes(original[..8].try_into().unwrap()) as usize + 8;
    let mut state = 0x9E37_79B9_7F4A_7C15u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    let alphabet = b"0123456789{}[]\",:-eE.ntfF\\ \x00\xff";
    let (mut accepted, mut refused) = (0, 0);
    for round in 0..20_000 {
        let mut file = original.clone();
        for _ in 0..=random(3) {
            // Mostly within the header: the data can be anything.
            let at = if round % 8 == 0 { random(8) } else { random(header) };
            match random(4) {
                0 => file[at] = alphabet[random(alphabet.len())],
                1 => file[at] = random(256) as u8,
                2 => drop(file.remove(at)),
                _ => file.insert(at, alphabet[random(alphabet.len())]),
            }
        }
        // The length of the header is right in half of them, or nothing but the length would be tested.
        if round % 2 == 0 {
            let length = (header - 8 + file.len() - original.len()) as u64;
            file[..8].copy_from_slice(&length.to_le_bytes());
        }
        match load(&file, 1 + random(200)) {
            Ok(_) => accepted += 1,
            Err(error) => {
                assert!(matches!(error.kind(), ErrorKind::WeightsInvalid | ErrorKind::WeightsTruncated));
                refused += 1;
            }
        }
    }
    assert!(accepted > 100 && refused > 1000, "{accepted} accepted, {refused} refused: this proves nothing");
}

#[test]
fn a_long_report_names_five_of_each_kind() {
    let tensors =
        (0..20).map(|i| (format!("left.{i:02}"), Tensor::new(0f32, &candle_core::Device::Cpu).unwrap()));
    let weights = Weights::from_tensors(tensors.collect());
    let scope = weights.root().scope("wanted");
    for i in 0..7 {
        // A placeholder of the right shape, so that a constructor can go on.
        assert_eq!(scope.take(&format!("{i}"), (2, 3)).unwrap().dims(), [2, 3]);
    }
    assert_eq!(scope.take_if_present("no", 1).unwrap().map(|t| t.rank()), None);
    assert_eq!(
        weights.finish().unwrap_err().to_string(),
        "The weights do not fit the model that config.json describes; \
         missing: `wanted.0`, `wanted.1`, `wanted.2`, `wanted.3`, `wanted.4` and 2 more; \
         unknown: `left.00`, `left.01`, `left.02`, `left.03`, `left.04` and 15 more."
    );
}

/// A file's leftovers cost a person nothing: optimisers, heads of other tasks, buffers of any type.
#[test]
fn what_no_model_asks_for_is_ignored_and_doubles_are_read() {
    let entries = r#"{"w":{"dtype":"F64","shape":[2],"data_offsets":[0,16]},
        "ids":{"dtype":"I64","shape":[1],"data_offsets":[16,24]},
        "mask":{"dtype":"BOOL","shape":[3],"data_offsets":[24,27]},
        "head":{"dtype":"F32","shape":[1],"data_offsets":[27,31]}}"#;
    let mut data: Vec<u8> = [0.25f64, -3.0].iter().flat_map(|x| x.to_le_bytes()).collect();
    data.resize(31, 0);
    let file = file(entries, &data);
    for chunk in [1, 7, usize::MAX] {
        let weights = load(&file, chunk).unwrap();
        assert_eq!(values(&weights.root().take("w", 2).unwrap()), [0.25, -3.0]);
        weights.finish().unwrap();
    }
    let weights = load(&file, usize::MAX).unwrap();
    weights.root().take("ids", 1).unwrap();
    let message = weights.finish().unwrap_err().to_string();
    assert!(message.contains("missing: `ids` (there, but of type I64)"), "{message}");
}

#[test]
fn parts_that_a_model_does_without_are_passed_over() {
    let tensor = |name: &str, begin: usize| {
        format!(r#""{name}":{{"dtype":"F32","shape":[2],"data_offsets":[{begin},{}]}}"#, begin + 8)
    };
    let names = ["tail.w", "blip.tail.w", "blip.body.w", "body.tail.w"];
    let header = names.iter().enumerate().map(|(i, name)| tensor(name, 8 * i)).collect::<Vec<_>>();
    let data: Vec<u8> = (0..8).flat_map(|i| (i as f32).to_le_bytes()).collect();
    let file = file(&format!("{{{}}}", header.join(",")), &data);
    for chunk in [1, 13, usize::MAX] {
        let mut loader = WeightsLoader::keeping(Dtype::F32);
        loader.pass_over(&["tail."]);
        let mut packed = Vec::new();
        for chunk in file.chunks(chunk) {
            loader.push(chunk).unwrap();
            packed.extend(loader.take_packed());
        }
        packed.extend(loader.take_packed());
        // What was kept has only what was wanted, too.
        for weights in [loader.finish().unwrap(), load(&packed, 7).unwrap()] {
            assert_eq!(weights.len(), 1, "of a file with the parts tail, body and a whole model's");
            assert_eq!(values(&weights.root().take("body.w", 2).unwrap()), [4.0, 5.0]);
            weights.finish().unwrap();
        }
    }
}

#[test]
fn a_model_in_several_files_has_the_tensors_of_all() {
    let shard = |name: &str, value: f32| {
        let header = format!(r#"{{"{name}":{{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}}}"#);
        file(&header, &value.to_le_bytes())
    };
    let files = [shard("a.w", 1.0), sample(), shard("b.w", 2.0)];
    for chunk in [1, 50, usize::MAX] {
        let mut loader = WeightsLoader::keeping(Dtype::F32);
        for (i, file) in files.iter().enumerate() {
            if i > 0 {
                loader.next_file().unwrap();
            }
            file.chunks(chunk).for_each(|chunk| loader.push(chunk).unwrap());
        }
        let packed = loader.take_packed();
        for weights in [loader.finish().unwrap(), load(&packed, 7).unwrap()] {
            for (name, value) in [("a.w", 1.0), ("b.w", 2.0)] {
                assert_eq!(values(&weights.root().take(name, 1).unwrap()), [value]);
            }
            check_sample(weights);
        }
    }
}

#[test]
fn the_next_file_comes_when_the_one_before_is_complete() {
    let file = sample();
    for cut in [0, 3, 100, file.len() - 1] {
        let mut loader = WeightsLoader::new(Dtype::F32);
        loader.push(&file[..cut]).unwrap();
        assert_eq!(loader.next_file().unwrap_err().kind(), ErrorKind::WeightsTruncated, "{cut}");
        assert_eq!(loader.push(&file).unwrap_err().kind(), ErrorKind::WeightsInvalid);
    }
    let mut loader = WeightsLoader::keeping(Dtype::F32);
    loader.push(&file).unwrap();
    loader.next_file().unwrap();
    assert_eq!(
        loader.finish().unwrap_err().kind(),
        ErrorKind::WeightsTruncated,
        "an announced file is missing"
    );
}
