//! Compressions that the crate `tiff` does not know: the strips of such a file are unpacked, and a file without compression
//! is made of them. Files with their bits in reverse order within each byte go the same way.

use std::io::Read;

use super::fax::{self, Coding};
use super::{Tiff, tag};

const NONE: u32 = 1;
const RUN_LENGTHS: u32 = 2;
const GROUP_3: u32 = 3;
const GROUP_4: u32 = 4;
const LZMA: u32 = 34_925;
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
        RUN_LENGTHS | GROUP_3 | LZMA | ZSTD => true,
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
    let rows_per_strip = number(tag::ROWS_PER_STRIP, u32::MAX) as usize;
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
            RUN_LENGTHS | GROUP_3 | GROUP_4 => {
                let coding = match compression {
                    RUN_LENGTHS => Coding::RunLengths,
                    GROUP_3 => Coding::Group3 { two_dimensions: number(tag::T4_OPTIONS, 0) & 1 != 0 },
                    _ => Coding::Group4,
                };
                fax::unpack(coding, strip, width, (left / row).min(rows_per_strip), &mut samples)?;
            }
            LZMA => lzma(strip, left, &mut samples)?,
            ZSTD => {
                let reader = ruzstd::decoding::StreamingDecoder::new(strip).ok()?;
                reader.take(left as u64).read_to_end(&mut samples).ok()?;
            }
            _ => samples.extend(&strip[..strip.len().min(left)]),
        }
    }
    (samples.len() == whole).then(|| written(&file, height, &samples))
}

/// The samples of a strip in an XZ stream, as libtiff writes it.
fn lzma(strip: &[u8], left: usize, samples: &mut Vec<u8>) -> Option<()> {
    /// What a decoder may ask for, in KiB: the window of the strongest preset, 64 MiB, and its own tables.
    const MOST_MEMORY: u32 = 66 << 10;
    let reader = lzma_rust2::XzReader::new_mem_limit(strip, false, MOST_MEMORY);
    reader.take(left as u64).read_to_end(samples).ok()?;
    Some(())
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
