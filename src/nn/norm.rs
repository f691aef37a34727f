//! Layer normalisation.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, Layout, Shape, Tensor};

use super::rows;
use crate::Result;
use crate::kernels;
use crate::weights::Scope;

/// `(x - mean) / sqrt(variance + epsilon) * weight + bias` over the last dimension.
#[derive(Debug, Clone)]
pub struct LayerNorm {
    pub(super) weight: Arc<[f32]>,
    pub(super) bias: Arc<[f32]>,
    pub(super) epsilon: f32,
}

impl LayerNorm {
    /// The layer of `weight` and `bias` in `scope`, or of `gamma` and `beta` as old files name them.
    pub fn load(scope: &Scope<'_>, width: usize, epsilon: f64) -> Result<Self> {
        let name = |new, old| if scope.contains(old) { old } else { new };
        Ok(Self {
            weight: scope.take_vector(name("weight", "gamma"), width)?,
            bias: scope.take_vector(name("bias", "beta"), width)?,
            epsilon: epsilon as f32,
        })
    }

    /// `(.., width)` to the same shape.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        Ok(x.contiguous()?.apply_op1_no_bwd(&Normalise(self))?)
    }
}

struct Normalise<'a>(&'a LayerNorm);

impl CustomOp1 for Normalise<'_> {
    fn name(&self) -> &'static str {
        "layer-norm"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        let LayerNorm { weight, bias, epsilon } = self.0;
        if rows::width(layout) != weight.len() {
            candle_core::bail!("layer-norm: {} values, {} weights", rows::width(layout), weight.len());
        }
        let y = kernels::layer_norm(rows::slice(x, layout)?, weight, bias, *epsilon);
        Ok((CpuStorage::F32(y), layout.shape().clone()))
    }
}
