//! Scaled dot-product attention.
//!
//! `softmax(q k^T / sqrt(d)) v` for each head, without ever holding all scores: queries go in blocks of 16
//! over keys in blocks of 128, and the softmax is corrected as larger scores appear (Milakov and Gimelshein,
//! "Online normalizer calculation for softmax", 2018; Dao et al., "FlashAttention", 2022):
//!
//! ```text
//! m' = max(m, max s)    l' = l e^(m - m') + sum e^(s - m')    o' = o e^(m - m') + e^(s - m') v
//! ```
//!
//! and `o / l` is the answer.

use super::math::{exp, min_max};
use super::matrix::PANEL;
use super::parallel::{self, Shared};
use super::simd::{F32x4, LANES};
use super::tile::{TILE, f32_tile, tile_rows};

/// Queries of one block: a few tiles of them.
const QUERIES: usize = 4 * TILE;
/// Keys of one block; a multiple of [`PANEL`].
const KEYS: usize = 128;
/// Multiplications below which a second thread is not worth waking.
const GRAIN: usize = 1 << 18;

/// How a width is divided into heads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heads {
    /// Width of the queries, keys and values of all heads together.
    pub width: usize,
    /// Number of heads; it divides the width.
    pub count: usize,
}

impl Heads {
    /// Width of one head.
    pub fn size(self) -> usize {
        self.width / self.count
    }

    /// What scores are multiplied with.
    pub fn scale(self) -> f32 {
        1.0 / (self.size() as f32).sqrt()
    }
}

/// Rows of numbers within larger rows: `width` numbers from `first` on, every `stride`.
#[derive(Debug, Clone, Copy)]
pub struct Columns<'a> {
    /// All rows.
    pub values: &'a [f32],
    /// Numbers from one row to the next.
    pub stride: usize,
    /// Where the columns begin within a row.
    pub first: usize,
}

impl<'a> Columns<'a> {
    /// `count` numbers of row `row` from `begin` on.
    pub(super) fn row(&self, row: usize, begin: usize, count: usize) -> &'a [f32] {
        &self.values[row * self.stride + self.first + begin..][..count]
    }
}

/// Keys and values of one sequence in the order in which the tiles read them: for each head, panels of 8
/// keys by dimension, and panels of 8 dimensions by key.
#[derive(Debug, Clone)]
pub struct KeyValues {
    heads: Heads,
    len: usize,
    keys: Vec<f32>,
    values: Vec<f32>,
}

impl KeyValues {
    /// Packs the first `len` rows of `keys` and `values`, each of `heads.width` numbers.
    pub fn pack(heads: Heads, len: usize, keys: Columns<'_>, values: Columns<'_>) -> Self {
        let size = heads.size();
        let (key_len, value_len) = (len.next_multiple_of(PANEL) * size, size.next_multiple_of(PANEL) * len);
        let mut packed = Self {
            heads,
            len,
            keys: vec![0.0; heads.count * key_len],
            values: vec![0.0; heads.count * value_len],
        };
        let (out_keys, out_values) = (Shared::new(&mut packed.keys), Shared::new(&mut packed.values));
        parallel::ranges(heads.count, 1 + 65_536 / (len * size).max(1), |heads_here| {
            for head in heads_here {
                // SAFETY: each head is given to one call only.
                let (to_keys, to_values) = unsafe {
                    (out_keys.slice(head * key_len, key_len), out_values.slice(head * value_len, value_len))
                };
                for i in 0..len {
                    let panel = &mut to_keys[i / PANEL * PANEL * size..][..PANEL * size];
                    for (to, &key) in panel.chunks_exact_mut(PANEL).zip(keys.row(i, head * size, size)) {
                        to[i % PANEL] = key;
                    }
                    let value = values.row(i, head * size, size);
                    for (panel, value) in to_values.chunks_exact_mut(PANEL * len).zip(value.chunks(PANEL)) {
                        panel[i * PANEL..][..value.len()].copy_from_slice(value);
                    }
                }
            }
        });
        packed
    }

