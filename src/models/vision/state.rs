//! Images on their way through a tower.

use candle_core::Tensor;

use crate::Result;
use crate::nn;

/// Images part of the way through a tower: what one layer hands to the next.
///
/// A large tower takes a second or more. Between two of its layers whoever waits can be told how far it is, or
/// say that nobody waits any longer.
#[derive(Debug, Clone)]
pub struct EncoderState {
    /// Of a transformer the states of all images, one after the other: `(rows, width)`. Of a convolutional tower the
    /// feature maps, `(batch, height, width, channels)`. Before a transformer's first layer is asked for, these are the
    /// patches, `(batch, patches, 3 patch patch)`: see `is_embedded`.
    pub(super) states: Tensor,
    /// Whether the states are more than the pixels of patches.
    pub(super) is_embedded: bool,
    /// Rows of each image; none of feature maps.
    pub(super) lengths: Vec<usize>,
    /// Layers that are done.
    pub(super) done: usize,
    /// The inputs of each layer that is done, where they are kept.
    pub(super) kept: Option<Vec<Tensor>>,
    /// Whether every state of the last layer is asked for, and not only those that are pooled.
    pub(super) whole: bool,
}

impl EncoderState {
    /// Images cut into `patches`, `(batch, patches, 3 patch patch)`, and how many rows each will have.
    pub(super) fn of_patches(patches: Tensor, lengths: Vec<usize>) -> Self {
        Self { states: patches, lengths, is_embedded: false, done: 0, kept: None, whole: false }
    }

    /// Images before the first layer of a convolutional tower: `(batch, height, width, channels)`.
    pub(super) fn of_maps(maps: Tensor) -> Self {
        Self { states: maps, lengths: Vec::new(), is_embedded: true, done: 0, kept: None, whole: false }
    }

    /// Keeps the inputs of every layer from now on, for a [`Trace`](super::Trace): as many numbers for each as there
    /// are in the states. Of convolutional towers nothing is kept, for nothing goes back through their layers.
    pub fn keep(&mut self) {
        if !self.lengths.is_empty() {
            self.kept.get_or_insert_default();
        }
    }

    /// Has the last layer compute the states of all tokens, for [`ImageTower::states`](super::ImageTower::states), also
    /// where only the class token's is pooled. Comes before the last layer.
    pub fn whole(&mut self) {
        self.whole = true;
    }

    /// Takes the images through one more of `layers` with `forward`. Returns how many layers are left.
    pub(super) fn advance<Layer>(
        &mut self,
        layers: &[Layer],
        forward: impl FnOnce(&Layer, &Self) -> Result<Tensor>,
    ) -> Result<usize> {
        let Some(layer) = layers.get(self.done) else { return Ok(0) };
        let states = forward(layer, self)?;
        let inputs = std::mem::replace(&mut self.states, states);
        if let Some(kept) = &mut self.kept {
            kept.push(inputs);
        }
        self.done += 1;
        Ok(layers.len() - self.done)
    }

    /// The first row of each image, where the class token is.
    pub(super) fn segment_starts(&self) -> Vec<u32> {
        nn::segment_starts(&self.lengths)
    }
}
