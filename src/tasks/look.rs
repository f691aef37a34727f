//! An image that a model is looking at.

use crate::models::Passage;

/// An image on its way through a model's vision tower, which is nearly all of the work: made by `look`, taken on
/// by `advance`, one layer at a time, and then asked about as often as one likes.
///
/// It belongs to the model that made it.
#[derive(Debug, Clone)]
pub struct Look(Passage);

impl Look {
    pub(super) fn new(passage: Passage) -> Self {
        Self(passage)
    }

    /// How far it is; copied without the numbers, which are shared.
    pub(super) fn passage(&self) -> Passage {
        self.0.clone()
    }

    pub(super) fn passage_mut(&mut self) -> &mut Passage {
        &mut self.0
    }
}
