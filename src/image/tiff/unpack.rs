//! Compressions that the crate `tiff` does not know: the strips of such a file are unpacked, and a file without compression
//! is made of them. Files with their bits in reverse order within each byte go the same way.

use std::io::Read;

use super::{Tiff, tag};

const NONE: u32 = 1;
const GROUP_3: u32 = 3;
const GROUP_4: u32 = 4;
const ZSTD: u32 = 50_000;

/// What the new file has of the old one.
const KEPT: [u64; 13] = [
    tag::WIDTH,
    tag::HEIGHT,
    tag::BITS,
    tag::PHOTOMETRIC,
    tag::ORIENTATION,
    tag::SAMPLES,
    tag::PLANAR,
    tag::PREDICTOR,
    tag::COLOR_MAP,
    tag::EXTRA_SAMPLES,
    tag::SAMPLE_FORMAT,
    tag::CHROMA_SUBSAMPLING,
    tag::XMP,
];

/// The file without compression, where it has one of these kinds; `most` is how many bytes its samples may have.
pub(in super::super) fn unpacked(bytes: &[u8], most: u64) -> Option<Vec<u8>> {
    let file = Tiff::new(bytes)?;
    let number = |tag, usual: u32| file.number(tag).map_or(usual, |number| number as u32);
    let (compression, reversed) = (number(tag::COMPRESSION, NONE), number(tag::FILL_ORDER, 1) == 2);
    let known = match compression {
        NONE | GROUP_4 => reversed,
        GROUP_3 | ZSTD => true,
        _ => false,
    };
    if !known || number(tag::PLANAR, 1) != 1 {
        return None;
    }
    let [width, height] = [tag::WIDTH, tag::HEIGHT].map(|tag| number(tag, 0) as usize);
    let bits =
        width.checked_mul(number(tag::BITS, 1) as usize)?.checked_mul(number(tag::SAMPLES, 1) as usize)?;
    let row = bits.div_ceil(8);
    let whole = row.checked_mul(height).filter(|&size| size > 0 && size as u64 <= most)?;
    let (places, lengths) = (file.whole_numbers(tag::STRIP_OFFSETS)?, file.whole_numbers(tag::STRIP_BYTES)?);
    let mut samples = Vec::new();
    for (place, length) in places.zip(lengths) {
        let strip = bytes.get(place..)?;
        let strip = strip.get(..length).unwrap_or(strip);
        let turned: Vec<u8>;
        let strip = if reversed {
            turned = strip.iter().map(|byte| byte.reverse_bits()).collect();
            &turned
        } else {
            strip
        };
        let left = whole - samples.len();
        match compression {
            GROUP_3 => group_3(strip, width, number(tag::T4_OPTIONS, 0), left, &mut samples)?,
            GROUP_4 => group_4(strip, width, left, &mut samples)?,
            ZSTD => {
                let reader = ruzstd::decoding::StreamingDecoder::new(strip).ok()?;
                reader.take(left as u64).read_to_end(&mut samples).ok()?;
            }
            _ => samples.extend(&strip[..strip.len().min(left)]),
        }
    }
    (samples.len() == whole).then(|| written(&file, height, &samples))
}

/// Rows of one dimension, each behind an end-of-line code (ITU-T T.4).
fn group_3(strip: &[u8], width: usize, options: u32, left: usize, samples: &mut Vec<u8>) -> Option<()> {
    const TWO_DIMENSIONS: u32 = 1;
    if options & TWO_DIMENSIONS != 0 {
        return None;
    }
    let width = u16::try_from(width).ok()?;
    let end = samples.len() + left;
    fax::decoder::decode_g3(strip.iter().copied(), |line| {
        if samples.len() < end && !line.is_empty() {
            push_line(line, width, samples);
        }
    });
    Some(())
}

/// Rows of two dimensions (ITU-T T.6).
fn group_4(strip: &[u8], width: usize, left: usize, samples: &mut Vec<u8>) -> Option<()> {
    let width = u16::try_from(width).ok()?;
    let rows = left / usize::from(width).div_ceil(8).max(1);
    let rows = u16::try_from(rows).unwrap_or(u16::MAX);
    fax::decoder::decode_g4(strip.iter().copied(), width, Some(rows), |line| push_line(line, width, samples))
}

/// A row of bits from the places where its colour changes; white, which comes first, is 0.
fn push_line(line: &[u16], width: u16, samples: &mut Vec<u8>) {
    let mut pels = fax::decoder::pels(line, width).map(|pel| u8::from(pel == fax::Color::Black));
    for _ in 0..width.div_ceil(8) {
        let byte = (0..8).fold(0, |byte, _| byte << 1 | pels.next().unwrap_or(0));
        samples.push(byte);
    }
}

/// A file of one strip, in the byte order of the old one.
fn written(file: &Tiff, height: usize, samples: &[u8]) -> Vec<u8> {
    const LONG: u16 = 4;
    let short = |x: u16| if file.little { x.to_le_bytes() } else { x.to_be_bytes() };
    let long = |x: u32| if file.little { x.to_le_bytes() } else { x.to_be_bytes() };
    let mut entries: Vec<(u64, u16, usize, Vec<u8>)> = KEPT
        .iter()
        .filter_map(|&tag| {
            let entry = file.entry(tag)?;
            Some((tag, entry.kind as u16, entry.count, entry.values.to_vec()))
        })
        .collect();
    // Kinds of 8 bytes that BigTIFF has for counts are written as they are: decoders read them in any file.
    let [rows, bytes] = [height, samples.len()].map(|x| long(x as u32).to_vec());
    entries.push((tag::ROWS_PER_STRIP, LONG, 1, rows));
    entries.push((tag::STRIP_BYTES, LONG, 1, bytes));
    entries.push((tag::COMPRESSION, LONG, 1, long(NONE).to_vec()));
    entries.push((tag::STRIP_OFFSETS, LONG, 1, Vec::new()));
    entries.sort_by_key(|(tag, ..)| *tag);
    let mut behind = Vec::new();
    let start = 8 + 2 + 12 * entries.len() + 4;
    let extra: usize =
        entries.iter().map(|(.., values)| if values.len() > 4 { values.len() } else { 0 }).sum();
    let mut out = if file.little { b"II*\0".to_vec() } else { b"MM\0*".to_vec() };
    out.reserve(start + extra + samples.len());
    out.extend(long(8));
    out.extend(short(entries.len() as u16));
    for (tag, kind, count, values) in entries {
        let mut inline = values;
        if tag == tag::STRIP_OFFSETS {
            inline = long((start + extra) as u32).to_vec();
        } else if inline.len() > 4 {
            let at = start + behind.len();
            behind.append(&mut inline);
            inline = long(at as u32).to_vec();
        }
        inline.resize(4, 0);
        out.extend([short(tag as u16), short(kind)].concat());
        out.extend(long(count as u32));
        out.extend(inline);
    }
    out.extend(long(0));
    out.extend(behind);
    out.extend(samples);
    out
}
