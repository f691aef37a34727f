//! Attention maps of one head at a time, and their gradients.

use candle_core::Tensor;

use super::{dot, part, product, transpose, values};
use crate::Result;
use crate::kernels::{self, Heads, KeyValues};
use crate::nn::attention::Projections;
use crate::nn::rows::{self, accumulate};
use crate::nn::{CrossAttention, SelfAttention};

/// The attention probabilities of one head, `(queries, keys)`: the softmax of the rows of
/// `q k^T / sqrt(head size)`.
fn probabilities(heads: Heads, queries: &[f32], keys: &[f32]) -> Result<Vec<f32>> {
    let mut scores = product(queries, keys, heads.size())?;
    let count = keys.len() / heads.size();
    for row in scores.chunks_exact_mut(count) {
        row.iter_mut().for_each(|score| *score *= heads.scale());
        kernels::softmax(row);
    }
    Ok(scores)
}

/// From the gradient of the `probabilities` of one head to that of its scores `q k^T`, in place; their rows
/// have `count` numbers.
fn through_softmax(heads: Heads, probabilities: &[f32], gradient: &mut [f32], count: usize) {
    for (p, g) in probabilities.chunks_exact(count).zip(gradient.chunks_exact_mut(count)) {
        let mean = dot(p, g);
        for (p, g) in p.iter().zip(g) {
            *g = p * (*g - mean) * heads.scale();
        }
    }
}

/// Adds to `sum` the rows of one head's `map`, each times its weight, divided by the number of heads.
fn add_rows(sum: &mut [f32], heads: Heads, map: &[f32], weights: &[f32]) {
    for (row, weight) in map.chunks_exact(sum.len()).zip(weights) {
        let weight = weight / heads.count as f32;
        for (sum, value) in sum.iter_mut().zip(row) {
            *sum += weight * value;
        }
    }
}

impl SelfAttention {
    /// `weights A`, a number for each row of `x` `(rows, width)`, where `A` `(rows, rows)` is the mean over the
    /// heads of the attention probabilities.
    pub fn weigh(&self, x: &Tensor, weights: &[f32]) -> Result<Vec<f32>> {
        let Heads { width, count } = self.heads;
        let (qkv, size) = (self.project(x)?, self.heads.size());
        let mut sum = vec![0.0; weights.len()];
        for head in 0..count {
            let [queries, keys] = rows::with(&qkv, |qkv| {
                [0, width].map(|first| part(qkv, 3 * width, first + head * size, size, false))
            })?;
            add_rows(&mut sum, self.heads, &probabilities(self.heads, &queries, &keys)?, weights);
        }
        Ok(sum)
    }

    /// The gradient of the inputs `x` `(rows, width)` from that of the `outputs`, which are taken without the
    /// residual. On the way it takes `weights` to `weights + weights C`, where `C` is the mean over the heads of
    /// the positive part of attention probabilities times their gradients.
    pub fn backward(&self, x: &Tensor, outputs: &[f32], weights: &mut Vec<f32>) -> Result<Vec<f32>> {
        let Heads { width, count } = self.heads;
        let (qkv, size, len) = (self.project(x)?, self.heads.size(), weights.len());
        let context = self.output.backward(outputs)?;
        let mut gradient = vec![0.0; len * 3 * width];
        let mut sum = weights.clone();
        for head in 0..count {
            let [queries, keys, values] = rows::with(&qkv, |qkv| {
                [0, width, 2 * width].map(|first| part(qkv, 3 * width, first + head * size, size, false))
            })?;
            let context = part(&context, width, head * size, size, false);
            let map = probabilities(self.heads, &queries, &keys)?;
            let mut of_map = product(&context, &values, size)?;
            let positive: Vec<f32> = map.iter().zip(&of_map).map(|(p, g)| (p * g).max(0.0)).collect();
            add_rows(&mut sum, self.heads, &positive, weights);

            let of_values = product(&transpose(&map, len), &transpose(&context, size), len)?;
            through_softmax(self.heads, &map, &mut of_map, len);
            let of_queries = product(&of_map, &transpose(&keys, size), len)?;
            let of_keys = product(&transpose(&of_map, len), &transpose(&queries, size), len)?;
            for (i, part) in [of_queries, of_keys, of_values].iter().enumerate() {
                for (row, part) in gradient.chunks_exact_mut(3 * width).zip(part.chunks_exact(size)) {
                    row[i * width + head * size..][..size].copy_from_slice(part);
                }
            }
        }
        *weights = sum;
        match &self.projections {
            Projections::Fused(fused) => fused.backward(&gradient),
            Projections::Separate { query, key, value } => {
                let mut inputs = query.backward(&part(&gradient, 3 * width, 0, width, false))?;
                accumulate(&mut inputs, &key.backward(&part(&gradient, 3 * width, width, width, false))?);
                accumulate(
                    &mut inputs,
                    &value.backward(&part(&gradient, 3 * width, 2 * width, width, false))?,
                );
                Ok(inputs)
            }
        }
    }
}

