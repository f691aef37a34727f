//! Convolutions over images whose channels lie together, as matrix products over patches.
//!
//! The patches of a whole image would be as many times its size as the window has pixels, so they are never made:
//!
//! ```text
//! 1 x 1                      the pixels are the rows of a linear layer
//! int8, channels in eights   each pixel is quantised once, into an image with its border; tiles read the patches there
//! all others                 a block of patches is gathered, as many as stay in the second cache, and goes through
//!                            `linear` while it is there
//! ```
//!
//! Inputs of int8 are quantised in one term, of seven bits: what the seven bits of inputs lose in a convolutional tower
//! is less than what the eight of its weights do. Cosine of the features after the last convolution of EfficientNet-Lite
//! and their mean over the image, against f32, eight photographs, PyTorch; `map` and `mean`:
//!
//! | inputs of int8 layers | Lite0 | Lite2 |
//! | --- | --- | --- |
//! | 7 bits, a scale for each pixel | 0.9965, 0.9985 | 0.9959, 0.9983 |
//! | 8 bits, the same | 0.9973, 0.9987 | 0.9965, 0.9984 |
//! | 14 bits, the same | 0.9975, 0.9988 | 0.9968, 0.9985 |
//! | not quantised | 0.9975, 0.9988 | 0.9968, 0.9985 |
//! | 7 bits, a scale for each image | 0.9954, 0.9983 | 0.9943, 0.9978 |
//! | 7 bits, layers of fewer than 64 Ki weights in f32 | 0.9981, 0.9992 | 0.9977, 0.9991 |
//! | 14 bits, the same | 0.9987, 0.9993 | 0.9985, 0.9992 |
//!
//! Hence the last but one, with `Store` keeping small convolutions in f32. It is the fastest too: on a machine with the dot
//! product (Intel, AVX-VNNI, Chromium, one thread, minima) Lite0 and RN50 take 20.7 and 163 ms with 7 bits, 24.5 and 188 ms
//! with the 16-bit products that 8 bits need, 24.3 and 188 ms with 14 bits in two terms.

use super::gemm::{Epilogue, Layer, Out, Threads, int8_layer, linear_into};
use super::matrix::Dtype;
use super::parallel::{self, Shared};
use super::quantize::{QuantTerm, QuantTerms, QuantizedRows, quantize};
use super::window::{Extent, Window};

/// Bytes of patches that are gathered at a time.
const CACHE: usize = 128 << 10;
/// Patches of quantised pixels that go through a layer at a time.
const ROWS: usize = 1024;
/// Elements below which a second thread is not worth waking.
const GRAIN: usize = 1 << 16;

/// `x`, images of `extent`, under `window`, through `layer`: its weights have `kernel * kernel * channels` columns in the
/// order `(height, width, channel)`. Rows of outputs, one for each position of the window.
///
/// # Panics
/// Where lengths do not fit each other.
pub fn convolve(x: &[f32], extent: Extent, window: Window, layer: &Layer<'_>) -> Vec<f32> {
    let columns = window.kernel * window.kernel * extent.channels;
    assert_eq!(x.len(), extent.elements(), "convolve: another number of inputs");
    assert_eq!(layer.weight.columns(), columns, "convolve: inputs do not fit the weights");
    let output = window.output(extent);
    let mut y = vec![0.0; output.batch * output.height * output.width * layer.weight.rows()];
    if let Epilogue::Residual(residual) | Epilogue::ResidualActivation(residual, _) = layer.after {
        assert_eq!(residual.len(), y.len(), "convolve: residual of another length");
    }
    if window.kernel == 1 && window.stride == 1 && output == extent {
        linear_into(x, &[*layer], QuantTerms::One, Threads::All, &mut y);
    } else if layer.weight.dtype() == Dtype::Int8 && extent.channels.is_multiple_of(layer.weight.block) {
        convolve_quantized(x, extent, window, layer, &mut y);
    } else {
        convolve_gathered(x, extent, window, layer, &mut y);
    }
    y
}

impl<'a> Layer<'a> {
    /// The layer for some rows alone, `count` of them from `begin` on.
    pub(super) fn for_rows(&self, begin: usize, count: usize) -> Self {
        let outputs = self.weight.rows();
        let part = begin * outputs..(begin + count) * outputs;
        let after = match self.after {
            Epilogue::Residual(all) => Epilogue::Residual(&all[part]),
            Epilogue::ResidualActivation(all, activation) => {
                Epilogue::ResidualActivation(&all[part], activation)
            }
            after => after,
        };
        Self { after, ..*self }
    }
}

