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
