//! What BLIP's texts see of an image.

use std::ops::Range;

use candle_core::Tensor;

use super::decoder::{CaptionState, Decoder};
use super::layer::Layer;
use super::text::{ImageKeyValues, TextEncoder};
use super::{BlipMatcher, BlipModel, argument};
use crate::Result;
use crate::nn::{AttentionMask, KeyValues, accumulate};

/// The layer of `layers` that Grad-CAM looks at: of twelve the eighth, as in the examples of the published code
/// (`block_num=7`), of fewer the one at the same part of the way. It is not the last one if there are others: only the
/// first token's state is asked about in the end, so that in the last layer no other token has a gradient.
fn cam_layer(layers: usize) -> usize {
    (layers * 7 / 12).min(layers.saturating_sub(2))
}

/// What the tokens `tokens`, at least one, saw of the patches, on average: of `maps` with `columns` numbers for each token,
/// those of `class_tokens` first.
pub fn mean_of_patches(maps: &[f32], columns: usize, class_tokens: usize, tokens: Range<usize>) -> Vec<f32> {
    let count = tokens.len() as f32;
    let mut mean = vec![0.0; columns - class_tokens];
    for map in maps.chunks_exact(columns).skip(tokens.start).take(tokens.len()) {
        for (mean, value) in mean.iter_mut().zip(&map[class_tokens..]) {
            *mean += value / count;
        }
    }
    mean
}

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
        let visible = state.extend(ids.len());
        let visible: Vec<&[u32]> = visible.iter().map(Vec::as_slice).collect();
        let mut x = self.embed(ids, &self.positions.range(0, ids.len())?)?;
        let mut sum = Vec::new();
        for (layer, (tokens, image)) in self.layers.iter().zip(state.tokens.iter_mut().zip(&*state.image)) {
            let self_attn = layer.bert.self_attn.forward_cached(&x, &x, tokens, &visible)?;
            let map = layer.cross.map(&layer.bert.self_attn_norm.forward(&self_attn)?, image)?;
            sum.resize(map.len(), 0.0);
            for (sum, value) in sum.iter_mut().zip(map) {
                *sum += value / self.layers.len() as f32;
            }
            x = layer.after_self_attn(&self_attn, Some(image))?;
        }
        Ok(sum)
    }
}

impl BlipMatcher {
    /// What of an image makes the text `ids`, from `[CLS]` to `[SEP]`, match it, a number for each patch: Grad-CAM of
    /// image-text matching, as in the published code (`compute_gradcam` of `salesforce/LAVIS`, after Selvaraju et al.,
    /// "Grad-CAM", 2017, and Li et al., "Align before Fuse", 2021).
    ///
    /// These are the cross-attention probabilities of one layer of the text encoder, times the positive part of their
    /// gradients, which are those of the logit that the text describes the image; averaged over the heads, and over the
    /// tokens between the first and the last. The layer is the eighth of twelve. A text encoder of a single layer gives
    /// zeros: nothing but its first token has a gradient.
    ///
    /// # Errors
    /// `ArgumentInvalid`: fewer than three ids, more than the model has positions, or one that it does not know.
    pub fn grad_cam(&self, image: &ImageKeyValues, ids: &[u32]) -> Result<Vec<f32>> {
        if ids.len() < 3 {
            return Err(argument("The text has no words to look into."));
        }
        let maps = self.text.grad_cam(image, ids, &self.head.backward(&[0.0, 1.0])?)?;
        Ok(mean_of_patches(&maps, maps.len() / ids.len(), self.class_tokens(), 1..ids.len() - 1))
    }
}

impl TextEncoder {
    /// Grad-CAM of each of `ids`, `(ids, 1 + patches)`, from the gradient `(width,)` of the first one's last state.
    fn grad_cam(&self, image: &ImageKeyValues, ids: &[u32], gradient: &[f32]) -> Result<Vec<f32>> {
        let first = cam_layer(self.layers.len());
        let mut x = self.embed(&[ids])?;
        let mut passings = Vec::new();
        for (i, (layer, image)) in self.layers.iter().zip(&*image.0).enumerate() {
            if i < first {
                x = layer.encode(&x, AttentionMask::Sequences(&[ids.len()]), Some(image))?;
            } else {
                let passing = LayerActivations::new(layer, image, x)?;
                x = layer.bert.norm.forward(&passing.sum)?;
                passings.push(passing);
            }
        }
        let mut outputs = gradient.to_vec();
        outputs.resize(ids.len() * gradient.len(), 0.0);
        while let Some(passing) = passings.pop() {
            let cross = passing.cross_gradient(&outputs)?;
            if passings.is_empty() {
                return passing.layer.cross.grad_cam(&passing.self_attn, passing.image, &cross);
            }
            outputs = passing.backward(cross)?;
        }
        Err(argument("The model has no layers to look into."))
    }
}

/// One text on its way through a layer: the states between the layer's parts, `(ids, width)`, which gradients need.
struct LayerActivations<'a> {
    layer: &'a Layer,
    image: &'a KeyValues,
    inputs: Tensor,
    /// After the self-attention and its residual, before and after the norm.
    self_attn_sum: Tensor,
    self_attn: Tensor,
    /// After the cross-attention and its residual, before and after the norm.
    cross_sum: Tensor,
    cross: Tensor,
    /// After the MLP and its residual, before the norm.
    sum: Tensor,
}

impl<'a> LayerActivations<'a> {
    fn new(layer: &'a Layer, image: &'a KeyValues, inputs: Tensor) -> Result<Self> {
        let self_attn_sum =
            layer.bert.self_attn.forward(&inputs, &inputs, AttentionMask::Sequences(&[inputs.dim(0)?]))?;
        let self_attn = layer.bert.self_attn_norm.forward(&self_attn_sum)?;
        let cross_sum = layer.cross.forward(&self_attn, &self_attn, image)?;
        let cross = layer.cross_norm.forward(&cross_sum)?;
        let sum = layer.bert.mlp.forward(&cross, &cross)?;
        Ok(Self { layer, image, inputs, self_attn_sum, self_attn, cross_sum, cross, sum })
    }

    /// From the gradient of the layer's `outputs` to that of what its cross-attention adds.
    fn cross_gradient(&self, outputs: &[f32]) -> Result<Vec<f32>> {
        let sum = self.layer.bert.norm.backward(&self.sum, outputs)?;
        let mut cross = self.layer.bert.mlp.backward(&self.cross, &sum)?;
        accumulate(&mut cross, &sum);
        self.layer.cross_norm.backward(&self.cross_sum, &cross)
    }

    /// From the gradient of what the layer's cross-attention adds to that of the layer's inputs.
    fn backward(&self, mut cross: Vec<f32>) -> Result<Vec<f32>> {
        let through = self.layer.cross.backward(&self.self_attn, self.image, &cross)?;
        accumulate(&mut cross, &through);
        let mut self_attn = self.layer.bert.self_attn_norm.backward(&self.self_attn_sum, &cross)?;
        // The relevance of tokens for each other, which comes with this gradient, is not asked for.
        let mut relevance = vec![0.0; self.inputs.dim(0)?];
        let through = self.layer.bert.self_attn.backward(&self.inputs, &self_attn, &mut relevance)?;
        accumulate(&mut self_attn, &through);
        Ok(self_attn)
    }
}
