//! Linear layers.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Shape, Tensor};

use super::{Activation, rows};
use crate::Result;
use crate::kernels::{self, Epilogue, Layer, Matrix};
use crate::weights::Scope;

/// `y = x W^T + b`.
#[derive(Debug, Clone)]
pub struct Linear {
    /// `(out, in)`, as stored.
    pub(super) weight: Arc<Matrix>,
    /// `(out,)`.
    bias: Option<Arc<[f32]>>,
    is_precise: bool,
}

impl Linear {
    /// The layer of `weight` and `bias` in `scope`.
    pub fn load(scope: &Scope<'_>, inputs: usize, outputs: usize) -> Result<Self> {
        let weight = scope.take_matrix("weight", (outputs, inputs))?;
        Ok(Self::new(weight, Some(scope.take_vector("bias", outputs)?)))
    }

    /// The layer of `weight` in `scope`, without a bias.
    pub fn load_without_bias(scope: &Scope<'_>, inputs: usize, outputs: usize) -> Result<Self> {
        Ok(Self::new(scope.take_matrix("weight", (outputs, inputs))?, None))
    }

    /// The layer of a `weight` of shape `(out, in)` and a `bias` of shape `(out,)`.
    pub fn new(weight: Arc<Matrix>, bias: Option<Arc<[f32]>>) -> Self {
        Self { weight, bias, is_precise: false }
    }

    /// The same, which takes its inputs in fourteen bits where its weights are int8: for layers that are a small part of
    /// the work, and whose errors count.
    pub fn precise(self) -> Self {
        Self { is_precise: true, ..self }
    }

    /// The outputs of `layers`, side by side, for the rows of `x`.
    fn compute(x: &[f32], layers: &[Layer<'_>], is_precise: bool) -> Vec<f32> {
        if is_precise { kernels::linear_precise(x, layers) } else { kernels::linear(x, layers) }
    }

    /// Whether the weight stands for one that is missing: see [`Weights::finish`](crate::weights::Weights::finish).
    pub(super) fn is_placeholder(&self) -> bool {
        self.weight.rows() == 0
    }

    pub(super) fn bias(&self) -> Option<&[f32]> {
        self.bias.as_deref()
    }

    /// `(.., in)` to `(.., out)`.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        Self::forward_all(&[self], x)
    }

    /// [`Linear::forward`], then `activation`.
    pub fn forward_activated(&self, x: &Tensor, activation: Activation) -> Result<Tensor> {
        let layers = [self.layer(Epilogue::Activation(activation))];
        Ok(x.contiguous()?.apply_op1_no_bwd(&SideBySide { layers: &layers, is_precise: self.is_precise })?)
    }

    /// [`Linear::forward`], plus `residual`, which has the shape of the outputs.
    pub fn forward_residual(&self, x: &Tensor, residual: &Tensor) -> Result<Tensor> {
        Ok(x.contiguous()?.apply_op2_no_bwd(&residual.contiguous()?, &WithResidual(self))?)
    }

    /// The outputs of several layers on the same inputs, side by side in the last dimension. Where one is precise, all are.
    pub fn forward_all(layers: &[&Self], x: &Tensor) -> Result<Tensor> {
        let is_precise = layers.iter().any(|layer| layer.is_precise);
        let layers: Vec<Layer<'_>> = layers.iter().map(|layer| layer.layer(Epilogue::Nothing)).collect();
        Ok(x.contiguous()?.apply_op1_no_bwd(&SideBySide { layers: &layers, is_precise })?)
    }

    fn layer<'a>(&'a self, after: Epilogue<'a>) -> Layer<'a> {
        Layer { weight: &self.weight, bias: self.bias.as_deref(), after }
    }
}

struct SideBySide<'a> {
    layers: &'a [Layer<'a>],
    is_precise: bool,
}

impl CustomOp1 for SideBySide<'_> {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        let shape = output_shape(self.layers, layout)?;
        Ok((CpuStorage::F32(Linear::compute(rows::slice(x, layout)?, self.layers, self.is_precise)), shape))
    }
}

struct WithResidual<'a>(&'a Linear);

impl CustomOp2 for WithResidual<'_> {
    fn name(&self) -> &'static str {
        "linear-residual"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        residual: &CpuStorage,
        residual_layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let layer = self.0.layer(Epilogue::Residual(rows::slice(residual, residual_layout)?));
        let shape = output_shape(&[layer], x_layout)?;
        if residual_layout.shape().elem_count() != shape.elem_count() {
            candle_core::bail!("linear-residual: {shape:?} and {:?}", residual_layout.shape());
        }
        Ok((CpuStorage::F32(Linear::compute(rows::slice(x, x_layout)?, &[layer], self.0.is_precise)), shape))
    }
}

/// The shape of the inputs with the outputs of all layers as its last dimension.
fn output_shape(layers: &[Layer<'_>], layout: &Layout) -> candle_core::Result<Shape> {
    let width = rows::width(layout);
    if let Some(layer) = layers.iter().find(|layer| layer.weight.columns() != width) {
        candle_core::bail!("linear: {width} inputs for {} columns of weights", layer.weight.columns());
    }
    let mut dims = layout.dims().to_vec();
    if let Some(last) = dims.last_mut() {
        *last = layers.iter().map(|layer| layer.weight.rows()).sum();
    }
    Ok(Shape::from(dims))
}
