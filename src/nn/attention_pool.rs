//! Attention that makes one vector of many.

use candle_core::Tensor;

use super::attention::Pooled;
use super::{AttentionMask, Heads, Linear, rows};
use crate::Result;
use crate::weights::Scope;

/// The attention at the end of CLIP's ResNets: the mean of all vectors asks all of them and itself.
#[derive(Debug, Clone)]
pub struct AttentionPool {
    pub(super) heads: Heads,
    /// `(1 + vectors, width)`, the mean's first.
    positions: Tensor,
    pub(super) query: Linear,
    pub(super) key: Linear,
    pub(super) value: Linear,
    pub(super) output: Linear,
}

impl AttentionPool {
    /// The layers `q_proj`, `k_proj`, `v_proj` and `c_proj` in `scope`, and the `positional_embedding` of `tokens`, of
    /// which one is the mean.
    pub fn load(scope: &Scope<'_>, heads: Heads, tokens: usize, outputs: usize) -> Result<Self> {
        let layer = |name, outputs| Linear::load(&scope.scope(name), heads.width, outputs);
        Ok(Self {
            heads,
            positions: scope.take("positional_embedding", (tokens, heads.width))?,
            query: layer("q_proj", heads.width)?,
            key: layer("k_proj", heads.width)?,
            value: layer("v_proj", heads.width)?,
            output: layer("c_proj", outputs)?,
        })
    }

    /// `(batch, vectors, width)` to `(batch, outputs)`.
    ///
    /// # Errors
    /// Where there are not as many vectors as positions for them.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let (rows, lengths) = self.tokens(x)?;
        let queries = self.query.forward(&rows::select(&rows, &rows::segment_starts(&lengths))?)?;
        let kv = Linear::forward_all(&[&self.key, &self.value], &rows)?;
        let pooled = Pooled { heads: self.heads, sight: AttentionMask::Sequences(&lengths) };
        self.output.forward(&queries.contiguous()?.apply_op2_no_bwd(&kv, &pooled)?)
    }

    /// The mean before the vectors of each image, with positions: `(batch (1 + vectors), width)`, and how many rows
    /// each image has.
    pub(super) fn tokens(&self, x: &Tensor) -> Result<(Tensor, Vec<usize>)> {
        let (batch, count, width) = x.dims3()?;
        let mut tokens = Vec::with_capacity(batch * (1 + count) * width);
        rows::with(&x.contiguous()?, |x| {
            for image in x.chunks_exact((count * width).max(1)) {
                let begin = tokens.len();
                tokens.resize(begin + width, 0.0);
                for row in image.chunks_exact(width) {
                    rows::accumulate(&mut tokens[begin..], row);
                }
                tokens[begin..].iter_mut().for_each(|sum| *sum /= count as f32);
                tokens.extend_from_slice(image);
            }
        })?;
        let tokens = Tensor::from_vec(tokens, (batch, 1 + count, width), x.device())?;
        let tokens = rows::add(&tokens, &self.positions)?;
        Ok((tokens.reshape((batch * (1 + count), width))?, vec![1 + count; batch]))
    }
}
