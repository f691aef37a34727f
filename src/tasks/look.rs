//! An image that a model is looking at.

use crate::image::Frame;
use crate::models::Passage;

/// An image on its way through a model's vision tower, which is nearly all of the work: made by `look`, taken on
/// by `advance`, one layer at a time, and then asked about as often as one likes.
///
/// It belongs to the model that made it.
#[derive(Debug, Clone)]
pub struct Look {
    passage: Passage,
    frame: Frame,
}

impl Look {
    /// A look at all of an image.
    pub(super) fn new(passage: Passage) -> Self {
        Self { passage, frame: Frame::WHOLE }
    }

    /// A look at a part of an image.
    pub(super) fn framed(self, frame: Frame) -> Self {
        Self { frame, ..self }
    }

    /// Keeps the states of every layer from now on: what [`Tracing`](super::Tracing) needs.
    pub fn keep(&mut self) {
        self.passage.keep();
    }

    /// How far it is; copied without the numbers, which are shared.
    pub(super) fn passage(&self) -> Passage {
        self.passage.clone()
    }

    pub(super) fn passage_mut(&mut self) -> &mut Passage {
        &mut self.passage
    }

    /// The part of the image that the model sees.
    pub(super) fn frame(&self) -> Frame {
        self.frame
    }
}
