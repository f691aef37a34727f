//! Inputs of int8 matrices, quantised when they come.
//!
//! A row is cut into blocks of [`BLOCK`] columns, each with a scale and an offset of its own, so that a
//! channel of large values costs only its neighbours their precision:
//!
//! ```text
//! x = min + scale * q,   q in 0..=127,   scale = (max - min) / 127
//! ```
//!
//! Seven bits are what the relaxed dot product takes. Transformers have a few channels whose values are tens
//! of times as large as all others, in every row. Blocks with such a channel are found by comparing their
//! ranges with their mean magnitudes, and get a second term: the differences that the first one left, in
//! another seven bits. A term is one more block of inputs for the same weights. Two neighbours without such a
//! channel and of like ranges share a term, which saves a part of what comes after each term of a tile.

use super::matrix::{BLOCK, STEP};
use super::parallel::{self, Shared};
use super::simd::{F32x4, I32x4};

/// A block whose range is more than this many times its mean magnitude, over all rows, gets two terms. Of
/// 128 normal numbers it is 6.6 on average; with one among them that is 20 times as large, 21.
const OUTLIERS: f32 = 20.0;
/// Blocks share a term where the range of one is at most this many times that of the other, over all rows.
const ALIKE: f32 = 1.5;
/// Numbers below which a second thread is not worth waking.
const GRAIN: usize = 1 << 16;

/// How many terms the blocks of inputs have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum QuantTerms {
    /// One: seven bits.
    One,
    /// One, and two where there is a channel of large values.
    AsNeeded,
    /// Two: fourteen bits.
    Two,
}

/// Rows of inputs in seven bits.
pub(super) struct Quantized {
    rows: usize,
    pub(super) terms: Vec<QuantTerm>,
    /// Bytes from one row to the next.
    pub(super) stride: usize,
    pub(super) values: Vec<u8>,
    /// For each row and term: scale and offset.
    pub(super) params: Vec<[f32; 2]>,
}

/// Some columns of all rows.
#[derive(Clone, Copy)]
pub(super) struct QuantTerm {
    /// Where they are within the bytes of a row.
    pub(super) at: usize,
    /// Index of the block of columns, the first where there are several.
    pub(super) block: usize,
    /// How many blocks.
    pub(super) blocks: usize,
    /// Columns, filled up with zeros to whole steps of the tiles.
    pub(super) len: usize,
    /// Whether these are the differences that the term before left.
    residual: bool,
}

impl QuantTerm {
    /// `columns` columns of a block, at `at` in the bytes of a row.
    pub(super) fn new(block: usize, at: usize, columns: usize) -> Self {
        Self { at, block, blocks: 1, len: columns.next_multiple_of(STEP), residual: false }
    }
}

/// Rows of quantised inputs as tiles read them: in place, wherever each of them begins.
#[derive(Clone, Copy)]
pub(super) struct QuantizedRows<'a> {
    count: usize,
    terms: &'a [QuantTerm],
    starts: Starts<'a>,
    values: &'a [u8],
    params: &'a [[f32; 2]],
}

/// Where rows begin.
#[derive(Clone, Copy)]
enum Starts<'a> {
    /// As many bytes after the one before.
    Every(usize),
    /// At these bytes.
    At(&'a [usize]),
}

impl<'a> QuantizedRows<'a> {
    /// Rows that begin at `starts` among `values`, which are at most 127; `params` are by row and term.
    ///
    /// # Panics
    /// Where a row reaches beyond the values, or lacks parameters.
    pub(super) fn new(
        terms: &'a [QuantTerm],
        starts: &'a [usize],
        values: &'a [u8],
        params: &'a [[f32; 2]],
    ) -> Self {
        let reach = terms.iter().map(|term| term.at + term.len).max().unwrap_or(0);
        let last = starts.iter().max().copied().unwrap_or(0);
        assert!(last <= values.len() && reach <= values.len() - last, "quantised rows: one reaches too far");
        assert_eq!(params.len(), starts.len() * terms.len(), "quantised rows: another number of parameters");
        Self { count: starts.len(), terms, starts: Starts::At(starts), values, params }
    }

    /// Number of rows.
    pub(super) fn count(self) -> usize {
        self.count
    }