    /// Number of keys.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no keys.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The keys of one head, row by row.
    pub fn keys(&self, head: usize) -> Vec<f32> {
        let size = self.heads.size();
        let keys = &self.keys[head * self.len.next_multiple_of(PANEL) * size..];
        (0..self.len * size)
            .map(|at| (at / size, at % size))
            .map(|(i, d)| keys[(i / PANEL * size + d) * PANEL + i % PANEL])
            .collect()
    }

    /// The values of one head, row by row.
    pub fn values(&self, head: usize) -> Vec<f32> {
        let size = self.heads.size();
        let values = &self.values[head * size.next_multiple_of(PANEL) * self.len..];
        (0..self.len * size)
            .map(|at| (at / size, at % size))
            .map(|(i, d)| values[(d / PANEL * self.len + i) * PANEL + d % PANEL])
            .collect()
    }

    /// Attention of the first `rows` rows of `queries`, each of `heads.width` numbers: as many numbers for
    /// each.
    pub fn attend(&self, queries: Columns<'_>, rows: usize) -> Vec<f32> {
        let mut y = vec![0.0; rows * self.heads.width];
        self.attend_to(queries, rows, Shared::new(&mut y));
        y
    }

    /// [`KeyValues::attend`], written to `out`.
    fn attend_to(&self, queries: Columns<'_>, rows: usize, out: Shared<'_, f32>) {
        let Heads { width, count } = self.heads;
        let size = self.heads.size();
        let blocks = rows.div_ceil(QUERIES);
        let cost = QUERIES.min(rows.max(1)) * self.len * size * 2;
        parallel::ranges(count * blocks, 1 + GRAIN / cost.max(1), |parts| {
            let mut block = Block::new(size);
            for part in parts {
                let (head, first) = (part / blocks, part % blocks * QUERIES);
                let here = (rows - first).min(QUERIES);
                block.begin(queries, first, here, head, self.heads);
                block.attend(self, head);
                for i in 0..here {
                    let at = (first + i) * width + head * size;
                    // SAFETY: each block of queries and head is given to one call only.
                    block.write(i, unsafe { out.slice(at, size) });
                }
            }
        });
    }
}

/// Attention of sequences to themselves. The rows of `qkv` hold queries, keys and values side by side,
/// `heads.width` numbers each; `lengths` says how many rows each sequence has. The answer has `heads.width`
/// numbers for each row.
pub fn self_attention(heads: Heads, qkv: &[f32], lengths: &[usize]) -> Vec<f32> {
    let (width, rows) = (heads.width, lengths.iter().sum::<usize>());
    assert_eq!(qkv.len(), rows * 3 * width, "self-attention: lengths do not fit");
    let begins = begins(lengths);
    let mut y = vec![0.0; rows * width];
    let out = Shared::new(&mut y);
    let cost = 2 * rows * rows / lengths.len().max(1).pow(2) * width;
    parallel::ranges(lengths.len(), 1 + GRAIN / cost.max(1), |sequences| {
        for i in sequences {
            let (begin, len) = (begins[i], lengths[i]);
            let values = &qkv[begin * 3 * width..][..len * 3 * width];
            let part = |first| Columns { values, stride: 3 * width, first };
            let memory = KeyValues::pack(heads, len, part(width), part(2 * width));
            // SAFETY: the rows of each sequence are written by one call only.
            let out = unsafe { out.slice(begin * width, len * width) };
            memory.attend_to(part(0), len, Shared::new(out));
        }
    });
    y
}