fn convolve_gathered(x: &[f32], extent: Extent, window: Window, layer: &Layer<'_>, y: &mut [f32]) {
    let (columns, outputs) = (layer.weight.columns(), layer.weight.rows());
    let block = (CACHE / (4 * columns.max(1))).next_multiple_of(4);
    let rows = y.len() / outputs.max(1);
    let y = Shared::new(y);
    parallel::ranges(rows.div_ceil(block), 1, |blocks| {
        let mut patches = vec![0.0; block.min(rows) * columns];
        for begin in blocks.map(|i| i * block) {
            let count = block.min(rows - begin);
            let patches = &mut patches[..count * columns];
            for (i, patch) in patches.chunks_exact_mut(columns.max(1)).enumerate() {
                gather(x, extent, window, begin + i, patch);
            }
            // SAFETY: each block is given to one call only.
            let y = unsafe { y.slice(begin * outputs, count * outputs) };
            linear_into(patches, &[layer.for_rows(begin, count)], QuantTerms::One, Threads::This, y);
        }
    });
}

/// What the window sees at its `position`: by row, pixel and channel, zeros beyond the border.
fn gather(x: &[f32], extent: Extent, window: Window, position: usize, to: &mut [f32]) {
    let (down, across) = (window.axis(extent.height), window.axis(extent.width));
    let (left, rest) = (position % across.outputs * window.stride, position / across.outputs);
    let (top, image) = (rest % down.outputs * window.stride, rest / down.outputs);
    let line = window.kernel * extent.channels;
    // Columns of the window that are within the image.
    let begin = across.before.saturating_sub(left).min(window.kernel);
    let end = (extent.width + across.before).saturating_sub(left).clamp(begin, window.kernel);
    for (row, to) in to.chunks_exact_mut(line).enumerate() {
        let inside = (top + row).checked_sub(down.before).filter(|&row| row < extent.height);
        let Some(row) = inside.filter(|_| begin < end) else {
            to.fill(0.0);
            continue;
        };
        let pixel = (image * extent.height + row) * extent.width + left + begin - across.before;
        let (begin, end) = (begin * extent.channels, end * extent.channels);
        to[..begin].fill(0.0);
        to[begin..end].copy_from_slice(&x[pixel * extent.channels..][..end - begin]);
        to[end..].fill(0.0);
    }
}

fn convolve_quantized(x: &[f32], extent: Extent, window: Window, layer: &Layer<'_>, y: &mut [f32]) {
    let (channels, outputs) = (extent.channels, layer.weight.rows());
    let image = Bordered::quantize(x, extent, window, layer.weight.block);
    let blocks = channels / layer.weight.block;
    // Each tap has as many blocks of channels as a pixel.
    let taps = window.kernel * window.kernel;
    let terms: Vec<QuantTerm> = (0..taps * blocks)
        .map(|i| {
            let (tap, block) = (i / blocks, i % blocks);
            let pixel = tap / window.kernel * image.width + tap % window.kernel;
            QuantTerm::new(i, pixel * channels + block * layer.weight.block, layer.weight.block)
        })
        .collect();
    let (height, width) = (window.axis(extent.height).outputs, window.axis(extent.width).outputs);
    let rows = extent.batch * height * width;
    let (mut starts, mut params) = (Vec::new(), Vec::new());
    for begin in (0..rows).step_by(ROWS) {
        let count = ROWS.min(rows - begin);
        starts.clear();
        params.clear();
        for position in begin..begin + count {
            let (left, rest) = (position % width * window.stride, position / width);
            let (top, picture) = (rest % height * window.stride, rest / height);
            let pixel = (picture * image.height + top) * image.width + left;
            starts.push(pixel * channels);
            for row in 0..window.kernel {
                let first = (pixel + row * image.width) * blocks;
                params.extend_from_slice(&image.params[first..][..window.kernel * blocks]);
            }
        }
        let y = Shared::new(&mut y[begin * outputs..][..count * outputs]);
        let out = Out { values: y, stride: outputs, first: 0 };
        let patches = QuantizedRows::new(&terms, &starts, &image.values, &params);
        // SAFETY: nobody else has the outputs.
        unsafe { int8_layer(patches, &layer.for_rows(begin, count), out, Threads::All) }
    }
}

/// Quantised images with the zeros around them: pixels of bytes, and the parameters of each of their blocks.
struct Bordered {
    height: usize,
    width: usize,
    values: Vec<u8>,
    params: Vec<[f32; 2]>,
}

