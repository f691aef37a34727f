//! Kinds of TIFF files that Pillow reads and the crate `image` leaves aside: the crate `tiff` gives their samples, and here
//! they become colours.
//!
//! | kind | becomes, as in Pillow |
//! | --- | --- |
//! | greys of 2 and 4 bits | spread over 0 to 255 |
//! | greys of 32 bits, whole or float, and of 16 with a sign | cut off at 0 and 255 |
//! | grey and alpha | over white |
//! | palettes of 1 to 8 bits | the high bytes of their colours |
//! | YCbCr, as JPEG has it | RGB by the formulas of JFIF |
//! | CIE L\*a\*b\* of 8 bits | sRGB, under the illuminant D50 |
//! | CMYK with more samples | RGB without them |
//!
//! Source: Pillow, `TiffImagePlugin.py` (`OPEN_INFO`), `src/libImaging/Unpack.c` and `Convert.c`.

use std::io::Cursor;

use ::image::error::{DecodingError, LimitError, LimitErrorKind, UnsupportedError, UnsupportedErrorKind};
use ::image::{ImageError, ImageFormat, RgbImage};
use ::tiff::TiffError;
use ::tiff::decoder::{Decoder, DecodingResult, Limits};

use super::super::convert::{over_white, unmultiplied};
use super::lab::LabTable;
use super::{Tiff, tag};

/// What the samples of a pixel mean.
enum Colours {
    Grey { inverted: bool },
    Palette(Vec<[u8; 3]>),
    YCbCr,
    Lab(LabTable),
    Cmyk,
}

/// What a second sample beside grey, or beside a place in a palette, means.
#[derive(Clone, Copy)]
enum Alpha {
    Ignored,
    Multiplied,
    Plain,
}

struct Kind {
    colours: Colours,
    bits: usize,
    samples: usize,
    alpha: Alpha,
    /// Whether `tiff` would not take the file for what it is, but for greys.
    disguised: bool,
}

const JPEG: u32 = 7;

/// The picture, where `image` does not read its kind and this module does; `bytes` is of at most the accepted size.
pub(in super::super) fn read(bytes: &[u8], most: u64) -> Option<Result<RgbImage, ImageError>> {
    let file = Tiff::new(bytes)?;
    let kind = kind(&file)?;
    let mut copy;
    let mut source = bytes;
    if kind.disguised {
        const BLACK_IS_ZERO: u16 = 1;
        copy = bytes.to_vec();
        let at = file.place_of(tag::PHOTOMETRIC)?;
        let grey = if file.little { BLACK_IS_ZERO.to_le_bytes() } else { BLACK_IS_ZERO.to_be_bytes() };
        copy.get_mut(at..)?.get_mut(..2)?.copy_from_slice(&grey);
        source = &copy;
    }
    Some(pixels(source, &kind, most).map_err(told))
}

fn kind(file: &Tiff) -> Option<Kind> {
    let number = |tag, usual: u32| file.number(tag).map_or(usual, |number| number as u32);
    let [photometric, bits, samples] =
        [number(tag::PHOTOMETRIC, 99), number(tag::BITS, 1), number(tag::SAMPLES, 1)];
    let [format, compression] = [number(tag::SAMPLE_FORMAT, 1), number(tag::COMPRESSION, 1)];
    if samples > 1 && number(tag::PLANAR, 1) != 1 {
        return None;
    }
    let grey = |inverted| Some(Colours::Grey { inverted });
    let colours = match (photometric, samples, bits, format) {
        (0, 1, 2 | 4, 1) => grey(true),
        (0, 1, 32, 3) | (1, 1, 2 | 4, 1) | (1, 1, 8 | 16, 2) | (1, 1, 32, 1..=3) | (1, 2, 8, 1) => {
            grey(false)
        }
        (3, 1, 1 | 2 | 4 | 8, 1) | (3, 2, 8, 1) => Some(Colours::Palette(palette(file))),
        (5, 5.., 8, 1) => Some(Colours::Cmyk),
        (6, 1, 8, 1) => grey(false),
        // Other compressions would have chroma in pieces of another size.
        (6, 3, 8, 1) if compression == JPEG || is_full(file) => Some(Colours::YCbCr),
        (8, 3, 8, _) => Some(Colours::Lab(LabTable::new())),
        _ => None,
    }?;
    let alpha = match number(tag::EXTRA_SAMPLES, 0) {
        1 => Alpha::Multiplied,
        2 => Alpha::Plain,
        _ => Alpha::Ignored,
    };
    let disguised = photometric != 1 && !(photometric == 6 && samples == 3 && compression == JPEG);
    Some(Kind { colours, bits: bits as usize, samples: samples as usize, alpha, disguised })
}