/// Attention of one row of each sequence to that whole sequence. The rows of `kv` hold keys and values side by
/// side, `heads.width` numbers each; `queries` has one row for each sequence.
pub fn pooled_attention(heads: Heads, queries: &[f32], kv: &[f32], lengths: &[usize]) -> Vec<f32> {
    let width = heads.width;
    assert_eq!(kv.len(), lengths.iter().sum::<usize>() * 2 * width, "pooled attention: lengths do not fit");
    assert_eq!(queries.len(), lengths.len() * width, "pooled attention: queries do not fit");
    let begins = begins(lengths);
    let mut y = vec![0.0; queries.len()];
    let out = Shared::new(&mut y);
    parallel::ranges(lengths.len(), 1, |sequences| {
        for i in sequences {
            let values = &kv[begins[i] * 2 * width..][..lengths[i] * 2 * width];
            let part = |first| Columns { values, stride: 2 * width, first };
            let memory = KeyValues::pack(heads, lengths[i], part(0), part(width));
            let query = Columns { values: &queries[i * width..], stride: width, first: 0 };
            // SAFETY: the row of each sequence is written by one call only.
            memory.attend_to(query, 1, Shared::new(unsafe { out.slice(i * width, width) }));
        }
    });
    y
}

/// The first row of each sequence.
fn begins(lengths: &[usize]) -> Vec<usize> {
    let mut begins = Vec::with_capacity(lengths.len());
    let mut end = 0;
    for len in lengths {
        begins.push(end);
        end += len;
    }
    begins
}

/// Some queries of one head on their way over the keys.
struct Block {
    size: usize,
    /// `size`, filled up to whole panels.
    padded: usize,
    rows: usize,
    queries: Vec<f32>,
    scores: Vec<f32>,
    /// Unfinished sums of values.
    out: Vec<f32>,
    /// Largest score of each row so far.
    max: [f32; QUERIES],
    /// Sum of the exponentials of each row so far.
    sum: [f32; QUERIES],
}

impl Block {
    fn new(size: usize) -> Self {
        let padded = size.next_multiple_of(PANEL);
        Self {
            size,
            padded,
            rows: 0,
            queries: vec![0.0; QUERIES * size],
            scores: vec![0.0; QUERIES * KEYS],
            out: vec![0.0; QUERIES * padded],
            max: [f32::NEG_INFINITY; QUERIES],
            sum: [0.0; QUERIES],
        }
    }

    /// Takes the queries `row..row + rows` of a head, scaled: there are fewer of them than scores.
    fn begin(&mut self, queries: Columns<'_>, row: usize, rows: usize, head: usize, heads: Heads) {
        let scale = heads.scale();
        for (i, to) in self.queries.chunks_exact_mut(self.size).enumerate().take(rows) {
            for (to, q) in to.iter_mut().zip(queries.row(row + i, head * self.size, self.size)) {
                *to = q * scale;
            }
        }
        self.rows = rows;
        self.out.fill(0.0);
        self.max = [f32::NEG_INFINITY; QUERIES];
        self.sum = [0.0; QUERIES];
    }

    /// Goes over the keys of a head.
    fn attend(&mut self, memory: &KeyValues, head: usize) {
        let len = memory.len;
        let key_len = len.next_multiple_of(PANEL) * self.size;
        let keys = &memory.keys[head * key_len..][..key_len];
        let values = &memory.values[head * self.padded * len..][..self.padded * len];
        for key in (0..len).step_by(KEYS) {
            let here = (len - key).min(KEYS);
            for (j, panel) in keys[key * self.size..].chunks_exact(PANEL * self.size).enumerate() {
                if j * PANEL >= here {
                    break;
                }
                let to = &mut self.scores[j * PANEL..];
                tiles(&self.queries, self.size, self.size, panel, self.rows, to, KEYS, |_, new| new);
            }
            for i in 0..self.rows {
                self.soften(i, here);
            }
            for (j, panel) in values.chunks_exact(PANEL * len).enumerate() {
                let (panel, to) = (&panel[key * PANEL..], &mut self.out[j * PANEL..]);
                tiles(&self.scores, KEYS, here, panel, self.rows, to, self.padded, F32x4::add);
            }
        }
    }

