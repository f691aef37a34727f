//! Images into rows of patches.

use candle_core::Tensor;

use super::Linear;
use crate::Result;
use crate::weights::Scope;

/// A convolution whose stride is its kernel: each patch of the image, flattened, through one linear
/// layer. As a matrix product over all patches it is many times faster than as a convolution.
#[derive(Debug, Clone)]
pub struct PatchEmbed {
    /// `(width, 3, patch, patch)`
    weight: Tensor,
    /// `(width,)`
    bias: Option<Tensor>,
}

impl PatchEmbed {
    /// The convolution `weight` of shape `(width, 3, patch, patch)` in `scope`, with a `bias` of shape
    /// `(width,)` if `with_bias`.
    pub fn load(scope: &Scope<'_>, width: usize, patch: usize, with_bias: bool) -> Result<Self> {
        let weight = scope.take("weight", (width, 3, patch, patch))?;
        let bias = if with_bias { Some(scope.take("bias", width)?) } else { None };
        Ok(Self { weight, bias })
    }

    /// `(batch, 3, height, width)`, both multiples of the patch, to `(batch, patches, width)`; the
    /// patches go row by row.
    pub fn forward(&self, pixels: &Tensor) -> Result<Tensor> {
        let (batch, channels, height, width) = pixels.dims4()?;
        let (_, _, p, _) = self.weight.dims4()?;
        let (down, across) = (height / p, width / p);
        let patches = pixels
            .reshape((batch, channels, down, p, across, p))?
            .permute((0, 2, 4, 1, 3, 5))?
            .reshape((batch, down * across, channels * p * p))?;
        Linear::new(self.weight.flatten_from(1)?, self.bias.clone()).forward(&patches)
    }
}
