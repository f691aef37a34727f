//! What the custom operations share: a tensor as rows of f32.

use candle_core::{CpuStorage, Layout, Result, bail};

/// The numbers of a contiguous f32 tensor.
pub(super) fn slice<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match (storage, layout.contiguous_offsets()) {
        (CpuStorage::F32(values), Some((begin, end))) => Ok(&values[begin..end]),
        _ => bail!("a contiguous f32 tensor is needed"),
    }
}

/// The numbers of a contiguous f32 tensor, to be changed in place.
pub(super) fn slice_mut<'a>(storage: &'a mut CpuStorage, layout: &Layout) -> Result<&'a mut [f32]> {
    match (storage, layout.contiguous_offsets()) {
        (CpuStorage::F32(values), Some((begin, end))) => Ok(&mut values[begin..end]),
        _ => bail!("a contiguous f32 tensor is needed"),
    }
}

/// Length of the last dimension.
pub(super) fn width(layout: &Layout) -> usize {
    layout.dims().last().copied().unwrap_or(1)
}
