//! Embedding tables.

use candle_core::{Device, Tensor};

use crate::Result;
use crate::weights::Scope;

/// A table of vectors, looked up by id.
#[derive(Debug, Clone)]
pub struct Embedding {
    /// `(rows, width)`.
    table: Tensor,
}

impl Embedding {
    /// The table `weight` in `scope`.
    pub fn load(scope: &Scope<'_>, rows: usize, width: usize) -> Result<Self> {
        Ok(Self { table: scope.take("weight", (rows, width))? })
    }

    /// A table of shape `(rows, width)`.
    pub fn new(table: Tensor) -> Self {
        Self { table }
    }

    /// The vectors of `ids`: `(ids, width)`. The caller has checked that each id is below `rows`.
    pub fn forward(&self, ids: &[u32]) -> Result<Tensor> {
        Ok(self.table.index_select(&Tensor::new(ids, &Device::Cpu)?, 0)?)
    }

    /// The vectors `begin..begin + count`: `(count, width)`.
    pub fn range(&self, begin: usize, count: usize) -> Result<Tensor> {
        Ok(self.table.narrow(0, begin, count)?)
    }
}
