//! Depthwise convolutions: each channel of an image under taps of its own.

use super::activation::Activation;
use super::window::{Extent, Window};

/// `x`, images of `extent`, each channel under `window` with `weights`, `(kernel * kernel, channels)`, plus `bias`,
/// `(channels,)`, then `activation`. Rows of `channels` outputs, one for each position of the window.
///
/// # Panics
/// Where lengths do not fit each other.
pub fn depthwise(
    x: &[f32],
    extent: Extent,
    window: Window,
    weights: &[f32],
    bias: &[f32],
    activation: Option<Activation>,
) -> Vec<f32> {
    let channels = extent.channels;
    assert_eq!(x.len(), extent.elements(), "depthwise: another number of inputs");
    assert_eq!(
        weights.len(),
        window.kernel * window.kernel * channels,
        "depthwise: another number of weights"
    );
    assert_eq!(bias.len(), channels, "depthwise: bias of another length");
    let (down, across) = (window.axis(extent.height), window.axis(extent.width));
    let mut y = Vec::with_capacity(window.output(extent).elements());
    for image in x.chunks_exact((extent.height * extent.width * channels).max(1)) {
        for (top, left) in (0..down.outputs).flat_map(|top| (0..across.outputs).map(move |left| (top, left)))
        {
            let begin = y.len();
            y.extend_from_slice(bias);
            for tap in 0..window.kernel * window.kernel {
                let row = (top * window.stride + tap / window.kernel).checked_sub(down.before);
                let column = (left * window.stride + tap % window.kernel).checked_sub(across.before);
                let (Some(row), Some(column)) = (row, column) else { continue };
                if row < extent.height && column < extent.width {
                    let x = &image[(row * extent.width + column) * channels..][..channels];
                    let weights = &weights[tap * channels..][..channels];
                    y[begin..].iter_mut().zip(x).zip(weights).for_each(|((y, x), w)| *y += x * w);
                }
            }
            if let Some(activation) = activation {
                activation.apply(&mut y[begin..]);
            }
        }
    }
    y
}
