//! A tensor as rows of f32, which the layers share.
//!
//! Candle has these operations too, but each for every dtype and every pair of layouts: together 40 kB of each
//! variant's download.

use candle_core::{CpuStorage, Device, Layout, Result, Storage, Tensor, bail};

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

/// `x` plus `y`, which is shorter by leading dimensions, or has ones in their place, and is added again and again; of the
/// shape of `x`.
pub fn add(x: &Tensor, y: &Tensor) -> Result<Tensor> {
    let ones = y.dims().iter().take_while(|&&dimension| dimension == 1).count();
    if !x.dims().ends_with(&y.dims()[ones..]) {
        bail!("{:?} cannot be added to {:?}", y.shape(), x.shape());
    }
    let whole = y.elem_count().max(1);
    let mut sum = x.flatten_all()?.to_vec1::<f32>()?;
    with(&y.contiguous()?, |y| {
        sum.chunks_exact_mut(whole).for_each(|part| accumulate(part, y));
    })?;
    Tensor::from_vec(sum, x.shape(), &Device::Cpu)
}

/// `x` plus `y`, of the same shape `(rows, width)`, each column of `y` times its own of the `width` scales.
pub(super) fn add_scaled(x: &Tensor, y: &Tensor, scales: &[f32]) -> Result<Tensor> {
    if x.dims() != y.dims() || x.dims().last() != Some(&scales.len()) {
        bail!("{:?} cannot be scaled and added to {:?}", y.shape(), x.shape());
    }
    let mut sum = x.flatten_all()?.to_vec1::<f32>()?;
    with(&y.contiguous()?, |y| {
        for ((sum, y), scale) in sum.iter_mut().zip(y).zip(scales.iter().cycle()) {
            *sum += y * scale;
        }
    })?;
    Tensor::from_vec(sum, x.shape(), &Device::Cpu)
}

/// Adds `more`, of the same length, to `sum`.
pub fn accumulate(sum: &mut [f32], more: &[f32]) {
    for (sum, more) in sum.iter_mut().zip(more) {
        *sum += more;
    }
}

/// The rows `at` of `x` `(rows, width)`, in this order: `(at, width)`.
pub fn select(x: &Tensor, at: &[u32]) -> Result<Tensor> {
    let (count, width) = x.dims2()?;
    if let Some(row) = at.iter().find(|&&row| row as usize >= count) {
        bail!("there is no row {row} of {count}");
    }
    let rows = with(&x.contiguous()?, |x| {
        at.iter().flat_map(|&row| &x[row as usize * width..][..width]).copied().collect::<Vec<f32>>()
    })?;
    Tensor::from_vec(rows, (at.len(), width), &Device::Cpu)
}

/// The mean of the rows of each of some sequences with `lengths` rows, its first `skipped` rows left out: `(rows, width)` to
/// `(sequences, width)`.
pub fn segment_means(x: &Tensor, lengths: &[usize], skipped: usize) -> Result<Tensor> {
    let width = x.dim(1)?;
    let mut means = vec![0.0; lengths.len() * width];
    with(&x.contiguous()?, |x| {
        let mut rows = x.chunks_exact(width.max(1));
        for (mean, &len) in means.chunks_exact_mut(width.max(1)).zip(lengths) {
            rows.by_ref().take(len).skip(skipped).for_each(|row| accumulate(mean, row));
            mean.iter_mut().for_each(|sum| *sum /= len.saturating_sub(skipped).max(1) as f32);
        }
    })?;
    Tensor::from_vec(means, (lengths.len(), width), &Device::Cpu)
}

/// The first row of each of some sequences with `lengths` rows.
pub fn segment_starts(lengths: &[usize]) -> Vec<u32> {
    lengths.iter().scan(0, |end, &len| Some(std::mem::replace(end, *end + len as u32))).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn tensor<const N: usize>(values: [f32; N], shape: &[usize]) -> Tensor {
        Tensor::from_slice(&values, shape, &Device::Cpu).unwrap()
    }

    #[test]
    fn what_is_added_is_repeated_over_leading_dimensions() {
        let x = tensor([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0], &[2, 2, 2]);
        let y = tensor([10.0, 20.0, 30.0, 40.0], &[2, 2]);
        let sum = add(&x, &y).unwrap();
        assert_eq!(sum.dims(), x.dims());
        assert_eq!(
            sum.flatten_all().unwrap().to_vec1::<f32>().unwrap(),
            [11.0, 22.0, 33.0, 44.0, 15.0, 26.0, 37.0, 48.0]
        );
        for same in [tensor([1.0, 2.0], &[2]), tensor([1.0, 2.0], &[1, 1, 2])] {
            let sum = add(&y, &same).unwrap().to_vec2::<f32>().unwrap();
            assert_eq!(sum, [[11.0, 22.0], [31.0, 42.0]]);
        }
        let one = add(&y, &tensor([1.0], &[1])).unwrap().to_vec2::<f32>().unwrap();
        assert_eq!(one, [[11.0, 21.0], [31.0, 41.0]]);
        assert_eq!(add(&tensor([], &[2, 0]), &tensor([], &[0])).unwrap().dims(), [2, 0]);
    }

    #[test]
    fn shapes_that_do_not_fit_are_refused() {
        let zeros = |shape: &[usize]| Tensor::zeros(shape, candle_core::DType::F32, &Device::Cpu).unwrap();
        // The last four have as many numbers as would fit.
        let pairs: [(&[usize], &[usize]); 8] = [
            (&[2, 2], &[3]),
            (&[2, 2], &[0]),
            (&[2, 2], &[2, 0]),
            (&[2], &[2, 2]),
            (&[2, 6], &[4, 3]),
            (&[2, 6], &[3]),
            (&[2, 6], &[6, 2]),
            (&[2, 6], &[2, 1]),
        ];
        for (x, y) in pairs {
            assert!(add(&zeros(x), &zeros(y)).is_err(), "{y:?} is added to {x:?}");
        }
    }

    #[test]
    fn rows_are_selected_in_any_order_and_from_any_columns() {
        let x = tensor([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[2, 3]);
        let columns = x.narrow(1, 1, 2).unwrap();
        let rows = select(&columns, &[1, 0, 1]).unwrap().to_vec2::<f32>().unwrap();
        assert_eq!(rows, [[5.0, 6.0], [2.0, 3.0], [5.0, 6.0]]);
        assert_eq!(select(&x, &[]).unwrap().dims(), [0, 3]);
        select(&x, &[2]).unwrap_err();
    }

    #[test]
    fn sequences_begin_where_the_others_end() {
        assert_eq!(segment_starts(&[3, 1, 2]), [0, 3, 4]);
        assert_eq!(segment_starts(&[]), [0u32; 0]);
    }
}