impl CrossAttention {
    /// What the rows of `x` `(rows, width)` see of `memory`: the mean over the heads of the attention
    /// probabilities, `(rows, memory rows)`.
    pub fn map(&self, x: &Tensor, memory: &KeyValues) -> Result<Vec<f32>> {
        let queries = values(&self.query.forward(x)?)?;
        let mut sum = vec![0.0; x.dim(0)? * memory.len()];
        for head in 0..self.heads.count {
            accumulate(&mut sum, &self.head(&queries, memory, head)?);
        }
        sum.iter_mut().for_each(|sum| *sum /= self.heads.count as f32);
        Ok(sum)
    }

    /// The gradient of the inputs `x` `(rows, width)` from that of the `outputs`, which are taken without the
    /// residual. What is in `memory` stays as it is.
    pub fn backward(&self, x: &Tensor, memory: &KeyValues, outputs: &[f32]) -> Result<Vec<f32>> {
        let Heads { width, count } = self.heads;
        let (size, queries) = (self.heads.size(), values(&self.query.forward(x)?)?);
        let context = self.output.backward(outputs)?;
        let mut gradient = vec![0.0; queries.len()];
        for head in 0..count {
            let context = part(&context, width, head * size, size, false);
            let mut of_map = product(&context, &memory.values(head), size)?;
            through_softmax(self.heads, &self.head(&queries, memory, head)?, &mut of_map, memory.len());
            let of_queries = product(&of_map, &transpose(&memory.keys(head), size), memory.len())?;
            for (row, part) in gradient.chunks_exact_mut(width).zip(of_queries.chunks_exact(size)) {
                row[head * size..][..size].copy_from_slice(part);
            }
        }
        self.query.backward(&gradient)
    }

    /// Grad-CAM of the attention probabilities of `x` `(rows, width)`, given the gradient of the `outputs`, which
    /// are taken without the residual: the mean over the heads of the probabilities times the positive part of
    /// their gradients, `(rows, memory rows)`.
    pub fn grad_cam(&self, x: &Tensor, memory: &KeyValues, outputs: &[f32]) -> Result<Vec<f32>> {
        let Heads { width, count } = self.heads;
        let (size, queries) = (self.heads.size(), values(&self.query.forward(x)?)?);
        let context = self.output.backward(outputs)?;
        let mut sum = vec![0.0; x.dim(0)? * memory.len()];
        for head in 0..count {
            let context = part(&context, width, head * size, size, false);
            let of_map = product(&context, &memory.values(head), size)?;
            let map = self.head(&queries, memory, head)?;
            for (sum, (p, g)) in sum.iter_mut().zip(map.iter().zip(&of_map)) {
                *sum += p * g.max(0.0) / count as f32;
            }
        }
        Ok(sum)
    }

    /// The attention probabilities of one head: `(rows, memory rows)`.
    fn head(&self, queries: &[f32], memory: &KeyValues, head: usize) -> Result<Vec<f32>> {
        let size = self.heads.size();
        let queries = part(queries, self.heads.width, head * size, size, false);
        probabilities(self.heads, &queries, &memory.keys(head))
    }
}
