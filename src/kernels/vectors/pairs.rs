//! The pairs of vectors that are alike.
//!
//! All pairs are compared, in tiles that stay in the cache. Of most pairs a quarter of the numbers is enough: what the rest
//! adds is at most the product of the lengths of what is left (Cauchy-Schwarz), so a pair that cannot reach the threshold is
//! left there. No pair is missed.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use super::{ROWS, STEP, Vectors};
use crate::parallel;

/// Rows of a tile: as many queries in sixteen bits and vectors in eight as stay in the cache beside each other.
const TILE: usize = 64;
/// What the lengths of rests may be too small by, and sums too large, in f32.
const SLACK: f32 = 1e-5;

/// Two vectors and their product; the first came before the second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    /// The place of the first.
    pub first: usize,
    /// The place of the second.
    pub second: usize,
    /// Their product.
    pub score: f32,
}

/// A look at all pairs of some vectors, tile by tile.
#[derive(Debug, Clone)]
pub struct PairScan {
    threshold: f32,
    /// Where the first part of each vector ends.
    head: usize,
    /// The length of each vector's rest.
    rests: Vec<f32>,
    next: usize,
}

impl PairScan {
    /// Begins to look for pairs of `vectors` whose product is at least `threshold`.
    pub fn new(vectors: &Vectors, threshold: f32) -> Self {
        let head = (vectors.stride / 4).next_multiple_of(STEP);
        let rest = |index: usize| {
            let sum: f32 = vectors.numbers(index).skip(head).map(|q| f32::from(q) * f32::from(q)).sum();
            sum.sqrt() * vectors.scales[index]
        };
        Self { threshold, head, rests: (0..vectors.len()).map(rest).collect(), next: 0 }
    }

    /// How many vectors have been compared with all that came after them.
    pub fn done(&self) -> usize {
        self.next
    }

    /// Compares the next few vectors with all that came after them, and calls `found` with pairs, in no order. Returns
    /// whether there are more.
    ///
    /// # Panics
    /// The vectors are not those that the scan began with.
    pub fn step(&mut self, vectors: &Vectors, found: impl FnMut(Pair) + Send) -> bool {
        assert_eq!(vectors.len(), self.rests.len(), "the vectors of a scan stay as they are");
        let end = vectors.len().min(self.next + TILE);
        let queries = self.next..end;
        let values: Vec<i16> = queries.clone().flat_map(|row| vectors.numbers(row)).map(i16::from).collect();
        let first = queries.start / TILE;
        let tiles = vectors.len().div_ceil(TILE) - first;
        let found = Mutex::new(found);
        parallel::ranges(tiles, 1, |tiles| {
            for tile in tiles {
                let begin = (first + tile) * TILE;
                let rows = begin..vectors.len().min(begin + TILE);
                let pairs = self.tile(vectors, &values, queries.clone(), rows);
                if !pairs.is_empty() {
                    let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
                    pairs.into_iter().for_each(&mut *found);
                }
            }
        });
        self.next = end;
        end < vectors.len()
    }

    /// The pairs of one tile.
    fn tile(
        &self,
        vectors: &Vectors,
        values: &[i16],
        queries: Range<usize>,
        rows: Range<usize>,
    ) -> Vec<Pair> {
        let mut pairs = Vec::new();
        let (scales, stride) = (&vectors.scales, vectors.stride);
        for (first, query) in queries.zip(values.chunks_exact(stride)) {
            for group in rows.clone().step_by(ROWS) {
                let seconds = group.max(first + 1)..rows.end.min(group + ROWS);
                if seconds.is_empty() {
                    continue;
                }
                let heads = vectors.products(query, group, 0..self.head);
                let score = |product: i32, second: usize| product as f32 * (scales[first] * scales[second]);
                let can = |second: usize| {
                    let most = score(heads[second - group], second) + self.rests[first] * self.rests[second];
                    most >= self.threshold - SLACK
                };
                if !seconds.clone().any(can) {
                    continue;
                }
                let rests = vectors.products(query, group, self.head..stride);
                for second in seconds {
                    let score = score(heads[second - group] + rests[second - group], second);
                    if score >= self.threshold {
                        pairs.push(Pair { first, second, score });
                    }
                }
            }
        }
        pairs
    }
}
