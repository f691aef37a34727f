//! How a picture is turned, as its file says: the tag Orientation of EXIF, by the rules of PIL's `ImageOps.exif_transpose`.
//!
//! | container | EXIF | XMP, where the EXIF has no such tag |
//! | --- | --- | --- |
//! | JPEG | the first APP1 segment that begins with `Exif\0\0` | the last APP1 segment of XMP |
//! | PNG | the chunk `eXIf`; without one, the text `Raw profile type exif` | the text `XML:com.adobe.xmp` |
//! | WebP | the chunk `EXIF` | the chunk `XMP ` |
//! | TIFF | the first directory | its tag 700 |
//!
//! Whatever is damaged here turns nothing: it is no reason to refuse a good picture.

use std::borrow::Cow;

use ::image::ImageFormat;
use ::image::metadata::Orientation;

use super::header::{be16, be32, le32, next_marker};
use super::tiff::Tiff;

/// The tag Orientation of EXIF.
const ORIENTATION: u64 = 0x112;
/// The tag of TIFF that holds XMP.
const XMP: u64 = 700;
/// What EXIF begins with in JPEG, and now and then elsewhere.
const EXIF_PREFIX: &[u8] = b"Exif\0\0";
const XMP_PREFIX: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
/// The keyword under which ImageMagick writes EXIF into a PNG.
const RAW_PROFILE: &[u8] = b"Raw profile type exif";
/// Lines of such a text before its hexadecimal digits: an empty one, a name, a length.
const RAW_PROFILE_HEAD: usize = 3;
/// The most bytes that a compressed text of a PNG may have; EXIF itself has at most 64 KiB in a JPEG.
const MAX_TEXT: usize = 1 << 20;

/// How the picture in `bytes` has to be turned to be upright.
pub(super) fn orientation(format: ImageFormat, bytes: &[u8]) -> Orientation {
    let found = match format {
        ImageFormat::Jpeg => jpeg(bytes),
        ImageFormat::Png => png(bytes),
        ImageFormat::WebP => webp(bytes),
        ImageFormat::Tiff => {
            let xmp = Tiff::new(bytes).and_then(|file| file.entry(XMP));
            Found { exif: Some(bytes.into()), xmp: xmp.map(|entry| entry.values.into()) }
        }
        _ => Found::default(),
    };
    let value = match found.exif.as_deref().map(exif) {
        // Where there is EXIF that says nothing of it, XMP may.
        None | Some(Exif::Silent) => found.xmp.as_deref().and_then(xmp),
        Some(Exif::Orientation(value)) => Some(value),
        Some(Exif::Damaged) => None,
    };
    value.and_then(Orientation::from_exif).unwrap_or(Orientation::NoTransforms)
}

/// What a container holds of both.
#[derive(Default)]
struct Found<'a> {
    exif: Option<Cow<'a, [u8]>>,
    xmp: Option<Cow<'a, [u8]>>,
}

fn jpeg(bytes: &[u8]) -> Found<'_> {
    let mut found = Found::default();
    let mut at = 2;
    while let Some((marker, body)) = next_marker(bytes, at) {
        let Some(length) = be16(bytes, body) else { break };
        // The compressed picture begins: what comes behind it belongs to none, or to another one.
        if marker == 0xda {
            break;
        }
        at = body + length as usize;
        let Some(segment) = bytes.get(body + 2..at).filter(|_| marker == 0xe1) else { continue };
        if segment.starts_with(EXIF_PREFIX) {
            found.exif.get_or_insert(segment.into());
        } else if let Some(xmp) = segment.strip_prefix(XMP_PREFIX) {
            found.xmp = Some(xmp.into());
        }
    }
    found
}

fn png(bytes: &[u8]) -> Found<'_> {
    let (mut found, mut raw) = (Found::default(), None);
    let mut at = 8;
    while let (Some(length), Some(name)) = (be32(bytes, at), bytes.get(at + 4..at + 8)) {
        let Some(data) = bytes.get(at + 8..).and_then(|rest| rest.get(..length as usize)) else { break };
        at += 12 + data.len();
        match name {
            b"eXIf" => found.exif = Some(data.into()),
            b"tEXt" | b"zTXt" | b"iTXt" => match text(name, data) {
                Some((RAW_PROFILE, text)) => raw = Some(text),
                Some((b"XML:com.adobe.xmp", text)) => found.xmp = Some(text),
                _ => {}
            },
            _ => {}
        }
    }
    if found.exif.is_none() {
        found.exif = raw.map(|text| unhex(&text).into());
    }
    found
}

