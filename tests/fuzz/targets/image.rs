//! Pictures in every format.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ocelli::image::decode;

fuzz_target!(|file: &[u8]| {
    if let Ok(picture) = decode(file) {
        assert!(picture.width() > 0 && picture.height() > 0);
    }
});
