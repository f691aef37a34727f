//! Multi-head attention.

use candle_core::{CpuStorage, InplaceOp1, Layout, Tensor};

use super::{Linear, rows};
use crate::Result;
use crate::weights::Scope;

/// How a width is divided into heads.
#[derive(Debug, Clone, Copy)]
pub struct Heads {
    /// Width of the queries, keys and values of all heads together.
    pub width: usize,
    /// Number of heads; it divides the width.
    pub count: usize,
}

impl Heads {
    /// `(batch, sequence, width)` to `(batch, heads, sequence, width / heads)`, which for one batch entry
    /// is a view.
    fn split(self, x: &Tensor) -> Result<Tensor> {
        self.split_part(x, 0)
    }

    /// [`Heads::split`] of one of several widths that lie side by side in the last dimension.
    fn split_part(self, x: &Tensor, part: usize) -> Result<Tensor> {
        let (batch, sequence, _) = x.dims3()?;
        let heads = x.reshape((batch, sequence, (), self.width / self.count))?;
        let heads = heads.narrow(2, part * self.count, self.count)?.transpose(1, 2)?;
        // The matrix product can step over one batch dimension, not over two of unequal strides.
        Ok(if batch == 1 { heads } else { heads.contiguous()? })
    }

    /// The inverse of [`Heads::split`].
    fn join(self, x: &Tensor) -> Result<Tensor> {
        let (batch, _, sequence, _) = x.dims4()?;
        Ok(x.transpose(1, 2)?.reshape((batch, sequence, self.width))?)
    }

    /// Attention of `queries` `(batch, sequence, width)` to `keys` and `values`, which are split:
    /// `(batch, sequence, width)`. With `past` given, query `i` sees the keys up to `past + i` only.
    fn attend(self, queries: &Tensor, memory: &KeyValues, past: Option<usize>) -> Result<Tensor> {
        // The queries are scaled, not the scores: there are fewer of them.
        let scale = 1.0 / ((self.width / self.count) as f64).sqrt();
        let queries = self.split(&(queries * scale)?)?;
        let scores = queries.matmul(&memory.keys.t()?)?;
        scores.inplace_op1(&Softmax { past })?;
        self.join(&scores.matmul(&memory.values)?)
    }
}

/// Keys and values, split into heads: each `(batch, heads, sequence, width / heads)`.
#[derive(Debug, Clone)]
pub struct KeyValues {
    keys: Tensor,
    values: Tensor,
}

impl KeyValues {
    /// Number of positions.
    pub fn len(&self) -> usize {
        self.keys.dims().get(2).copied().unwrap_or(0)
    }

    /// Whether there are no positions.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// These positions, then those of `next`.
    fn followed_by(&self, next: &Self) -> Result<Self> {
        Ok(Self {
            keys: Tensor::cat(&[&self.keys, &next.keys], 2)?,
            values: Tensor::cat(&[&self.values, &next.values], 2)?,
        })
    }
}

/// Attention of a sequence to itself.
#[derive(Debug, Clone)]
pub struct SelfAttention {
    heads: Heads,
    projections: Projections,
    output: Linear,
}

#[derive(Debug, Clone)]
enum Projections {
    Separate {
        query: Linear,
        key: Linear,
        value: Linear,
    },
    /// Queries, keys and values side by side.
    Fused(Linear),
}

impl SelfAttention {
    /// Four layers in `scope`, named in `names`: query, key, value, output.
    pub fn load(scope: &Scope<'_>, heads: Heads, names: [&str; 4]) -> Result<Self> {
        let [query, key, value, output] =
            names.map(|name| Linear::load(&scope.scope(name), heads.width, heads.width));
        let projections = Projections::Separate { query: query?, key: key?, value: value? };
        Ok(Self { heads, projections, output: output? })
    }

    /// Two layers in `scope`: one for queries, keys and values together, and the output.
    pub fn load_fused(scope: &Scope<'_>, heads: Heads, [fused, output]: [&str; 2]) -> Result<Self> {
        let fused = Linear::load(&scope.scope(fused), heads.width, 3 * heads.width)?;
        let output = Linear::load(&scope.scope(output), heads.width, heads.width)?;
        Ok(Self { heads, projections: Projections::Fused(fused), output })
    }

    /// `(batch, sequence, width)` to the same shape. If `causal`, no position sees a later one.
    pub fn forward(&self, x: &Tensor, causal: bool) -> Result<Tensor> {
        let (queries, memory) = self.project(x)?;
        self.output.forward(&self.heads.attend(&queries, &memory, causal.then_some(0))?)
    }