    /// Turns the first `here` scores of row `i`, at least one, into exponentials.
    fn soften(&mut self, i: usize, here: usize) {
        let scores = &mut self.scores[i * KEYS..][..here];
        let max = min_max(scores).1.max(self.max[i]);
        let sum = exponentials(scores, max);
        if max > self.max[i] {
            // Nothing was summed before the first block, whose factor would be e^-infinity.
            let factor = (self.max[i] - max).exp();
            for y in &mut self.out[i * self.padded..][..self.padded] {
                *y *= factor;
            }
            self.sum[i] *= factor;
            self.max[i] = max;
        }
        self.sum[i] += sum;
    }

    /// The answer of row `i`.
    fn write(&self, i: usize, to: &mut [f32]) {
        let inverse = 1.0 / self.sum[i];
        for (to, y) in to.iter_mut().zip(&self.out[i * self.padded..]) {
            *to = y * inverse;
        }
    }
}

/// Replaces scores, at least one, by their softmax.
pub fn softmax(scores: &mut [f32]) {
    let inverse = 1.0 / exponentials(scores, min_max(scores).1);
    scores.iter_mut().for_each(|score| *score *= inverse);
}

/// Replaces scores by `e^(score - max)` and gives their sum.
pub(super) fn exponentials(scores: &mut [f32], max: f32) -> f32 {
    let mut sum = F32x4::splat(0.0);
    let mut rest = 0.0;
    let mut chunks = scores.chunks_exact_mut(LANES);
    for chunk in &mut chunks {
        // SAFETY: the chunk has 4 numbers.
        unsafe {
            let y = exp(F32x4::load(chunk.as_ptr()).sub(F32x4::splat(max)));
            sum = sum.add(y);
            y.store(chunk.as_mut_ptr());
        }
    }
    for score in chunks.into_remainder() {
        *score = (*score - max).exp();
        rest += *score;
    }
    sum.to_array().iter().sum::<f32>() + rest
}

/// `rows` rows of `x` times one panel of 8 columns of depth `depth`, joined with what is in `to`.
#[inline(always)]
#[allow(clippy::too_many_arguments)] // Two matrices and where the product goes.
fn tiles(
    x: &[f32],
    x_stride: usize,
    depth: usize,
    panel: &[f32],
    rows: usize,
    to: &mut [f32],
    to_stride: usize,
    join: impl Fn(F32x4, F32x4) -> F32x4 + Copy,
) {
    assert!(panel.len() >= depth * PANEL && rows * x_stride <= x.len() && depth <= x_stride);
    let mut row = 0;
    while row < rows {
        let (x, to) = (&x[row * x_stride..], &mut to[row * to_stride..]);
        let here = tile_rows(rows - row, TILE);
        // SAFETY: checked above: `x` has all rows, and the panel `depth` times 8 numbers.
        unsafe {
            match here {
                1 => put(f32_tile::<1>(x, x_stride, depth, panel, PANEL), to, to_stride, join),
                2 => put(f32_tile::<2>(x, x_stride, depth, panel, PANEL), to, to_stride, join),
                3 => put(f32_tile::<3>(x, x_stride, depth, panel, PANEL), to, to_stride, join),
                _ => put(f32_tile::<TILE>(x, x_stride, depth, panel, PANEL), to, to_stride, join),
            }
        }
        row += here;
    }
}

#[inline(always)]
fn put<const R: usize>(
    tile: [[F32x4; PANEL / LANES]; R],
    to: &mut [f32],
    stride: usize,
    join: impl Fn(F32x4, F32x4) -> F32x4,
) {
    for (i, row) in tile.iter().enumerate() {
        let to = &mut to[i * stride..][..PANEL];
        for (j, &new) in row.iter().enumerate() {
            // SAFETY: the slice has 8 numbers, of which these are 4.
            unsafe {
                let to = to.as_mut_ptr().add(j * LANES);
                join(F32x4::load(to), new).store(to);
            }
        }
    }
}

