//! The inverted residual block of MobileNet v2: a pointwise convolution to several times as many channels, a depthwise
//! one, and a pointwise one back.
//!
//! What lies between them is by far larger than what goes in and comes out: 4.8 MB for the first block of
//! EfficientNet-Lite0. So an image goes through in strips of a few rows, whose expanded channels stay in the second
//! cache; the rows that the next strip sees too are kept.

use std::ops::Range;

use super::depthwise::{Depthwise, depthwise_rows};
use super::gemm::{Layer, Threads, linear_into};
use super::parallel::{self, Shared};
use super::quantize::QuantTerms;
use super::window::Extent;

/// Bytes of expanded channels, before and after the depthwise convolution, that a strip has.
const CACHE: usize = 256 << 10;
/// Rows of outputs that a thread has at least: of each part, the rows around it are expanded twice.
const PART: usize = 7;

/// The three layers of an inverted residual block.
#[derive(Debug, Clone, Copy)]
pub struct Inverted<'a> {
    /// To more channels; without it the input has them already.
    pub expand: Option<Layer<'a>>,
    /// Of each channel.
    pub depthwise: Depthwise<'a>,
    /// Back to fewer channels. A residual is that of the whole output.
    pub project: Layer<'a>,
}

/// `x`, images of `extent`, through `block`: rows of outputs, one for each position of the window.
///
/// # Panics
/// Where lengths do not fit each other.
pub fn inverted_residual(x: &[f32], extent: Extent, block: &Inverted<'_>) -> Vec<f32> {
    assert_eq!(x.len(), extent.elements(), "inverted-residual: another number of inputs");
    let inner =
        Extent { channels: block.expand.map_or(extent.channels, |layer| layer.weight.rows()), ..extent };
    let output = block.depthwise.window.output(inner);
    let (input, outputs) = (extent.height * extent.width * extent.channels, block.project.weight.rows());
    assert!(block.expand.is_none_or(|layer| layer.weight.columns() == extent.channels));
    assert_eq!(block.project.weight.columns(), inner.channels, "inverted-residual: channels do not fit");
    let mut y = vec![0.0; output.batch * output.height * output.width * outputs];
    let out = Shared::new(&mut y);
    let line = output.width * outputs;
    for image in 0..output.batch {
        let x = &x[image * input..][..input];
        let run = |rows: Range<usize>, threads| {
            // SAFETY: each row of outputs is given to one call only.
            let y = unsafe { out.slice((image * output.height + rows.start) * line, rows.len() * line) };
            let first = image * output.height * output.width;
            Strips { x, extent, inner, output, block, first, threads }.compute(rows, y);
        };
        if parallel::threads() > 1 && output.height >= PART * parallel::threads() {
            parallel::ranges(output.height, PART, |rows| run(rows, Threads::This));
        } else {
            run(0..output.height, Threads::All);
        }
    }
    y
}

/// One image on its way through a block.
struct Strips<'a> {
    x: &'a [f32],
    extent: Extent,
    /// The size of the image with the expanded channels.
    inner: Extent,
    output: Extent,
    block: &'a Inverted<'a>,
    /// Positions of the images before.
    first: usize,
    threads: Threads,
}