    /// Causal attention of `x`, which follows what is in `cache`; the cache then holds `x` too.
    pub fn forward_cached(&self, x: &Tensor, cache: &mut Option<KeyValues>) -> Result<Tensor> {
        let (queries, new) = self.project(x)?;
        let past = cache.as_ref().map_or(0, KeyValues::len);
        let memory = match cache.as_ref() {
            Some(old) => old.followed_by(&new)?,
            None => new,
        };
        let context = self.heads.attend(&queries, &memory, Some(past))?;
        *cache = Some(memory);
        self.output.forward(&context)
    }

    /// Queries `(batch, sequence, width)`, and keys and values.
    fn project(&self, x: &Tensor) -> Result<(Tensor, KeyValues)> {
        let heads = self.heads;
        match &self.projections {
            Projections::Separate { query, key, value } => {
                let keys = heads.split(&key.forward(x)?)?;
                let values = heads.split(&value.forward(x)?)?;
                Ok((query.forward(x)?, KeyValues { keys, values }))
            }
            Projections::Fused(fused) => {
                let all = fused.forward(x)?;
                let (keys, values) = (heads.split_part(&all, 1)?, heads.split_part(&all, 2)?);
                Ok((all.narrow(2, 0, heads.width)?, KeyValues { keys, values }))
            }
        }
    }
}

/// Attention of a sequence to another one, whose keys and values are computed once.
#[derive(Debug, Clone)]
pub struct CrossAttention {
    heads: Heads,
    query: Linear,
    key: Linear,
    value: Linear,
    output: Linear,
}

impl CrossAttention {
    /// Four layers in `scope`, named in `names`: query, key, value, output. What is attended to has width
    /// `other`.
    pub fn load(scope: &Scope<'_>, heads: Heads, other: usize, names: [&str; 4]) -> Result<Self> {
        let layer = |i: usize, inputs| Linear::load(&scope.scope(names[i]), inputs, heads.width);
        let (own, other) = (heads.width, other);
        Ok(Self {
            heads,
            query: layer(0, own)?,
            key: layer(1, other)?,
            value: layer(2, other)?,
            output: layer(3, own)?,
        })
    }

    /// The keys and values of `other`: `(batch, sequence, other width)`.
    pub fn remember(&self, other: &Tensor) -> Result<KeyValues> {
        // Read again at every step, so laid out for it.
        Ok(KeyValues {
            keys: self.heads.split(&self.key.forward(other)?)?.contiguous()?,
            values: self.heads.split(&self.value.forward(other)?)?.contiguous()?,
        })
    }

    /// `(batch, sequence, width)` to the same shape.
    pub fn forward(&self, x: &Tensor, memory: &KeyValues) -> Result<Tensor> {
        let queries = self.query.forward(x)?;
        self.output.forward(&self.heads.attend(&queries, memory, None)?)
    }
}

/// Softmax over the last dimension, in place. With `past` given, row `i` of each matrix has its values
/// after column `past + i` masked: they become zero and do not count.
struct Softmax {
    past: Option<usize>,
}

impl InplaceOp1 for Softmax {
    fn name(&self) -> &'static str {
        "softmax"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> candle_core::Result<()> {
        let (columns, rows) = (rows::width(layout), layout.dims().iter().rev().nth(1).copied().unwrap_or(1));
        if columns == 0 || rows == 0 {
            return Ok(());
        }
        for (i, row) in rows::slice_mut(storage, layout)?.chunks_exact_mut(columns).enumerate() {
            let seen = self.past.map_or(columns, |past| (past + i % rows + 1).min(columns));
            let (seen, masked) = row.split_at_mut(seen);
            softmax(seen);
            masked.fill(0.0);
        }
        Ok(())
    }
}

fn softmax(values: &mut [f32]) {
    let max = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for value in values.iter_mut() {
        *value = (*value - max).exp();
        sum += *value;
    }
    let scale = 1.0 / sum;
    for value in values {
        *value *= scale;
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    #[test]
    fn masks_what_comes_later_in_every_matrix() -> Result<()> {
        let x = Tensor::new(&[[[1f32, 9., 9.], [1., 1., 9.]], [[0., 7., 8.], [2., 2., 7.]]], &Device::Cpu)?;
        x.inplace_op1(&Softmax { past: Some(0) })?;
        let half = [0.5f32, 0.5, 0.0];
        assert_eq!(x.to_vec3::<f32>()?, [[[1., 0., 0.], half], [[1., 0., 0.], half]]);

        let x = Tensor::new(&[[3f32, 3., 9.], [2., 2., 2.]], &Device::Cpu)?;
        x.inplace_op1(&Softmax { past: Some(1) })?;
        assert_eq!(x.to_vec2::<f32>()?[0], half);
        Ok(())
    }

    #[test]
    fn large_scores_do_not_overflow() {
        let mut values = [1e30, 1e30, -1e30];
        softmax(&mut values);
        assert_eq!(values, [0.5, 0.5, 0.0]);
    }
}
