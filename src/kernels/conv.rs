//! Convolutions over images whose channels lie together, as matrix products over gathered patches.
//!
//! The patches of a whole image would be as many times its size as the kernel has taps. So a block of them is gathered,
//! as many as stay in the second cache, and goes through [`linear`] while it is there.

use super::gemm::{After, Layer, linear};
use super::window::{Extent, Window};

/// Bytes of patches that are gathered at a time.
const CACHE: usize = 128 << 10;

/// `x`, images of `extent`, under `window`, through `layer`: its weights have `kernel * kernel * channels` columns in the
/// order `(height, width, channel)`. Rows of outputs, one for each position of the window.
///
/// # Panics
/// Where lengths do not fit each other.
pub fn convolve(x: &[f32], extent: Extent, window: Window, layer: &Layer<'_>) -> Vec<f32> {
    let columns = window.kernel * window.kernel * extent.channels;
    assert_eq!(x.len(), extent.elements(), "convolve: another number of inputs");
    assert_eq!(layer.weight.columns(), columns, "convolve: inputs do not fit the weights");
    if window.kernel == 1 && window.stride == 1 && window.output(extent) == extent {
        return linear(x, &[*layer]);
    }
    let (outputs, rows) = (layer.weight.rows(), window.output(extent));
    let rows = rows.batch * rows.height * rows.width;
    let block = (CACHE / (4 * columns.max(1))).max(1);
    let mut y = Vec::with_capacity(rows * outputs);
    let mut patches = vec![0.0; block.min(rows) * columns];
    for begin in (0..rows).step_by(block) {
        let count = block.min(rows - begin);
        let patches = &mut patches[..count * columns];
        for (i, patch) in patches.chunks_exact_mut(columns).enumerate() {
            gather(x, extent, window, begin + i, patch);
        }
        let part = begin * outputs..(begin + count) * outputs;
        let after = match layer.after {
            After::Residual(all) => After::Residual(&all[part]),
            After::ResidualActivation(all, activation) => After::ResidualActivation(&all[part], activation),
            after => after,
        };
        y.extend(linear(patches, &[Layer { after, ..*layer }]));
    }
    y
}

/// What the window sees at its `position`: by row, pixel and channel, zeros beyond the border.
fn gather(x: &[f32], extent: Extent, window: Window, position: usize, to: &mut [f32]) {
    let (down, across) = (window.axis(extent.height), window.axis(extent.width));
    let (image, place) =
        (position / (down.outputs * across.outputs), position % (down.outputs * across.outputs));
    let top = place / across.outputs * window.stride;
    let left = place % across.outputs * window.stride;
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
        let from =
            ((image * extent.height + row) * extent.width + left + begin - across.before) * extent.channels;
        let (begin, end) = (begin * extent.channels, end * extent.channels);
        to[..begin].fill(0.0);
        to[begin..end].copy_from_slice(&x[from..][..end - begin]);
        to[end..].fill(0.0);
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
