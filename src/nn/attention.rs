//! Multi-head attention.

use candle_core::{CpuStorage, CustomOp1, CustomOp2, Device, Layout, Shape, Tensor};

use super::{Linear, rows};
use crate::Result;
use crate::kernels::{self, Columns, Dtype, Heads, KeyValues};
use crate::weights::Scope;

/// Which rows the rows of a tensor see.
#[derive(Debug, Clone, Copy)]
pub enum AttentionMask<'a> {
    /// Each its whole sequence: the rows of one sequence come after those of the other, as many as are named here.
    Sequences(&'a [usize]),
    /// Each the rows that are named for it, its own among them.
    Rows(&'a [&'a [u32]]),
}

/// Attention of sequences to themselves.
#[derive(Debug, Clone)]
pub struct SelfAttention {
    pub(super) heads: Heads,
    pub(super) projections: Projections,
    pub(super) output: Linear,
}

#[derive(Debug, Clone)]
pub(super) enum Projections {
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
        Self::load_biased(scope, heads, names, true)
    }

    /// [`SelfAttention::load`], where the first three layers have a bias only if `biased`.
    pub fn load_biased(scope: &Scope<'_>, heads: Heads, names: [&str; 4], biased: bool) -> Result<Self> {
        let [query, key, value, output] = names.map(|name| scope.scope(name));
        let load = if biased { Linear::load } else { Linear::load_without_bias };
        let layer = |scope| load(scope, heads.width, heads.width);
        let projections =
            Projections::Separate { query: layer(&query)?, key: layer(&key)?, value: layer(&value)? };
        Ok(Self { heads, projections, output: Linear::load(&output, heads.width, heads.width)? })
    }

    /// The layers in `scope`: `qkv`, where there is such a one, or else `q_proj`, `k_proj` and `v_proj`; and `out_proj`.
    /// Queries, keys and values have a bias only if `biased`.
    pub fn load_either(scope: &Scope<'_>, heads: Heads, biased: bool) -> Result<Self> {
        let fused = scope.scope("qkv");
        if !fused.contains("weight") {
            return Self::load_biased(scope, heads, ["q_proj", "k_proj", "v_proj", "out_proj"], biased);
        }
        let load = if biased { Linear::load } else { Linear::load_without_bias };
        let output = Linear::load(&scope.scope("out_proj"), heads.width, heads.width)?;
        Ok(Self::fused(heads, load(&fused, heads.width, 3 * heads.width)?, output))
    }

    /// A layer for queries, keys and values together, `(3 width, width)`, and the output.
    pub fn fused(heads: Heads, all: Linear, output: Linear) -> Self {
        Self { heads, projections: Projections::Fused(all), output }
    }

    /// The same with an output layer that is [precise](Linear::precise).
    pub fn precise(self) -> Self {
        Self { output: self.output.precise(), ..self }
    }

    /// `residual` plus the attention of `x`; both `(rows, width)`.
    pub fn forward(&self, x: &Tensor, residual: &Tensor, sight: AttentionMask<'_>) -> Result<Tensor> {
        let int8 = self.output.weight.dtype() == Dtype::Int8;
        let context = self.project(x)?.apply_op1_no_bwd(&Attend { heads: self.heads, sight, int8 })?;
        self.output.forward_residual(&context, residual)
    }

    /// [`SelfAttention::forward`] for the rows `at` alone, whose residuals and sight are given: one row of each
    /// sequence, or any rows where `sight` names rows.
    pub fn forward_at(
        &self,
        x: &Tensor,
        residual: &Tensor,
        sight: AttentionMask<'_>,
        at: &[u32],
    ) -> Result<Tensor> {
        let width = self.heads.width;
        let (queries, kv) = match &self.projections {
            Projections::Separate { query, key, value } => {
                (query.forward(&rows::select(x, at)?)?, Linear::forward_all(&[key, value], x)?)
            }
            Projections::Fused(fused) => {
                let all = fused.forward(x)?;
                let queries = rows::select(&all.narrow(1, 0, width)?, at)?;
                (queries, all.narrow(1, width, 2 * width)?.contiguous()?)
            }
        };
        let pooled = Pooled { heads: self.heads, sight };
        let context = queries.contiguous()?.apply_op2_no_bwd(&kv, &pooled)?;
        self.output.forward_residual(&context, residual)
    }

    /// `residual` plus the attention of `x`, both `(rows, width)`, to what is in `cache`, which then has the
    /// rows of `x` too. Row `i` sees the cached rows `visible[i]`, its own among them; rows are numbered in the
    /// order in which they came.
    pub fn forward_cached(
        &self,
        x: &Tensor,
        residual: &Tensor,
        cache: &mut RowCache,
        visible: &[&[u32]],
    ) -> Result<Tensor> {
        let qkv = self.project(x)?;
        self.attend_cached(&qkv, &qkv, residual, cache, visible)
    }

    /// [`SelfAttention::forward_cached`] for the rows `at` alone, whose residuals and sight are given; `cache` then has all
    /// rows of `x`.
    pub fn forward_cached_at(
        &self,
        x: &Tensor,
        residual: &Tensor,
        cache: &mut RowCache,
        visible: &[&[u32]],
        at: &[u32],
    ) -> Result<Tensor> {
        let qkv = self.project(x)?;
        self.attend_cached(&qkv, &rows::select(&qkv, at)?, residual, cache, visible)
    }

    /// Takes the keys and values of `qkv` into `cache`; `residual` plus the attention of the queries of `asked` to that.
    fn attend_cached(
        &self,
        qkv: &Tensor,
        asked: &Tensor,
        residual: &Tensor,
        cache: &mut RowCache,
        visible: &[&[u32]],
    ) -> Result<Tensor> {
        let width = self.heads.width;
        rows::with(qkv, |qkv| cache.extend(qkv, width))?;
        let context = rows::with(asked, |asked| {
            let queries = Columns { values: asked, stride: 3 * width, first: 0 };
            let [keys, values] =
                [&cache.keys, &cache.values].map(|values| Columns { values, stride: width, first: 0 });
            kernels::attend_rows(self.heads, queries, visible, keys, values)
        })?;
        let context = Tensor::from_vec(context, (visible.len(), width), &Device::Cpu)?;
        self.output.forward_residual(&context, residual)
    }

    /// Queries, keys and values side by side: `(rows, 3 width)`.
    pub(super) fn project(&self, x: &Tensor) -> Result<Tensor> {
        match &self.projections {
            Projections::Separate { query, key, value } => Linear::forward_all(&[query, key, value], x),
            Projections::Fused(fused) => fused.forward(x),
        }
    }
}

