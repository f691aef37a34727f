//! Convolutions over images `(batch, height, width, channels)`, the batch norm after them folded in.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Shape, Tensor, bail};

use super::folded::FoldedNorm;
use super::{Activation, rows};
use crate::Result;
use crate::kernels::{self, Epilogue, Extent, Layer, Matrix, Padding, Window};
use crate::weights::Scope;

/// The sizes of a convolution.
#[derive(Debug, Clone, Copy)]
pub struct ConvSizes {
    /// Channels that come in.
    pub inputs: usize,
    /// Channels that go out.
    pub outputs: usize,
    /// Side of the window.
    pub kernel: usize,
    /// Pixels from one output to the next.
    pub stride: usize,
    /// Zeros around the image.
    pub padding: Padding,
}

impl ConvSizes {
    /// A convolution of single pixels.
    pub fn pointwise(inputs: usize, outputs: usize) -> Self {
        Self { inputs, outputs, kernel: 1, stride: 1, padding: Padding::Symmetric(0) }
    }

    fn window(self) -> Window {
        Window { kernel: self.kernel, stride: self.stride, padding: self.padding }
    }
}

/// A convolution. Of single pixels it is a linear layer on their channels.
#[derive(Debug, Clone)]
pub struct Conv2d {
    sizes: ConvSizes,
    /// `(out, kernel * kernel * in)`.
    weight: Arc<Matrix>,
    /// `(out,)`.
    bias: Option<Arc<[f32]>>,
}

impl Conv2d {
    /// The convolution `weight`, `(out, in, kernel, kernel)`, in `scope`, with its `bias` if there is `bias`; the batch
    /// norm in another scope, with its epsilon, comes after it. Where the kernel is 1, `(out, in)` will do.
    pub fn load(
        scope: &Scope<'_>,
        norm: Option<(&Scope<'_>, f64)>,
        sizes: ConvSizes,
        bias: bool,
    ) -> Result<Self> {
        let ConvSizes { inputs, outputs, kernel, .. } = sizes;
        let mut weight = scope.take_matrix("weight", (outputs, inputs, kernel, kernel))?;
        let mut bias = if bias { Some(scope.take_vector("bias", outputs)?) } else { None };
        if let Some((scope, epsilon)) = norm {
            let norm = FoldedNorm::load(scope, outputs, epsilon)?;
            // The placeholder of what is missing has no rows.
            if weight.rows() == outputs {
                Arc::make_mut(&mut weight).scale_rows(&norm.scale);
            }
            bias = Some(norm.bias(bias.as_deref()).into());
        }
        Ok(Self { sizes, weight, bias })
    }

    /// `(batch, height, width, in)` to `(batch, height', width', out)`.
    ///
    /// # Errors
    /// Where `x` has another number of channels, or the window is larger than the padded image.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.run(x, Epilogue::Nothing)
    }

    /// [`Conv2d::forward`], then `activation`.
    pub fn forward_activated(&self, x: &Tensor, activation: Activation) -> Result<Tensor> {
        self.run(x, Epilogue::Activation(activation))
    }

    /// [`Conv2d::forward`], plus `residual`, which has the shape of the outputs, and then `activation` if there is one.
    pub fn forward_residual(
        &self,
        x: &Tensor,
        residual: &Tensor,
        activation: Option<Activation>,
    ) -> Result<Tensor> {
        let op = ConvolveResidual { conv: self, activation };
        Ok(x.contiguous()?.apply_op2_no_bwd(&residual.contiguous()?, &op)?)
    }

    fn run(&self, x: &Tensor, after: Epilogue<'static>) -> Result<Tensor> {
        Ok(x.contiguous()?.apply_op1_no_bwd(&Convolve { conv: self, after })?)
    }

    /// The layer, with what happens to its sums.
    pub(super) fn layer<'a>(&'a self, after: Epilogue<'a>) -> Layer<'a> {
        Layer { weight: &self.weight, bias: self.bias.as_deref(), after }
    }

    /// Whether it is one of single pixels.
    pub(super) fn is_pointwise(&self) -> bool {
        let ConvSizes { kernel, stride, padding, .. } = self.sizes;
        kernel == 1 && stride == 1 && matches!(padding, Padding::Same | Padding::Symmetric(0))
    }

    /// Channels that come in.
    pub(super) fn inputs(&self) -> usize {
        self.sizes.inputs
    }

    /// Channels that go out.
    pub(super) fn outputs(&self) -> usize {
        self.sizes.outputs
    }

    /// The answer to `x`, and its size.
    fn compute(
        &self,
        x: &CpuStorage,
        layout: &Layout,
        after: Epilogue<'_>,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let (extent, sizes) = (extent(layout)?, self.sizes);
        let output = Extent { channels: sizes.outputs, ..output(extent, sizes.window(), sizes.inputs)? };
        if let Epilogue::Residual(residual) | Epilogue::ResidualActivation(residual, _) = after
            && residual.len() != output.elements()
        {
            bail!("convolution: a residual of {} elements for {:?}", residual.len(), output.dims());
        }
        let y = kernels::convolve(rows::slice(x, layout)?, extent, sizes.window(), &self.layer(after));
        Ok((CpuStorage::F32(y), Shape::from(&output.dims()[..])))
    }
}

struct Convolve<'a> {
    conv: &'a Conv2d,
    after: Epilogue<'a>,
}

impl CustomOp1 for Convolve<'_> {
    fn name(&self) -> &'static str {
        "convolution"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        self.conv.compute(x, layout, self.after)
    }
}

struct ConvolveResidual<'a> {
    conv: &'a Conv2d,
    activation: Option<Activation>,
}

impl CustomOp2 for ConvolveResidual<'_> {
    fn name(&self) -> &'static str {
        "convolution-residual"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        layout: &Layout,
        residual: &CpuStorage,
        residual_layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let residual = rows::slice(residual, residual_layout)?;
        let after = match self.activation {
            Some(activation) => Epilogue::ResidualActivation(residual, activation),
            None => Epilogue::Residual(residual),
        };
        self.conv.compute(x, layout, after)
    }
}

/// Pixels `(batch, channels, height, width)`, as pre-processing makes them, to `(batch, height, width, channels)`.
pub fn channels_last(pixels: &Tensor) -> Result<Tensor> {
    Ok(pixels.contiguous()?.apply_op1_no_bwd(&ChannelsLast)?)
}

struct ChannelsLast;

impl CustomOp1 for ChannelsLast {
    fn name(&self) -> &'static str {
        "channels-last"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        let (batch, channels, height, width) = layout.shape().dims4()?;
        let extent = Extent { batch, height, width, channels };
        let y = kernels::channels_last(rows::slice(x, layout)?, extent);
        Ok((CpuStorage::F32(y), Shape::from(&extent.dims()[..])))
    }
}

/// The size of images `(batch, height, width, channels)`.
pub(super) fn extent(layout: &Layout) -> candle_core::Result<Extent> {
    let (batch, height, width, channels) = layout.shape().dims4()?;
    Ok(Extent { batch, height, width, channels })
}

/// The size of what `window` makes of images of `extent`, which must have `channels`.
pub(super) fn output(extent: Extent, window: Window, channels: usize) -> candle_core::Result<Extent> {
    let output = window.output(extent);
    if extent.channels != channels || output.height * output.width == 0 {
        bail!("convolution: {:?} for {channels} channels and {window:?}", extent.dims());
    }
    Ok(output)
}
