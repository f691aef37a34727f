//! From the pixel layouts that decoders give to RGB, as PIL converts them.

use ::image::{DynamicImage, RgbImage, RgbaImage};

/// `image` as RGB: grey repeated, 16-bit samples cut to their high byte, transparency over white.
///
/// Method, as PIL: the high byte is what PIL's 16-bit raw modes keep (`RGB;16B`, `LA;16B`), not a rounded
/// division by 257. Float colours, which PIL does not open, are clamped to 0..=1 and rounded.
/// Eight-bit colours are converted in place, so that a large picture is never held twice.
pub(super) fn to_rgb(image: DynamicImage) -> RgbImage {
    let (width, height) = (image.width(), image.height());
    let rgb = match image {
        DynamicImage::ImageRgb8(image) => return image,
        DynamicImage::ImageRgba8(image) => rgba_to_rgb(image.into_raw()),
        DynamicImage::ImageLuma8(image) => grey_to_rgb(image.as_raw().iter().copied()),
        DynamicImage::ImageLumaA8(image) => {
            grey_to_rgb(image.as_raw().as_chunks().0.iter().map(|&[grey, alpha]| over_white(grey, alpha)))
        }
        DynamicImage::ImageLuma16(image) => grey_to_rgb(image.as_raw().iter().map(|&grey| high(grey))),
        DynamicImage::ImageLumaA16(image) => grey_to_rgb(
            image.as_raw().as_chunks().0.iter().map(|&[grey, alpha]| over_white(high(grey), high(alpha))),
        ),
        DynamicImage::ImageRgb16(image) => image.as_raw().iter().map(|&sample| high(sample)).collect(),
        DynamicImage::ImageRgba16(image) => {
            rgba_to_rgb(image.as_raw().iter().map(|&sample| high(sample)).collect())
        }
        DynamicImage::ImageRgb32F(image) => image.as_raw().iter().map(|&sample| unit(sample)).collect(),
        DynamicImage::ImageRgba32F(image) => {
            rgba_to_rgb(image.as_raw().iter().map(|&sample| unit(sample)).collect())
        }
        other => return other.into_rgb8(),
    };
    // The buffers above hold three bytes for each pixel by construction.
    RgbImage::from_raw(width, height, rgb).unwrap_or_default()
}

/// One sample over a white ground, as PIL's `Image.alpha_composite` computes it.
///
/// Method: with an opaque ground the composite is `(sample * alpha + 255 * (255 - alpha)) / 255`, held
/// with seven more bits and divided with rounding by the shift identity for 255.
///
/// Source: Pillow, `src/libImaging/AlphaComposite.c`.
pub(super) fn over_white(sample: u8, alpha: u8) -> u8 {
    const BITS: u32 = 7;
    let (sample, alpha) = (u32::from(sample), u32::from(alpha));
    let sum = ((sample * alpha + 255 * (255 - alpha)) << BITS) + (0x80 << BITS);
    ((((sum >> 8) + sum) >> 8) >> BITS) as u8
}

/// RGBA over white, in place: three bytes are written for every four read, so reading stays ahead.
pub(super) fn rgba_to_rgb(mut bytes: Vec<u8>) -> Vec<u8> {
    let pixels = bytes.len() / 4;
    for pixel in 0..pixels {
        let alpha = bytes[4 * pixel + 3];
        for channel in 0..3 {
            let sample = bytes[4 * pixel + channel];
            bytes[3 * pixel + channel] = if alpha == 255 { sample } else { over_white(sample, alpha) };
        }
    }
    bytes.truncate(3 * pixels);
    bytes
}

/// Fills what is wholly transparent with a colour.
pub(super) fn fill(image: &mut RgbaImage, [red, green, blue]: [u8; 3]) {
    for pixel in image.pixels_mut().filter(|pixel| pixel.0[3] == 0) {
        pixel.0 = [red, green, blue, 255];
    }
}

/// Takes alpha out of colours that it was multiplied into.
///
/// Source: Pillow, `src/libImaging/Convert.c`, `rgbA2rgba`.
pub(super) fn unmultiply(image: &mut RgbaImage) {
    for pixel in image.pixels_mut() {
        let [.., alpha] = pixel.0;
        pixel.0[..3].iter_mut().for_each(|sample| *sample = unmultiplied(*sample, alpha));
    }
}

/// One sample without the alpha that it was multiplied with.
pub(super) fn unmultiplied(sample: u8, alpha: u8) -> u8 {
    match alpha {
        0 | 255 => sample,
        alpha => (255 * u32::from(sample) / u32::from(alpha)).min(255) as u8,
    }
}

fn grey_to_rgb(greys: impl ExactSizeIterator<Item = u8>) -> Vec<u8> {
    let mut rgb = Vec::with_capacity(3 * greys.len());
    for grey in greys {
        rgb.extend_from_slice(&[grey; 3]);
    }
    rgb
}

fn high(sample: u16) -> u8 {
    (sample >> 8) as u8
}

fn unit(sample: f32) -> u8 {
    // `as` saturates, and turns NaN into 0.
    (sample * 255.0 + 0.5) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opaque_keeps_and_transparent_is_white() {
        for sample in 0..=255 {
            assert_eq!(over_white(sample, 255), sample);
            assert_eq!(over_white(sample, 0), 255);
        }
    }

    #[test]
    fn composite_is_the_rounded_quotient() {
        for sample in 0..=255u8 {
            for alpha in 0..=255u8 {
                let exact =
                    (f64::from(sample) * f64::from(alpha) + 255.0 * (255.0 - f64::from(alpha))) / 255.0;
                assert_eq!(f64::from(over_white(sample, alpha)), exact.round(), "{sample} over {alpha}");
            }
        }
    }

    #[test]
    fn converts_in_place() {
        let rgba = vec![10, 20, 30, 255, 1, 2, 3, 0, 0, 0, 0, 128];
        assert_eq!(rgba_to_rgb(rgba), [10, 20, 30, 255, 255, 255, 127, 127, 127]);
    }
}
