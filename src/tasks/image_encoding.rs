//! An image that a model is looking at.

use crate::Result;
use crate::image::Frame;
use crate::models::blip::{ImageKeyValues, ImageProjection};
use crate::models::vision::VisionTransformer;
use crate::models::{EncoderState, ImageTower};

/// An image on its way through a model's vision tower, which is nearly all of the work: made by `encode_image`, taken on
/// by `advance`, one layer at a time, and then asked about as often as one likes.
///
/// It belongs to the model that made it.
#[derive(Debug, Clone)]
pub struct ImageEncoding {
    state: EncoderState,
    frame: Frame,
    /// What texts see of the image, where another device computed it.
    key_values: Option<ImageKeyValues>,
}

impl ImageEncoding {
    /// A look at all of an image.
    pub(super) fn new(state: EncoderState) -> Self {
        Self { state, frame: Frame::WHOLE, key_values: None }
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

    /// The patches of the image, of which no layer is computed yet: see
    /// [`VisionTransformer::patches_of`](crate::models::vision::VisionTransformer::patches_of).
    ///
    /// # Errors
    /// `ArgumentInvalid` where one is.
    pub fn patches(&self, tower: &VisionTransformer) -> Result<Vec<f32>> {
        Ok(tower.patches_of(&self.state)?.flatten_all()?.to_vec1()?)
    }

    /// The states after the layers that are computed: see
    /// [`VisionTransformer::states_of`](crate::models::vision::VisionTransformer::states_of).
    ///
    /// # Errors
    /// `ArgumentInvalid` where none is.
    pub fn states(&self, tower: &VisionTransformer) -> Result<Vec<f32>> {
        Ok(tower.states_of(&self.state)?.flatten_all()?.to_vec1()?)
    }

    /// Whether `tower` wants the states of all tokens, or those of the class token alone.
    pub fn wants_all(&self, tower: &VisionTransformer) -> bool {
        tower.wants_all(&self.state)
    }

    /// Takes over the states that another device computed: see
    /// [`VisionTransformer::complete`](crate::models::vision::VisionTransformer::complete).
    ///
    /// # Errors
    /// `ArgumentInvalid` where they are not those of this image.
    pub fn complete(&mut self, tower: &VisionTransformer, states: Vec<f32>) -> Result<()> {
        tower.complete(&mut self.state, states)
    }

    /// Keys and values of a layer of texts, as the model computes them of the states after the last layer: see
    /// [`ImageProjection::project`].
    ///
    /// # Errors
    /// `ArgumentInvalid` where there is no such layer.
    pub fn project(
        &self,
        tower: &ImageTower,
        projection: &ImageProjection,
        layer: usize,
    ) -> Result<Vec<f32>> {
        let states = tower.states(self.state())?.squeeze(0)?;
        Ok(projection.project(layer, &states)?.flatten_all()?.to_vec1()?)
    }

    /// [`ImageEncoding::complete`], and with the states what texts see of them, layer by layer: see
    /// [`ImageProjection::complete`].
    ///
    /// # Errors
    /// `ArgumentInvalid` where they are not those of this image. Then nothing has changed.
    pub fn complete_seen(
        &mut self,
        tower: &VisionTransformer,
        states: Vec<f32>,
        projection: &ImageProjection,
        layers: impl ExactSizeIterator<Item = Vec<f32>>,
    ) -> Result<()> {
        let key_values = projection.complete(states.len() / tower.width(), layers)?;
        self.complete(tower, states)?;
        self.key_values = Some(key_values);
        Ok(())
    }

    /// What texts see of the image, where another device computed it.
    pub(super) fn key_values(&self) -> Option<ImageKeyValues> {
        self.key_values.clone()
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
