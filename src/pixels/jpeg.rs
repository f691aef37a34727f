//! JPEG.

use std::io::Cursor;

use ::image::codecs::jpeg::JpegDecoder;
use ::image::{ImageDecoder, ImageResult};

/// The decoder of a JPEG file, which has read its headers.
///
/// # Errors
/// Those of the crate `image`.
pub fn jpeg_decoder(bytes: &[u8]) -> ImageResult<Box<dyn ImageDecoder + '_>> {
    Ok(Box::new(JpegDecoder::new(Cursor::new(bytes))?))
}
