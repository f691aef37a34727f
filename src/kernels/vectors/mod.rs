//! Many vectors in int8, compared with one query or with each other.
//!
//! A vector is kept as `scale * q`, with `q` in -127..=127 and a scale of its own (symmetric quantisation, one scale for each
//! row), with which it is as long as it was: so a cosine is off by what rounding turns the vector alone. A query is kept in sixteen bits, so that the error of a score is that of the vector alone: products of both are
//! added up in 32 bits, exactly, and every back end gives the same scores to the last bit.
//!
//! Vectors lie in segments of about a megabyte: growing moves nothing and takes one segment more, never twice the memory. In a
//! segment four vectors lie together, sixteen numbers of the first, then of the second and so on, so that a scan reads memory in
//! its order and shares each load of the query among four.

mod pairs;

pub use pairs::{Pair, PairScan};

use std::collections::TryReserveError;
use std::ops::Range;

use super::parallel::{self, Shared};
use super::simd::{I16x8, I32x4};

/// Numbers of a vector that lie together, and that a loop takes at once.
const STEP: usize = 16;
/// Vectors that lie together.
const ROWS: usize = 4;
/// What a loop takes at once: a step of each of the vectors.
const BLOCK: usize = ROWS * STEP;
/// Bytes of a segment, about.
const SEGMENT: usize = 1 << 20;
/// Bytes of vectors that a thread reads at least: below that, handing out work costs more than it saves.
const GRAIN: usize = 1 << 17;

/// Vectors of one width, in the order in which they came.
#[derive(Debug, Clone)]
pub struct Vectors {
    width: usize,
    /// The width, and zeros up to a whole number of steps.
    stride: usize,
    /// Rows of a segment: whole groups of [`ROWS`].
    rows: usize,
    segments: Vec<Box<[i8]>>,
    scales: Vec<f32>,
}

impl Vectors {
    /// No vectors yet, of `width` numbers each.
    ///
    /// # Panics
    /// `width` is 0.
    pub fn new(width: usize) -> Self {
        assert!(width > 0, "vectors have at least one number");
        let stride = width.next_multiple_of(STEP);
        let rows = (SEGMENT / stride).max(ROWS).next_multiple_of(ROWS);
        Self { width, stride, rows, segments: Vec::new(), scales: Vec::new() }
    }

    /// Numbers of a vector.
    pub fn width(&self) -> usize {
        self.width
    }

    /// How many vectors there are.
    pub fn len(&self) -> usize {
        self.scales.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.scales.is_empty()
    }

    /// Bytes that the vectors take, with the room for those to come.
    pub fn memory(&self) -> usize {
        self.segments.len() * self.rows * self.stride + self.scales.capacity() * size_of::<f32>()
    }

    /// Makes room for `more` vectors, so that adding them cannot fail.
    ///
    /// # Errors
    /// There is no such memory. Nothing has changed.
    pub fn reserve(&mut self, more: usize) -> Result<(), TryReserveError> {
        if self.scales.capacity() - self.scales.len() < more {
            // An eighth more than there is, not twice as much: a hundred thousand scales are not nothing.
            let room = more.max(self.scales.len() / 8);
            self.scales.try_reserve_exact(room)?;
        }
        let needed = (self.scales.len() + more).div_ceil(self.rows);
        while self.segments.len() < needed {
            let mut segment = Vec::new();
            if let Err(error) = segment.try_reserve_exact(self.rows * self.stride) {
                self.segments.truncate(self.scales.len().div_ceil(self.rows));
                return Err(error);
            }
            segment.resize(self.rows * self.stride, 0);
            self.segments.push(segment.into_boxed_slice());
        }
        Ok(())
    }

    /// Adds a vector: its numbers, rounded to steps of its largest over 127, and all of it as long as before.
    ///
    /// # Errors
    /// There is no memory. Nothing has changed.
    ///
    /// # Panics
    /// The vector is of another width.
    pub fn push(&mut self, vector: &[f32]) -> Result<(), TryReserveError> {
        self.reserve(1)?;
        self.scales.push(0.0);
        self.set(self.len() - 1, vector);
        Ok(())
    }

    /// Puts another vector in the place of one.
    ///
    /// # Panics
    /// There is no such vector, or the new one is of another width.
    pub fn set(&mut self, index: usize, vector: &[f32]) {
        assert_eq!(vector.len(), self.width, "the width of a vector");
        let largest = vector.iter().fold(0f32, |most, x| most.max(x.abs()));
        let inverse = if largest > 0.0 { 127.0 / largest } else { 0.0 };
        let (mut before, mut after) = (0.0, 0.0);
        for (q, x) in self.numbers_mut(index).zip(vector) {
            // Between -127 and 127 wherever the numbers are finite; else a cast saturates, and -128 is no number here.
            *q = ((x * inverse).round() as i8).max(-127);
            before += f64::from(*x) * f64::from(*x);
            after += f64::from(*q) * f64::from(*q);
        }
        self.scales[index] = if after > 0.0 { (before / after).sqrt() as f32 } else { 0.0 };
    }