    /// The terms of each row.
    pub(super) fn terms(self) -> &'a [QuantTerm] {
        self.terms
    }

    /// Where a row begins: the bytes of every term of it can be read.
    #[inline(always)]
    pub(super) fn row(self, row: usize) -> *const u8 {
        assert!(row < self.count, "quantised rows: no such row");
        let start = match self.starts {
            Starts::Every(stride) => row * stride,
            Starts::At(starts) => starts[row],
        };
        // SAFETY: the constructors made sure that this row lies within the values.
        unsafe { self.values.as_ptr().add(start) }
    }

    /// The parameters of a row and those after it.
    #[inline(always)]
    pub(super) fn params(self, row: usize) -> &'a [[f32; 2]] {
        &self.params[row * self.terms.len()..]
    }
}

impl Quantized {
    /// Quantises `x`, rows of `columns` numbers.
    pub(super) fn new(x: &[f32], columns: usize, wanted: QuantTerms) -> Self {
        let rows = x.len() / columns.max(1);
        let blocks = columns.div_ceil(BLOCK);
        if wanted == QuantTerms::One {
            return Self::in_one_term(x, columns);
        }
        let mut ranges = vec![[0f32; 2]; rows * blocks];
        let mut spreads = vec![None; blocks];
        measure(x, columns, &mut ranges, &mut spreads);
        if wanted == QuantTerms::Two {
            spreads.fill(None);
        }

        let mut terms = Vec::with_capacity(2 * blocks);
        let mut stride = 0;
        let mut block = 0;
        while block < blocks {
            let here = match spreads[block..] {
                [Some(a), Some(b), ..] if a <= ALIKE * b && b <= ALIKE * a => 2,
                _ => 1,
            };
            let len = (columns - block * BLOCK).min(here * BLOCK).next_multiple_of(STEP);
            for residual in [false, true].into_iter().take(1 + usize::from(spreads[block].is_none())) {
                terms.push(QuantTerm { at: stride, block, blocks: here, len, residual });
                stride += len;
            }
            block += here;
        }
        let mut values = vec![0; rows * stride];
        let mut params = vec![[0.0; 2]; rows * terms.len()];
        let (out, out_params) = (Shared::new(&mut values), Shared::new(&mut params));
        parallel::ranges(rows, GRAIN / columns.max(1) + 1, |rows| {
            for row in rows {
                // SAFETY: each row is given to one call only.
                let (values, params) = unsafe {
                    (out.slice(row * stride, stride), out_params.slice(row * terms.len(), terms.len()))
                };
                let x = &x[row * columns..][..columns];
                let ranges = &ranges[row * blocks..][..blocks];
                quantize_row(x, ranges, &terms, values, params);
            }
        });
        Self { rows, terms, stride, values, params }
    }

    /// One term for each pair of blocks: nothing has to be known of the other rows.
    fn in_one_term(x: &[f32], columns: usize) -> Self {
        let rows = x.len() / columns.max(1);
        let stride = columns.next_multiple_of(STEP);
        let pairs = (0..columns).step_by(2 * BLOCK).map(|begin| {
            let blocks = (columns - begin).div_ceil(BLOCK).min(2);
            let len = (columns - begin).min(2 * BLOCK).next_multiple_of(STEP);
            QuantTerm { at: begin, block: begin / BLOCK, blocks, len, residual: false }
        });
        let terms: Vec<QuantTerm> = pairs.collect();
        let mut values = vec![0; rows * stride];
        let mut params = vec![[0.0; 2]; rows * terms.len()];
        let (out, out_params) = (Shared::new(&mut values), Shared::new(&mut params));
        parallel::ranges(rows, GRAIN / columns.max(1) + 1, |rows| {
            for row in rows {
                // SAFETY: each row is given to one call only.
                let (values, params) = unsafe {
                    (out.slice(row * stride, stride), out_params.slice(row * terms.len(), terms.len()))
                };
                let pairs = x[row * columns..][..columns].chunks(2 * BLOCK).zip(values.chunks_mut(2 * BLOCK));
                for ((x, values), params) in pairs.zip(params) {
                    *params = quantize(x, values);
                }
            }
        });
        Self { rows, terms, stride, values, params }
    }

