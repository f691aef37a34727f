//! The transformer layer that both towers of CLIP and the vision tower of BLIP are made of.

use candle_core::Tensor;

use super::{Activation, AttentionMask, Heads, LayerNorm, Linear, SelfAttention};
use crate::Result;
use crate::weights::Scope;

/// What the layers of one tower have in common.
#[derive(Debug, Clone, Copy)]
pub struct Sizes {
    /// Width and heads of the attention.
    pub heads: Heads,
    /// Width between the two layers of the MLP.
    pub intermediate: usize,
    /// Activation of the MLP.
    pub activation: Activation,
    /// Epsilon of the layer norms.
    pub epsilon: f64,
}

/// Two linear layers with an activation between them.
#[derive(Debug, Clone)]
pub struct Mlp {
    pub(super) up: Linear,
    pub(super) down: Linear,
    pub(super) activation: Activation,
}

impl Mlp {
    /// The layers `fc1` and `fc2` in `scope`.
    pub fn load(scope: &Scope<'_>, sizes: &Sizes) -> Result<Self> {
        Ok(Self::new(
            Linear::load(&scope.scope("fc1"), sizes.heads.width, sizes.intermediate)?,
            Linear::load(&scope.scope("fc2"), sizes.intermediate, sizes.heads.width)?,
            sizes.activation,
        ))
    }

    /// `up`, `activation`, `down`.
    pub fn new(up: Linear, down: Linear, activation: Activation) -> Self {
        Self { up, down, activation }
    }

    /// `residual` plus the layers' answer to `x`; all `(.., width)`.
    pub fn forward(&self, x: &Tensor, residual: &Tensor) -> Result<Tensor> {
        self.down.forward_residual(&self.up.forward_activated(x, self.activation)?, residual)
    }
}

/// Layer norm, attention, residual; layer norm, MLP, residual.
#[derive(Debug, Clone)]
pub struct EncoderLayer {
    pub(super) norm1: LayerNorm,
    pub(super) attention: SelfAttention,
    pub(super) norm2: LayerNorm,
    pub(super) mlp: Mlp,
}

impl EncoderLayer {
    /// The layer of its four parts.
    pub fn new(norm1: LayerNorm, attention: SelfAttention, norm2: LayerNorm, mlp: Mlp) -> Self {
        Self { norm1, attention, norm2, mlp }
    }

    /// The layer in `scope`; its attention is made by `attention` from the scope `self_attn`.
    pub fn load(
        scope: &Scope<'_>,
        sizes: &Sizes,
        attention: impl Fn(&Scope<'_>, Heads) -> Result<SelfAttention>,
    ) -> Result<Self> {
        let norm = |name| LayerNorm::load(&scope.scope(name), sizes.heads.width, sizes.epsilon);
        Ok(Self::new(
            norm("layer_norm1")?,
            attention(&scope.scope("self_attn"), sizes.heads)?,
            norm("layer_norm2")?,
            Mlp::load(&scope.scope("mlp"), sizes)?,
        ))
    }

    /// `(rows, width)` to the same shape.
    pub fn forward(&self, x: &Tensor, sight: AttentionMask<'_>) -> Result<Tensor> {
        let x = self.attention.forward(&self.norm1.forward(x)?, x, sight)?;
        self.mlp.forward(&self.norm2.forward(&x)?, &x)
    }

    /// What [`EncoderLayer::forward`] gives for the rows `at`; `sight` is as [`SelfAttention::forward_at`] wants it.
    /// As a last layer it saves most of the work.
    pub fn forward_at(&self, x: &Tensor, sight: AttentionMask<'_>, at: &[u32]) -> Result<Tensor> {
        let kept = super::select(x, at)?;
        let x = self.attention.forward_at(&self.norm1.forward(x)?, &kept, sight, at)?;
        self.mlp.forward(&self.norm2.forward(&x)?, &x)
    }
}
