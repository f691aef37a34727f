//! Layer normalisation.

use candle_core::{CpuStorage, CustomOp3, Layout, Shape, Tensor};

use super::rows;
use crate::Result;
use crate::weights::Scope;

/// `(x - mean) / sqrt(variance + epsilon) * weight + bias` over the last dimension.
///
/// The variance is that of the differences from the mean. `candle_nn` takes the mean of the squares less
/// the square of the mean instead, which loses every digit where a row is nearly constant, and below
/// zero with BLIP's epsilon of 1e-12 gives no number at all.
#[derive(Debug, Clone)]
pub struct LayerNorm {
    weight: Tensor,
    bias: Tensor,
    epsilon: f32,
}

impl LayerNorm {
    /// The layer of `weight` and `bias` in `scope`, or of `gamma` and `beta` as old files name them.
    pub fn load(scope: &Scope<'_>, width: usize, epsilon: f64) -> Result<Self> {
        let name = |new, old| if scope.contains(old) { old } else { new };
        Ok(Self {
            weight: scope.take(name("weight", "gamma"), width)?,
            bias: scope.take(name("bias", "beta"), width)?,
            epsilon: epsilon as f32,
        })
    }

    /// `(.., width)` to the same shape.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        Ok(x.contiguous()?.apply_op3_no_bwd(&self.weight, &self.bias, &Normalise(self.epsilon))?)
    }
}

struct Normalise(f32);

impl CustomOp3 for Normalise {
    fn name(&self) -> &'static str {
        "layer-norm"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let (weight, bias) = (rows::slice(weight, weight_layout)?, rows::slice(bias, bias_layout)?);
        let (x, width) = (rows::slice(x, x_layout)?, rows::width(x_layout));
        if width == 0 || weight.len() != width || bias.len() != width {
            candle_core::bail!("layer-norm: {width} values, {} weights, {} biases", weight.len(), bias.len());
        }
        let mut y = Vec::with_capacity(x.len());
        for row in x.chunks_exact(width) {
            let mean = sum(row, |x| x) / width as f32;
            let variance = sum(row, |x| (x - mean) * (x - mean)) / width as f32;
            let scale = 1.0 / (variance + self.0).sqrt();
            y.extend(row.iter().zip(weight.iter().zip(bias)).map(|(x, (w, b))| (x - mean) * scale * w + b));
        }
        Ok((CpuStorage::F32(y), x_layout.shape().clone()))
    }
}

/// The sum of `f` over `values`, in eight interleaved sums: faster and closer than one.
fn sum(values: &[f32], f: impl Fn(f32) -> f32) -> f32 {
    let mut sums = [0f32; 8];
    let chunks = values.chunks_exact(8);
    let rest: f32 = chunks.remainder().iter().map(|&x| f(x)).sum();
    for chunk in chunks {
        for (sum, &x) in sums.iter_mut().zip(chunk) {
            *sum += f(x);
        }
    }
    sums.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    /// Largest difference from the same formula in f64, for outputs of about 1.
    const BOUND: f64 = 2e-5;

    fn norm(row: &[f32], epsilon: f32) -> Result<Vec<f32>> {
        let (n, cpu) = (row.len(), &Device::Cpu);
        let ramp = |from: f32| (0..n).map(move |i| from + i as f32 / n as f32);
        let weight = Tensor::from_iter(ramp(0.5), cpu)?;
        let layer = LayerNorm { weight, bias: Tensor::from_iter(ramp(-0.5), cpu)?, epsilon };
        Ok(layer.forward(&Tensor::new(row, cpu)?)?.to_vec1()?)
    }

    #[test]
    fn equals_the_formula_in_double_precision_for_every_width() -> Result<()> {
        for n in 1..=70usize {
            // An offset of 30 deviations, as outlier rows of real models have.
            let row: Vec<f32> = (0..n).map(|i| 30.0 + ((i * 37 + 11) % 101) as f32 / 50.0).collect();
            let mean = row.iter().map(|&x| f64::from(x)).sum::<f64>() / n as f64;
            let variance = row.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / n as f64;
            for (i, &y) in norm(&row, 1e-5)?.iter().enumerate() {
                let step = i as f64 / n as f64;
                let expected =
                    (f64::from(row[i]) - mean) / (variance + 1e-5).sqrt() * (0.5 + step) + step - 0.5;
                assert!((f64::from(y) - expected).abs() <= BOUND, "width {n}: {y} instead of {expected}");
            }
        }
        Ok(())
    }

    #[test]
    fn a_constant_row_gives_the_bias() -> Result<()> {
        let y = norm(&[0.1; 9], 1e-12)?;
        assert!(y.iter().all(|y| y.is_finite() && y.abs() < 1.0), "{y:?}");
        Ok(())
    }
}
