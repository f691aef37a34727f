//! Each gradient against differences of the same formula in double precision.
#![allow(clippy::unwrap_used)]

use std::collections::HashMap;

use candle_core::{Device, Tensor};

use crate::kernels::{Activation, Heads};
use crate::nn::{CrossAttention, EncoderLayer, LayerNorm, Linear, Mlp, SelfAttention, Sizes};
use crate::weights::{Scope, Weights};

/// Largest difference of a gradient from the quotient of differences, for gradients of about 1.
const BOUND: f64 = 2e-4;
/// Step of the differences.
const STEP: f64 = 1e-5;

const ROWS: usize = 5;
const WIDTH: usize = 12;
const INNER: usize = 20;
const HEADS: Heads = Heads { width: WIDTH, count: 3 };
const EPSILON: f64 = 1e-3;

/// Numbers from -1 to 1 that look random.
fn numbers(seed: u64, count: usize) -> Vec<f32> {
    let hash = |i: u64| (i ^ (i >> 13)).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
    (0..count as u64).map(|i| hash(i + 1000 * seed + 1) as f32 / (1 << 23) as f32 - 1.0).collect()
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&x| f64::from(x)).collect()
}

fn tensor(values: &[f32]) -> Tensor {
    Tensor::from_vec(values.to_vec(), (ROWS, values.len() / ROWS), &Device::Cpu).unwrap()
}

/// Named parameters: for the layers, and for the formulas.
struct Parameters(HashMap<String, Tensor>);

impl Parameters {
    /// Everything that the layers below may want, with the biases `qkv`, or with the three of them apart.
    fn new() -> Self {
        let mut tensors = HashMap::new();
        let mut put = |name: &str, shape: &[usize], offset: f32| {
            let seed = 7 + tensors.len() as u64;
            let values = numbers(seed, shape.iter().product()).iter().map(|x| x + offset).collect();
            tensors.insert(name.to_owned(), Tensor::from_vec(values, shape, &Device::Cpu).unwrap());
        };
        for name in ["q", "k", "v", "out"] {
            put(&format!("{name}.weight"), &[WIDTH, WIDTH], 0.0);
            put(&format!("{name}.bias"), &[WIDTH], 0.0);
        }
        for name in ["norm1", "norm2"] {
            put(&format!("{name}.weight"), &[WIDTH], 1.5);
            put(&format!("{name}.bias"), &[WIDTH], 0.0);
        }
        put("fc1.weight", &[INNER, WIDTH], 0.0);
        put("fc1.bias", &[INNER], 0.0);
        put("fc2.weight", &[WIDTH, INNER], 0.0);
        put("fc2.bias", &[WIDTH], 0.0);
        for kind in ["weight", "bias"] {
            let parts = ["q", "k", "v"].map(|name| tensors[&format!("{name}.{kind}")].clone());
            tensors.insert(format!("qkv.{kind}"), Tensor::cat(&parts, 0).unwrap());
        }
        Self(tensors)
    }

    fn load<T>(&self, make: impl FnOnce(&crate::weights::Scope<'_>) -> crate::Result<T>) -> T {
        make(&Weights::from_tensors(self.0.clone()).root()).unwrap()
    }

    fn wide(&self, name: &str) -> Vec<f64> {
        wide(&self.0[name].flatten_all().unwrap().to_vec1().unwrap())
    }

    fn linear(&self, name: &str, x: &[f64]) -> Vec<f64> {
        let (weight, bias) = (self.wide(&format!("{name}.weight")), self.wide(&format!("{name}.bias")));
        let inputs = weight.len() / bias.len();
        let output = |row: &[f64], weight: &[f64]| row.iter().zip(weight).map(|(x, w)| x * w).sum::<f64>();
        x.chunks(inputs)
            .flat_map(|row| weight.chunks(inputs).zip(&bias).map(move |(w, b)| output(row, w) + b))
            .collect()
    }

    fn norm(&self, name: &str, x: &[f64]) -> Vec<f64> {
        let (weight, bias) = (self.wide(&format!("{name}.weight")), self.wide(&format!("{name}.bias")));
        x.chunks(WIDTH)
            .flat_map(|row| {
                let mean = row.iter().sum::<f64>() / WIDTH as f64;
                let variance = row.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / WIDTH as f64;
                let scale = 1.0 / (variance + EPSILON).sqrt();
                row.iter().zip(weight.iter().zip(&bias)).map(move |(x, (w, b))| (x - mean) * scale * w + b)
            })
            .collect::<Vec<_>>()
    }

    fn mlp(&self, x: &[f64]) -> Vec<f64> {
        let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
        let inner: Vec<f64> = self.linear("fc1", x).iter().map(|x| x * sigmoid(1.702 * x)).collect();
        self.linear("fc2", &inner)
    }

    /// The attention probabilities of each head, `(heads, rows, rows)`, of `x` to itself.
    fn map(&self, x: &[f64]) -> Vec<f64> {
        self.map_to(x, x)
    }

    /// The same, of `x` to as many rows of `other`.
    fn map_to(&self, x: &[f64], other: &[f64]) -> Vec<f64> {
        let (queries, keys) = (self.linear("q", x), self.linear("k", other));
        let mut map = Vec::new();
        for head in 0..HEADS.count {
            let part = |values: &[f64], row: usize| {
                values[row * WIDTH + head * HEADS.size()..][..HEADS.size()].to_vec()
            };
            for i in 0..ROWS {
                let score = |j| {
                    let dot: f64 = part(&queries, i).iter().zip(part(&keys, j)).map(|(q, k)| q * k).sum();
                    (dot / (HEADS.size() as f64).sqrt()).exp()
                };
                let scores: Vec<f64> = (0..ROWS).map(score).collect();
                let sum: f64 = scores.iter().sum();
                map.extend(scores.iter().map(|score| score / sum));
            }
        }
        map
    }

    /// What attention makes of the rows of `other` with these probabilities.
    fn attend(&self, other: &[f64], map: &[f64]) -> Vec<f64> {
        let values = self.linear("v", other);
        let mut context = vec![0.0; ROWS * WIDTH];
        for (at, p) in map.iter().enumerate() {
            let (head, i, j) = (at / ROWS / ROWS, at / ROWS % ROWS, at % ROWS);
            for d in head * HEADS.size()..(head + 1) * HEADS.size() {
                context[i * WIDTH + d] += p * values[j * WIDTH + d];
            }
        }
        self.linear("out", &context)
    }

    fn encoder(&self, x: &[f64], map: Option<&[f64]>) -> Vec<f64> {
        let normed = self.norm("norm1", x);
        let attended = self.attend(&normed, map.unwrap_or(&self.map(&normed)));
        let middle = plus(x, &attended);
        plus(&middle, &self.mlp(&self.norm("norm2", &middle)))
    }
}

fn plus(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a + b).collect()
}