    /// Adds a vector that is quantised already: what [`Vectors::row`] gives.
    ///
    /// # Errors
    /// There is no memory. Nothing has changed.
    ///
    /// # Panics
    /// The vector is of another width, or has a -128, with which sums might not fit.
    pub fn push_quantised(&mut self, row: &[i8], scale: f32) -> Result<(), TryReserveError> {
        assert_eq!(row.len(), self.width, "the width of a vector");
        assert!(!row.contains(&i8::MIN), "vectors are of -127 to 127");
        self.reserve(1)?;
        self.scales.push(scale);
        self.numbers_mut(self.len() - 1).zip(row).for_each(|(q, &x)| *q = x);
        Ok(())
    }

    /// A vector: its bytes, and what each is to be multiplied with.
    ///
    /// # Panics
    /// There is no such vector.
    pub fn row(&self, index: usize) -> (Vec<i8>, f32) {
        (self.numbers(index).take(self.width).collect(), self.scales[index])
    }

    /// A vector in f32.
    ///
    /// # Panics
    /// There is no such vector.
    pub fn restore(&self, index: usize) -> Vec<f32> {
        let (row, scale) = self.row(index);
        row.into_iter().map(|q| f32::from(q) * scale).collect()
    }

    /// Takes a vector away; the last takes its place.
    ///
    /// # Panics
    /// There is no such vector.
    pub fn swap_remove(&mut self, index: usize) {
        let last = self.len() - 1;
        let moved: Vec<i8> = self.numbers(last).collect();
        self.numbers_mut(index).zip(moved).for_each(|(to, q)| *to = q);
        self.scales.swap_remove(index);
        self.segments.truncate(last.div_ceil(self.rows));
    }

    /// The product of the query and each vector, in their order.
    ///
    /// # Panics
    /// The query is of another width, or `scores` of another length.
    pub fn scores(&self, query: &Query, scores: &mut [f32]) {
        assert_eq!(query.values.len(), self.stride, "the width of the query");
        assert_eq!(scores.len(), self.len(), "a score for each vector");
        let (count, scores) = (self.len(), Shared::new(scores));
        let grain = GRAIN / (ROWS * self.stride) + 1;
        parallel::ranges(count.div_ceil(ROWS), grain, |groups| {
            for group in groups {
                let rows = group * ROWS..count.min(group * ROWS + ROWS);
                // SAFETY: each group is given to one call only.
                let scores = unsafe { scores.slice(rows.start, rows.len()) };
                let products = self.products(&query.values, rows.start, 0..self.stride);
                for ((score, product), scale) in scores.iter_mut().zip(products).zip(&self.scales[rows]) {
                    *score = product as f32 * (scale * query.scale);
                }
            }
        });
    }

    /// The product of two of the vectors.
    ///
    /// # Panics
    /// One of them is not there.
    pub fn product(&self, first: usize, second: usize) -> f32 {
        let sum: i32 =
            self.numbers(first).zip(self.numbers(second)).map(|(a, b)| i32::from(a) * i32::from(b)).sum();
        sum as f32 * (self.scales[first] * self.scales[second])
    }

    /// The products of a query and of four vectors from `first` on, a multiple of four, over a range of their numbers. Of
    /// vectors that are not there, any number.
    #[inline(always)]
    fn products(&self, query: &[i16], first: usize, numbers: Range<usize>) -> [i32; ROWS] {
        let group = self.group(first);
        let (steps, _) = query[numbers.clone()].as_chunks::<STEP>();
        let (blocks, _) = group[ROWS * numbers.start..ROWS * numbers.end].as_chunks::<BLOCK>();
        let mut sums = [[I32x4::zero(); 2]; ROWS];
        for (step, block) in steps.iter().zip(blocks) {
            // SAFETY: a step has 16 numbers and a block 64 bytes: each load reads 8 of them.
            unsafe {
                let query = [I16x8::load(step.as_ptr()), I16x8::load(step[8..].as_ptr())];
                for (row, sums) in sums.iter_mut().enumerate() {
                    for (half, sum) in sums.iter_mut().enumerate() {
                        let numbers = I16x8::load_i8(block[row * STEP + 8 * half..].as_ptr());
                        *sum = sum.add(numbers.dot(query[half]));
                    }
                }
            }
        }
        I32x4::sums(sums.map(|[a, b]| a.add(b))).to_array()
    }