impl Bordered {
    /// As much border as the window sees. `block` divides the channels.
    fn quantize(x: &[f32], extent: Extent, window: Window, block: usize) -> Self {
        let Extent { channels, .. } = extent;
        let (down, across) = (window.axis(extent.height), window.axis(extent.width));
        let [height, width] = [(down, extent.height), (across, extent.width)].map(|(axis, size)| {
            let seen = axis.outputs.saturating_sub(1) * window.stride + window.kernel;
            seen.max(axis.before + size)
        });
        let blocks = channels / block;
        let pixels = extent.batch * height * width;
        let (mut values, mut params) = (vec![0; pixels * channels], vec![[0.0; 2]; pixels * blocks]);
        let (to, to_params) = (Shared::new(&mut values), Shared::new(&mut params));
        let line = extent.width * channels;
        parallel::ranges(extent.batch * extent.height, GRAIN / line.max(1) + 1, |rows| {
            for row in rows {
                let (image, top) = (row / extent.height, row % extent.height + down.before);
                let pixel = (image * height + top) * width + across.before;
                // SAFETY: each row is given to one call only.
                let (to, params) = unsafe {
                    (to.slice(pixel * channels, line), to_params.slice(pixel * blocks, extent.width * blocks))
                };
                let blocks = x[row * line..][..line].chunks_exact(block).zip(to.chunks_exact_mut(block));
                for ((x, to), params) in blocks.zip(params) {
                    *params = quantize(x, to);
                }
            }
        });
        Self { height, width, values, params }
    }
}

