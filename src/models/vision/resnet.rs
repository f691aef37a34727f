//! The ResNet of CLIP.
//!
//! Radford et al., "Learning Transferable Visual Models From Natural Language Supervision", 2021, section 2.4: a stem of
//! three convolutions, averages over squares of pixels wherever a ResNet has a stride, and attention in place of the last
//! average. The reference is `open_clip`'s `ModifiedResNet`, whose names the tensors have.

use candle_core::Tensor;

use super::{EncoderState, check_pixels};
use crate::Result;
use crate::models::config::{MOST_NUMBERS, Section, invalid};
use crate::nn::{Activation, AttentionPool, Conv2d, ConvSizes, Heads, Padding, avg_pool2d, channels_last};
use crate::weights::Scope;

/// Epsilon of the batch norms.
const EPSILON: f64 = 1e-5;
/// How many times smaller the map is than the image.
const REDUCTION: usize = 32;
/// How many times as wide the outputs of a block are as its middle.
const EXPANSION: usize = 4;

/// CLIP's ResNet.
#[derive(Debug, Clone)]
pub struct ResNetConfig {
    /// Height and width of the image in pixels; a multiple of 32.
    pub image_size: usize,
    /// Blocks of the four stages.
    pub layers: [usize; 4],
    /// Channels after the stem.
    pub width: usize,
    /// Heads of the attention at the end.
    pub heads: usize,
    /// Width of the vectors that come out.
    pub output_dim: usize,
}

impl ResNetConfig {
    /// Reads `vision_cfg` of an `open_clip_config.json`.
    pub(in crate::models) fn read(section: &Section, output_dim: usize) -> Result<Self> {
        let image_size = section.number("image_size", 224, REDUCTION..=2048)?;
        let width = section.number("width", 64, 2..=1024)?;
        let head_width = section.number("head_width", 64, 1..=16_384)?;
        let features = width * EXPANSION * 8;
        if !image_size.is_multiple_of(REDUCTION)
            || !width.is_multiple_of(2)
            || !features.is_multiple_of(head_width)
        {
            return Err(invalid(format!(
                "In config.json, vision_cfg must have an image_size of whole multiples of {REDUCTION} (not {image_size}), \
                 an even width (not {width}), and a head_width ({head_width}) that divides {features}."
            )));
        }
        let side = image_size / REDUCTION;
        let stem = (image_size / 2).pow(2) * width;
        let first = (image_size / 4).pow(2) * width * EXPANSION;
        let pooled = (1 + side * side) * features * 2;
        if [stem, first, pooled].into_iter().any(|numbers| numbers as u64 > MOST_NUMBERS) {
            return Err(invalid(
                "The vision tower that config.json describes needs more memory than a browser has.",
            ));
        }
        let layers = section.numbers("layers", 1..=256)?;
        Ok(Self { image_size, layers, width, heads: features / head_width, output_dim })
    }
}

/// The tower: convolutions, and the attention that pools their last map.
#[derive(Debug, Clone)]
pub struct ResNet {
    image_size: usize,
    layers: Vec<Layer>,
    pool: AttentionPool,
}

/// One step of the way.
#[derive(Debug, Clone)]
enum Layer {
    Stem([Conv2d; 3]),
    Block(Bottleneck),
}

/// Three convolutions, the middle one of 3 by 3 pixels, and a residual.
#[derive(Debug, Clone)]
struct Bottleneck {
    reduce: Conv2d,
    middle: Conv2d,
    expand: Conv2d,
    /// What makes the input fit the output, where it does not.
    shortcut: Option<Conv2d>,
    stride: usize,
}