    /// The rows as tiles read them.
    pub(super) fn rows(&self) -> QuantizedRows<'_> {
        let Self { rows, terms, stride, values, params } = self;
        QuantizedRows { count: *rows, terms, starts: Starts::Every(*stride), values, params }
    }

    /// Multiplies each row with a number of its own.
    pub(super) fn multiply(&mut self, factors: &[f32]) {
        for (params, factor) in self.params.chunks_exact_mut(self.terms.len()).zip(factors) {
            params.iter_mut().flatten().for_each(|param| *param *= factor);
        }
    }
}

/// The smallest and largest number of each row and block, and the sum of a block's ranges unless they are wide for its
/// deviation.
fn measure(x: &[f32], columns: usize, ranges: &mut [[f32; 2]], spreads: &mut [Option<f32>]) {
    let blocks = spreads.len();
    let rows = x.len() / columns.max(1);
    let (ranges, spreads) = (Shared::new(ranges), Shared::new(spreads));
    parallel::ranges(blocks, GRAIN / (BLOCK * rows).max(1) + 1, |blocks_here| {
        for block in blocks_here {
            let begin = block * BLOCK;
            let end = columns.min(begin + BLOCK);
            let (mut spread, mut magnitude) = (0.0, 0.0);
            for row in 0..rows {
                let x = &x[row * columns + begin..row * columns + end];
                let ([min, max], sum) = range(x);
                let range = [min, max];
                // SAFETY: each block is given to one call only.
                unsafe { ranges.set(row * blocks + block, range) }
                spread += max - min;
                magnitude += sum / x.len() as f32;
            }
            // SAFETY: each block is given to one call only.
            let wide = spread > OUTLIERS * magnitude;
            unsafe { spreads.set(block, (!wide).then_some(spread)) }
        }
    });
}

/// The smallest and the largest of some numbers, at least one, and the sum of their magnitudes. Where not all are finite,
/// the range is that of all numbers: a minimum passes over NaN.
fn range(x: &[f32]) -> ([f32; 2], f32) {
    let (min, max, sum) = span(x);
    (if sum.is_finite() { [min, max] } else { [f32::NEG_INFINITY, f32::INFINITY] }, sum)
}

/// The smallest and the largest of some numbers, at least one, and the sum of their magnitudes.
fn span(x: &[f32]) -> (f32, f32, f32) {
    let mut mins = [F32x4::splat(x[0]); 2];
    let (mut maxs, mut sums) = (mins, [F32x4::splat(0.0); 2]);
    let chunks = x.chunks_exact(8);
    let rest = chunks.remainder();
    for chunk in chunks {
        for i in 0..2 {
            // SAFETY: the chunk has 8 numbers.
            let x = unsafe { F32x4::load(chunk.as_ptr().add(4 * i)) };
            (mins[i], maxs[i], sums[i]) = (mins[i].min(x), maxs[i].max(x), sums[i].add(x.abs()));
        }
    }
    let min = mins[0].min(mins[1]).to_array().into_iter().chain(rest.iter().copied());
    let max = maxs[0].max(maxs[1]).to_array().into_iter().chain(rest.iter().copied());
    let sum = sums[0].add(sums[1]).to_array().into_iter().chain(rest.iter().map(|x| x.abs()));
    (min.fold(x[0], f32::min), max.fold(x[0], f32::max), sum.sum())
}

/// Quantises some numbers, at least one, as a term of their own. Gives its parameters.
pub(super) fn quantize(x: &[f32], to: &mut [u8]) -> [f32; 2] {
    quantize_term(x, range(x).0, to)
}

/// [`quantize`], where the range of the numbers is known.
fn quantize_term(x: &[f32], [min, max]: [f32; 2], to: &mut [u8]) -> [f32; 2] {
    let range = max - min;
    // Bytes cannot say that an input is no number. The parameters can, and with them all outputs of the row do.
    let params = if range.is_finite() { [range / 127.0, min] } else { [f32::NAN; 2] };
    each(x, to, |x| steps(x, params).to_bits());
    params
}

