//! Gradients of linear layers, layer norms and MLPs.

use candle_core::Tensor;

use super::{dot, product, values};
use crate::Result;
use crate::nn::{LayerNorm, Linear, Mlp};

impl Linear {
    /// The gradient of the inputs `(rows, in)` from that of the `outputs` `(rows, out)`: `outputs W`.
    ///
    /// The transpose is made anew from the stored numbers, and lives no longer than the call.
    pub fn backward(&self, outputs: &[f32]) -> Result<Vec<f32>> {
        let (rows, columns) = (self.weight.rows(), self.weight.columns());
        let mut row = vec![0.0; columns];
        let mut transposed = vec![0.0; rows * columns];
        for i in 0..rows {
            self.weight.copy_row(i, &mut row);
            for (column, &value) in transposed.chunks_exact_mut(rows).zip(&row) {
                column[i] = value;
            }
        }
        product(outputs, &transposed, rows)
    }
}

impl LayerNorm {
    /// The gradient of the inputs from that of the `outputs`, both like the inputs `x` `(rows, width)`.
    ///
    /// With `h` the normalised inputs and `g` the gradient times the weight, of each row:
    /// `(g - mean(g) - h mean(g h)) / sqrt(variance + epsilon)`.
    pub fn backward(&self, x: &Tensor, outputs: &[f32]) -> Result<Vec<f32>> {
        let width = self.weight.len();
        let count = width as f32;
        let (x, mut inputs) = (values(x)?, outputs.to_vec());
        for (x, row) in x.chunks_exact(width).zip(inputs.chunks_exact_mut(width)) {
            let mean = x.iter().sum::<f32>() / count;
            let centred: Vec<f32> = x.iter().map(|x| x - mean).collect();
            let inverse = 1.0 / (dot(&centred, &centred) / count + self.epsilon).sqrt();
            for (g, weight) in row.iter_mut().zip(&*self.weight) {
                *g *= weight;
            }
            let mean = row.iter().sum::<f32>() / count;
            let slope = dot(row, &centred) / count * inverse * inverse;
            for (g, centred) in row.iter_mut().zip(&centred) {
                *g = (*g - mean - centred * slope) * inverse;
            }
        }
        Ok(inputs)
    }
}

impl Mlp {
    /// The gradient of the inputs `x` `(rows, width)` from that of the `outputs`, which are taken without the
    /// residual.
    pub fn backward(&self, x: &Tensor, outputs: &[f32]) -> Result<Vec<f32>> {
        let mut inner = self.down.backward(outputs)?;
        for (g, x) in inner.iter_mut().zip(values(&self.up.forward(x)?)?) {
            *g *= self.activation.slope(x);
        }
        self.up.backward(&inner)
    }
}
