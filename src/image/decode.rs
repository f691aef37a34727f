//! Encoded bytes, or a canvas's pixels, to RGB.

use std::io::Cursor;

use ::image::codecs::{
    bmp::BmpDecoder, gif::GifDecoder, png::PngDecoder, tiff::TiffDecoder, webp::WebPDecoder,
};
use ::image::error::ImageFormatHint;
use ::image::metadata::Orientation;
use ::image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageResult, Limits, RgbImage};

use super::orientation::orientation;
use super::repair::{gif_ground, repaired, repaired_png};
use super::tiff::{Tiff, samples, tag};
use super::{convert, header};
use crate::error::{Error, ErrorKind, Result};

/// Pixels that a picture may have. Checked from the header, before anything is allocated for them.
pub const MAX_PIXELS: u64 = 100_000_000;

/// Pixels that an edge of a picture may have. Resizing holds a few weights for each pixel of an edge, so a line of
/// [`MAX_PIXELS`] would take gigabytes.
pub const MAX_EDGE: u32 = 1_000_000;

/// Bytes that an encoded picture may have.
pub const MAX_BYTES: usize = 256 << 20;

/// Bytes that decoded samples may have: every accepted picture with 8-bit samples; with 16-bit ones half as
/// many pixels. It keeps a decode well inside the 4 GiB that WebAssembly can address.
const MAX_DECODED_BYTES: u64 = 4 * MAX_PIXELS;

/// What a decoder may allocate beside the pixels (row buffers, metadata, one frame of a GIF).
const MAX_SCRATCH_BYTES: u64 = 64 << 20;

/// Decodes a JPEG, PNG, WebP, GIF (first frame), BMP or TIFF file; the content decides, not a name.
///
/// The result is upright (orientation of EXIF or XMP applied, as PIL's `exif_transpose` does), opaque (transparency over
/// white) and RGB:
///
/// * 8-bit colours, greys, palettes and bit maps are PIL's `convert("RGB")`, transparency is PIL's
///   `alpha_composite` over white, exactly.
/// * 16-bit samples keep their high byte. PIL does so for colours; for 16-bit *grey* it clips at 255 instead,
///   which turns nearly every such picture white, so there we keep the picture.
/// * JPEG in CMYK or YCCK is read as Adobe writes it (inverted), as PIL does. The decoder's inverse transform and
///   chroma upsampling are not libjpeg-turbo's: on 337 photographs the mean difference from PIL was 0.2 grey
///   levels, the largest 11.
/// * TIFF in CMYK and in L\*a\*b\* is within one grey level of PIL.
/// * The part of a GIF's screen that its first frame leaves bare has the frame's first colour, as in PIL; in browsers it is
///   transparent.
/// * Small contradictions that PIL and browsers pass over are put right: see `repair`.
/// * Colour profiles are ignored, as PIL ignores them.
///
/// # Errors
///
/// * [`ErrorKind::ImageEmpty`]: no bytes.
/// * [`ErrorKind::ImageTooLarge`]: more than [`MAX_BYTES`], or the header tells of more than
///   [`MAX_PIXELS`] or of an edge longer than [`MAX_EDGE`].
/// * [`ErrorKind::ImageUnsupported`]: not one of the formats, or a variant that the decoder does not know
///   (TIFF with the JPEG compression of before 1995, for one).
/// * [`ErrorKind::ImageDamaged`]: cut off or contradicting itself. A JPEG must reach its end marker.
pub fn decode(bytes: &[u8]) -> Result<RgbImage> {
    if bytes.is_empty() {
        return Err(Error::new(ErrorKind::ImageEmpty, "The image has no bytes."));
    }
    if bytes.len() > MAX_BYTES {
        return Err(Error::new(
            ErrorKind::ImageTooLarge,
            format!("The image file has {} bytes; at most {MAX_BYTES} are accepted.", bytes.len()),
        ));
    }
    let format = header::format(bytes).ok_or_else(|| {
        Error::new(
            ErrorKind::ImageUnsupported,
            "The file is not a picture in JPEG, PNG, WebP, GIF, BMP or TIFF format.",
        )
    })?;
    let bytes = &*repaired(format, bytes, MAX_DECODED_BYTES);
    // Before the decoder sees the bytes: some decoders allocate or fail before they tell the size.
    if let Some((width, height)) = header::size(format, bytes) {
        check_size(width, height)?;
    }
    if format == ImageFormat::Jpeg && !header::jpeg_is_complete(bytes) {
        return Err(damaged());
    }
    let image = pixels(format, bytes).or_else(|error| match error {
        Failure::Decoder(_) => repaired_png(format, bytes).map_or(Err(error), |bytes| pixels(format, &bytes)),
        Failure::Ours(_) => Err(error),
    });
    let image = image.map_err(|error| match error {
        Failure::Ours(error) => error,
        Failure::Decoder(ImageError::Limits(_)) => too_large(),
        Failure::Decoder(error @ ImageError::Unsupported(_)) => {
            Error::new(ErrorKind::ImageUnsupported, "The picture is of a kind that ocelli cannot decode.")
                .with_source(error)
        }
        Failure::Decoder(error) => damaged().with_source(error),
    })?;
    if image.width() == 0 || image.height() == 0 {
        return Err(damaged());
    }
    Ok(image)
}

