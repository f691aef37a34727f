//! One step of attention rollout and of relevance through the layer that vision towers are made of.

use std::borrow::Cow;

use candle_core::Tensor;

use crate::Result;
use crate::nn::{AttentionMask, EncoderLayer, accumulate};

impl EncoderLayer {
    /// One step of attention rollout: `weights (A + I) / 2`, where `A` is the mean over the heads of the attention
    /// probabilities of the layer's inputs `x` `(rows, width)`, one sequence. The rows of `A` sum up to 1, and so
    /// do those of the half of `A + I`.
    ///
    /// Abnar and Zuidema, "Quantifying Attention Flow in Transformers", 2020.
    pub fn roll_out(&self, x: &Tensor, weights: &[f32]) -> Result<Vec<f32>> {
        let mut sum = self.attention.weigh(&self.norm1.forward(x)?, weights)?;
        accumulate(&mut sum, weights);
        sum.iter_mut().for_each(|weight| *weight /= 2.0);
        Ok(sum)
    }

    /// The gradient of the inputs `x` `(rows, width)`, one sequence, from that of the `outputs`; and one step of
    /// relevance, see [`SelfAttention::backward`](crate::nn::SelfAttention::backward).
    ///
    /// Chefer, Gur and Wolf, "Generic Attention-model Explainability for Interpreting Bi-Modal and
    /// Encoder-Decoder Transformers", 2021.
    pub fn backward(&self, x: &Tensor, outputs: &[f32], weights: &mut Vec<f32>) -> Result<Vec<f32>> {
        let normed = self.norm1.forward(x)?;
        let lengths = [weights.len()];
        let sight = AttentionMask::Sequences(&lengths);
        let middle = self.add(0, x, |residual| self.attention.forward(&normed, residual, sight))?;
        let mlp = self.mlp.backward(&self.norm2.forward(&middle)?, &self.scaled(1, outputs))?;
        let mut gradient = self.norm2.backward(&middle, &mlp)?;
        accumulate(&mut gradient, outputs);
        let attention = self.attention.backward(&normed, &self.scaled(0, &gradient), weights)?;
        accumulate(&mut gradient, &self.norm1.backward(x, &attention)?);
        Ok(gradient)
    }

    /// The gradient of what one half of the layer answers, from that of the `outputs`, to which it was added.
    fn scaled<'a>(&self, which: usize, outputs: &'a [f32]) -> Cow<'a, [f32]> {
        let Some(scales) = &self.scales else { return Cow::Borrowed(outputs) };
        Cow::Owned(outputs.iter().zip(scales[which].iter().cycle()).map(|(g, scale)| g * scale).collect())
    }
}
