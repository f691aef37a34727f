//! Convolutions over images `(batch, height, width, channels)`, the batch norm after them folded in.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Shape, Tensor, bail};

use super::{Activation, rows};
use crate::Result;
use crate::kernels::{self, After, Depthwise, Extent, Layer, Matrix, Padding, Window};
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

/// Statistics of a batch norm as what they come to: `x scale + shift`.
struct FoldedNorm {
    scale: Vec<f32>,
    shift: Vec<f32>,
}

impl FoldedNorm {
    /// The norm of `weight`, `bias`, `running_mean` and `running_var` in `scope`.
    fn load(scope: &Scope<'_>, channels: usize, epsilon: f64) -> Result<Self> {
        let [weight, bias, mean, variance] =
            ["weight", "bias", "running_mean", "running_var"].map(|name| scope.take_vector(name, channels));
        let (weight, bias, mean, variance) = (weight?, bias?, mean?, variance?);
        let factor = |(&w, &v): (&f32, &f32)| (f64::from(w) / (f64::from(v) + epsilon).sqrt()) as f32;
        let scale: Vec<f32> = weight.iter().zip(&*variance).map(factor).collect();
        let shift =
            bias.iter().zip(&*mean).zip(&scale).map(|((bias, mean), scale)| bias - mean * scale).collect();
        Ok(Self { scale, shift })
    }

    /// The bias of a layer whose own is `bias`, after the norm.
    fn bias(&self, bias: Option<&[f32]>) -> Vec<f32> {
        let own = |i: usize| bias.map_or(0.0, |bias| bias[i]);
        self.scale
            .iter()
            .zip(&self.shift)
            .enumerate()
            .map(|(i, (scale, shift))| own(i) * scale + shift)
            .collect()
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
        self.run(x, After::Nothing)
    }

    /// [`Conv2d::forward`], then `activation`.
    pub fn forward_activated(&self, x: &Tensor, activation: Activation) -> Result<Tensor> {
        self.run(x, After::Activation(activation))
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

    fn run(&self, x: &Tensor, after: After<'static>) -> Result<Tensor> {
        Ok(x.contiguous()?.apply_op1_no_bwd(&Convolve { conv: self, after })?)
    }

    /// The answer to `x`, and its size.
    fn compute(
        &self,
        x: &CpuStorage,
        layout: &Layout,
        after: After<'_>,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let (extent, sizes) = (extent(layout)?, self.sizes);
        let output = Extent { channels: sizes.outputs, ..output(extent, sizes.window(), sizes.inputs)? };
        if let After::Residual(residual) | After::ResidualActivation(residual, _) = after
            && residual.len() != output.elements()
        {
            bail!("convolution: a residual of {} elements for {:?}", residual.len(), output.dims());
        }
        let layer = Layer { weight: &self.weight, bias: self.bias.as_deref(), after };
        let y = kernels::convolve(rows::slice(x, layout)?, extent, sizes.window(), &layer);
        Ok((CpuStorage::F32(y), Shape::from(&output.dims()[..])))
    }
}

struct Convolve<'a> {
    conv: &'a Conv2d,
    after: After<'a>,
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
            Some(activation) => After::ResidualActivation(residual, activation),
            None => After::Residual(residual),
        };
        self.conv.compute(x, layout, after)
    }
}

/// A convolution of each channel with a window of its own.
#[derive(Debug, Clone)]
pub struct DepthwiseConv2d {
    channels: usize,
    window: Window,
    /// `(kernel * kernel, channels)`.
    weight: Vec<f32>,
    /// `(channels,)`.
    bias: Vec<f32>,
}

impl DepthwiseConv2d {
    /// The convolution `weight`, `(channels, 1, kernel, kernel)`, in `scope`, without a bias; the batch norm in another
    /// scope, with its epsilon, comes after it.
    pub fn load(
        scope: &Scope<'_>,
        norm: Option<(&Scope<'_>, f64)>,
        channels: usize,
        window: Window,
    ) -> Result<Self> {
        let kernel = window.kernel;
        let weight = scope.take("weight", (channels, 1, kernel, kernel))?.flatten_all()?.to_vec1::<f32>()?;
        let (scale, bias) = match norm {
            Some((scope, epsilon)) => {
                let norm = FoldedNorm::load(scope, channels, epsilon)?;
                (norm.scale, norm.shift)
            }
            None => (vec![1.0; channels], vec![0.0; channels]),
        };
        let taps = kernel * kernel;
        let scaled = |i: usize| weight[i % channels * taps + i / channels] * scale[i % channels];
        Ok(Self { channels, window, weight: (0..weight.len()).map(scaled).collect(), bias })
    }

    /// `(batch, height, width, channels)` to `(batch, height', width', channels)`.
    ///
    /// # Errors
    /// Where `x` has another number of channels, or the window is larger than the padded image.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        Ok(x.contiguous()?.apply_op1_no_bwd(&Filter(self, None))?)
    }

    /// [`DepthwiseConv2d::forward`], then `activation`.
    pub fn forward_activated(&self, x: &Tensor, activation: Activation) -> Result<Tensor> {
        Ok(x.contiguous()?.apply_op1_no_bwd(&Filter(self, Some(activation)))?)
    }

    fn layer(&self, activation: Option<Activation>) -> Depthwise<'_> {
        Depthwise { window: self.window, weights: &self.weight, bias: &self.bias, activation }
    }
}

struct Filter<'a>(&'a DepthwiseConv2d, Option<Activation>);

impl CustomOp1 for Filter<'_> {
    fn name(&self) -> &'static str {
        "depthwise-convolution"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        let Self(conv, activation) = *self;
        let extent = extent(layout)?;
        let output = output(extent, conv.window, conv.channels)?;
        let y = kernels::depthwise(rows::slice(x, layout)?, extent, conv.layer(activation));
        Ok((CpuStorage::F32(y), Shape::from(&output.dims()[..])))
    }
}

/// The inverted residual block of MobileNet v2: a pointwise convolution to more channels, a depthwise one, both
/// activated, and a pointwise one back; plus the input where the shapes are the same.
#[derive(Debug, Clone)]
pub struct InvertedResidual {
    expand: Option<Conv2d>,
    depthwise: DepthwiseConv2d,
    project: Conv2d,
    activation: Activation,
    residual: bool,
}

impl InvertedResidual {
    /// The block of its parts; without `expand` the depthwise convolution has the input. The input is added if
    /// `residual`.
    pub fn new(
        expand: Option<Conv2d>,
        depthwise: DepthwiseConv2d,
        project: Conv2d,
        activation: Activation,
        residual: bool,
    ) -> Self {
        Self { expand, depthwise, project, activation, residual }
    }

    /// `(batch, height, width, in)` to `(batch, height', width', out)`.
    ///
    /// # Errors
    /// Where `x` has another number of channels, or the window is larger than the padded image.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let expanded = match &self.expand {
            Some(expand) => &expand.forward_activated(x, self.activation)?,
            None => x,
        };
        let filtered = self.depthwise.forward_activated(expanded, self.activation)?;
        if self.residual {
            self.project.forward_residual(&filtered, x, None)
        } else {
            self.project.forward(&filtered)
        }
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
fn output(extent: Extent, window: Window, channels: usize) -> candle_core::Result<Extent> {
    let output = window.output(extent);
    if extent.channels != channels || output.height * output.width == 0 {
        bail!("convolution: {:?} for {channels} channels and {window:?}", extent.dims());
    }
    Ok(output)
}
