//! Attention of long sequences to themselves, where the model's weights are int8.
//!
//! Both products, of queries with keys and of probabilities with values, are those of [`super::gemm`]: queries and
//! probabilities in seven bits by blocks, keys and values in eight, each key and each column of values with a scale
//! of its own. Scores and their softmax are f32. Queries go in blocks of 24, whose scores are held for all keys at
//! once: blocks of keys would have to be summed up in f32 one after the other.

use super::attention::{Columns, Heads, exponentials, self_attention};
use super::gemm::{NARROW, Out, int8_product};
use super::math::min_max;
use super::matrix::{Dtype, Matrix, MatrixBuilder};
use super::parallel::{self, Shared};
use super::quantize::{QuantTerms, Quantized};
use crate::Result;

/// Queries of one block: whole tiles of three rows and of four.
const QUERIES: usize = 24;
/// Rows of a sequence below which packing costs more than the products save. Miri has no time for long ones.
const SHORT: usize = if cfg!(miri) { 8 } else { 128 };
/// Widths below which the same is so.
const LEAST_WIDTH: usize = if cfg!(miri) { 16 } else { NARROW };
/// Multiplications below which a second thread is not worth waking.
const GRAIN: usize = 1 << 19;

/// [`self_attention`] in int8; where a model is too narrow, a sequence too short or memory too scarce for it, the same
/// in f32.
pub fn self_attention_int8(heads: Heads, qkv: &[f32], lengths: &[usize]) -> Vec<f32> {
    let width = heads.width;
    assert_eq!(qkv.len(), lengths.iter().sum::<usize>() * 3 * width, "self-attention: lengths do not fit");
    if width < LEAST_WIDTH || lengths.iter().any(|&len| len < SHORT) {
        return self_attention(heads, qkv, lengths);
    }
    let mut y = vec![0.0; qkv.len() / 3];
    let mut begin = 0;
    for &len in lengths {
        let values = &qkv[begin * 3 * width..][..len * 3 * width];
        let [queries, keys, values] =
            [0, 1, 2].map(|i| Columns { values, stride: 3 * width, first: i * width });
        let Ok(packed) = pack(heads, len, keys, values) else { return self_attention(heads, qkv, lengths) };
        attend(heads, len, queries, &packed, &mut y[begin * width..][..len * width]);
        begin += len;
    }
    y
}

/// The keys and values of each head.
fn pack(heads: Heads, len: usize, keys: Columns<'_>, values: Columns<'_>) -> Result<Vec<Memory>> {
    let mut packed = Vec::new();
    packed.resize_with(heads.count, || None);
    let places = Shared::new(&mut packed);
    parallel::ranges(heads.count, 1, |heads_here| {
        for head in heads_here {
            let memory = Memory::pack(heads, len, head, keys, values);
            // SAFETY: each head is given to one call only.
            unsafe { places.set(head, Some(memory)) }
        }
    });
    packed.into_iter().flatten().collect()
}

/// Attention of all `len` rows of a sequence.
fn attend(heads: Heads, len: usize, queries: Columns<'_>, memory: &[Memory], y: &mut [f32]) {
    let (size, out) = (heads.size(), Shared::new(y));
    let blocks = len.div_ceil(QUERIES);
    parallel::ranges(heads.count * blocks, 1 + GRAIN / (2 * QUERIES * len * size), |parts| {
        let (mut scaled, mut scores) = (Vec::new(), Vec::new());
        for part in parts {
            let (head, first) = (part / blocks, part % blocks * QUERIES);
            let rows = first..len.min(first + QUERIES);
            scaled.clear();
            for row in rows.clone() {
                scaled.extend(queries.row(row, head * size, size).iter().map(|q| q * heads.scale()));
            }
            scores.resize(rows.len() * len, 0.0);
            let at = first * heads.width + head * size;
            let out = Out { values: out, stride: heads.width, first: at };
            // SAFETY: each block of queries and head is given to one call only.
            unsafe { memory[head].attend(&scaled, &mut scores, out) }
        }
    });
}