/// Attention of single queries to chosen rows: query `i` sees the rows `visible[i]` of `keys` and `values`, at least
/// one. All rows have `heads.width` numbers, and so has the answer for each query.
pub fn attend_rows(
    heads: Heads,
    queries: Columns<'_>,
    visible: &[&[u32]],
    keys: Columns<'_>,
    values: Columns<'_>,
) -> Vec<f32> {
    let (width, size) = (heads.width, heads.size());
    let mut y = vec![0.0; visible.len() * width];
    let out = Shared::new(&mut y);
    let cost = visible.iter().map(|visible| visible.len()).sum::<usize>() / visible.len().max(1) * 2 * width;
    parallel::ranges(visible.len(), 1 + GRAIN / cost.max(1), |here| {
        let mut scores = Vec::new();
        for i in here {
            // SAFETY: the row of each query is written by one call only.
            let y = unsafe { out.slice(i * width, width) };
            for (head, y) in y.chunks_exact_mut(size).enumerate() {
                let q = queries.row(i, head * size, size);
                scores.clear();
                scores.extend(
                    visible[i]
                        .iter()
                        .map(|&r| dot(q, keys.row(r as usize, head * size, size)) * heads.scale()),
                );
                let max = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let inverse = 1.0 / exponentials(&mut scores, max);
                for (&score, &r) in scores.iter().zip(visible[i]) {
                    for (y, v) in y.iter_mut().zip(values.row(r as usize, head * size, size)) {
                        *y += score * inverse * v;
                    }
                }
            }
        }
    });
    y
}