fn quantize_row(x: &[f32], ranges: &[[f32; 2]], terms: &[QuantTerm], to: &mut [u8], params: &mut [[f32; 2]]) {
    let mut first = [0.0; 2];
    for (term, params) in terms.iter().zip(params) {
        let begin = term.block * BLOCK;
        let x = &x[begin..x.len().min(begin + term.blocks * BLOCK)];
        let to = &mut to[term.at..term.at + term.len];
        if term.residual {
            let scale = first[0] / 127.0;
            *params = [scale, -0.5 * first[0]];
            quantize_residual(x, first, *params, to);
        } else {
            let ranges = &ranges[term.block..][..term.blocks];
            let min = ranges.iter().map(|range| range[0]).fold(f32::INFINITY, f32::min);
            let max = ranges.iter().map(|range| range[1]).fold(f32::NEG_INFINITY, f32::max);
            first = quantize_term(x, [min, max], to);
            *params = first;
        }
    }
}

/// How many steps `x` is above the offset, rounded, in the lowest bits of what comes out.
#[inline(always)]
fn steps(x: F32x4, [scale, min]: [f32; 2]) -> F32x4 {
    // A block of equal numbers has no steps; 2^23 moves whole numbers into the lowest bits.
    let inverse = if scale > 0.0 { 1.0 / scale } else { 0.0 };
    x.sub(F32x4::splat(min)).mul_add(F32x4::splat(inverse), F32x4::splat(8_388_608.0))
}

/// The differences between `x` and its first term.
fn quantize_residual(x: &[f32], first: [f32; 2], params: [f32; 2], to: &mut [u8]) {
    each(x, to, |x| {
        let q = steps(x, first).sub(F32x4::splat(8_388_608.0));
        let residual = x.sub(F32x4::splat(first[1])).sub(q.mul(F32x4::splat(first[0])));
        // Rounding may put the difference a hair outside of half a step.
        let half = F32x4::splat(0.5 * first[0]);
        let residual = residual.min(half).max(F32x4::splat(0.0).sub(half));
        steps(residual, params).to_bits()
    });
}