/// The gradient with respect to `x` of the outputs' product with `outputs`, by differences.
fn differences(x: &[f64], outputs: &[f32], f: impl Fn(&[f64]) -> Vec<f64>) -> Vec<f64> {
    let outputs = wide(outputs);
    let loss = |x: &[f64]| f(x).iter().zip(&outputs).map(|(y, g)| y * g).sum::<f64>();
    let mut x = x.to_vec();
    (0..x.len())
        .map(|i| {
            let middle = x[i];
            x[i] = middle + STEP;
            let above = loss(&x);
            x[i] = middle - STEP;
            let below = loss(&x);
            x[i] = middle;
            (above - below) / (2.0 * STEP)
        })
        .collect()
}

fn assert_close(what: &str, found: &[f32], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let largest = expected.iter().fold(0f64, |max, x| max.max(x.abs()));
    assert!(largest > 0.1, "{what}: nothing depends on anything");
    for (found, expected) in found.iter().zip(expected) {
        let difference = (f64::from(*found) - expected).abs();
        assert!(difference <= BOUND * largest.max(1.0), "{what}: {found} instead of {expected}");
    }
}

#[test]
fn linear_layer_norm_and_mlp() {
    let parameters = Parameters::new();
    let (x, outputs) = (numbers(1, ROWS * WIDTH), numbers(2, ROWS * INNER));
    let linear = parameters.load(|root| Linear::load(&root.scope("fc1"), WIDTH, INNER));
    let expected = differences(&wide(&x), &outputs, |x| parameters.linear("fc1", x));
    assert_close("linear", &linear.backward(&outputs).unwrap(), &expected);

    let outputs = &outputs[..ROWS * WIDTH];
    let norm = parameters.load(|root| LayerNorm::load(&root.scope("norm1"), WIDTH, EPSILON));
    // Rows of other means and deviations.
    let spread: Vec<f32> = x.iter().enumerate().map(|(i, x)| x * (1 + i / WIDTH) as f32 + 2.0).collect();
    let expected = differences(&wide(&spread), outputs, |x| parameters.norm("norm1", x));
    assert_close("norm", &norm.backward(&tensor(&spread), outputs).unwrap(), &expected);

    let mlp = parameters.load(|root| Mlp::load(root, &sizes()));
    let expected = differences(&wide(&x), outputs, |x| parameters.mlp(x));
    assert_close("mlp", &mlp.backward(&tensor(&x), outputs).unwrap(), &expected);
}

fn sizes() -> Sizes {
    Sizes { heads: HEADS, intermediate: INNER, activation: Activation::QuickGelu, epsilon: EPSILON }
}

