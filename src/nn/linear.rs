//! Linear layers.

use candle_core::{CpuStorage, InplaceOp2, Layout, Tensor};

use super::{Activation, rows};
use crate::Result;
use crate::weights::Scope;

/// `y = x W^T + b`.
#[derive(Debug, Clone)]
pub struct Linear {
    /// `(out, in)`, as stored.
    weight: Tensor,
    /// `(out,)`.
    bias: Option<Tensor>,
}

impl Linear {
    /// The layer of `weight` and `bias` in `scope`.
    pub fn load(scope: &Scope<'_>, inputs: usize, outputs: usize) -> Result<Self> {
        let weight = scope.take("weight", (outputs, inputs))?;
        Ok(Self { weight, bias: Some(scope.take("bias", outputs)?) })
    }

    /// The layer of `weight` in `scope`, without a bias.
    pub fn load_without_bias(scope: &Scope<'_>, inputs: usize, outputs: usize) -> Result<Self> {
        Ok(Self { weight: scope.take("weight", (outputs, inputs))?, bias: None })
    }

    /// The layer of a `weight` of shape `(out, in)` and a `bias` of shape `(out,)`.
    pub fn new(weight: Tensor, bias: Option<Tensor>) -> Self {
        Self { weight, bias }
    }

    /// `(.., in)` to `(.., out)`.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.run(x, None)
    }

    /// [`Linear::forward`], then `activation`.
    pub fn forward_activated(&self, x: &Tensor, activation: Activation) -> Result<Tensor> {
        self.run(x, Some(activation))
    }

    fn run(&self, x: &Tensor, activation: Option<Activation>) -> Result<Tensor> {
        let (outputs, inputs) = self.weight.dims2()?;
        let mut shape = x.dims().to_vec();
        if let Some(last) = shape.last_mut() {
            *last = outputs;
        }
        // One matrix product over all rows: a batched one would go over the weights once per batch entry.
        let y = x.reshape(((), inputs))?.matmul(&self.weight.t()?)?;
        match (&self.bias, activation) {
            (Some(bias), activation) => y.inplace_op2(bias, &BiasActivation(activation))?,
            (None, Some(activation)) => {
                let none = Tensor::zeros(outputs, y.dtype(), y.device())?;
                y.inplace_op2(&none, &BiasActivation(Some(activation)))?;
            }
            (None, None) => {}
        }
        Ok(y.reshape(shape)?)
    }
}

/// Adds a bias to each row and applies an activation, in one pass.
struct BiasActivation(Option<Activation>);

impl InplaceOp2 for BiasActivation {
    fn name(&self) -> &'static str {
        "bias-activation"
    }

    fn cpu_fwd(
        &self,
        y: &mut CpuStorage,
        y_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> candle_core::Result<()> {
        let (y, bias) = (rows::slice_mut(y, y_layout)?, rows::slice(bias, bias_layout)?);
        if bias.is_empty() {
            return Ok(());
        }
        for row in y.chunks_exact_mut(bias.len()) {
            for (y, b) in row.iter_mut().zip(bias) {
                *y += b;
            }
            if let Some(activation) = self.0 {
                activation.apply(row);
            }
        }
        Ok(())
    }
}
