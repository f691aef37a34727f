//! What the layers share: a tensor as rows of f32.

use candle_core::{CpuStorage, Layout, Result, Storage, Tensor, bail};

/// The numbers of a contiguous f32 tensor.
pub(super) fn slice<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match (storage, layout.contiguous_offsets()) {
        (CpuStorage::F32(values), Some((begin, end))) => Ok(&values[begin..end]),
        _ => bail!("a contiguous f32 tensor is needed"),
    }
}

/// Length of the last dimension.
pub(super) fn width(layout: &Layout) -> usize {
    layout.dims().last().copied().unwrap_or(1)
}

/// What `read` makes of the numbers of a contiguous f32 tensor on the CPU.
pub(super) fn with<T>(tensor: &Tensor, read: impl FnOnce(&[f32]) -> T) -> Result<T> {
    let (storage, layout) = tensor.storage_and_layout();
    match &*storage {
        Storage::Cpu(storage) => Ok(read(slice(storage, layout)?)),
        _ => bail!("a tensor on the CPU is needed"),
    }
}
