//! Small copies of pictures, for people to look at: of those that a browser does not show.

use ::image::RgbImage;

use super::{Filter, resize};

/// `image` in a size whose longer edge has at most `longest_edge` pixels, as PIL's `Image.thumbnail` makes it but for the
/// rounding of the shorter edge: bicubic, antialiased. What is no larger stays as it is.
///
/// Each edge of an image with pixels has one at least.
pub fn thumbnail(image: &RgbImage, longest_edge: u32) -> RgbImage {
    let (width, height) = image.dimensions();
    let longest = width.max(height);
    if longest <= longest_edge.max(1) {
        return image.clone();
    }
    let scaled = |edge: u32| {
        // Rounded to the nearest; below `longest_edge`, so that it fits.
        let part = u64::from(edge) * u64::from(longest_edge.max(1)) + u64::from(longest) / 2;
        u32::try_from(part / u64::from(longest)).unwrap_or(u32::MAX).max(1)
    };
    resize(image, scaled(width), scaled(height), Filter::Bicubic)
}

/// The pixels of `image` as a canvas takes them (`ImageData`): rows of RGBA, opaque.
pub fn to_rgba(image: &RgbImage) -> Vec<u8> {
    image.pixels().flat_map(|&::image::Rgb([red, green, blue])| [red, green, blue, u8::MAX]).collect()
}

#[cfg(test)]
mod tests {
    use super::{thumbnail, to_rgba};
    use crate::image::{Filter, RgbImage, from_rgba, resize};

    fn gradient(width: u32, height: u32) -> RgbImage {
        RgbImage::from_fn(width, height, |x, y| {
            ::image::Rgb([x, y, x ^ y].map(|sample| (sample % 256) as u8))
        })
    }

    #[test]
    fn the_longer_edge_is_what_was_asked() {
        for (size, asked, expected) in [
            ((400, 300), 200, (200, 150)),
            ((300, 400), 200, (150, 200)),
            ((1000, 3), 100, (100, 1)),
            ((3, 2), 2, (2, 1)),
            ((5, 7), 0, (1, 1)),
        ] {
            let made = thumbnail(&gradient(size.0, size.1), asked);
            assert_eq!(made.dimensions(), expected, "{size:?} at {asked}");
        }
    }

    #[test]
    fn what_is_no_larger_stays_as_it_is() {
        let image = gradient(30, 40);
        assert_eq!(thumbnail(&image, 40), image);
        assert_eq!(thumbnail(&image, u32::MAX), image);
        assert_eq!(thumbnail(&RgbImage::default(), 10), RgbImage::default());
    }

    #[test]
    fn a_smaller_one_is_what_resizing_gives() {
        let image = gradient(90, 60);
        assert_eq!(thumbnail(&image, 45), resize(&image, 45, 30, Filter::Bicubic));
    }

    #[test]
    fn pixels_are_those_that_are_taken() {
        let image = gradient(7, 5);
        let rgba = to_rgba(&image);
        assert!(rgba.iter().skip(3).step_by(4).all(|&alpha| alpha == u8::MAX));
        assert_eq!(from_rgba(7, 5, &rgba).ok(), Some(image));
    }
}
