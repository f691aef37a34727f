//! What makes an embedding of what a tower pools.

use std::sync::Arc;

use candle_core::Tensor;

use crate::Result;
use crate::kernels::{Dtype, Matrix};
use crate::nn::{Activation, Linear};
use crate::weights::Scope;

/// Which layers there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProjectionConfig {
    /// None.
    Identity,
    /// One linear layer.
    Linear {
        /// Whether it has a bias.
        bias: bool,
    },
    /// Two linear layers without biases, GELU between them.
    Mlp {
        /// Width between the two.
        hidden: usize,
    },
}

/// The layers.
#[derive(Debug, Clone)]
pub(super) enum Projection {
    Identity,
    Linear(Linear),
    Mlp(Linear, Linear),
}

impl Projection {
    /// The layers in `scope`, from `width` to `dim`.
    pub(super) fn load(
        config: ProjectionConfig,
        scope: &Scope<'_>,
        width: usize,
        dim: usize,
    ) -> Result<Self> {
        Ok(match config {
            ProjectionConfig::Identity => Self::Identity,
            ProjectionConfig::Linear { bias: false } => {
                Self::Linear(load_linear(scope, width, dim)?.precise())
            }
            ProjectionConfig::Linear { bias: true } => {
                Self::Linear(Linear::load(scope, width, dim)?.precise())
            }
            ProjectionConfig::Mlp { hidden } => Self::Mlp(
                Linear::load_without_bias(&scope.scope("fc1"), width, hidden)?.precise(),
                Linear::load_without_bias(&scope.scope("fc2"), hidden, dim)?.precise(),
            ),
        })
    }

    /// `(texts, width)` to `(texts, dim)`.
    pub(super) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        match self {
            Self::Identity => Ok(x.clone()),
            Self::Linear(projection) => projection.forward(x),
            Self::Mlp(first, second) => second.forward(&first.forward_activated(x, Activation::Gelu)?),
        }
    }
}

/// One linear layer without a bias: `weight` in `scope`, or a matrix to multiply with from the right, `transposed`
/// `(width, dim)`.
pub(super) fn load_linear(scope: &Scope<'_>, width: usize, dim: usize) -> Result<Linear> {
    if !scope.contains("transposed") {
        return Linear::load_without_bias(scope, width, dim);
    }
    let matrix = scope.take("transposed", (width, dim))?.t()?.contiguous()?;
    let values = matrix.flatten_all()?.to_vec1::<f32>()?;
    Ok(Linear::new(Arc::new(Matrix::pack(Dtype::F32, dim, width, &values)?), None))
}