    /// The bytes of the group of a row.
    fn group(&self, index: usize) -> &[i8] {
        let begin = index % self.rows / ROWS * ROWS * self.stride;
        &self.segments[index / self.rows][begin..begin + ROWS * self.stride]
    }

    /// The numbers of a vector, and the zeros behind them.
    fn numbers(&self, index: usize) -> impl Iterator<Item = i8> {
        assert!(index < self.len(), "a vector that is not there");
        self.group(index).chunks_exact(STEP).skip(index % ROWS).step_by(ROWS).flatten().copied()
    }

    /// The same, to be written. What lies beyond the width stays zero.
    fn numbers_mut(&mut self, index: usize) -> impl Iterator<Item = &mut i8> {
        assert!(index < self.len(), "a vector that is not there");
        let begin = index % self.rows / ROWS * ROWS * self.stride;
        let group = &mut self.segments[index / self.rows][begin..begin + ROWS * self.stride];
        group.chunks_exact_mut(STEP).skip(index % ROWS).step_by(ROWS).flatten()
    }
}

/// A vector that others are compared with.
#[derive(Debug, Clone)]
pub struct Query {
    values: Vec<i16>,
    scale: f32,
}

impl Query {
    /// A query in sixteen bits, or in as many as keep every sum of products within 32.
    pub fn new(vector: &[f32]) -> Self {
        let stride = vector.len().next_multiple_of(STEP);
        let most = (i32::MAX as usize / (127 * stride.max(1))).min(i16::MAX as usize) as f32;
        let largest = vector.iter().fold(0f32, |most, x| most.max(x.abs()));
        let inverse = if largest > 0.0 { most / largest } else { 0.0 };
        let mut values: Vec<i16> = vector.iter().map(|x| (x * inverse).round() as i16).collect();
        values.resize(stride, 0);
        Self { values, scale: largest / most }
    }

    /// One of the vectors as the query, as it is kept.
    ///
    /// # Panics
    /// There is no such vector.
    pub fn of(vectors: &Vectors, index: usize) -> Self {
        let values = vectors.numbers(index).map(i16::from).collect();
        Self { values, scale: vectors.scales[index] }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    /// How far a score may be from that of the same numbers in f64: f32 rounds the scales, their product, and the sum.
    const BOUND: f64 = 4e-7;

    const WIDTHS: [usize; 8] = [1, 7, 15, 16, 17, 100, 512, 520];

    /// Vectors of length 1, the same in each run.
    fn units(count: usize, width: usize, seed: u32) -> Vec<Vec<f32>> {
        let mut state = 0x9e37_79b9u32.wrapping_mul(seed + 1) | 1;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state as f32 / u32::MAX as f32 - 0.5
        };
        let mut vectors = Vec::new();
        for _ in 0..count {
            let vector: Vec<f32> = (0..width).map(|_| next()).collect();
            let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
            vectors.push(vector.iter().map(|x| x / length).collect());
        }
        vectors
    }

    fn filled(units: &[Vec<f32>]) -> Vectors {
        let mut vectors = Vectors::new(units[0].len());
        units.iter().for_each(|unit| vectors.push(unit).unwrap());
        vectors
    }

    /// The plain formula, on the numbers that are kept.
    fn naive(query: &Query, vectors: &Vectors, index: usize) -> f64 {
        let (row, scale) = vectors.row(index);
        let sum: i64 = row.iter().zip(&query.values).map(|(&q, &x)| i64::from(q) * i64::from(x)).sum();
        sum as f64 * f64::from(scale) * f64::from(query.scale)
    }

    fn scores(vectors: &Vectors, query: &Query) -> Vec<f32> {
        let mut scores = vec![f32::NAN; vectors.len()];
        vectors.scores(query, &mut scores);
        scores
    }

    #[test]
    fn scores_are_those_of_the_formula_over_odd_sizes() {
        for width in WIDTHS {
            for count in [0, 1, 2, 3, 4, 5, 9, 33] {
                let mut vectors = Vectors::new(width);
                units(count, width, 1).iter().for_each(|unit| vectors.push(unit).unwrap());
                let query = Query::new(&units(1, width, 2)[0]);
                for (index, score) in scores(&vectors, &query).into_iter().enumerate() {
                    let error = (f64::from(score) - naive(&query, &vectors, index)).abs();
                    assert!(error <= BOUND, "{count} x {width}: {error}");
                }
            }
        }
    }

    #[test]
    fn a_vector_is_off_by_less_than_a_step_and_as_long_as_before() {
        for width in WIDTHS {
            let unit = &units(1, width, 3)[0];
            let most = unit.iter().fold(0f32, |most, x| most.max(x.abs()));
            let vectors = filled(std::slice::from_ref(unit));
            for (kept, x) in vectors.restore(0).iter().zip(unit) {
                assert!((kept - x).abs() <= 0.75 * most / 127.0, "{kept} instead of {x}");
            }
            let length = vectors.restore(0).iter().map(|x| x * x).sum::<f32>().sqrt();
            assert!((length - 1.0).abs() < 1e-6, "{length}");
            let query = Query::new(unit);
            for (&kept, x) in query.values.iter().zip(unit) {
                assert!((f32::from(kept) * query.scale - x).abs() <= 0.51 * most / 32_000.0, "{kept}");
            }
        }
    }

