//! Averages over images whose channels lie together.

use super::window::Extent;

/// The mean of each `size` by `size` pixels, which do not overlap; pixels that fill no whole square are left out.
/// `(batch, height / size, width / size, channels)`.
///
/// # Panics
/// Where `size` is zero, or `x` has another number of elements than `extent`.
pub fn average_pool(x: &[f32], extent: Extent, size: usize) -> Vec<f32> {
    assert_eq!(x.len(), extent.elements(), "average-pool: another number of inputs");
    assert!(size > 0, "average-pool: no pixels to take the mean of");
    let (height, width, channels) = (extent.height / size, extent.width / size, extent.channels);
    let mut y = vec![0.0; extent.batch * height * width * channels];
    let factor = 1.0 / (size * size) as f32;
    for (position, y) in y.chunks_exact_mut(channels.max(1)).enumerate() {
        let (row, column) = (position / width, position % width);
        let (image, row) = (row / height, row % height * size);
        for i in 0..size * size {
            let pixel = (image * extent.height + row + i / size) * extent.width + column * size + i % size;
            y.iter_mut().zip(&x[pixel * channels..][..channels]).for_each(|(y, x)| *y += x);
        }
        y.iter_mut().for_each(|y| *y *= factor);
    }
    y
}

/// The mean of all pixels of each image: `(batch, channels)`.
///
/// # Panics
/// Where `x` has another number of elements than `extent`.
pub fn global_average_pool(x: &[f32], extent: Extent) -> Vec<f32> {
    assert_eq!(x.len(), extent.elements(), "global-average-pool: another number of inputs");
    let (pixels, channels) = (extent.height * extent.width, extent.channels);
    let mut y = vec![0.0; extent.batch * channels];
    let images = x.chunks_exact((pixels * channels).max(1));
    for (image, y) in images.zip(y.chunks_exact_mut(channels.max(1))) {
        for pixel in image.chunks_exact(channels) {
            y.iter_mut().zip(pixel).for_each(|(y, x)| *y += x);
        }
        y.iter_mut().for_each(|y| *y /= pixels as f32);
    }
    y
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    /// Largest difference of a mean in f32 of numbers of at most 1 from that in f64.
    const BOUND: f64 = 1e-6;

    fn noise(count: usize) -> Vec<f32> {
        (0..count).map(|i| ((i * 7919 + 13) % 2003) as f32 / 1000.0 - 1.0).collect()
    }

    /// The mean of one channel over some pixels of an image, in double precision: the naive twin.
    fn naive(
        x: &[f32],
        extent: Extent,
        image: usize,
        channel: usize,
        top: usize,
        left: usize,
        size: [usize; 2],
    ) -> f64 {
        let [height, width] = size;
        let pixels = (0..height * width).map(|i| (top + i / width, left + i % width));
        let sum: f64 = pixels
            .map(|(row, column)| {
                let pixel = (image * extent.height + row) * extent.width + column;
                f64::from(x[pixel * extent.channels + channel])
            })
            .sum();
        sum / (height * width) as f64
    }

    #[test]
    fn equals_the_formula_over_odd_sizes() {
        for (batch, height, width, channels) in [(1, 1, 1, 1), (2, 4, 6, 3), (1, 7, 5, 8), (3, 9, 9, 5)] {
            let extent = Extent { batch, height, width, channels };
            let x = noise(extent.elements());
            for size in 1..=3 {
                let y = average_pool(&x, extent, size);
                let (down, across) = (height / size, width / size);
                assert_eq!(y.len(), batch * down * across * channels);
                for (i, y) in y.iter().enumerate() {
                    let (channel, rest) = (i % channels, i / channels);
                    let (left, rest) = (rest % across * size, rest / across);
                    let (top, image) = (rest % down * size, rest / down);
                    let expected = naive(&x, extent, image, channel, top, left, [size, size]);
                    assert!(
                        (f64::from(*y) - expected).abs() <= BOUND,
                        "{extent:?} by {size}: {y}, not {expected}"
                    );
                }
            }
            for (i, y) in global_average_pool(&x, extent).iter().enumerate() {
                let expected = naive(&x, extent, i / channels, i % channels, 0, 0, [height, width]);
                assert!((f64::from(*y) - expected).abs() <= BOUND, "{extent:?}: {y}, not {expected}");
            }
        }
    }
}
