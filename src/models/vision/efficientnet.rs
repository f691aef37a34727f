//! EfficientNet-Lite 0 to 4.
//!
//! Tan and Le, "EfficientNet", 2019, in the form for small devices: no squeeze and excitation, ReLU6, and a stem and a head
//! that do not grow with the network. The reference is `timm`'s `tf_efficientnet_lite*`, whose names the tensors have.

use candle_core::Tensor;

use super::{EncoderState, check_pixels};
use crate::Result;
use crate::models::config::{MOST_NUMBERS, Section, invalid};
use crate::nn::{
    Activation, Conv2d, ConvSizes, DepthwiseConv2d, InvertedResidual, Padding, Window, channels_last,
};
use crate::weights::Scope;

/// Channels of the stem, of every size of the network.
const STEM: usize = 32;
/// Epsilon of the batch norms, as TensorFlow's weights have it.
const EPSILON: f64 = 1e-3;
/// How many times smaller the map is than the image.
const REDUCTION: usize = 32;
/// The most blocks of one stage; those of Lite4 have up to 8.
const MOST_BLOCKS: usize = 64;

/// Kernel, stride, expansion, channels and blocks of each stage before scaling.
const STAGES: [(usize, usize, usize, usize, usize); 7] = [
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
];

/// Factors of width and depth and the size of images, of Lite 0 to 4.
const LITES: [(f64, f64, usize); 5] =
    [(1.0, 1.0, 224), (1.0, 1.1, 240), (1.1, 1.2, 260), (1.2, 1.4, 280), (1.4, 1.8, 300)];

/// An EfficientNet-Lite, scaled.
#[derive(Debug, Clone)]
pub struct EfficientNetConfig {
    /// Height and width of the image in pixels.
    pub image_size: usize,
    /// Channels of the last map.
    pub features: usize,
    /// How many classes the network tells apart.
    pub classes: usize,
    blocks: Vec<Vec<Block>>,
}

/// One block: its sizes.
#[derive(Debug, Clone, Copy)]
struct Block {
    kernel: usize,
    stride: usize,
    expansion: usize,
    inputs: usize,
    outputs: usize,
}

impl EfficientNetConfig {
    /// Reads the keys of a configuration as `timm` writes them: `architecture`, and where they differ from what that
    /// has, `image_size`, `num_classes` and `hidden_size` (the channels of the last map). `width_coefficient` and
    /// `depth_coefficient` make networks of other sizes.
    pub(in crate::models) fn read(section: &Section) -> Result<Self> {
        let lites =
            (0..LITES.len()).find(|n| section.is("architecture", &format!("tf_efficientnet_lite{n}")));
        let Some(&(width, depth, size)) = lites.and_then(|n| LITES.get(n)) else {
            return Err(
                section.unknown("architecture", "\"tf_efficientnet_lite0\" to \"tf_efficientnet_lite4\"")
            );
        };
        let width = section.real("width_coefficient", width, 0.01..=4.0)?;
        let depth = section.real("depth_coefficient", depth, 0.01..=8.0)?;
        let config = Self {
            image_size: section.number("image_size", size, REDUCTION..=2048)?,
            features: section.number("hidden_size", 1280, 1..=16_384)?,
            classes: section.number("num_classes", 1000, 1..=10_000)?,
            blocks: blocks(width, depth),
        };
        config.check_fits()?;
        Ok(config)
    }

    /// Height and width of the last map.
    pub fn map_side(&self) -> usize {
        self.image_size.div_ceil(REDUCTION)
    }

    fn check_fits(&self) -> Result<()> {
        let mut side = self.image_size.div_ceil(2);
        let mut most = side * side * STEM;
        for block in self.blocks.iter().flatten() {
            most = most.max(side * side * block.inputs * block.expansion);
            side = side.div_ceil(block.stride);
        }
        let most = most.max(side * side * self.features);
        let deep = self.blocks.iter().any(|stage| stage.len() > MOST_BLOCKS);
        if deep || most as u64 > MOST_NUMBERS {
            return Err(invalid(
                "The vision tower that config.json describes needs more memory than a browser has.",
            ));
        }
        Ok(())
    }
}

/// The blocks of all stages. The first and the last stage do not become deeper.
fn blocks(width: f64, depth: f64) -> Vec<Vec<Block>> {
    let mut inputs = STEM;
    let stage = |(i, &(kernel, stride, expansion, channels, count)): (usize, &(_, _, _, _, usize))| {
        let outputs = round_channels(channels as f64 * width);
        let fixed = i == 0 || i + 1 == STAGES.len();
        // The factors are bounded, and so is this.
        let count = if fixed { count } else { (count as f64 * depth).ceil() as usize };
        let block = |j| {
            let inputs = std::mem::replace(&mut inputs, outputs);
            Block { kernel, stride: if j == 0 { stride } else { 1 }, expansion, inputs, outputs }
        };
        (0..count).map(block).collect()
    };
    STAGES.iter().enumerate().map(stage).collect()
}