    #[test]
    fn the_largest_numbers_do_not_overflow() {
        for width in [1usize, 512, 528, 4096, 16_384] {
            let mut vectors = Vectors::new(width);
            vectors.push_quantised(&vec![127; width], 1.0 / 127.0).unwrap();
            vectors.push_quantised(&vec![-127; width], 1.0 / 127.0).unwrap();
            let query = Query::new(&vec![1.0; width]);
            let found = scores(&vectors, &query);
            let expected = width as f32;
            assert!((found[0] / expected - 1.0).abs() < 1e-6, "{} instead of {expected}", found[0]);
            assert_eq!(found[1], -found[0]);
        }
    }

    #[test]
    fn a_vector_of_zeros_is_like_nothing() {
        let mut vectors = Vectors::new(3);
        vectors.push(&[0.0; 3]).unwrap();
        assert_eq!(scores(&vectors, &Query::new(&[1.0, 0.0, 0.0])), [0.0]);
        assert_eq!(scores(&vectors, &Query::new(&[0.0; 3])), [0.0]);
    }

    #[test]
    fn one_that_is_removed_is_replaced_by_the_last() {
        // Three rows of a segment and more: a width with few of them.
        let width = SEGMENT / 8;
        let mut vectors = Vectors::new(width);
        assert_eq!(vectors.rows, 8);
        for number in 0..19u8 {
            let mut unit = vec![0.0; width];
            unit[usize::from(number)] = 1.0;
            vectors.push(&unit).unwrap();
        }
        let mut expected: Vec<usize> = (0..19).collect();
        for index in [0, 17, 5, 15, 3, 8, 0, 0] {
            vectors.swap_remove(index);
            expected.swap_remove(index);
            let found: Vec<Option<usize>> =
                (0..vectors.len()).map(|row| vectors.numbers(row).position(|q| q == 127)).collect();
            assert_eq!(found, expected.iter().copied().map(Some).collect::<Vec<_>>());
            assert_eq!(vectors.segments.len(), vectors.len().div_ceil(8), "memory is given back");
        }
    }

    #[test]
    fn room_is_made_by_segments() {
        let mut vectors = Vectors::new(512);
        vectors.reserve(100_000).unwrap();
        assert!(vectors.is_empty());
        assert!(vectors.memory() <= 100_000 * (512 + 4) + SEGMENT, "{} bytes", vectors.memory());
        let memory = vectors.memory();
        for _ in 0..3000 {
            vectors.push_quantised(&[1; 512], 1.0).unwrap();
        }
        assert_eq!(vectors.memory(), memory);
        assert!(vectors.reserve(usize::MAX / 2).is_err());
        assert_eq!((vectors.len(), vectors.memory()), (3000, memory));
    }

    #[test]
    fn pairs_are_those_of_the_formula() {
        for (width, count) in [(1, 5), (3, 70), (17, 65), (64, 64), (96, 200)] {
            // Some near each other: each third is the one before it, with a little of another.
            let mut vectors = units(count, width, 5);
            let noise = units(count, width, 6);
            for index in (2..count).step_by(3) {
                let share = 0.02 * (index % 30) as f32;
                let mixed: Vec<f32> =
                    vectors[index - 1].iter().zip(&noise[index]).map(|(x, n)| x + share * n).collect();
                let length = mixed.iter().map(|x| x * x).sum::<f32>().sqrt();
                vectors[index] = mixed.iter().map(|x| x / length).collect();
            }
            let vectors = filled(&vectors);
            for threshold in [-1.1, 0.0, 0.5, 0.9, 0.97] {
                let mut expected = Vec::new();
                for first in 0..count {
                    let scores = scores(&vectors, &Query::of(&vectors, first));
                    let later = (first + 1..count).filter(|&second| scores[second] >= threshold);
                    expected.extend(later.map(|second| Pair { first, second, score: scores[second] }));
                }
                let mut found = Vec::new();
                let mut scan = PairScan::new(&vectors, threshold);
                while scan.step(&vectors, |pair| found.push(pair)) {}
                assert_eq!(scan.done(), count);
                found.sort_by_key(|pair| (pair.first, pair.second));
                assert_eq!(found, expected, "{count} x {width} from {threshold} on");
                assert!(width < 17 || threshold < 0.9 || !found.is_empty(), "a test that finds no pair");
            }
        }
    }
}