/// Whether every pixel has chroma of its own. Pillow takes it that where nothing is said, it has.
fn is_full(file: &Tiff) -> bool {
    file.entry(tag::CHROMA_SUBSAMPLING).is_none_or(|entry| {
        let one = if file.little { [1, 0] } else { [0, 1] };
        entry.values == one.repeat(2)
    })
}

/// The colours of a palette: 16 bits each, all reds first, of which Pillow keeps the high bytes. None where it is cut off.
fn palette(file: &Tiff) -> Vec<[u8; 3]> {
    let values = file.entry(tag::COLOR_MAP).map_or(&[][..], |entry| entry.values);
    let high = usize::from(file.little);
    let size = values.len() / 6;
    let sample = |channel: usize, at: usize| values[2 * (channel * size + at) + high];
    (0..size).map(|at| [0, 1, 2].map(|channel| sample(channel, at))).collect()
}

fn pixels(bytes: &[u8], kind: &Kind, most: u64) -> Result<RgbImage, TiffError> {
    if matches!(&kind.colours, Colours::Palette(colours) if colours.is_empty()) {
        return Err(TiffError::IntSizeError);
    }
    let mut limits = Limits::default();
    limits.decoding_buffer_size = usize::try_from(most).unwrap_or(usize::MAX);
    limits.intermediate_buffer_size = limits.decoding_buffer_size;
    let mut decoder = Decoder::new(Cursor::new(bytes))?.with_limits(limits);
    let (width, height) = decoder.dimensions()?;
    let samples = match decoder.read_image()? {
        DecodingResult::U8(samples) if kind.bits == 8 => samples,
        DecodingResult::U8(packed) => unpack(&packed, width as usize * kind.samples, kind.bits),
        DecodingResult::I8(samples) => samples.iter().map(|&sample| sample as u8).collect(),
        DecodingResult::I16(samples) => samples.iter().map(|&sample| sample.clamp(0, 255) as u8).collect(),
        DecodingResult::I32(samples) => samples.iter().map(|&sample| sample.clamp(0, 255) as u8).collect(),
        // Pillow takes them for signed ones.
        DecodingResult::U32(samples) => {
            samples.iter().map(|&sample| (sample as i32).clamp(0, 255) as u8).collect()
        }
        // `as` cuts off at both ends, and makes 0 of what is not a number.
        DecodingResult::F32(samples) => samples.iter().map(|&sample| sample as u8).collect(),
        _ => return Err(TiffError::LimitsExceeded),
    };
    let rgb: Vec<u8> = samples.chunks_exact(kind.samples).flat_map(|pixel| colour(kind, pixel)).collect();
    RgbImage::from_raw(width, height, rgb).ok_or(TiffError::IntSizeError)
}

/// Samples of less than 8 bits, each in a byte of its own. Rows begin with a byte.
fn unpack(packed: &[u8], width: usize, bits: usize) -> Vec<u8> {
    let row_bytes = (width * bits).div_ceil(8).max(1);
    let per_byte = 8 / bits;
    let sample = |row: &[u8], x: usize| {
        let shift = 8 - bits * (x % per_byte + 1);
        row[x / per_byte] >> shift & ((1u16 << bits) - 1) as u8
    };
    packed.chunks_exact(row_bytes).flat_map(|row| (0..width).map(move |x| sample(row, x))).collect()
}

