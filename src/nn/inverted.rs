//! Depthwise convolutions, and the blocks that mobile networks make of them.

use candle_core::{CpuStorage, CustomOp1, Layout, Shape, Tensor, bail};

use super::conv::{extent, output};
use super::folded::FoldedNorm;
use super::{Activation, Conv2d, rows};
use crate::Result;
use crate::kernels::{self, Depthwise, Epilogue, Extent, Inverted, Window};
use crate::weights::Scope;

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
/// activated, and a pointwise one back; plus the input where the shapes are the same. Faster as one than layer by layer:
/// see [`kernels::inverted_residual`].
#[derive(Debug, Clone)]
pub struct InvertedResidual {
    expand: Option<Conv2d>,
    depthwise: DepthwiseConv2d,
    project: Conv2d,
    activation: Activation,
    residual: bool,
}

impl InvertedResidual {
    /// The block of its parts, whose sizes fit each other; without `expand` the depthwise convolution has the input. The
    /// input is added if `residual`.
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
    /// Where `x` has another number of channels, the window is larger than the padded image, or the parts do not fit.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        Ok(x.contiguous()?.apply_op1_no_bwd(&Block(self))?)
    }
}

struct Block<'a>(&'a InvertedResidual);

impl CustomOp1 for Block<'_> {
    fn name(&self) -> &'static str {
        "inverted-residual"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        let InvertedResidual { expand, depthwise, project, activation, residual } = self.0;
        let (extent, x) = (extent(layout)?, rows::slice(x, layout)?);
        let (inputs, channels) =
            (expand.as_ref().map_or(depthwise.channels, Conv2d::inputs), depthwise.channels);
        let fits = expand.as_ref().is_none_or(|expand| expand.is_pointwise() && expand.outputs() == channels);
        if !fits || !project.is_pointwise() || project.inputs() != channels || extent.channels != inputs {
            bail!("inverted-residual: the layers do not fit {:?}, or each other", layout.dims());
        }
        let wide = output(Extent { channels, ..extent }, depthwise.window, channels)?;
        let output = Extent { channels: project.outputs(), ..wide };
        if *residual && output != extent {
            bail!("inverted-residual: {:?} cannot be added to {:?}", extent.dims(), output.dims());
        }
        let after = if *residual { Epilogue::Residual(x) } else { Epilogue::Nothing };
        let block = Inverted {
            expand: expand.as_ref().map(|expand| expand.layer(Epilogue::Activation(*activation))),
            depthwise: depthwise.layer(Some(*activation)),
            project: project.layer(after),
        };
        let y = kernels::inverted_residual(x, extent, &block);
        Ok((CpuStorage::F32(y), Shape::from(&output.dims()[..])))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::HashMap;

    use candle_core::Device;

    use super::*;
    use crate::nn::{ConvSizes, Padding, channels_last};
    use crate::weights::Weights;

    const EPSILON: f64 = 1e-3;
    /// Largest difference of the folded layers from those in double precision.
    const BOUND: f64 = 1e-5;

    fn noise(count: usize, seed: u32) -> Vec<f32> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        };
        (0..count).map(|_| next()).collect()
    }

    fn tensor(shape: &[usize], seed: u32) -> Tensor {
        Tensor::from_vec(noise(shape.iter().product(), seed), shape, &Device::Cpu).unwrap()
    }

    /// A norm of statistics that are no ones and zeros.
    fn norm(tensors: &mut HashMap<String, Tensor>, scope: &str, channels: usize) {
        for (seed, name) in ["weight", "bias", "running_mean", "running_var"].into_iter().enumerate() {
            let values = tensor(&[channels], seed as u32);
            let values = if name == "running_var" { (values.abs().unwrap() + 0.1).unwrap() } else { values };
            tensors.insert(format!("{scope}.{name}"), values);
        }
    }

    fn vector(tensors: &HashMap<String, Tensor>, name: &str) -> Vec<f64> {
        let values = tensors[name].flatten_all().unwrap().to_vec1::<f32>().unwrap();
        values.into_iter().map(f64::from).collect()
    }

    /// What the norm in `scope` makes of a value of `channel`.
    fn normed(tensors: &HashMap<String, Tensor>, scope: &str, channel: usize, x: f64) -> f64 {
        let [weight, bias, mean, variance] = ["weight", "bias", "running_mean", "running_var"]
            .map(|name| vector(tensors, &format!("{scope}.{name}"))[channel]);
        (x - mean) / (variance + EPSILON).sqrt() * weight + bias
    }

    #[test]
    fn norms_are_folded_and_pixels_come_channel_by_channel() {
        let (inputs, outputs, size) = (3, 5, 6);
        let mut tensors = HashMap::from([
            ("conv.weight".to_owned(), tensor(&[outputs, inputs, 3, 3], 1)),
            ("conv.bias".to_owned(), tensor(&[outputs], 2)),
            ("wise.weight".to_owned(), tensor(&[outputs, 1, 3, 3], 3)),
        ]);
        norm(&mut tensors, "bn", outputs);
        let weights = Weights::from_tensors(tensors.clone());
        let (root, bn) = (weights.root(), weights.root().scope("bn"));
        let sizes = ConvSizes { inputs, outputs, kernel: 3, stride: 2, padding: Padding::Symmetric(1) };
        let conv = Conv2d::load(&root.scope("conv"), Some((&bn, EPSILON)), sizes, true).unwrap();
        let pixels = tensor(&[1, inputs, size, size], 7);
        let y = conv.forward(&channels_last(&pixels).unwrap()).unwrap();
        assert_eq!(y.dims(), [1, 3, 3, outputs]);
        let (y, x) = (
            y.flatten_all().unwrap().to_vec1::<f32>().unwrap(),
            vector(&HashMap::from([("x".to_owned(), pixels)]), "x"),
        );
        let (w, b) = (vector(&tensors, "conv.weight"), vector(&tensors, "conv.bias"));
        for (i, y) in y.iter().enumerate() {
            let (row, column, o) = (i / outputs / 3, i / outputs % 3, i % outputs);
            let mut sum = b[o];
            for tap in 0..9 {
                let (down, across) =
                    ((2 * row + tap / 3).wrapping_sub(1), (2 * column + tap % 3).wrapping_sub(1));
                if down < size && across < size {
                    sum += (0..inputs)
                        .map(|c| x[(c * size + down) * size + across] * w[(o * inputs + c) * 9 + tap])
                        .sum::<f64>();
                }
            }
            let error = (f64::from(*y) - normed(&tensors, "bn", o, sum)).abs();
            assert!(error <= BOUND, "position {i}: off by {error}");
        }
    }

    #[test]
    fn a_depthwise_norm_is_folded_too() {
        let channels = 6;
        let mut tensors = HashMap::from([("wise.weight".to_owned(), tensor(&[channels, 1, 3, 3], 3))]);
        norm(&mut tensors, "bn", channels);
        let weights = Weights::from_tensors(tensors.clone());
        let window = Window { kernel: 3, stride: 1, padding: Padding::Symmetric(0) };
        let (scope, bn) = (weights.root().scope("wise"), weights.root().scope("bn"));
        let conv = DepthwiseConv2d::load(&scope, Some((&bn, EPSILON)), channels, window).unwrap();
        weights.finish().unwrap();
        let x = tensor(&[1, 3, 3, channels], 5);
        let y = conv.forward(&x).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let (w, x) = (vector(&tensors, "wise.weight"), vector(&HashMap::from([("x".to_owned(), x)]), "x"));
        for (channel, y) in y.iter().enumerate() {
            let sum = (0..9).map(|tap| x[tap * channels + channel] * w[channel * 9 + tap]).sum::<f64>();
            let error = (f64::from(*y) - normed(&tensors, "bn", channel, sum)).abs();
            assert!(error <= BOUND, "channel {channel}: off by {error}");
        }
    }

    #[test]
    fn pointwise_weights_may_have_two_dimensions_and_a_block_is_its_layers() {
        let (inputs, channels) = (4, 24);
        for shape in [&[channels, inputs][..], &[channels, inputs, 1, 1]] {
            let mut tensors = HashMap::from([
                ("up.weight".to_owned(), tensor(shape, 1)),
                ("wise.weight".to_owned(), tensor(&[channels, 1, 5, 5], 2)),
                ("down.weight".to_owned(), tensor(&[inputs, channels, 1, 1], 3)),
            ]);
            norm(&mut tensors, "bn", channels);
            norm(&mut tensors, "bn1", inputs);
            let weights = Weights::from_tensors(tensors);
            let scope = |name: &str| weights.root().scope(name);
            let load = |name: &str, bn: &str, sizes| {
                Conv2d::load(&scope(name), Some((&scope(bn), EPSILON)), sizes, false).unwrap()
            };
            let up = load("up", "bn", ConvSizes::pointwise(inputs, channels));
            let down = load("down", "bn1", ConvSizes::pointwise(channels, inputs));
            let window = Window { kernel: 5, stride: 1, padding: Padding::Same };
            let wise = DepthwiseConv2d::load(&scope("wise"), None, channels, window).unwrap();
            let x = tensor(&[2, 6, 7, inputs], 9);
            let activation = Activation::Relu6;
            let expanded = up.forward_activated(&x, activation).unwrap();
            let filtered = wise.forward_activated(&expanded, activation).unwrap();
            let expected = down.forward_residual(&filtered, &x, None).unwrap();
            let block = InvertedResidual::new(Some(up), wise, down, activation, true);
            let y = block.forward(&x).unwrap();
            assert_eq!(y.dims(), x.dims());
            let flat = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
            assert_eq!(flat(&y), flat(&expected));
            block.forward(&expanded).unwrap_err();
        }
    }
}
