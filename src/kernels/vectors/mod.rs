//! Many vectors in int8, compared with one query or with each other.
//!
//! A vector is kept as `scale * q`, with `q` in -127..=127 and a scale of its own (symmetric quantisation, one scale for each
//! row). A query is kept in sixteen bits, so that the error of a score is that of the vector alone: products of both are
//! added up in 32 bits, exactly, and every back end gives the same scores to the last bit.
//!
//! Vectors lie in segments of about a megabyte. Growing moves nothing and takes one segment more, never twice the memory.

mod pairs;

pub use pairs::{Pair, PairScan};

use std::collections::TryReserveError;
use std::ops::Range;

use super::parallel::{self, Shared};
use super::simd::{I16x8, I32x4};

/// Numbers that a loop takes at once.
const STEP: usize = 16;
/// Vectors that a loop takes at once.
const ROWS: usize = 4;
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
    /// Rows of a segment: a multiple of [`ROWS`], so that no group of rows lies in two.
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

    /// Adds a vector: its numbers, rounded to steps of its largest over 127.
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
        for (q, x) in self.padded_mut(index).iter_mut().zip(vector) {
            // Between -127 and 127 wherever the numbers are finite; else a cast saturates, and -128 is no number here.
            *q = ((x * inverse).round() as i8).max(-127);
        }
        self.scales[index] = largest / 127.0;
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
        self.padded_mut(self.len() - 1)[..row.len()].copy_from_slice(row);
        Ok(())
    }

    /// A vector: its bytes, and what each is to be multiplied with.
    ///
    /// # Panics
    /// There is no such vector.
    pub fn row(&self, index: usize) -> (&[i8], f32) {
        (&self.padded(index)[..self.width], self.scales[index])
    }

    /// A vector in f32.
    ///
    /// # Panics
    /// There is no such vector.
    pub fn restore(&self, index: usize) -> Vec<f32> {
        let (row, scale) = self.row(index);
        row.iter().map(|&q| f32::from(q) * scale).collect()
    }

    /// Takes a vector away; the last takes its place.
    ///
    /// # Panics
    /// There is no such vector.
    pub fn swap_remove(&mut self, index: usize) {
        let last = self.len() - 1;
        let moved = self.padded(last).to_vec();
        self.padded_mut(index).copy_from_slice(&moved);
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
        let rows = self.padded(first).iter().zip(self.padded(second));
        let sum: i32 = rows.map(|(&a, &b)| i32::from(a) * i32::from(b)).sum();
        sum as f32 * (self.scales[first] * self.scales[second])
    }

    /// The products of a query and of four vectors from `first` on, a multiple of four, over a range of their numbers. Of
    /// vectors that are not there, any number.
    #[inline(always)]
    fn products(&self, query: &[i16], first: usize, numbers: Range<usize>) -> [i32; ROWS] {
        let segment = &self.segments[first / self.rows];
        let begin = first % self.rows * self.stride;
        let rows = &segment[begin..begin + ROWS * self.stride];
        let query = &query[..numbers.end];
        debug_assert!(
            numbers.end <= self.stride
                && numbers.start.is_multiple_of(STEP)
                && numbers.end.is_multiple_of(STEP)
        );
        let mut sums = [[I32x4::zero(); 2]; ROWS];
        for at in numbers.step_by(STEP) {
            // SAFETY: `at` and the 16 numbers from there on are within the query and within each of the rows.
            unsafe {
                let query = query.as_ptr().add(at);
                let halves = [I16x8::load(query), I16x8::load(query.add(8))];
                for (row, sums) in sums.iter_mut().enumerate() {
                    let row = rows.as_ptr().add(row * self.stride + at);
                    for (half, sum) in sums.iter_mut().enumerate() {
                        *sum = sum.add(I16x8::load_i8(row.add(8 * half)).dot(halves[half]));
                    }
                }
            }
        }
        I32x4::sums(sums.map(|[a, b]| a.add(b))).to_array()
    }

    fn padded(&self, index: usize) -> &[i8] {
        assert!(index < self.len(), "a vector that is not there");
        &self.segments[index / self.rows][index % self.rows * self.stride..][..self.stride]
    }

    /// What lies beyond the width stays zero.
    fn padded_mut(&mut self, index: usize) -> &mut [i8] {
        assert!(index < self.len(), "a vector that is not there");
        &mut self.segments[index / self.rows][index % self.rows * self.stride..][..self.stride]
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
        let values = vectors.padded(index).iter().map(|&q| i16::from(q)).collect();
        Self { values, scale: vectors.scales[index] }
    }
}

#[cfg(test)]
mod tests;