impl ResNet {
    /// The tower in `scope`, the file's `visual`.
    pub(in crate::models) fn load(config: &ResNetConfig, scope: &Scope<'_>) -> Result<Self> {
        let half = config.width / 2;
        let stem = [(3, half, 2), (half, half, 1), (half, config.width, 1)];
        let stem = |i: usize| {
            let (inputs, outputs, stride) = stem[i];
            let sizes = ConvSizes { inputs, outputs, kernel: 3, stride, padding: Padding::Symmetric(1) };
            convolution(scope, i + 1, sizes)
        };
        let mut layers = vec![Layer::Stem([stem(0)?, stem(1)?, stem(2)?])];
        let mut inputs = config.width;
        for (i, &count) in config.layers.iter().enumerate() {
            let middle = config.width << i;
            for j in 0..count {
                let stride = if i > 0 && j == 0 { 2 } else { 1 };
                let scope = scope.scope(format!("layer{}.{j}", i + 1));
                layers.push(Layer::Block(Bottleneck::load(&scope, inputs, middle, stride)?));
                inputs = middle * EXPANSION;
            }
        }
        let heads = Heads { width: inputs, count: config.heads };
        let tokens = 1 + (config.image_size / REDUCTION).pow(2);
        let pool = AttentionPool::load(&scope.scope("attnpool"), heads, tokens, config.output_dim)?;
        Ok(Self { image_size: config.image_size, layers, pool })
    }

    pub(super) fn begin(&self, pixels: &Tensor) -> Result<EncoderState> {
        check_pixels(pixels, self.image_size)?;
        Ok(EncoderState::of_maps(channels_last(pixels)?))
    }

    pub(super) fn advance(&self, state: &mut EncoderState) -> Result<usize> {
        state.advance(&self.layers, |layer, state| match layer {
            Layer::Stem(convolutions) => {
                let mut x = state.states.clone();
                for convolution in convolutions {
                    x = convolution.forward_activated(&x, Activation::Relu)?;
                }
                avg_pool2d(&x, 2)
            }
            Layer::Block(block) => block.forward(&state.states),
        })
    }

    /// What attention makes of the last maps, `(batch, output_dim)`.
    pub(super) fn pooled(&self, state: &EncoderState) -> Result<Tensor> {
        self.pool.forward(&rows(&state.states)?)
    }

    /// The gradient of the last map of one image, row by row, from that of the pooled vector.
    pub(super) fn backward(&self, state: &EncoderState, gradient: &[f32]) -> Result<Vec<f32>> {
        self.pool.backward(&rows(&state.states)?, gradient)
    }
}

/// Maps `(batch, height, width, channels)` as `(batch, height * width, channels)`.
fn rows(maps: &Tensor) -> Result<Tensor> {
    let (batch, height, width, channels) = maps.dims4()?;
    Ok(maps.reshape((batch, height * width, channels))?)
}

impl Bottleneck {
    fn load(scope: &Scope<'_>, inputs: usize, middle: usize, stride: usize) -> Result<Self> {
        let outputs = middle * EXPANSION;
        let sizes = ConvSizes {
            inputs: middle,
            outputs: middle,
            kernel: 3,
            stride: 1,
            padding: Padding::Symmetric(1),
        };
        let shortcut = if stride > 1 || inputs != outputs {
            let (convolution, norm) = (scope.scope("downsample.0"), scope.scope("downsample.1"));
            let sizes = ConvSizes::pointwise(inputs, outputs);
            Some(Conv2d::load(&convolution, Some((&norm, EPSILON)), sizes, false)?)
        } else {
            None
        };
        Ok(Self {
            reduce: convolution(scope, 1, ConvSizes::pointwise(inputs, middle))?,
            middle: convolution(scope, 2, sizes)?,
            expand: convolution(scope, 3, ConvSizes::pointwise(middle, outputs))?,
            shortcut,
            stride,
        })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let strided = |x: Tensor| if self.stride > 1 { avg_pool2d(&x, self.stride) } else { Ok(x) };
        let inner = self.reduce.forward_activated(x, Activation::Relu)?;
        let inner = strided(self.middle.forward_activated(&inner, Activation::Relu)?)?;
        let residual = strided(x.clone())?;
        let residual = match &self.shortcut {
            Some(shortcut) => shortcut.forward(&residual)?,
            None => residual,
        };
        self.expand.forward_residual(&inner, &residual, Some(Activation::Relu))
    }
}

/// The convolution `conv<number>` and its batch norm.
fn convolution(scope: &Scope<'_>, number: usize, sizes: ConvSizes) -> Result<Conv2d> {
    let norm = scope.scope(format!("bn{number}"));
    Conv2d::load(&scope.scope(format!("conv{number}")), Some((&norm, EPSILON)), sizes, false)
}