fn colour(Kind { colours, bits, alpha, .. }: &Kind, pixel: &[u8]) -> [u8; 3] {
    let rgb = match (colours, pixel) {
        (Colours::Grey { inverted }, &[grey, ..]) => {
            let grey = if *bits < 8 { grey * (255 / ((1u16 << bits) - 1)) as u8 } else { grey };
            [if *inverted { 255 - grey } else { grey }; 3]
        }
        (Colours::Palette(colours), &[place, ..]) => {
            colours.get(usize::from(place)).copied().unwrap_or([0; 3])
        }
        (Colours::YCbCr, &[y, cb, cr, ..]) => ycbcr_to_rgb([y, cb, cr].map(f32::from)),
        (Colours::Lab(table), &[l, a, b, ..]) => table.rgb([l, a ^ 128, b ^ 128]),
        (Colours::Cmyk, &[c, m, y, k, ..]) => [c, m, y].map(|ink| cmyk_to_rgb(ink, k)),
        _ => [0; 3],
    };
    match (colours, pixel, alpha) {
        (Colours::Grey { .. } | Colours::Palette(_), &[_, alpha], Alpha::Plain) => {
            rgb.map(|sample| over_white(sample, alpha))
        }
        (Colours::Grey { .. }, &[_, alpha], Alpha::Multiplied) => {
            rgb.map(|sample| over_white(unmultiplied(sample, alpha), alpha))
        }
        _ => rgb,
    }
}

/// Source: JFIF 1.02, section 7.
fn ycbcr_to_rgb([y, cb, cr]: [f32; 3]) -> [u8; 3] {
    let (cb, cr) = (cb - 128.0, cr - 128.0);
    [y + 1.402 * cr, y - 0.344_136 * cb - 0.714_136 * cr, y + 1.772 * cb].map(|sample| sample.round() as u8)
}

/// One colour of an ink and black.
///
/// Source: Pillow, `src/libImaging/Convert.c`, `cmyk2rgb`.
fn cmyk_to_rgb(ink: u8, black: u8) -> u8 {
    let light = 255 - u32::from(black);
    let product = u32::from(ink) * light + 128;
    (light - ((product + (product >> 8)) >> 8)) as u8
}

/// The error as `image` would have it.
fn told(error: TiffError) -> ImageError {
    let format = ImageFormat::Tiff.into();
    match error {
        TiffError::IoError(error) => ImageError::IoError(error),
        TiffError::LimitsExceeded => {
            ImageError::Limits(LimitError::from_kind(LimitErrorKind::InsufficientMemory))
        }
        TiffError::UnsupportedError(what) => {
            let kind = UnsupportedErrorKind::GenericFeature(what.to_string());
            ImageError::Unsupported(UnsupportedError::from_format_and_kind(format, kind))
        }
        other => ImageError::Decoding(DecodingError::new(format, other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn greys_have_no_colour_in_any_space() {
        for grey in [0.0, 18.0, 128.0, 255.0] {
            assert_eq!(ycbcr_to_rgb([grey, 128.0, 128.0]), [grey as u8; 3]);
        }
        assert_eq!([cmyk_to_rgb(0, 0), cmyk_to_rgb(255, 0), cmyk_to_rgb(0, 255)], [255, 0, 0]);
    }

    #[test]
    fn rows_of_bits_begin_with_a_byte() {
        assert_eq!(unpack(&[0b1110_0100, 0b1000_0000, 0, 0], 5, 2), [3, 2, 1, 0, 2, 0, 0, 0, 0, 0]);
        assert_eq!(unpack(&[0x5f], 2, 4), [5, 15]);
    }
}
