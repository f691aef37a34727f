//! Images into rows of patches.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, Layout, Shape, Tensor, bail};

use super::{Linear, rows};
use crate::Result;
use crate::weights::Scope;

/// A convolution whose stride is its kernel: each patch of the image, flattened, through one linear
/// layer. As a matrix product over all patches it is many times faster than as a convolution.
#[derive(Debug, Clone)]
pub struct PatchEmbed {
    patch: usize,
    pub(super) linear: Linear,
}

impl PatchEmbed {
    /// The convolution `weight` of shape `(width, 3, patch, patch)` in `scope`, with a `bias` of shape
    /// `(width,)` if `with_bias`.
    pub fn load(scope: &Scope<'_>, width: usize, patch: usize, with_bias: bool) -> Result<Self> {
        let weight = scope.take_matrix("weight", (width, 3, patch, patch))?;
        let bias: Option<Arc<[f32]>> = if with_bias { Some(scope.take_vector("bias", width)?) } else { None };
        Ok(Self { patch, linear: Linear::new(weight, bias) })
    }

    /// Images cut into patches: `(batch, 3, height, width)`, both multiples of the patch, to
    /// `(batch, patches, 3 * patch * patch)`; the patches go row by row, the numbers of each as the weights have them.
    pub fn cut(&self, pixels: &Tensor) -> Result<Tensor> {
        Ok(pixels.contiguous()?.apply_op1_no_bwd(&Patches(self.patch))?)
    }

    /// What [`PatchEmbed::cut`] gives to `(batch, patches, width)`.
    pub fn forward(&self, patches: &Tensor) -> Result<Tensor> {
        self.linear.forward(patches)
    }
}

/// Rows for the first layer: the `prefix` `(tokens, width)`, where there is one, before each image's patches
/// `(batch, patches, width)`, to which `positions` `(patches, width)` are added. `(batch (tokens + patches), width)`, and how
/// many rows each image has.
pub fn with_prefix(
    patches: &Tensor,
    prefix: Option<&Tensor>,
    positions: &Tensor,
) -> Result<(Tensor, Vec<usize>)> {
    let (batch, count, width) = patches.dims3()?;
    let x = rows::add(patches, positions)?;
    let (x, count) = match prefix {
        None => (x, count),
        Some(prefix) => {
            let tokens = prefix.dim(0)?;
            let prefix = prefix.unsqueeze(0)?.expand((batch, tokens, width))?;
            (Tensor::cat(&[&prefix, &x], 1)?, tokens + count)
        }
    };
    Ok((x.reshape((batch * count, width))?, vec![count; batch]))
}

/// `(batch, channels, height, width)` to `(batch, patches, channels * patch * patch)`.
struct Patches(usize);

impl CustomOp1 for Patches {
    fn name(&self) -> &'static str {
        "patches"
    }

    fn cpu_fwd(&self, pixels: &CpuStorage, layout: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        let (batch, channels, height, width) = layout.shape().dims4()?;
        let patch = self.0;
        if patch == 0 || !height.is_multiple_of(patch) || !width.is_multiple_of(patch) {
            bail!("patches: {width} by {height} pixels are no patches of {patch}");
        }
        let pixels = rows::slice(pixels, layout)?;
        let (down, across) = (height / patch, width / patch);
        let mut y = Vec::with_capacity(pixels.len());
        for image in pixels.chunks_exact((channels * height * width).max(1)) {
            for (top, left) in (0..down).flat_map(|top| (0..across).map(move |left| (top, left))) {
                for row in 0..channels * patch {
                    let (channel, row) = (row / patch, top * patch + row % patch);
                    y.extend_from_slice(&image[(channel * height + row) * width + left * patch..][..patch]);
                }
            }
        }
        Ok((CpuStorage::F32(y), Shape::from((batch, down * across, channels * patch * patch))))
    }
}
