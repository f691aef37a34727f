//! Pictures in every format.

#![no_main]

use std::io::Cursor;

use image::ImageReader;
use libfuzzer_sys::fuzz_target;
use ocelli::image::decode;

/// Pixels of a picture that is decoded here. Larger ones take seconds each with all checks on, and the same ways.
const MOST_PIXELS: u64 = 4_000_000;

fuzz_target!(|file: &[u8]| {
    let size = ImageReader::new(Cursor::new(file))
        .with_guessed_format()
        .ok()
        .and_then(|reader| reader.into_dimensions().ok());
    if size.is_some_and(|(width, height)| u64::from(width) * u64::from(height) > MOST_PIXELS) {
        return;
    }
    if let Ok(picture) = decode(file) {
        assert!(picture.width() > 0 && picture.height() > 0);
    }
});
