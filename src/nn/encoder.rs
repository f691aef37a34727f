//! The transformer layer that both towers of CLIP and the vision tower of BLIP are made of.

use std::sync::Arc;

use candle_core::Tensor;

use super::{Activation, AttentionMask, Heads, LayerNorm, Linear, RowCache, SelfAttention, rows};
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
    /// What multiplies each half's answer before it is added, `(width,)` each.
    pub(super) scales: Option<[Arc<[f32]>; 2]>,
}

impl EncoderLayer {
    /// The layer of its four parts.
    pub fn new(norm1: LayerNorm, attention: SelfAttention, norm2: LayerNorm, mlp: Mlp) -> Self {
        Self { norm1, attention, norm2, mlp, scales: None }
    }

    /// The layer in `scope`: `layer_norm1`, `self_attn`, `layer_norm2`, `mlp`; with `scaled`, `layer_scale1` and
    /// `layer_scale2` too. Queries, keys and values have a bias only if `biased`.
    pub fn load(scope: &Scope<'_>, sizes: &Sizes, biased: bool, scaled: bool) -> Result<Self> {
        let width = sizes.heads.width;
        let norm = |name| LayerNorm::load(&scope.scope(name), width, sizes.epsilon);
        let scale = |name| scope.take_vector(name, width);
        let scales = if scaled { Some([scale("layer_scale1")?, scale("layer_scale2")?]) } else { None };
        Ok(Self {
            scales,
            ..Self::new(
                norm("layer_norm1")?,
                SelfAttention::load_either(&scope.scope("self_attn"), sizes.heads, biased)?,
                norm("layer_norm2")?,
                Mlp::load(&scope.scope("mlp"), sizes)?,
            )
        })
    }

    /// `(rows, width)` to the same shape.
    pub fn forward(&self, x: &Tensor, sight: AttentionMask<'_>) -> Result<Tensor> {
        let normed = self.norm1.forward(x)?;
        let x = self.add(0, x, |residual| self.attention.forward(&normed, residual, sight))?;
        self.add_mlp(&x)
    }

    /// What [`EncoderLayer::forward`] gives for the rows `at`; `sight` is as [`SelfAttention::forward_at`] wants it.
    /// As a last layer it saves most of the work.
    pub fn forward_at(&self, x: &Tensor, sight: AttentionMask<'_>, at: &[u32]) -> Result<Tensor> {
        let kept = super::select(x, at)?;
        let normed = self.norm1.forward(x)?;
        let x = self.add(0, &kept, |residual| self.attention.forward_at(&normed, residual, sight, at))?;
        self.add_mlp(&x)
    }

    /// [`EncoderLayer::forward`] of rows that see what is in `cache`, as [`SelfAttention::forward_cached`] has it.
    pub fn forward_cached(&self, x: &Tensor, cache: &mut RowCache, visible: &[&[u32]]) -> Result<Tensor> {
        let normed = self.norm1.forward(x)?;
        let x =
            self.add(0, x, |residual| self.attention.forward_cached(&normed, residual, cache, visible))?;
        self.add_mlp(&x)
    }

    /// What [`EncoderLayer::forward_cached`] gives for the rows `at`, whose sight is given.
    pub fn forward_cached_at(
        &self,
        x: &Tensor,
        cache: &mut RowCache,
        visible: &[&[u32]],
        at: &[u32],
    ) -> Result<Tensor> {
        let kept = super::select(x, at)?;
        let normed = self.norm1.forward(x)?;
        let x = self.add(0, &kept, |residual| {
            self.attention.forward_cached_at(&normed, residual, cache, visible, at)
        })?;
        self.add_mlp(&x)
    }

    fn add_mlp(&self, x: &Tensor) -> Result<Tensor> {
        let normed = self.norm2.forward(x)?;
        self.add(1, x, |residual| self.mlp.forward(&normed, residual))
    }

    /// `x` plus what `half` answers, scaled where the layer scales. `half` adds its answer to what it is given.
    pub(super) fn add(
        &self,
        which: usize,
        x: &Tensor,
        half: impl FnOnce(&Tensor) -> Result<Tensor>,
    ) -> Result<Tensor> {
        match &self.scales {
            None => half(x),
            Some(scales) => Ok(rows::add_scaled(x, &half(&x.zeros_like()?)?, &scales[which])?),
        }
    }
}
