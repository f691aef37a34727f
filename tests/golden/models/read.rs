//! Reads the golden models beside this file; `make.py` makes them.

use std::collections::HashMap;
use std::path::PathBuf;

use candle_core::{DType, Device, Tensor};
use ocelli::kernels::Dtype;
use ocelli::weights::{Weights, WeightsLoader};

/// Largest difference from the reference, for values of about 1 to 10.
pub const BOUND: f32 = 1e-4;

/// Images of each model.
pub const IMAGES: usize = 3;

/// One folder of golden data.
pub struct Golden {
    pub config: Vec<u8>,
    pub model: Vec<u8>,
    pub expected: HashMap<String, Tensor>,
}

impl Golden {
    pub fn read(name: &str) -> Self {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/models").join(name);
        let read =
            |file: &str| std::fs::read(folder.join(file)).unwrap_or_else(|e| panic!("{name}/{file}: {e}"));
        // Read by candle's own reader, so that a mistake of the loader cannot hide itself.
        let expected =
            candle_core::safetensors::load_buffer(&read("expected.safetensors"), &Device::Cpu).unwrap();
        Self { config: read("config.json"), model: read("model.safetensors"), expected }
    }

    /// The model's weights, through the loader.
    pub fn weights(&self) -> Weights {
        let mut loader = WeightsLoader::new(Dtype::F32);
        for chunk in self.model.chunks(10_007) {
            loader.push(chunk).unwrap();
        }
        loader.finish().unwrap()
    }

    /// The model's tensors, through candle's reader, to be changed.
    pub fn tensors(&self) -> HashMap<String, Tensor> {
        let tensors = candle_core::safetensors::load_buffer(&self.model, &Device::Cpu).unwrap();
        let float = |(name, t): (String, Tensor)| (name, t.to_dtype(DType::F32).unwrap());
        tensors.into_iter().map(float).collect()
    }

    pub fn floats(&self, name: &str) -> &Tensor {
        self.expected.get(name).unwrap_or_else(|| panic!("no {name}"))
    }

    pub fn ids(&self, name: &str) -> Vec<u32> {
        let ids = self.floats(name).flatten_all().unwrap().to_vec1::<i64>().unwrap();
        ids.into_iter().map(|id| u32::try_from(id).unwrap()).collect()
    }

    /// The texts under `ids`, each of as many ids as `lengths` says.
    pub fn texts(&self) -> Vec<Vec<u32>> {
        let (ids, lengths) = (self.ids("ids"), self.ids("lengths"));
        let longest = ids.len() / lengths.len();
        ids.chunks(longest).zip(lengths).map(|(row, length)| row[..length as usize].to_vec()).collect()
    }

    /// The configuration with `change` made to it.
    pub fn config_with(&self, change: impl FnOnce(&mut serde_json::Value)) -> Vec<u8> {
        let mut config = serde_json::from_slice(&self.config).unwrap();
        change(&mut config);
        serde_json::to_vec(&config).unwrap()
    }
}

/// The images that `make.py` computes: `(images, 3, size, size)`.
pub fn pixels(size: usize) -> Tensor {
    let pixel = |i: u64| {
        let hashed = i.wrapping_mul(i).wrapping_mul(2_654_435_761).wrapping_add(i * 40_503) & 0xFFFF_FFFF;
        let hashed = hashed ^ (hashed >> 15);
        (hashed >> 8) as f32 / (1 << 22) as f32 - 2.0
    };
    let values: Vec<f32> = (0..(IMAGES * 3 * size * size) as u64).map(pixel).collect();
    Tensor::from_vec(values, (IMAGES, 3, size, size), &Device::Cpu).unwrap()
}

/// Rows `(rows, width)` at length 1.
pub fn unit(rows: &Tensor) -> Tensor {
    let norm = rows.sqr().unwrap().sum_keepdim(1).unwrap().sqrt().unwrap();
    rows.broadcast_div(&norm).unwrap()
}

/// Largest difference of two tensors of one shape.
pub fn difference(a: &Tensor, b: &Tensor) -> f32 {
    assert_eq!(a.dims(), b.dims());
    let difference = (a - b).unwrap().abs().unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
    assert!(difference.iter().all(|d| d.is_finite()), "not a number");
    difference.into_iter().fold(0.0, f32::max)
}

/// Asserts that `found` is within [`BOUND`] of `expected`, and that `expected` is worth comparing.
pub fn assert_close(what: &str, found: &Tensor, expected: &Tensor) {
    let values = expected.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    let (low, high) = values.iter().fold((f32::MAX, f32::MIN), |(l, h), &v| (l.min(v), h.max(v)));
    assert!(values.len() == 1 || high - low > 0.1, "{what}: the expected values are all alike");
    let difference = difference(found, expected);
    println!("{what}: largest difference {difference:e}, values {low} to {high}");
    assert!(difference <= BOUND, "{what}: off by {difference:e}");
}
