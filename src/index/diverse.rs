//! A few vectors that show how different all are.
//!
//! Without a query: farthest-point traversal (T. Gonzalez, "Clustering to minimize the maximum intercluster distance", 1985):
//! each pick is the vector that is least like the picks so far, and the first the one most like the mean of all. With a
//! query: maximal marginal relevance (J. Carbonell and J. Goldstein, "The use of MMR, diversity-based reranking", 1998): each
//! pick has the largest `lambda * cos(query, x) - (1 - lambda) * max cos(pick, x)`, and the first is the best hit.

use super::search::{Filter, Hit, best};
use super::{Index, argument};
use crate::Result;
use crate::kernels::Query;

/// How picks are made.
#[derive(Debug, Clone, Copy)]
pub struct Diversity<'a> {
    /// What the picks are to be near to, if to anything.
    pub query: Option<&'a [f32]>,
    /// How much the query counts beside the difference of the picks, from 0 to 1.
    pub lambda: f32,
    /// Of the best hits only so many are looked at, where there is a query.
    pub among: usize,
}

impl Index {
    /// `count` vectors that are as different as can be, in the order in which they are picked; fewer where there are fewer. A
    /// hit's score is its cosine with the query or, without one, with the pick so far that is most like it (of the first, with
    /// the mean).
    ///
    /// # Errors
    /// `ArgumentInvalid`: the query is of another width or has no direction, or `lambda` is not from 0 to 1.
    pub fn diverse(&self, count: usize, how: Diversity<'_>, filter: Filter<'_>) -> Result<Vec<Hit>> {
        let Diversity { query, lambda, among } = how;
        if !(0.0..=1.0).contains(&lambda) {
            return Err(argument("lambda must be a number from 0 to 1.".to_owned()));
        }
        let (relevance, lambda) = match query {
            Some(query) => (self.scores(&self.query(query)?), lambda),
            None => (self.typicality(filter), 0.0),
        };
        let candidates = match query {
            Some(_) => best(&relevance, among.max(count), filter).into_iter().map(|hit| hit.row).collect(),
            None => (0..self.len()).filter(|&row| filter.has(row)).collect::<Vec<_>>(),
        };
        let mut picks: Vec<Hit> = Vec::new();
        let mut picked = vec![false; self.len()];
        // The cosine of each vector with the pick that is most like it.
        let mut likeness = vec![f32::NEG_INFINITY; self.len()];
        while picks.len() < count.min(candidates.len()) {
            let value = |row: usize| match picks.is_empty() {
                true => relevance[row],
                false => lambda * relevance[row] - (1.0 - lambda) * likeness[row],
            };
            let left = candidates.iter().filter(|&&row| !picked[row]);
            let Some(next) = left.map(|&row| Hit { row, score: value(row) }).max() else { break };
            let row = next.row;
            let score = if query.is_some() || picks.is_empty() { relevance[row] } else { likeness[row] };
            picked[row] = true;
            picks.push(Hit { row, score });
            for (most, score) in likeness.iter_mut().zip(self.scores(&Query::of(&self.vectors, row))) {
                *most = most.max(score);
            }
        }
        Ok(picks)
    }

    /// The cosine of each vector with the mean of those that the filter has.
    fn typicality(&self, filter: Filter<'_>) -> Vec<f32> {
        let mut sum = vec![0f32; self.width()];
        for row in (0..self.len()).filter(|&row| filter.has(row)) {
            let (values, scale) = self.vectors.row(row);
            sum.iter_mut().zip(values).for_each(|(sum, q)| *sum += scale * f32::from(q));
        }
        // Vectors that cancel out have no middle: any of them may be first.
        self.query(&sum).map_or_else(|_| vec![0.0; self.len()], |query| self.scores(&query))
    }
}
