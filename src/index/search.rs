//! The vectors that are nearest to a query.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use super::{Index, argument, unit};
use crate::Result;
use crate::kernels::Query;

/// A vector that was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hit {
    /// Where it is for now.
    pub row: usize,
    /// Its cosine with the query.
    pub score: f32,
}

impl Eq for Hit {}

/// The better of two has the higher score; of equal ones, the lower row.
impl Ord for Hit {
    fn cmp(&self, other: &Self) -> Ordering {
        self.score.total_cmp(&other.score).then(other.row.cmp(&self.row))
    }
}

impl PartialOrd for Hit {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Which rows are looked at: a bit for each, the lowest of a byte first; or all.
#[derive(Debug, Clone, Copy)]
pub struct Filter<'a>(Option<&'a [u8]>);

impl<'a> Filter<'a> {
    /// All rows.
    pub fn all() -> Self {
        Self(None)
    }

    /// The rows whose bits are set. Rows beyond the bits are left out.
    pub fn bits(bits: &'a [u8]) -> Self {
        Self(Some(bits))
    }

    pub(super) fn has(&self, row: usize) -> bool {
        self.0.is_none_or(|bits| bits.get(row / 8).is_some_and(|byte| byte >> (row % 8) & 1 == 1))
    }
}

impl Index {
    /// The `top` vectors that are nearest to `query`, the nearest first; fewer where there are fewer. The query is brought to
    /// length 1.
    ///
    /// # Errors
    /// `ArgumentInvalid`: the query is of another width, or has no direction.
    pub fn search(&self, query: &[f32], top: usize, filter: Filter<'_>) -> Result<Vec<Hit>> {
        Ok(best(&self.scores(&self.query(query)?), top, filter))
    }

    /// The query of a vector, at length 1.
    pub(super) fn query(&self, vector: &[f32]) -> Result<Query> {
        if vector.len() != self.width() {
            let (own, other) = (self.width(), vector.len());
            return Err(argument(format!(
                "The index has vectors of {own} numbers, and the query has {other}."
            )));
        }
        let message = "The query has no direction: what is added and what is taken away cancel out.";
        Ok(Query::new(&unit(vector).ok_or_else(|| argument(message.to_owned()))?))
    }

    pub(super) fn scores(&self, query: &Query) -> Vec<f32> {
        let mut scores = vec![0.0; self.len()];
        self.vectors.scores(query, &mut scores);
        scores
    }
}

/// The best of the scores, best first.
pub(super) fn best(scores: &[f32], top: usize, filter: Filter<'_>) -> Vec<Hit> {
    let top = top.min(scores.len());
    if top == 0 {
        return Vec::new();
    }
    // The worst of the best on top, to be replaced by what is better.
    let mut heap = BinaryHeap::with_capacity(top);
    let mut least = f32::NEG_INFINITY;
    for (row, &score) in scores.iter().enumerate() {
        // Of equal scores the first stays: rows come in their order.
        if (score > least || heap.len() < top) && filter.has(row) {
            let hit = Reverse(Hit { row, score });
            if heap.len() < top {
                heap.push(hit);
            } else if let Some(mut worst) = heap.peek_mut() {
                *worst = hit;
            }
            if heap.len() == top {
                least = heap.peek().map_or(least, |Reverse(worst)| worst.score);
            }
        }
    }
    heap.into_sorted_vec().into_iter().map(|Reverse(hit)| hit).collect()
}