/// Keyword and text of a chunk of text, if it is one that is looked for here: others are not unpacked.
fn text<'a>(name: &[u8], data: &'a [u8]) -> Option<(&'a [u8], Cow<'a, [u8]>)> {
    let (keyword, rest) = split(data)?;
    if keyword != RAW_PROFILE && keyword != b"XML:com.adobe.xmp" {
        return None;
    }
    let unpack = |packed: &[u8]| {
        miniz_oxide::inflate::decompress_to_vec_zlib_with_limit(packed, MAX_TEXT).ok().map(Cow::from)
    };
    let text = match name {
        b"tEXt" => rest.into(),
        // One byte names the only method there is.
        b"zTXt" => unpack(rest.get(1..)?)?,
        _ => {
            // Whether it is packed, how, then a language and a translated keyword.
            let (packed, rest) = (*rest.first()? == 1, rest.get(2..)?);
            let text = split(split(rest)?.1)?.1;
            if packed { unpack(text)? } else { text.into() }
        }
    };
    Some((keyword, text))
}

/// What is before the first zero, and what comes after it.
fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|&byte| byte == 0)?;
    Some((&bytes[..end], &bytes[end + 1..]))
}

/// The bytes whose hexadecimal digits fill the lines of a raw profile.
fn unhex(text: &[u8]) -> Vec<u8> {
    let lines = text.split(|&byte| byte == b'\n').skip(RAW_PROFILE_HEAD).flatten();
    let digits: Vec<u8> =
        lines.filter_map(|&byte| char::from(byte).to_digit(16)).map(|digit| digit as u8).collect();
    digits.as_chunks().0.iter().map(|&[high, low]| high << 4 | low).collect()
}

fn webp(bytes: &[u8]) -> Found<'_> {
    let mut found = Found::default();
    // A file of the simple form has a picture and no more.
    if bytes.get(12..16) != Some(b"VP8X") {
        return found;
    }
    for (name, data) in webp_chunks(bytes) {
        match name {
            b"EXIF" => found.exif = Some(data.into()),
            b"XMP " => found.xmp = Some(data.into()),
            _ => {}
        }
    }
    found
}

/// Name and data of each whole chunk of a WebP file.
pub(super) fn webp_chunks(bytes: &[u8]) -> impl Iterator<Item = (&[u8; 4], &[u8])> {
    let mut at = 12;
    std::iter::from_fn(move || {
        let name = bytes.get(at..)?.first_chunk()?;
        let length = le32(bytes, at + 4)? as usize;
        let data = bytes.get(at + 8..)?.get(..length)?;
        // Chunks begin at even places.
        at += 8 + length + length % 2;
        Some((name, data))
    })
}

/// What EXIF says of the orientation.
enum Exif {
    Orientation(u8),
    Silent,
    Damaged,
}

fn exif(bytes: &[u8]) -> Exif {
    let mut bytes = bytes;
    while let Some(rest) = bytes.strip_prefix(EXIF_PREFIX) {
        bytes = rest;
    }
    let Some(file) = Tiff::new(bytes) else { return Exif::Damaged };
    if file.entry(ORIENTATION).is_none() {
        return Exif::Silent;
    }
    let whole = |number: f64| (f64::from(number as u8) == number).then_some(number as u8);
    // 0 stands for what is no orientation, which is an answer too.
    Exif::Orientation(file.number(ORIENTATION).and_then(whole).unwrap_or(0))
}

/// The number behind `tiff:Orientation="` or `tiff:Orientation>`.
fn xmp(bytes: &[u8]) -> Option<u8> {
    const NAME: &[u8] = b"tiff:Orientation";
    let mut rest = bytes;
    while let Some(at) = rest.windows(NAME.len()).position(|window| window == NAME) {
        rest = &rest[at + NAME.len()..];
        let digit = rest.strip_prefix(b"=\"").or(rest.strip_prefix(b">")).and_then(<[u8]>::first);
        if let Some(digit) = digit.filter(|digit| digit.is_ascii_digit()) {
            return Some(digit - b'0');
        }
    }
    None
}