/// Keys and values of one layer, row by row. Rows are only ever added: which of them belong to a sequence is
/// kept by whoever numbers them, so that sequences can share a beginning without a copy of it.
#[derive(Debug, Clone, Default)]
pub struct RowCache {
    keys: Vec<f32>,
    values: Vec<f32>,
}

impl RowCache {
    /// Forgets all but the first `rows` rows, of `width` numbers each.
    pub fn truncate(&mut self, rows: usize, width: usize) {
        self.keys.truncate(rows * width);
        self.values.truncate(rows * width);
    }

    /// Appends the keys and values of rows of queries, keys and values.
    fn extend(&mut self, qkv: &[f32], width: usize) {
        for row in qkv.chunks_exact(3 * width) {
            self.keys.extend_from_slice(&row[width..2 * width]);
            self.values.extend_from_slice(&row[2 * width..]);
        }
    }
}

struct Attend<'a> {
    heads: Heads,
    sight: AttentionMask<'a>,
    /// Whether the weights are int8: then the products here need not be more exact.
    int8: bool,
}

impl CustomOp1 for Attend<'_> {
    fn name(&self) -> &'static str {
        "self-attention"
    }

    fn cpu_fwd(&self, qkv: &CpuStorage, layout: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        let rows = match self.sight {
            AttentionMask::Sequences(lengths) => lengths.iter().sum(),
            AttentionMask::Rows(visible) => visible.len(),
        };
        let width = self.heads.width;
        if layout.dims() != [rows, 3 * width] {
            candle_core::bail!("self-attention: {:?} for {rows} rows of {width}", layout.dims());
        }
        let values = rows::slice(qkv, layout)?;
        let y = match self.sight {
            AttentionMask::Sequences(lengths) if self.int8 => {
                kernels::self_attention_int8(self.heads, values, lengths)
            }
            AttentionMask::Sequences(lengths) => kernels::self_attention(self.heads, values, lengths),
            AttentionMask::Rows(visible) => {
                let part = |first| Columns { values, stride: 3 * width, first };
                kernels::attend_rows(self.heads, part(0), visible, part(width), part(2 * width))
            }
        };
        Ok((CpuStorage::F32(y), Shape::from((rows, width))))
    }
}