/// The sum of the products of `a` and `b`, which are of one length.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (a4, b4) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let whole = a.len() - a4.remainder().len();
    let rest: f32 = a[whole..].iter().zip(&b[whole..]).map(|(a, b)| a * b).sum();
    let mut sum = F32x4::splat(0.0);
    for (a, b) in a4.zip(b4) {
        // SAFETY: the chunks have 4 numbers.
        unsafe { sum = F32x4::load(a.as_ptr()).mul_add(F32x4::load(b.as_ptr()), sum) }
    }
    sum.to_array().iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    /// Largest difference from the formula in f64, for values of about 1.
    const BOUND: f64 = 1e-5;

    fn noise(count: usize, seed: usize) -> Vec<f32> {
        (0..count).map(|i| (((i + seed) * 7919 + 13 * seed) % 2003) as f32 / 500.0 - 2.0).collect()
    }

    /// The formula in double precision: the naive twin.
    fn naive(heads: Heads, q: &[f32], k: &[f32], v: &[f32], visible: impl Fn(usize) -> usize) -> Vec<f64> {
        let (width, size) = (heads.width, heads.size());
        let mut y = vec![0.0; q.len()];
        for i in 0..q.len() / width {
            for head in 0..heads.count {
                let at = |row: usize, d: usize| row * width + head * size + d;
                let scores: Vec<f64> = (0..visible(i))
                    .map(|j| {
                        let dot: f64 =
                            (0..size).map(|d| f64::from(q[at(i, d)]) * f64::from(k[at(j, d)])).sum();
                        dot / (size as f64).sqrt()
                    })
                    .collect();
                let max = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let sum: f64 = scores.iter().map(|s| (s - max).exp()).sum();
                for d in 0..size {
                    y[at(i, d)] =
                        (0..visible(i)).map(|j| (scores[j] - max).exp() / sum * f64::from(v[at(j, d)])).sum();
                }
            }
        }
        y
    }

    fn check(y: &[f32], expected: &[f64], what: &str) {
        assert_eq!(y.len(), expected.len());
        for (y, e) in y.iter().zip(expected) {
            assert!((f64::from(*y) - e).abs() <= BOUND, "{what}: {y} instead of {e}");
        }
    }

    fn columns(values: &[f32], width: usize) -> Columns<'_> {
        Columns { values, stride: width, first: 0 }
    }

    #[test]
    fn softmax_equals_the_formula_over_odd_lengths() {
        for len in 1..40 {
            let scores: Vec<f32> = noise(len, 1).iter().map(|x| 30.0 * x).collect();
            let max = scores.iter().copied().fold(f32::MIN, f32::max);
            let exp = |x: f32| f64::from(x - max).exp();
            let sum: f64 = scores.iter().map(|&x| exp(x)).sum();
            let expected: Vec<f64> = scores.iter().map(|&x| exp(x) / sum).collect();
            let mut y = scores;
            softmax(&mut y);
            check(&y, &expected, "softmax");
        }
    }

    #[test]
    fn equals_the_formula_over_odd_sizes() {
        for (width, count) in [(3, 1), (8, 2), (20, 4), (64, 1), (66, 3)] {
            let heads = Heads { width, count };
            for (rows, len) in [(1, 1), (1, 9), (5, 5), (17, 17), (16, 64), (3, 65), (50, 50), (20, 131)] {
                let [q, k, v] = [(rows, 1), (len, 2), (len, 3)].map(|(rows, seed)| noise(rows * width, seed));
                let memory = KeyValues::pack(heads, len, columns(&k, width), columns(&v, width));
                for head in 0..count {
                    let part = |rows: &[f32]| -> Vec<f32> {
                        let row = |row: &[f32]| row[head * heads.size()..][..heads.size()].to_vec();
                        rows.chunks(width).flat_map(row).collect()
                    };
                    assert_eq!((memory.keys(head), memory.values(head)), (part(&k), part(&v)));
                }
                let y = memory.attend(columns(&q, width), rows);
                check(&y, &naive(heads, &q, &k, &v, |_| len), "all");
                let all: Vec<u32> = (0..len as u32).collect();
                let visible: Vec<&[u32]> = (0..rows).map(|i| &all[..(i + 1).min(len)]).collect();
                let y =
                    attend_rows(heads, columns(&q, width), &visible, columns(&k, width), columns(&v, width));
                check(&y, &naive(heads, &q, &k, &v, |i| (i + 1).min(len)), "rows");
            }
        }
    }

    #[test]
    fn sequences_of_a_batch_do_not_see_each_other() {
        let (heads, lengths) = (Heads { width: 16, count: 2 }, [10, 3, 1, 70]);
        let qkv = noise(lengths.iter().sum::<usize>() * 48, 4);
        let all = self_attention(heads, &qkv, &lengths);
        let mut begin = 0;
        for len in lengths {
            let alone = self_attention(heads, &qkv[begin * 48..][..len * 48], &[len]);
            assert_eq!(all[begin * 16..][..len * 16], alone);
            begin += len;
        }
    }

    #[test]
    fn pooled_attention_is_that_of_its_row() {
        let (heads, lengths) = (Heads { width: 16, count: 2 }, [10, 1, 70]);
        let qkv = noise(81 * 48, 4);
        let all = self_attention(heads, &qkv, &lengths);
        let kv: Vec<f32> = qkv.chunks(48).flat_map(|row| row[16..].to_vec()).collect();
        let rows = [3, 10, 80];
        let queries: Vec<f32> = rows.iter().flat_map(|row| qkv[row * 48..][..16].to_vec()).collect();
        let pooled = pooled_attention(heads, &queries, &kv, &lengths);
        for (pooled, row) in pooled.chunks(16).zip(rows) {
            for (a, b) in pooled.iter().zip(&all[row * 16..]) {
                assert!((a - b).abs() <= 1e-6, "{a} instead of {b}");
            }
        }
    }

    #[test]
    fn large_scores_do_not_overflow() {
        let heads = Heads { width: 1, count: 1 };
        let memory = KeyValues::pack(heads, 3, columns(&[1e15, 1e15, -1e15], 1), columns(&[1., 3., 9.], 1));
        assert_eq!(memory.attend(columns(&[1e15], 1), 1), [2.0]);
    }
}
