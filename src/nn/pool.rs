//! Pooling of images `(batch, height, width, channels)`.

use candle_core::{CpuStorage, CustomOp1, Layout, Shape, Tensor, bail};

use super::conv::extent;
use super::rows;
use crate::Result;
use crate::kernels;

/// The mean of each `size` by `size` pixels, which do not overlap: `(batch, height, width, channels)` to
/// `(batch, height / size, width / size, channels)`. Pixels that fill no whole square are left out.
///
/// # Errors
/// Where `size` is zero or larger than the image.
pub fn avg_pool2d(x: &Tensor, size: usize) -> Result<Tensor> {
    Ok(x.contiguous()?.apply_op1_no_bwd(&Average(size))?)
}

/// The mean of all pixels: `(batch, height, width, channels)` to `(batch, channels)`.
///
/// # Errors
/// Where there are no pixels.
pub fn global_avg_pool(x: &Tensor) -> Result<Tensor> {
    Ok(x.contiguous()?.apply_op1_no_bwd(&GlobalAverage)?)
}

struct Average(usize);

impl CustomOp1 for Average {
    fn name(&self) -> &'static str {
        "average-pool"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        let (extent, size) = (extent(layout)?, self.0);
        if size == 0 || extent.height < size || extent.width < size {
            bail!("average-pool: {size} by {size} pixels of {:?}", layout.dims());
        }
        let y = kernels::average_pool(rows::slice(x, layout)?, extent, size);
        let shape = (extent.batch, extent.height / size, extent.width / size, extent.channels);
        Ok((CpuStorage::F32(y), Shape::from(shape)))
    }
}

struct GlobalAverage;

impl CustomOp1 for GlobalAverage {
    fn name(&self) -> &'static str {
        "global-average-pool"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        let extent = extent(layout)?;
        if extent.height * extent.width == 0 {
            bail!("global-average-pool: no pixels in {:?}", layout.dims());
        }
        let y = kernels::global_average_pool(rows::slice(x, layout)?, extent);
        Ok((CpuStorage::F32(y), Shape::from((extent.batch, extent.channels))))
    }
}