impl Strips<'_> {
    /// Rows `rows` of the outputs, strip by strip.
    fn compute(&self, rows: Range<usize>, y: &mut [f32]) {
        let Self { inner, output, block, .. } = *self;
        let (channels, width, outputs) = (inner.channels, output.width, block.project.weight.rows());
        let window = block.depthwise.window;
        let line = inner.width * channels;
        // With several threads within the layers, strips would be too short for all of them.
        let strip = if self.threads == Threads::All && parallel::threads() > 1 {
            rows.len()
        } else {
            let lines = (CACHE / (4 * line).max(1)).saturating_sub(window.kernel);
            (lines / (window.stride + 1)).clamp(1, rows.len().max(1))
        };
        let mut filtered = vec![0.0; strip * width * channels];
        let mut expanded = Expanded { values: Vec::new(), rows: 0..0 };
        let mut y = y;
        let mut begin = rows.start;
        while begin < rows.end {
            let here = begin..rows.end.min(begin + strip);
            let filtered = &mut filtered[..here.len() * width * channels];
            let inputs = self.input_rows(here.clone());
            match block.expand {
                Some(layer) => {
                    self.expand(layer, inputs, &mut expanded);
                    let (values, first) = (&expanded.values, expanded.rows.start);
                    depthwise_rows(values, first, inner, block.depthwise, here.clone(), filtered);
                }
                None => {
                    let x = &self.x[inputs.start * line..inputs.end * line];
                    depthwise_rows(x, inputs.start, inner, block.depthwise, here.clone(), filtered);
                }
            }
            let (now, later) = y.split_at_mut(here.len() * width * outputs);
            let project = block.project.for_rows(self.first + begin * width, here.len() * width);
            linear_into(filtered, &[project], QuantTerms::One, self.threads, now);
            (y, begin) = (later, here.end);
        }
    }

    /// The rows of inputs that some rows of outputs see.
    fn input_rows(&self, rows: Range<usize>) -> Range<usize> {
        let window = self.block.depthwise.window;
        let before = window.axis(self.extent.height).before;
        let end =
            ((rows.end - 1) * window.stride + window.kernel).saturating_sub(before).min(self.extent.height);
        (rows.start * window.stride).saturating_sub(before).min(end)..end
    }

    /// Has the rows `wanted` expanded; those that are there already are kept.
    fn expand(&self, layer: Layer<'_>, wanted: Range<usize>, expanded: &mut Expanded) {
        let line = self.inner.width * self.inner.channels;
        let kept = wanted.start.max(expanded.rows.start)..wanted.end.min(expanded.rows.end);
        let kept = if kept.is_empty() { wanted.start..wanted.start } else { kept };
        if !kept.is_empty() {
            let from = (kept.start - expanded.rows.start) * line;
            expanded.values.copy_within(from..from + kept.len() * line, 0);
        }
        expanded.values.resize(wanted.len() * line, 0.0);
        let pixels = self.extent.width * self.extent.channels;
        let x = &self.x[kept.end * pixels..wanted.end * pixels];
        linear_into(x, &[layer], QuantTerms::One, self.threads, &mut expanded.values[kept.len() * line..]);
        expanded.rows = wanted;
    }
}

/// Rows of an image with its expanded channels.
struct Expanded {
    values: Vec<f32>,
    rows: Range<usize>,
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::{Activation, Dtype, Epilogue, Matrix, Padding, Result, Window, convolve, depthwise};

    fn noise(count: usize, seed: usize) -> Vec<f32> {
        (0..count).map(|i| (((i + seed) * 7919 + 13 * seed) % 2003) as f32 / 1000.0 - 1.0).collect()
    }

    #[test]
    fn strips_give_what_the_layers_do_one_by_one() -> Result<()> {
        let relu6 = Activation::Relu6;
        // Some with one strip and some with many: 40 rows of 300 channels are 2 MB.
        for (batch, height, width, inputs, channels) in
            [(2, 5, 3, 6, 9), (1, 40, 41, 20, 300), (2, 33, 30, 64, 64)]
        {
            let extent = Extent { batch, height, width, channels: inputs };
            let x = noise(extent.elements(), 1);
            for (kernel, stride) in [(3, 1), (3, 2), (5, 1), (5, 2), (1, 3)] {
                for padding in [Padding::Same, Padding::Symmetric(kernel / 2)] {
                    for dtype in [Dtype::F32, Dtype::Int8] {
                        let up = Matrix::pack(dtype, channels, inputs, &noise(channels * inputs, 2))?;
                        let down = Matrix::pack(dtype, inputs, channels, &noise(channels * inputs, 3))?;
                        let (weights, bias) = (noise(kernel * kernel * channels, 4), noise(channels, 5));
                        let window = Window { kernel, stride, padding };
                        let filter =
                            Depthwise { window, weights: &weights, bias: &bias, activation: Some(relu6) };
                        let expand =
                            Layer { weight: &up, bias: Some(&bias), after: Epilogue::Activation(relu6) };
                        let wide = Extent { channels, ..extent };
                        let output = Extent { channels: inputs, ..window.output(extent) };
                        let residual = noise(output.elements(), 6);
                        let project =
                            Layer { weight: &down, bias: None, after: Epilogue::Residual(&residual) };
                        let one = Window { kernel: 1, stride: 1, padding: Padding::Symmetric(0) };

                        let expanded = convolve(&x, extent, one, &expand);
                        let filtered = depthwise(&expanded, wide, filter);
                        let expected = convolve(&filtered, window.output(wide), one, &project);
                        let block = Inverted { expand: Some(expand), depthwise: filter, project };
                        let y = inverted_residual(&x, extent, &block);
                        assert!(y == expected, "{extent:?} {window:?} {dtype:?}");

                        if inputs == channels {
                            let filtered = depthwise(&x, wide, filter);
                            let expected = convolve(&filtered, window.output(wide), one, &project);
                            let block = Inverted { expand: None, depthwise: filter, project };
                            let y = inverted_residual(&x, extent, &block);
                            assert!(y == expected, "{extent:?} {window:?} {dtype:?} without expansion");
                        }
                    }
                }
            }
        }
        Ok(())
    }
}