/// Keys and values of one head.
struct Memory {
    /// `(keys, size)`.
    keys: Matrix,
    /// `(size, keys)`.
    values: Matrix,
}

impl Memory {
    fn pack(heads: Heads, len: usize, head: usize, keys: Columns<'_>, values: Columns<'_>) -> Result<Self> {
        let size = heads.size();
        let mut packed = MatrixBuilder::new(Dtype::Int8, len, size)?;
        let mut turned = vec![0.0; size * len];
        for row in 0..len {
            packed.push(keys.row(row, head * size, size));
            let to = turned[row..].iter_mut().step_by(len);
            to.zip(values.row(row, head * size, size)).for_each(|(to, &value)| *to = value);
        }
        Ok(Self { keys: packed.finish()?, values: Matrix::pack(Dtype::Int8, size, len, &turned)? })
    }

    /// Attention of some queries, already scaled. `scores` is room for theirs.
    ///
    /// # Safety
    /// Nobody else uses the outputs meanwhile: as many columns as the head has, for each query.
    unsafe fn attend(&self, queries: &[f32], scores: &mut [f32], out: Out<'_>) {
        let (len, size) = (self.keys.rows(), self.keys.columns());
        let queries = Quantized::new(queries, size, QuantTerms::AsNeeded);
        let products = Out { values: Shared::new(scores), stride: len, first: 0 };
        // SAFETY: the scores are this call's own.
        unsafe { int8_product(&queries, &self.keys, products) }
        let mut factors = [0.0; QUERIES];
        for (factor, scores) in factors.iter_mut().zip(scores.chunks_exact_mut(len)) {
            *factor = 1.0 / exponentials(scores, min_max(scores).1);
        }
        let mut probabilities = Quantized::new(scores, len, QuantTerms::AsNeeded);
        probabilities.multiply(&factors);
        // SAFETY: the caller's promise.
        unsafe { int8_product(&probabilities, &self.values, out) }
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    /// Deviations of queries, keys and values, and the largest difference from [`self_attention`] in such deviations.
    /// That of the scores is their square: at 4, nearly all of a softmax is one number, and a small error of a score a
    /// large one of its probability. Measured: 0.0048 and 0.21.
    const BOUNDS: [(f32, f32); 2] = [(0.5, 0.01), (2.0, 0.3)];

    /// Nearly normal numbers: sums of four even ones.
    fn noise(count: usize, deviation: f32) -> Vec<f32> {
        let mut seed = 1u32;
        let mut next = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 8) as f32 / (1 << 24) as f32 - 0.5
        };
        (0..count).map(|_| deviation * 3f32.sqrt() * (next() + next() + next() + next())).collect()
    }

    #[test]
    fn is_near_to_that_in_f32() {
        for (width, count) in [(256, 4), (300, 5)] {
            let heads = Heads { width, count };
            for lengths in [&[131][..], &[128, 200], &[577]] {
                for (deviation, bound) in BOUNDS {
                    let rows: usize = lengths.iter().sum();
                    let qkv = noise(rows * 3 * width, deviation);
                    let exact = self_attention(heads, &qkv, lengths);
                    let int8 = self_attention_int8(heads, &qkv, lengths);
                    assert!(exact != int8, "nothing was quantised: this test proves nothing");
                    let difference = exact.iter().zip(&int8).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                    println!("{width} {count} {lengths:?} {deviation}: {}", difference / deviation);
                    assert!(difference <= bound * deviation, "{width} {count} {lengths:?}: {difference}");
                }
            }
        }
    }

    #[test]
    fn short_sequences_and_narrow_models_stay_exact() {
        for (width, lengths) in [(256, [140, 10]), (192, [140, 150])] {
            let rows: usize = lengths.iter().sum();
            let (heads, qkv) = (Heads { width, count: 2 }, noise(rows * 3 * width, 1.0));
            let int8 = self_attention_int8(heads, &qkv, &lengths);
            assert!(int8 == self_attention(heads, &qkv, &lengths), "{width} {lengths:?}");
        }
    }
}
