//! Embedding tables.

use std::sync::Arc;

use candle_core::{Device, Tensor};

use super::rows;
use crate::Result;
use crate::kernels::Matrix;
use crate::weights::Scope;

/// A table of vectors, looked up by id.
#[derive(Debug, Clone)]
pub struct Embedding {
    /// `(rows, width)`.
    table: Arc<Matrix>,
}

impl Embedding {
    /// The table `weight` in `scope`.
    pub fn load(scope: &Scope<'_>, rows: usize, width: usize) -> Result<Self> {
        Ok(Self::new(scope.take_matrix("weight", (rows, width))?))
    }

    /// A table of shape `(rows, width)`.
    pub fn new(table: Arc<Matrix>) -> Self {
        Self { table }
    }

    /// The vectors of `ids`: `(ids, width)`. The caller has checked that each id is below `rows`.
    pub fn forward(&self, ids: &[u32]) -> Result<Tensor> {
        let width = self.table.columns();
        let mut rows = vec![0.0; ids.len() * width];
        for (row, &id) in rows.chunks_exact_mut(width.max(1)).zip(ids) {
            self.table.copy_row(id as usize, row);
        }
        Ok(Tensor::from_vec(rows, (ids.len(), width), &Device::Cpu)?)
    }
}

/// Positions: a table that is never quantised.
#[derive(Debug, Clone)]
pub struct Positions {
    /// `(positions, width)`.
    table: Tensor,
}

impl Positions {
    /// The table `weight` in `scope`.
    pub fn load(scope: &Scope<'_>, positions: usize, width: usize) -> Result<Self> {
        Ok(Self::new(scope.take("weight", (positions, width))?))
    }

    /// A table of shape `(positions, width)`.
    pub fn new(table: Tensor) -> Self {
        Self { table }
    }

    /// The vectors of any positions: `(positions, width)`.
    pub fn at(&self, positions: &[u32]) -> Result<Tensor> {
        Ok(rows::select(&self.table, positions)?)
    }

    /// The vectors `begin..begin + count`: `(count, width)`.
    pub fn range(&self, begin: usize, count: usize) -> Result<Tensor> {
        Ok(self.table.narrow(0, begin, count)?)
    }
}
