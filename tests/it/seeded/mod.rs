//! Models of numbers that look like chance: as wide as a test needs them, and in no file.

use std::collections::HashMap;
use std::fs;

use candle_core::{Device, Tensor};
use ocelli::kernels::Dtype;
use ocelli::weights::{Weights, WeightsLoader};

/// Tensors by name, made one after the other.
pub struct Seeded {
    seed: u64,
    pub tensors: HashMap<String, Tensor>,
}

impl Seeded {
    pub fn new(seed: u64) -> Self {
        Self { seed, tensors: HashMap::new() }
    }

    /// Numbers about as large as those of a trained layer with `inputs`.
    pub fn numbers(&mut self, shape: &[usize], inputs: usize) -> Tensor {
        let scale = 1.5 / (inputs as f64).sqrt();
        let mut next = || {
            self.seed =
                self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            // Even, with a deviation of 1.
            ((((self.seed >> 33) as f64 / (1u64 << 31) as f64) - 0.5) * 12f64.sqrt() * scale) as f32
        };
        let values: Vec<f32> = (0..shape.iter().product()).map(|_| next()).collect();
        Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
    }

    /// The tensor `name` of [`Seeded::numbers`].
    pub fn add(&mut self, name: impl Into<String>, shape: &[usize], inputs: usize) {
        let tensor = self.numbers(shape, inputs);
        self.tensors.insert(name.into(), tensor);
    }

    /// A linear layer.
    pub fn linear(&mut self, name: &str, outputs: usize, inputs: usize) {
        self.add(format!("{name}.weight"), &[outputs, inputs], inputs);
        self.add(format!("{name}.bias"), &[outputs], 100);
    }

    /// A layer norm, whose gains are near to 1.
    pub fn norm(&mut self, name: &str, width: usize) {
        let gains = ((self.numbers(&[width], 1) * 0.1).unwrap() + 1.0).unwrap();
        self.tensors.insert(format!("{name}.weight"), gains);
        self.add(format!("{name}.bias"), &[width], 100);
    }
}

/// The bytes of a safetensors file. `name` is no other test's.
pub fn serialise(tensors: &HashMap<String, Tensor>, name: &str) -> Vec<u8> {
    let file = std::env::temp_dir().join(format!("ocelli-{name}-{}.safetensors", std::process::id()));
    candle_core::safetensors::save(tensors, &file).unwrap();
    let bytes = fs::read(&file).unwrap();
    fs::remove_file(file).unwrap();
    bytes
}

/// The weights of a file, through the loader.
pub fn load(dtype: Dtype, bytes: &[u8]) -> Weights {
    let mut loader = WeightsLoader::new(dtype);
    bytes.chunks(100_003).for_each(|chunk| loader.push(chunk).unwrap());
    loader.finish().unwrap()
}

/// How many of the tensors of a file are kept as int8, where that is asked for.
pub fn int8_matrices(tensors: &HashMap<String, Tensor>, bytes: &[u8]) -> usize {
    let mut loader = WeightsLoader::new(Dtype::Int8).keep_names();
    loader.push(bytes).unwrap();
    let weights = loader.finish().unwrap();
    let dtype =
        |(name, tensor): (&String, &Tensor)| weights.root().take_matrix(name, tensor.dims()).unwrap().dtype();
    tensors.iter().map(dtype).filter(|&dtype| dtype == Dtype::Int8).count()
}

/// A copy of `tensors`, and how many layer norms in it got a few channels that are fifty times as large as the others:
/// those before the MLPs. Gains before attention would make its scores thousands of times as large, and then any
/// rounding, of weights alone too, decides which one wins.
pub fn with_outliers(tensors: &HashMap<String, Tensor>) -> (HashMap<String, Tensor>, usize) {
    let mut tensors = tensors.clone();
    let mut changed = 0;
    for (name, tensor) in &mut tensors {
        if !name.ends_with("layer_norm2.weight") {
            continue;
        }
        let mut gains = tensor.to_vec1::<f32>().unwrap();
        for channel in [5, 130, 131, 200] {
            gains[channel % tensor.dims()[0]] *= 50.0;
        }
        *tensor = Tensor::new(gains, &Device::Cpu).unwrap();
        changed += 1;
    }
    (tensors, changed)
}

pub fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}