/// Attention of some rows to others: the first row of each sequence, or as the sight says.
pub(super) struct Pooled<'a> {
    pub(super) heads: Heads,
    pub(super) sight: AttentionMask<'a>,
}

impl CustomOp2 for Pooled<'_> {
    fn name(&self) -> &'static str {
        "pooled-attention"
    }

    fn cpu_fwd(
        &self,
        queries: &CpuStorage,
        queries_layout: &Layout,
        kv: &CpuStorage,
        kv_layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let (queries_here, rows) = match self.sight {
            AttentionMask::Sequences(lengths) => (lengths.len(), lengths.iter().sum()),
            AttentionMask::Rows(visible) => (visible.len(), kv_layout.dims()[0]),
        };
        let width = self.heads.width;
        if queries_layout.dims() != [queries_here, width] || kv_layout.dims() != [rows, 2 * width] {
            candle_core::bail!("pooled-attention: {:?}, {:?}", queries_layout.dims(), kv_layout.dims());
        }
        let (queries, values) = (rows::slice(queries, queries_layout)?, rows::slice(kv, kv_layout)?);
        let y = match self.sight {
            AttentionMask::Sequences(lengths) => {
                kernels::pooled_attention(self.heads, queries, values, lengths)
            }
            AttentionMask::Rows(visible) => {
                let part = |first| Columns { values, stride: 2 * width, first };
                let queries = Columns { values: queries, stride: width, first: 0 };
                kernels::attend_rows(self.heads, queries, visible, part(0), part(width))
            }
        };
        Ok((CpuStorage::F32(y), queries_layout.shape().clone()))
    }
}

/// Attention of a sequence to another one, whose keys and values are computed once.
#[derive(Debug, Clone)]
pub struct CrossAttention {
    pub(super) heads: Heads,
    pub(super) query: Linear,
    pub(super) key: Linear,
    pub(super) value: Linear,
    pub(super) output: Linear,
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

    /// Width of keys, and of values.
    pub fn width(&self) -> usize {
        self.heads.width
    }

    /// The keys and values of `other`: `(rows, other width)`.
    pub fn project_kv(&self, other: &Tensor) -> Result<KeyValues> {
        Ok(rows::with(&self.project(other)?, |both| self.pack(both))?)
    }

    /// The same side by side, `(rows, 2 width)`: what [`CrossAttention::pack`] takes.
    pub fn project(&self, other: &Tensor) -> Result<Tensor> {
        Linear::forward_all(&[&self.key, &self.value], other)
    }

    /// Keys and values that were projected: `2 width` numbers of each row.
    pub fn pack(&self, both: &[f32]) -> KeyValues {
        let stride = 2 * self.heads.width;
        let part = |first| Columns { values: both, stride, first };
        KeyValues::pack(self.heads, both.len() / stride, part(0), part(self.heads.width))
    }

    /// `residual` plus the attention of `x` to `memory`; both `(rows, width)`.
    pub fn forward(&self, x: &Tensor, residual: &Tensor, memory: &KeyValues) -> Result<Tensor> {
        let context = self.query.forward(x)?.apply_op1_no_bwd(&AttendTo(memory))?;
        self.output.forward_residual(&context, residual)
    }
}

struct AttendTo<'a>(&'a KeyValues);

impl CustomOp1 for AttendTo<'_> {
    fn name(&self) -> &'static str {
        "cross-attention"
    }

    fn cpu_fwd(&self, queries: &CpuStorage, layout: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        let (rows, width) = layout.shape().dims2()?;
        let values = rows::slice(queries, layout)?;
        let y = self.0.attend(Columns { values, stride: width, first: 0 }, rows);
        Ok((CpuStorage::F32(y), layout.shape().clone()))
    }
}