#[test]
fn attention_and_what_its_map_has_to_do_with_the_outputs() {
    let parameters = Parameters::new();
    let (x, outputs, weights) = (numbers(3, ROWS * WIDTH), numbers(4, ROWS * WIDTH), numbers(5, ROWS));
    let (wide_x, wide_weights) = (wide(&x), wide(&weights));
    let map = parameters.map(&wide_x);
    let mean = |map: &[f64]| -> Vec<f64> {
        (0..ROWS * ROWS).map(|i| map.iter().skip(i).step_by(ROWS * ROWS).sum::<f64>() / 3.0).collect()
    };
    let times = |map: &[f64]| -> Vec<f64> {
        (0..ROWS).map(|j| (0..ROWS).map(|i| wide_weights[i] * map[i * ROWS + j]).sum()).collect()
    };
    let gradient = differences(&wide_x, &outputs, |x| parameters.attend(x, &parameters.map(x)));
    let of_map = differences(&map, &outputs, |map| parameters.attend(&wide_x, map));
    let positive: Vec<f64> = map.iter().zip(&of_map).map(|(p, g)| (p * g).max(0.0)).collect();
    let relevance = plus(&wide_weights, &times(&mean(&positive)));
    assert!(of_map.iter().any(|&g| g < -0.1), "nothing is cut off: this test proves nothing");

    let load_fused = |root: &Scope<'_>| {
        let all = Linear::load(&root.scope("qkv"), HEADS.width, 3 * HEADS.width)?;
        Ok(SelfAttention::fused(HEADS, all, Linear::load(&root.scope("out"), HEADS.width, HEADS.width)?))
    };
    let separate = parameters.load(|root| SelfAttention::load(root, HEADS, ["q", "k", "v", "out"]));
    let fused = parameters.load(|root| load_fused(root));
    for (name, attention) in [("separate", separate), ("fused", fused)] {
        let x = tensor(&x);
        assert_close(name, &attention.weigh(&x, &weights).unwrap(), &times(&mean(&map)));
        let mut weights = weights.clone();
        assert_close(name, &attention.backward(&x, &outputs, &mut weights).unwrap(), &gradient);
        assert_close(name, &weights, &relevance);
    }
}

#[test]
fn cross_attention() {
    let parameters = Parameters::new();
    let (x, other, outputs) = (numbers(8, ROWS * WIDTH), numbers(9, ROWS * WIDTH), numbers(10, ROWS * WIDTH));
    let (wide_x, wide_other) = (wide(&x), wide(&other));
    let map = parameters.map_to(&wide_x, &wide_other);
    let mean = |map: &[f64]| -> Vec<f64> {
        (0..ROWS * ROWS).map(|i| map.iter().skip(i).step_by(ROWS * ROWS).sum::<f64>() / 3.0).collect()
    };
    let attention = parameters.load(|root| CrossAttention::load(root, HEADS, WIDTH, ["q", "k", "v", "out"]));
    let (x, memory) = (tensor(&x), attention.project_kv(&tensor(&other)).unwrap());
    assert_close("map", &attention.map(&x, &memory).unwrap(), &mean(&map));
    let expected = differences(&wide_x, &outputs, |x| {
        parameters.attend(&wide_other, &parameters.map_to(x, &wide_other))
    });
    assert_close("cross", &attention.backward(&x, &memory, &outputs).unwrap(), &expected);
    let of_map = differences(&map, &outputs, |map| parameters.attend(&wide_other, map));
    let positive: Vec<f64> = map.iter().zip(&of_map).map(|(p, g)| p * g.max(0.0)).collect();
    assert_close("grad-cam", &attention.grad_cam(&x, &memory, &outputs).unwrap(), &mean(&positive));
}

#[test]
fn a_whole_layer() {
    let parameters = Parameters::new();
    let (x, outputs) = (numbers(6, ROWS * WIDTH), numbers(7, ROWS * WIDTH));
    let layer = parameters.load(|root| {
        Ok(EncoderLayer::new(
            LayerNorm::load(&root.scope("norm1"), WIDTH, EPSILON)?,
            SelfAttention::load(root, HEADS, ["q", "k", "v", "out"])?,
            LayerNorm::load(&root.scope("norm2"), WIDTH, EPSILON)?,
            Mlp::load(root, &sizes())?,
        ))
    });
    let first: Vec<f32> = (0..ROWS).map(|i| f32::from(i == 0)).collect();
    let expected = differences(&wide(&x), &outputs, |x| parameters.encoder(x, None));
    let mut weights = first.clone();
    assert_close("layer", &layer.backward(&tensor(&x), &outputs, &mut weights).unwrap(), &expected);
    let map = parameters.map(&parameters.norm("norm1", &wide(&x)));
    let of_map = differences(&map, &outputs, |map| parameters.encoder(&wide(&x), Some(map)));
    let expected: Vec<f64> = (0..ROWS)
        .map(|j| {
            let heads = (0..HEADS.count).map(|head| head * ROWS * ROWS + j);
            f64::from(first[j]) + heads.map(|at| (map[at] * of_map[at]).max(0.0)).sum::<f64>() / 3.0
        })
        .collect();
    assert_close("relevance", &weights, &expected);

    let expected: Vec<f64> = (0..ROWS)
        .map(|j| {
            let mean = (0..HEADS.count).map(|head| map[head * ROWS * ROWS + j]).sum::<f64>() / 3.0;
            (mean + f64::from(first[j])) / 2.0
        })
        .collect();
    assert_close("rollout", &layer.roll_out(&tensor(&x), &first).unwrap(), &expected);
}