/// The nearest multiple of 8, but never more than a tenth below.
fn round_channels(channels: f64) -> usize {
    let nearest = ((channels + 4.0) as usize / 8 * 8).max(8);
    if (nearest as f64) < 0.9 * channels { nearest + 8 } else { nearest }
}

/// The convolutions of an EfficientNet-Lite; what it was trained to classify with is not among them.
#[derive(Debug, Clone)]
pub struct EfficientNet {
    image_size: usize,
    layers: Vec<Layer>,
}

/// One step of the way.
#[derive(Debug, Clone)]
enum Layer {
    /// A convolution and ReLU6: the first and the last.
    Convolution(Conv2d),
    Block(InvertedResidual),
}

impl EfficientNet {
    /// The tower in `scope`.
    pub(in crate::models) fn load(config: &EfficientNetConfig, scope: &Scope<'_>) -> Result<Self> {
        let stem = ConvSizes { inputs: 3, outputs: STEM, kernel: 3, stride: 2, padding: Padding::Same };
        let mut layers = vec![Layer::Convolution(convolution(scope, ["conv_stem", "bn1"], stem)?)];
        let mut channels = STEM;
        for (i, stage) in config.blocks.iter().enumerate() {
            for (j, block) in stage.iter().enumerate() {
                layers.push(Layer::Block(block.load(&scope.scope(format!("blocks.{i}.{j}")))?));
                channels = block.outputs;
            }
        }
        let head = ConvSizes::pointwise(channels, config.features);
        layers.push(Layer::Convolution(convolution(scope, ["conv_head", "bn2"], head)?));
        Ok(Self { image_size: config.image_size, layers })
    }

    pub(super) fn begin(&self, pixels: &Tensor) -> Result<EncoderState> {
        check_pixels(pixels, self.image_size)?;
        Ok(EncoderState::of_maps(channels_last(pixels)?))
    }

    pub(super) fn advance(&self, state: &mut EncoderState) -> Result<usize> {
        state.advance(&self.layers, |layer, state| match layer {
            Layer::Convolution(layer) => layer.forward_activated(&state.states, Activation::Relu6),
            Layer::Block(block) => block.forward(&state.states),
        })
    }
}

impl Block {
    fn load(self, scope: &Scope<'_>) -> Result<InvertedResidual> {
        let Self { kernel, stride, expansion, inputs, outputs } = self;
        let inner = inputs * expansion;
        // A block that does not expand has one convolution less, and its names count on.
        let (expand, names) = if expansion == 1 {
            (None, ["bn1", "conv_pw", "bn2"])
        } else {
            let sizes = ConvSizes::pointwise(inputs, inner);
            (Some(convolution(scope, ["conv_pw", "bn1"], sizes)?), ["bn2", "conv_pwl", "bn3"])
        };
        let [norm, project, project_norm] = names;
        let norm = scope.scope(norm);
        let window = Window { kernel, stride, padding: Padding::Same };
        let depthwise =
            DepthwiseConv2d::load(&scope.scope("conv_dw"), Some((&norm, EPSILON)), inner, window)?;
        let project = convolution(scope, [project, project_norm], ConvSizes::pointwise(inner, outputs))?;
        let residual = stride == 1 && inputs == outputs;
        Ok(InvertedResidual::new(expand, depthwise, project, Activation::Relu6, residual))
    }
}

/// The convolution and the batch norm of these names.
fn convolution(scope: &Scope<'_>, [name, norm]: [&str; 2], sizes: ConvSizes) -> Result<Conv2d> {
    Conv2d::load(&scope.scope(name), Some((&scope.scope(norm), EPSILON)), sizes, false)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// The channels and blocks of each stage, as `timm` makes them.
    #[test]
    fn every_lite_has_its_stages() {
        let expected = [
            ([16, 24, 40, 80, 112, 192, 320], [1, 2, 2, 3, 3, 4, 1]),
            ([16, 24, 40, 80, 112, 192, 320], [1, 3, 3, 4, 4, 5, 1]),
            ([16, 24, 48, 88, 120, 208, 352], [1, 3, 3, 4, 4, 5, 1]),
            ([24, 32, 48, 96, 136, 232, 384], [1, 3, 3, 5, 5, 6, 1]),
            ([24, 32, 56, 112, 160, 272, 448], [1, 4, 4, 6, 6, 8, 1]),
        ];
        for ((width, depth, _), (channels, counts)) in LITES.into_iter().zip(expected) {
            let stages = blocks(width, depth);
            assert_eq!(stages.iter().map(|stage| stage[0].outputs).collect::<Vec<_>>(), channels);
            assert_eq!(stages.iter().map(Vec::len).collect::<Vec<_>>(), counts);
        }
    }

    #[test]
    fn channels_are_rounded_to_eights() {
        let rounded = [1.0, 11.0, 12.0, 19.2, 24.2, 44.0, 352.0].map(round_channels);
        assert_eq!(rounded, [8, 16, 16, 24, 24, 48, 352]);
    }
}
