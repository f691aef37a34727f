//! The transformer layer of BLIP's texts: that of BERT, with cross-attention in its middle.

use candle_core::Tensor;

use crate::Result;
use crate::models::bert::{ATTENTION, BertLayer};
use crate::nn::{self, AttentionMask, CrossAttention, KeyValues, LayerNorm, RowCache, Sizes};
use crate::weights::Scope;

/// Self-attention, cross-attention and MLP, each followed by residual and layer norm.
#[derive(Debug, Clone)]
pub(super) struct Layer {
    pub(super) bert: BertLayer,
    pub(super) cross: CrossAttention,
    pub(super) cross_norm: LayerNorm,
}

impl Layer {
    /// The layer in `scope`. What it sees through cross-attention has width `other`.
    pub(super) fn load(scope: &Scope<'_>, sizes: &Sizes, other: usize) -> Result<Self> {
        let norm = scope.scope("crossattention.output.LayerNorm");
        Ok(Self {
            bert: BertLayer::load(scope, sizes)?,
            cross: CrossAttention::load(&scope.scope("crossattention"), sizes.heads, other, ATTENTION)?,
            cross_norm: LayerNorm::load(&norm, sizes.heads.width, sizes.epsilon)?,
        })
    }

    /// The keys and values of what is seen through cross-attention: `states` `(rows, other)`.
    pub(super) fn project_kv(&self, states: &Tensor) -> Result<KeyValues> {
        self.cross.project_kv(states)
    }

    /// New tokens `(ids, width)` to the same shape; see [`SelfAttention::forward_cached`](crate::nn::SelfAttention::forward_cached).
    pub(super) fn decode(
        &self,
        x: &Tensor,
        tokens: &mut RowCache,
        visible: &[&[u32]],
        image: &KeyValues,
    ) -> Result<Tensor> {
        let x = self.bert.self_attn.forward_cached(x, x, tokens, visible)?;
        self.after_self_attn(&x, Some(image))
    }

    /// Whole texts `(rows, width)` to the same shape. Without an `image` the cross-attention is left out.
    pub(super) fn encode(
        &self,
        x: &Tensor,
        sight: AttentionMask<'_>,
        image: Option<&KeyValues>,
    ) -> Result<Tensor> {
        self.after_self_attn(&self.bert.self_attn.forward(x, x, sight)?, image)
    }

    /// [`Layer::encode`] for the rows `at` alone; see [`SelfAttention::forward_at`](crate::nn::SelfAttention::forward_at). As a last layer it saves most
    /// of the work.
    pub(super) fn encode_at(
        &self,
        x: &Tensor,
        sight: AttentionMask<'_>,
        image: Option<&KeyValues>,
        at: &[u32],
    ) -> Result<Tensor> {
        let kept = nn::select(x, at)?;
        self.after_self_attn(&self.bert.self_attn.forward_at(x, &kept, sight, at)?, image)
    }

    /// What comes after the self-attention `x`, which has its residual already.
    pub(super) fn after_self_attn(&self, x: &Tensor, image: Option<&KeyValues>) -> Result<Tensor> {
        let mut x = self.bert.self_attn_norm.forward(x)?;
        if let Some(image) = image {
            x = self.cross_norm.forward(&self.cross.forward(&x, &x, image)?)?;
        }
        self.bert.after_attention(&x)
    }
}
