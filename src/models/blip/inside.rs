//! What BLIP's texts see of an image.

use candle_core::Tensor;

use super::decoder::{CaptionState, Decoder};
use super::{BlipModel, argument};
use crate::Result;

impl BlipModel {
    /// What the decoder saw of an image when each of `ids` was written, the first of which began the caption: the
    /// mean over all heads and layers of the cross-attention probabilities, `(ids - 1, 1 + patches)`.
    ///
    /// The query is that of the position that *predicts* the token, the one before it. At its own position a
    /// token is known already, and the decoder is looking for the next: with the built-in captioner and pictures of
    /// two drawings, a word's map has 54 % of its sum on the quarter with its own drawing at the position that
    /// predicts it, and 22 % at its own.
    ///
    /// # Errors
    /// `ArgumentInvalid`: fewer than two ids, more than the model has positions, or one that it does not know.
    pub fn token_maps(&self, image_states: &Tensor, ids: &[u32]) -> Result<Vec<f32>> {
        let (Some((_, given)), true) = (ids.split_last(), ids.len() > 1) else {
            return Err(argument("There are no tokens to look into."));
        };
        self.config.text.check_text(ids)?;
        let mut state = self.start(image_states)?;
        self.decoder.maps(&mut state, given)
    }
}

impl Decoder {
    /// What each of `ids` sees of the image, averaged over all heads and layers: `(ids, 1 + patches)`. `state` has no
    /// tokens yet.
    fn maps(&self, state: &mut CaptionState, ids: &[u32]) -> Result<Vec<f32>> {
        let seen = state.extend(ids.len());
        let seen: Vec<&[u32]> = seen.iter().map(Vec::as_slice).collect();
        let mut x = self.embed(ids, &self.positions.range(0, ids.len())?)?;
        let mut sum = Vec::new();
        for (layer, (tokens, image)) in self.layers.iter().zip(state.tokens.iter_mut().zip(&*state.image)) {
            let own = layer.own.forward_cached(&x, &x, tokens, &seen)?;
            let map = layer.cross.map(&layer.own_norm.forward(&own)?, image)?;
            sum.resize(map.len(), 0.0);
            for (sum, value) in sum.iter_mut().zip(map) {
                *sum += value / self.layers.len() as f32;
            }
            x = layer.after_own(&own, Some(image))?;
        }
        Ok(sum)
    }
}
