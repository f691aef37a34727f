//! Attention of a learnt query that makes one vector of many.

use candle_core::Tensor;

use super::attention::Pooled;
use super::{AttentionMask, Heads, LayerNorm, Linear, Mlp, Sizes, rows};
use crate::Result;
use crate::weights::Scope;

/// SigLIP's head: a learnt query, the probe, attends to all vectors; then comes an MLP with a norm before it and a residual.
///
/// Source: `SiglipMultiheadAttentionPoolingHead` of `transformers`, after "Set Transformer" (Lee et al., 2019).
#[derive(Debug, Clone)]
pub struct ProbePool {
    heads: Heads,
    /// The probe's query, `(1, width)`: it is the same for every image.
    query: Tensor,
    /// Keys and values side by side, behind as many columns as `skipped` says.
    kv: Linear,
    skipped: usize,
    output: Linear,
    norm: LayerNorm,
    mlp: Mlp,
}

impl ProbePool {
    /// The tensor `probe` and the layers `qkv`, or `q` and `kv`, `out_proj`, `layernorm` and `mlp` in `scope`.
    pub fn load(scope: &Scope<'_>, sizes: &Sizes) -> Result<Self> {
        let width = sizes.heads.width;
        let probe = scope.take("probe", (1, width))?.contiguous()?;
        let separate = scope.contains("kv.weight");
        let (q, kv, skipped) = if separate {
            let q = Linear::load(&scope.scope("q"), width, width)?;
            (q, Linear::load(&scope.scope("kv"), width, 2 * width)?, 0)
        } else {
            let qkv = Linear::load(&scope.scope("qkv"), width, 3 * width)?;
            (qkv.clone(), qkv, width)
        };
        // Where tensors are missing there is nothing to compute with, and the model is refused.
        let query = if q.is_placeholder() { probe } else { q.forward(&probe)?.narrow(1, 0, width)? };
        Ok(Self {
            heads: sizes.heads,
            query,
            kv,
            skipped,
            output: Linear::load(&scope.scope("out_proj"), width, width)?,
            norm: LayerNorm::load(&scope.scope("layernorm"), width, sizes.epsilon)?,
            mlp: Mlp::load(&scope.scope("mlp"), sizes)?,
        })
    }

    /// Images of `lengths` vectors each, `(rows, width)`, to `(images, width)`.
    pub fn forward(&self, x: &Tensor, lengths: &[usize]) -> Result<Tensor> {
        let width = self.heads.width;
        let kv = self.kv.forward(x)?.narrow(1, self.skipped, 2 * width)?.contiguous()?;
        let queries = rows::select(&self.query.contiguous()?, &vec![0; lengths.len()])?;
        let pooled = Pooled { heads: self.heads, sight: AttentionMask::Sequences(lengths) };
        let x = self.output.forward(&queries.apply_op2_no_bwd(&kv, &pooled)?)?;
        self.mlp.forward(&self.norm.forward(&x)?, &x)
    }
}
