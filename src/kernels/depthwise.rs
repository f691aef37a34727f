//! Depthwise convolutions: each channel of an image under taps of its own.
//!
//! Four channels are one vector. A row of outputs is computed for sixteen channels, whose pixels are a line of the
//! cache each, before the next sixteen; of each four, several outputs at a time, so that a weight is loaded once for all
//! of them and most inputs too. Where the window reaches over the border, the taps that are beyond it are left out of
//! the loops, which therefore have no branch in them.

use std::ops::Range;

use super::activation::Activation;
use super::parallel::{self, Shared};
use super::simd::{F32x4, LANES};
use super::window::{Axis, Extent, Window};

/// Channels that are computed for a whole row: as many as lie in one line of the cache.
const LINE: usize = 16;
/// Outputs that are computed at a time.
const OUTPUTS: usize = 4;
/// Multiplications below which a second thread is not worth waking.
const GRAIN: usize = 1 << 18;

/// A depthwise convolution.
#[derive(Debug, Clone, Copy)]
pub struct Depthwise<'a> {
    /// Which pixels an output sees.
    pub window: Window,
    /// `(kernel * kernel, channels)`.
    pub weights: &'a [f32],
    /// `(channels,)`.
    pub bias: &'a [f32],
    /// What happens to the sums.
    pub activation: Option<Activation>,
}

/// `x`, images of `extent`, each channel under the window. Rows of `channels` outputs, one for each of its positions.
///
/// # Panics
/// Where lengths do not fit each other.
pub fn depthwise(x: &[f32], extent: Extent, layer: Depthwise<'_>) -> Vec<f32> {
    assert_eq!(x.len(), extent.elements(), "depthwise: another number of inputs");
    let output = layer.window.output(extent);
    let mut y = vec![0.0; output.elements()];
    let (input, row) = (extent.height * extent.width * extent.channels, output.width * output.channels);
    let out = Shared::new(&mut y);
    let grain = GRAIN / (row * layer.window.kernel * layer.window.kernel).max(1) + 1;
    parallel::ranges(output.batch * output.height, grain, |rows| {
        for at in rows {
            let (image, at) = (at / output.height, at % output.height);
            // SAFETY: each row of outputs is given to one call only.
            let y = unsafe { out.slice((image * output.height + at) * row, row) };
            depthwise_rows(&x[image * input..][..input], 0, extent, layer, at..at + 1, y);
        }
    });
    y
}

/// The rows `rows` of outputs for one image of `extent`, of which `x` has the rows from `first` on that they see.
///
/// # Panics
/// Where lengths do not fit each other, or a row that is seen is missing.
pub(super) fn depthwise_rows(
    x: &[f32],
    first: usize,
    extent: Extent,
    layer: Depthwise<'_>,
    rows: Range<usize>,
    y: &mut [f32],
) {
    let (channels, kernel) = (extent.channels, layer.window.kernel);
    let (down, across) = (layer.window.axis(extent.height), layer.window.axis(extent.width));
    assert_eq!(layer.weights.len(), kernel * kernel * channels, "depthwise: another number of weights");
    assert_eq!(layer.bias.len(), channels, "depthwise: bias of another length");
    assert_eq!(y.len(), rows.len() * across.outputs * channels, "depthwise: another number of outputs");
    let clamp = layer.activation.and_then(Activation::bounds);
    let [low, high] = clamp.unwrap_or([f32::NEG_INFINITY, f32::INFINITY]).map(F32x4::splat);
    let stride = layer.window.stride.max(1);
    for (row, y) in rows.zip(y.chunks_exact_mut((across.outputs * channels).max(1))) {
        let taps = taps_within(row, stride, kernel, down.before, extent.height);
        let top = row * stride + taps.start - down.before;
        let (pixels, line) = (extent.width, extent.width * channels);
        let x = if taps.is_empty() { &x[..0] } else { &x[(top - first) * line..][..taps.len() * line] };
        let mut part = Row { x, y, layer, taps, across, pixels, channels, low, high };
        match (kernel, stride) {
            (3, 1) => part.compute::<3, 1, 6>(),
            (3, 2) => part.compute::<3, 2, 9>(),
            (5, 1) => part.compute::<5, 1, 8>(),
            (5, 2) => part.compute::<5, 2, 11>(),
            _ => part.compute_plain(0..across.outputs, 0..channels),
        }
    }
    if let (None, Some(activation)) = (clamp, layer.activation) {
        activation.apply(y);
    }
}

/// The taps of a window of `kernel`, at its position `at`, that are within `size` pixels.
fn taps_within(at: usize, stride: usize, kernel: usize, before: usize, size: usize) -> Range<usize> {
    let begin = before.saturating_sub(at * stride).min(kernel);
    let end = (size + before).saturating_sub(at * stride).clamp(begin, kernel);
    begin..end
}

