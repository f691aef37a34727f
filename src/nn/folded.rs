//! Batch norms of a trained model, folded into the layer before them.

use crate::Result;
use crate::weights::Scope;

/// Statistics of a batch norm as what they come to: `x scale + shift`.
pub(super) struct FoldedNorm {
    /// For each channel.
    pub(super) scale: Vec<f32>,
    /// For each channel.
    pub(super) shift: Vec<f32>,
}

impl FoldedNorm {
    /// The norm of `weight`, `bias`, `running_mean` and `running_var` in `scope`.
    pub(super) fn load(scope: &Scope<'_>, channels: usize, epsilon: f64) -> Result<Self> {
        let [weight, bias, mean, variance] =
            ["weight", "bias", "running_mean", "running_var"].map(|name| scope.take_vector(name, channels));
        let (weight, bias, mean, variance) = (weight?, bias?, mean?, variance?);
        let factor = |(&w, &v): (&f32, &f32)| (f64::from(w) / (f64::from(v) + epsilon).sqrt()) as f32;
        let scale: Vec<f32> = weight.iter().zip(&*variance).map(factor).collect();
        let shift =
            bias.iter().zip(&*mean).zip(&scale).map(|((bias, mean), scale)| bias - mean * scale).collect();
        Ok(Self { scale, shift })
    }

    /// The bias of a layer whose own is `bias`, after the norm.
    pub(super) fn bias(&self, bias: Option<&[f32]>) -> Vec<f32> {
        let own = |i: usize| bias.map_or(0.0, |bias| bias[i]);
        self.scale
            .iter()
            .zip(&self.shift)
            .enumerate()
            .map(|(i, (scale, shift))| own(i) * scale + shift)
            .collect()
    }
}
