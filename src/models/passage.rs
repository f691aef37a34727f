//! Images on their way through the layers of a vision tower.

use candle_core::Tensor;

/// Images part of the way through a vision tower: what one layer hands to the next.
///
/// A large tower takes a second or more. Between two of its layers whoever waits can be told how far it is, or
/// say that nobody waits any longer.
#[derive(Debug, Clone)]
pub struct Passage {
    /// The states of all images, one after the other: `(rows, width)`.
    pub(super) states: Tensor,
    /// Rows of each image.
    pub(super) lengths: Vec<usize>,
    /// Layers that are done.
    pub(super) done: usize,
}

impl Passage {
    /// Images before the first layer: their `states` `(rows, width)`, and how many rows each has.
    pub(super) fn new(states: Tensor, lengths: Vec<usize>) -> Self {
        Self { states, lengths, done: 0 }
    }
}