/// One row of outputs.
struct Row<'a> {
    /// The rows of inputs that it sees.
    x: &'a [f32],
    y: &'a mut [f32],
    layer: Depthwise<'a>,
    /// Which rows of taps these are.
    taps: Range<usize>,
    across: Axis,
    /// Pixels in a row of inputs.
    pixels: usize,
    channels: usize,
    /// Between which the activation clamps.
    low: F32x4,
    high: F32x4,
}

impl Row<'_> {
    /// For a kernel of `K`, a stride of `S`, and the `N` inputs that [`OUTPUTS`] outputs see in one row.
    fn compute<const K: usize, const S: usize, const N: usize>(mut self) {
        const { assert!(N == (OUTPUTS - 1) * S + K) };
        let outputs = self.across.outputs;
        // Outputs whose whole window is within the row.
        let begin = self.across.before.div_ceil(S).min(outputs);
        let room = (self.pixels + self.across.before).checked_sub(K);
        let end = room.map_or(0, |room| room / S + 1).clamp(begin, outputs);
        let whole = begin + (end - begin) / OUTPUTS * OUTPUTS;
        let vectors = self.channels / LANES * LANES;
        for line in (0..vectors).step_by(LINE) {
            for channel in (line..vectors.min(line + LINE)).step_by(LANES) {
                for at in (0..begin).chain(whole..outputs) {
                    self.single(at, channel, taps_within(at, S, K, self.across.before, self.pixels));
                }
                for at in (begin..whole).step_by(OUTPUTS) {
                    self.several::<K, S, N>(at, channel);
                }
            }
        }
        self.compute_plain(0..outputs, vectors..self.channels);
    }

    /// Four channels of one output, of which the columns `taps` of the window are within the image.
    #[inline(always)]
    fn single(&mut self, at: usize, channel: usize, taps: Range<usize>) {
        let (kernel, channels) = (self.layer.window.kernel, self.channels);
        let left = at * self.layer.window.stride.max(1) + taps.start - self.across.before;
        assert!(channel + LANES <= channels && left + taps.len() <= self.pixels && taps.end <= kernel);
        // SAFETY: the assertion, and the lengths that `depthwise_rows` asserts, cover each of these places.
        unsafe {
            let mut sum = F32x4::load(self.layer.bias.as_ptr().add(channel));
            for (i, row) in self.taps.clone().enumerate() {
                let mut x = self.x.as_ptr().add((i * self.pixels + left) * channels + channel);
                let mut w = self.layer.weights.as_ptr().add((row * kernel + taps.start) * channels + channel);
                for _ in taps.clone() {
                    sum = F32x4::load(x).mul_add(F32x4::load(w), sum);
                    (x, w) = (x.wrapping_add(channels), w.wrapping_add(channels));
                }
            }
            let to = &mut self.y[at * channels + channel..][..LANES];
            sum.at_least(self.low).at_most(self.high).store(to.as_mut_ptr());
        }
    }

    /// Four channels of [`OUTPUTS`] outputs, whose windows are within the row.
    #[inline(always)]
    fn several<const K: usize, const S: usize, const N: usize>(&mut self, at: usize, channel: usize) {
        let channels = self.channels;
        let left = at * S - self.across.before;
        assert!(channel + LANES <= channels && left + N <= self.pixels);
        let to = &mut self.y[at * channels + channel..][..(OUTPUTS - 1) * channels + LANES];
        // SAFETY: the assertion, and the lengths that `depthwise_rows` asserts, cover each of these places.
        unsafe {
            let mut sums = [F32x4::load(self.layer.bias.as_ptr().add(channel)); OUTPUTS];
            for (i, row) in self.taps.clone().enumerate() {
                let x = self.x.as_ptr().add((i * self.pixels + left) * channels + channel);
                let w = self.layer.weights.as_ptr().add(row * K * channels + channel);
                let mut inputs = [sums[0]; N];
                for (n, input) in inputs.iter_mut().enumerate() {
                    *input = F32x4::load(x.add(n * channels));
                }
                for k in 0..K {
                    let w = F32x4::load(w.add(k * channels));
                    for (o, sum) in sums.iter_mut().enumerate() {
                        *sum = inputs[o * S + k].mul_add(w, *sum);
                    }
                }
            }
            for (o, sum) in sums.into_iter().enumerate() {
                sum.at_least(self.low).at_most(self.high).store(to.as_mut_ptr().add(o * channels));
            }
        }
    }

    /// Any kernel and stride, one channel at a time.
    fn compute_plain(&mut self, outputs: Range<usize>, wanted: Range<usize>) {
        let Self { channels, pixels, .. } = *self;
        let Window { kernel, stride, .. } = self.layer.window;
        for at in outputs {
            let taps = taps_within(at, stride.max(1), kernel, self.across.before, pixels);
            let left = at * stride.max(1) + taps.start - self.across.before;
            for channel in wanted.clone() {
                let mut sum = self.layer.bias[channel];
                for (i, row) in self.taps.clone().enumerate() {
                    for (j, column) in taps.clone().enumerate() {
                        let x = self.x[(i * pixels + left + j) * channels + channel];
                        sum += x * self.layer.weights[(row * kernel + column) * channels + channel];
                    }
                }
                let [low, high] = [self.low, self.high].map(|bound| bound.to_array()[0]);
                // `clamp` keeps NaN.
                self.y[at * channels + channel] = sum.clamp(low, high);
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::Padding;

    /// Largest difference of f32 sums of 25 products of at most 1 from those in f64.
    const BOUND: f64 = 5e-6;

    fn noise(count: usize, seed: usize) -> Vec<f32> {
        (0..count).map(|i| (((i + seed) * 7919 + 13 * seed) % 2003) as f32 / 1000.0 - 1.0).collect()
    }

    /// The formula in double precision: the naive twin.
    fn naive(x: &[f32], extent: Extent, layer: Depthwise<'_>) -> Vec<f64> {
        let (window, output) = (layer.window, layer.window.output(extent));
        let (down, across) = (window.axis(extent.height), window.axis(extent.width));
        let mut y = Vec::new();
        for position in 0..output.batch * output.height * output.width {
            let (left, rest) = (position % output.width * window.stride, position / output.width);
            let (top, image) = (rest % output.height * window.stride, rest / output.height);
            for channel in 0..extent.channels {
                let mut sum = f64::from(layer.bias[channel]);
                for tap in 0..window.kernel * window.kernel {
                    let row = (top + tap / window.kernel) as isize - down.before as isize;
                    let column = (left + tap % window.kernel) as isize - across.before as isize;
                    if (0..extent.height as isize).contains(&row)
                        && (0..extent.width as isize).contains(&column)
                    {
                        let pixel = (image * extent.height + row as usize) * extent.width + column as usize;
                        let x = x[pixel * extent.channels + channel];
                        sum += f64::from(x) * f64::from(layer.weights[tap * extent.channels + channel]);
                    }
                }
                y.push(sum);
            }
        }
        y
    }

    #[test]
    fn equals_the_formula_over_odd_sizes() {
        let sizes = [(1, 1, 1, 1), (2, 3, 5, 3), (1, 7, 7, 8), (1, 12, 13, 21), (1, 2, 9, 4), (2, 9, 2, 17)];
        for (batch, height, width, channels) in sizes {
            let extent = Extent { batch, height, width, channels };
            let x = noise(extent.elements(), 1);
            for (kernel, stride) in [(1, 1), (1, 2), (3, 1), (3, 2), (3, 3), (5, 1), (5, 2), (7, 1), (2, 2)] {
                let (weights, bias) = (noise(kernel * kernel * channels, 2), noise(channels, 3));
                for padding in [Padding::Same, Padding::Symmetric(kernel / 2), Padding::Symmetric(kernel)] {
                    let window = Window { kernel, stride, padding };
                    for activation in [None, Some(Activation::Relu6), Some(Activation::Silu)] {
                        let layer = Depthwise { window, weights: &weights, bias: &bias, activation };
                        let y = depthwise(&x, extent, layer);
                        let mut expected = naive(&x, extent, layer);
                        assert_eq!(y.len(), expected.len());
                        match activation {
                            Some(Activation::Silu) => {
                                expected.iter_mut().for_each(|x| *x /= 1.0 + (-*x).exp());
                            }
                            Some(_) => expected.iter_mut().for_each(|x| *x = x.clamp(0.0, 6.0)),
                            None => {}
                        }
                        for (y, expected) in y.iter().zip(expected) {
                            let error = (f64::from(*y) - expected).abs();
                            assert!(error <= BOUND, "{extent:?} {window:?} {activation:?}: off by {error}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_not_a_number_stays_where_it_is_seen() {
        let extent = Extent { batch: 1, height: 9, width: 9, channels: 4 };
        let mut x = noise(extent.elements(), 1);
        x[(4 * 9 + 4) * 4] = f32::NAN;
        let (weights, bias) = (noise(36, 2), noise(4, 3));
        let window = Window { kernel: 3, stride: 1, padding: Padding::Same };
        let layer = Depthwise { window, weights: &weights, bias: &bias, activation: Some(Activation::Relu6) };
        let y = depthwise(&x, extent, layer);
        for (i, y) in y.iter().enumerate() {
            let (row, column, channel) = (i / 36, i / 4 % 9, i % 4);
            let sees = channel == 0 && (3..6).contains(&row) && (3..6).contains(&column);
            assert_eq!(y.is_nan(), sees, "row {row}, column {column}, channel {channel}");
        }
    }
}