/// Writes the lowest seven bits of `f` of each number. Bytes beyond the numbers become zero.
///
/// Infinities and NaN have no place among the steps (the parameters tell of them); seven bits keep the sums exact all
/// the same.
#[inline(always)]
fn each(x: &[f32], to: &mut [u8], f: impl Fn(F32x4) -> I32x4) {
    let (x16, to16) = (x.chunks_exact(16), to.chunks_exact_mut(16));
    let whole = x.len() - x16.remainder().len();
    for (x, to) in x16.zip(to16) {
        // SAFETY: both chunks have 16 elements.
        unsafe {
            let a = f(F32x4::load(x.as_ptr())).low_seven_bits();
            let b = f(F32x4::load(x.as_ptr().add(4))).low_seven_bits();
            let c = f(F32x4::load(x.as_ptr().add(8))).low_seven_bits();
            let d = f(F32x4::load(x.as_ptr().add(12))).low_seven_bits();
            I32x4::store_low_bytes([a, b, c, d], to.as_mut_ptr());
        }
    }
    to[whole..].fill(0);
    for (x, to) in x[whole..].chunks(4).zip(to[whole..].chunks_exact_mut(4)) {
        let mut four = [x[0]; 4];
        four[..x.len()].copy_from_slice(x);
        // SAFETY: the array has 4 numbers.
        let bytes = f(unsafe { F32x4::load(four.as_ptr()) }).low_seven_bits().low_bytes();
        to[..x.len()].copy_from_slice(&bytes[..x.len()]);
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    /// The numbers that the terms of a row stand for.
    fn restore(q: &Quantized, row: usize, columns: usize) -> Vec<f32> {
        let mut values = vec![0.0; columns];
        for (i, term) in q.terms.iter().enumerate() {
            let [scale, min] = q.params[row * q.terms.len() + i];
            let bytes = &q.values[row * q.stride + term.at..][..term.len];
            for (value, &byte) in values[term.block * BLOCK..].iter_mut().zip(bytes) {
                assert!(byte <= 127);
                *value += min + scale * f32::from(byte);
            }
        }
        values
    }

    fn noise(count: usize) -> Vec<f32> {
        (0..count).map(|i| ((i * 7919 + 13) % 2003) as f32 / 1000.0 - 1.0).collect()
    }

    #[test]
    fn each_block_is_off_by_half_a_step_at_most() {
        for columns in [1, 3, 4, 127, 128, 129, 131, 300] {
            let x = noise(3 * columns);
            let q = Quantized::new(&x, columns, QuantTerms::AsNeeded);
            for (row, x) in x.chunks(columns).enumerate() {
                for (x, y) in x.iter().zip(restore(&q, row, columns)) {
                    assert!((x - y).abs() <= 0.501 * 2.0 / 127.0, "{columns} columns: {y} instead of {x}");
                }
            }
        }
    }

    #[test]
    fn a_channel_of_large_values_brings_a_second_term_to_its_block_only() {
        let columns = 600;
        let mut x = noise(4 * columns);
        for row in x.chunks_mut(columns) {
            row[140] *= 60.0;
            row[140] += 40.0;
        }
        let q = Quantized::new(&x, columns, QuantTerms::AsNeeded);
        let blocks: Vec<[usize; 2]> = q.terms.iter().map(|term| [term.block, term.blocks]).collect();
        assert_eq!(blocks, [[0, 1], [1, 1], [1, 1], [2, 2], [4, 1]]);
        for (row, x) in x.chunks(columns).enumerate() {
            for (x, y) in x.iter().zip(restore(&q, row, columns)) {
                assert!((x - y).abs() <= 0.01, "{y} instead of {x}");
            }
        }
    }

    #[test]
    fn blocks_of_like_ranges_share_a_term() {
        let columns = 5 * BLOCK;
        for (factor, expected) in [(1.4, vec![[0, 2], [2, 2], [4, 1]]), (1.7, vec![[0, 1], [1, 2], [3, 2]])] {
            let mut x = noise(2 * columns);
            x.chunks_mut(columns).for_each(|row| row[..BLOCK].iter_mut().for_each(|x| *x *= factor));
            let terms = Quantized::new(&x, columns, QuantTerms::AsNeeded).terms;
            let blocks: Vec<[usize; 2]> = terms.iter().map(|term| [term.block, term.blocks]).collect();
            assert_eq!(blocks, expected, "{factor}");
        }
    }

    #[test]
    fn two_terms_are_a_hundred_times_as_exact() {
        for columns in [1, 127, 131, 300] {
            let x = noise(3 * columns);
            let q = Quantized::new(&x, columns, QuantTerms::Two);
            assert_eq!(q.terms.len(), 2 * columns.div_ceil(BLOCK));
            for (row, x) in x.chunks(columns).enumerate() {
                for (x, y) in x.iter().zip(restore(&q, row, columns)) {
                    assert!(
                        (x - y).abs() <= 0.51 * 2.0 / 127.0 / 127.0,
                        "{columns} columns: {y} instead of {x}"
                    );
                }
            }
        }
    }

    #[test]
    fn equal_numbers_and_zeros_are_exact() {
        for value in [0.0, -3.5, 1e-30, 1e30] {
            let q = Quantized::new(&[value; 130], 130, QuantTerms::AsNeeded);
            assert!(restore(&q, 0, 130).iter().all(|&x| x == value), "{value}");
        }
    }

    #[test]
    fn what_is_not_a_number_does_not_leave_the_range() {
        let q =
            Quantized::new(&[f32::NAN, f32::INFINITY, -1.0, 1.0, f32::NEG_INFINITY], 5, QuantTerms::AsNeeded);
        assert!(q.values.iter().all(|&byte| byte <= 127));
    }

    #[test]
    fn what_is_not_a_number_shows_in_the_parameters_of_its_row() {
        // In the vectors and behind them, in a term of its own and in one of two blocks.
        for (columns, place) in [(5, 4), (128, 0), (300, 0), (300, 200), (300, 299)] {
            for wrong in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                for terms in [QuantTerms::One, QuantTerms::AsNeeded, QuantTerms::Two] {
                    let mut x = noise(3 * columns);
                    x[columns + place] = wrong;
                    let q = Quantized::new(&x, columns, terms);
                    for row in 0..3 {
                        let restored = restore(&q, row, columns);
                        assert_eq!(restored[place].is_nan(), row == 1, "{wrong} at {place} of {columns}");
                    }
                }
            }
        }
    }
}