/// `(batch, channels, height, width)` to `(batch, height, width, channels)`; `extent` has the sizes of both.
///
/// # Panics
/// Where `x` has another number of elements.
pub fn channels_last(x: &[f32], extent: Extent) -> Vec<f32> {
    assert_eq!(x.len(), extent.elements(), "channels-last: another number of inputs");
    let (pixels, channels) = (extent.height * extent.width, extent.channels);
    let mut y = vec![0.0; x.len()];
    let whole = (pixels * channels).max(1);
    for (x, y) in x.chunks_exact(whole).zip(y.chunks_exact_mut(whole)) {
        for (channel, plane) in x.chunks_exact(pixels).enumerate() {
            y[channel..].iter_mut().step_by(channels).zip(plane).for_each(|(y, &x)| *y = x);
        }
    }
    y
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::{Activation, MatrixBuilder, MatrixError, Padding, Result};

    /// Largest difference of f32 sums of n products of about 1 from those in f64: n times this.
    const F32_BOUND: f64 = 5e-7;
    /// The same of weights in f16.
    const F16_BOUND: f64 = 4e-4;
    /// Largest error of int8 in deviations of the result: 7 bits of input and 8 of weight.
    const INT8_BOUND: f64 = 0.04;

    /// Numbers without a pattern, which errors of rounding would follow.
    fn noise(count: usize, seed: u32) -> Vec<f32> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        };
        (0..count).map(|_| next()).collect()
    }

    /// The formula in double precision, of weights `(out, in, kernel, kernel)`: the naive twin.
    fn naive(x: &[f32], extent: Extent, window: Window, weights: &[f32], bias: &[f32]) -> Vec<f64> {
        let output = window.output(extent);
        let (down, across) = (window.axis(extent.height), window.axis(extent.width));
        let taps = window.kernel * window.kernel;
        let mut y = Vec::new();
        for position in 0..output.batch * output.height * output.width {
            let (left, rest) = (position % output.width * window.stride, position / output.width);
            let (top, image) = (rest % output.height * window.stride, rest / output.height);
            for (o, bias) in bias.iter().enumerate() {
                let mut sum = f64::from(*bias);
                for tap in 0..taps {
                    let row = (top + tap / window.kernel) as isize - down.before as isize;
                    let column = (left + tap % window.kernel) as isize - across.before as isize;
                    if !(0..extent.height as isize).contains(&row)
                        || !(0..extent.width as isize).contains(&column)
                    {
                        continue;
                    }
                    let pixel = (image * extent.height + row as usize) * extent.width + column as usize;
                    for channel in 0..extent.channels {
                        let weight = weights[(o * extent.channels + channel) * taps + tap];
                        sum += f64::from(x[pixel * extent.channels + channel]) * f64::from(weight);
                    }
                }
                y.push(sum);
            }
        }
        y
    }

    /// Batch, height, width, channels, outputs: odd ones, and channels in eights, which int8 reads in place.
    const SIZES: [[usize; 5]; 8] = [
        [1, 1, 1, 1, 1],
        [2, 3, 5, 3, 5],
        [1, 7, 7, 8, 9],
        [1, 6, 5, 13, 17],
        [2, 4, 9, 24, 8],
        [1, 5, 4, 136, 33],
        [1, 3, 3, 256, 16],
        [1, 40, 41, 8, 3],
    ];

    #[test]
    fn equals_the_formula_over_odd_sizes() -> Result<()> {
        for [batch, height, width, channels, outputs] in SIZES {
            let extent = Extent { batch, height, width, channels };
            let x = noise(extent.elements(), 1);
            for (kernel, stride) in [(1, 1), (1, 2), (3, 1), (3, 2), (2, 2), (5, 3)] {
                let columns = kernel * kernel * channels;
                let (weights, bias) = (noise(outputs * columns, 2), noise(outputs, 3));
                for padding in [Padding::Same, Padding::Symmetric(kernel / 2), Padding::Symmetric(kernel)] {
                    let window = Window { kernel, stride, padding };
                    let expected = naive(&x, extent, window, &weights, &bias);
                    let residual = noise(expected.len(), 4);
                    for dtype in [Dtype::F32, Dtype::F16, Dtype::Int8] {
                        let mut builder =
                            MatrixBuilder::convolution(dtype, outputs, columns, Some(channels))?;
                        builder.push(&weights);
                        let after = Epilogue::ResidualActivation(&residual, Activation::Relu6);
                        let weight = builder.finish()?;
                        let layer = Layer { weight: &weight, bias: Some(&bias), after };
                        let y = convolve(&x, extent, window, &layer);
                        assert_eq!(y.len(), expected.len());
                        let deviation = (columns as f64).sqrt() / 3.0;
                        let bound = match dtype {
                            Dtype::F32 => F32_BOUND * (columns + 4) as f64,
                            Dtype::F16 => F16_BOUND * columns as f64,
                            Dtype::Int8 => INT8_BOUND * deviation.max(1.0),
                        };
                        for ((y, expected), residual) in y.iter().zip(&expected).zip(&residual) {
                            let expected = (expected + f64::from(*residual)).clamp(0.0, 6.0);
                            let error = (f64::from(*y) - expected).abs();
                            let what = format!("{dtype:?} {extent:?} {outputs} {window:?}");
                            assert!(error <= bound, "{what}: off by {error}");
                        }
                    }
                }
            }
        }
        Ok(())
    }

    #[test]
    fn what_is_not_a_number_spoils_what_sees_it_alone() -> Result<()> {
        let extent = Extent { batch: 1, height: 7, width: 6, channels: 16 };
        let mut x = noise(extent.elements(), 1);
        x[(3 * 6 + 3) * 16 + 5] = f32::NAN;
        let window = Window { kernel: 3, stride: 1, padding: Padding::Same };
        for dtype in [Dtype::F32, Dtype::Int8] {
            let mut builder = MatrixBuilder::convolution(dtype, 8, 144, Some(16))?;
            builder.push(&noise(8 * 144, 2));
            let weight = builder.finish()?;
            let layer = Layer { weight: &weight, bias: None, after: Epilogue::Activation(Activation::Relu) };
            for (i, y) in convolve(&x, extent, window, &layer).iter().enumerate() {
                let (row, column) = (i / 48, i / 8 % 6);
                let sees = (2..5).contains(&row) && (2..5).contains(&column);
                assert_eq!(y.is_nan(), sees, "{dtype:?}: row {row}, column {column}");
            }
        }
        Ok(())
    }

    #[test]
    fn scaled_rows_are_those_of_scaled_weights() -> Result<()> {
        let (rows, columns) = (11, 27);
        let (weights, factors) = (noise(rows * columns, 2), noise(rows, 3));
        for dtype in [Dtype::F32, Dtype::F16, Dtype::Int8] {
            let mut builder = MatrixBuilder::convolution(dtype, rows, columns, Some(3))?;
            builder.push(&weights);
            let plain = builder.finish()?;
            let mut scaled = plain.clone();
            scaled.scale_rows(&factors);
            let (mut a, mut b) = (vec![0.0; columns], vec![0.0; columns]);
            for (row, factor) in factors.iter().enumerate() {
                plain.copy_row(row, &mut a);
                scaled.copy_row(row, &mut b);
                for (a, b) in a.iter().zip(&b) {
                    assert!((a * factor - b).abs() <= 1e-3, "{dtype:?}: {b} instead of {}", a * factor);
                }
            }
        }
        Ok::<(), MatrixError>(())
    }

    #[test]
    fn channels_go_to_the_end() {
        let extent = Extent { batch: 2, height: 2, width: 3, channels: 2 };
        let x: Vec<f32> = (0..24).map(|i| i as f32).collect();
        let y = channels_last(&x, extent);
        assert_eq!(y[..4], [0.0, 6.0, 1.0, 7.0]);
        assert_eq!(y[12..16], [12.0, 18.0, 13.0, 19.0]);
    }
}