/// Pixels of a canvas (`ImageData`: eight bits, RGBA, alpha not multiplied in), over white.
///
/// # Errors
///
/// * [`ErrorKind::ImageEmpty`]: width or height is 0.
/// * [`ErrorKind::ImageTooLarge`]: more than [`MAX_PIXELS`], or an edge longer than [`MAX_EDGE`].
/// * [`ErrorKind::ArgumentInvalid`]: `rgba` does not hold four bytes for each pixel.
pub fn from_rgba(width: u32, height: u32, rgba: &[u8]) -> Result<RgbImage> {
    if width == 0 || height == 0 {
        return Err(Error::new(ErrorKind::ImageEmpty, "The image has no pixels."));
    }
    check_size(width, height)?;
    let expected = u64::from(width) * u64::from(height) * 4;
    if rgba.len() as u64 != expected {
        return Err(Error::new(
            ErrorKind::ArgumentInvalid,
            format!("An image of {width} x {height} pixels needs {expected} bytes, not {}.", rgba.len()),
        ));
    }
    let mut rgb = Vec::with_capacity(rgba.len() / 4 * 3);
    for &[red, green, blue, alpha] in rgba.as_chunks().0 {
        rgb.extend([red, green, blue].map(|sample| convert::over_white(sample, alpha)));
    }
    RgbImage::from_raw(width, height, rgb).ok_or_else(damaged)
}

/// A failure on the way to pixels: ours already has its words.
enum Failure {
    Ours(Error),
    Decoder(ImageError),
}

impl From<ImageError> for Failure {
    fn from(error: ImageError) -> Self {
        Self::Decoder(error)
    }
}

/// Decodes, converts, then turns: three bytes a pixel are turned, whatever the file held.
fn pixels(format: ImageFormat, bytes: &[u8]) -> std::result::Result<RgbImage, Failure> {
    if format == ImageFormat::Tiff
        && let Some(image) = samples::read(bytes, MAX_DECODED_BYTES)
    {
        return Ok(upright(image?, orientation(format, bytes)));
    }
    let decoder = decoder(format, bytes)?;
    let (width, height) = decoder.dimensions();
    check_size(width, height).map_err(Failure::Ours)?;
    if decoder.total_bytes() > MAX_DECODED_BYTES {
        return Err(Failure::Ours(too_large()));
    }
    let orientation = orientation(format, bytes);
    let mut image = DynamicImage::from_decoder(decoder)?;
    if let DynamicImage::ImageRgba8(pixels) = &mut image {
        match format {
            ImageFormat::Gif => {
                gif_ground(bytes).into_iter().for_each(|ground| convert::fill(pixels, ground))
            }
            ImageFormat::Tiff if alpha_is_multiplied(bytes) => convert::unmultiply(pixels),
            _ => {}
        }
    }
    Ok(upright(convert::to_rgb(image), orientation))
}

