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
mod tests;
