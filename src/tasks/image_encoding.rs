//! An image that a model is looking at.

use crate::image::Frame;
use crate::models::EncoderState;

/// An image on its way through a model's vision tower, which is nearly all of the work: made by `encode_image`, taken on
/// by `advance`, one layer at a time, and then asked about as often as one likes.
///
/// It belongs to the model that made it.
#[derive(Debug, Clone)]
pub struct ImageEncoding {
    state: EncoderState,
    frame: Frame,
}

impl ImageEncoding {
    /// A look at all of an image.
    pub(super) fn new(state: EncoderState) -> Self {
        Self { state, frame: Frame::WHOLE }
    }

    /// A look at a part of an image.
    pub(super) fn framed(self, frame: Frame) -> Self {
        Self { frame, ..self }
    }

    /// Keeps the states of every layer from now on: what [`Tracing`](super::Tracing) needs.
    pub fn keep(&mut self) {
        self.state.keep();
    }

    /// Has the last layer compute the states of all tokens: what [`Tagger::states_of`](super::Tagger::states_of) needs.
    pub fn whole(&mut self) {
        self.state.whole();
    }

    /// How far it is; copied without the numbers, which are shared.
    pub(super) fn state(&self) -> EncoderState {
        self.state.clone()
    }

    pub(super) fn state_mut(&mut self) -> &mut EncoderState {
        &mut self.state
    }

    /// The part of the image that the model sees.
    pub(super) fn frame(&self) -> Frame {
        self.frame
    }
}