/// The decoder of a format, within the limits of memory. `ImageReader` would bring another one of JPEG.
fn decoder(format: ImageFormat, bytes: &[u8]) -> ImageResult<Box<dyn ImageDecoder + '_>> {
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_DECODED_BYTES + MAX_SCRATCH_BYTES);
    let reader = Cursor::new(bytes);
    let mut decoder: Box<dyn ImageDecoder + '_> = match format {
        ImageFormat::Jpeg => ocelli_pixels::jpeg_decoder(bytes)?,
        ImageFormat::Png => Box::new(PngDecoder::with_limits(reader, limits.clone())?),
        ImageFormat::WebP => Box::new(WebPDecoder::new(reader)?),
        ImageFormat::Gif => Box::new(GifDecoder::new(reader)?),
        ImageFormat::Bmp => Box::new(BmpDecoder::new(reader)?),
        ImageFormat::Tiff => Box::new(TiffDecoder::new(reader)?),
        other => return Err(ImageError::Unsupported(ImageFormatHint::Exact(other).into())),
    };
    decoder.set_limits(limits)?;
    Ok(decoder)
}

fn upright(image: RgbImage, orientation: Orientation) -> RgbImage {
    if orientation == Orientation::NoTransforms {
        return image;
    }
    let mut image = DynamicImage::ImageRgb8(image);
    image.apply_orientation(orientation);
    image.into_rgb8()
}

/// Whether the colours of a TIFF file are multiplied with its alpha: the first of its extra samples says so.
fn alpha_is_multiplied(bytes: &[u8]) -> bool {
    const ASSOCIATED: f64 = 1.0;
    Tiff::new(bytes).and_then(|file| file.number(tag::EXTRA_SAMPLES)) == Some(ASSOCIATED)
}

fn check_size(width: u32, height: u32) -> Result<()> {
    let limit = if u64::from(width) * u64::from(height) > MAX_PIXELS {
        format!("at most {} million are accepted", MAX_PIXELS / 1_000_000)
    } else if width.max(height) > MAX_EDGE {
        format!("no edge may be longer than {MAX_EDGE}")
    } else {
        return Ok(());
    };
    Err(Error::new(ErrorKind::ImageTooLarge, format!("The image has {width} x {height} pixels; {limit}.")))
}

fn too_large() -> Error {
    Error::new(ErrorKind::ImageTooLarge, "The image needs more memory than ocelli gives to one picture.")
}

fn damaged() -> Error {
    Error::new(ErrorKind::ImageDamaged, "The image is damaged or cut off.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind<T>(result: Result<T>) -> Option<ErrorKind> {
        result.err().map(|error| error.kind())
    }

    #[test]
    fn canvas_pixels_are_checked() {
        assert_eq!(kind(from_rgba(0, 3, &[])), Some(ErrorKind::ImageEmpty));
        assert_eq!(kind(from_rgba(1, 1, &[0; 3])), Some(ErrorKind::ArgumentInvalid));
        assert_eq!(kind(from_rgba(u32::MAX, u32::MAX, &[])), Some(ErrorKind::ImageTooLarge));
        assert_eq!(kind(from_rgba(MAX_EDGE + 1, 1, &[])), Some(ErrorKind::ImageTooLarge));
        assert_eq!(from_rgba(1, 1, &[9, 8, 7, 255]).ok().map(RgbImage::into_raw), Some(vec![9, 8, 7]));
    }

    #[test]
    fn nothing_and_nonsense_are_told_apart() {
        assert_eq!(kind(decode(b"")), Some(ErrorKind::ImageEmpty));
        assert_eq!(kind(decode(b"<!doctype html><title>404</title>")), Some(ErrorKind::ImageUnsupported));
        assert_eq!(kind(decode(b"\x89PNG\r\n\x1a\n")), Some(ErrorKind::ImageDamaged));
        assert_eq!(kind(decode(b"\xff\xd8\xff")), Some(ErrorKind::ImageDamaged));
    }
}
