//! Small contradictions within a file, put right before a decoder refuses what PIL and browsers show; those of PNG after it
//! has, because finding them takes a check sum of the whole file.
//!
//! | format | the file says | what is done |
//! | --- | --- | --- |
//! | WebP | EXIF, XMP or transparency that is not there | the flag goes |
//! | GIF | a screen smaller than its first frame | the screen grows, as PIL lets it |
//! | JPEG | a colour transform of Adobe's that there is not | that which libjpeg takes instead |
//! | TIFF | a compression, or an order of bits, that the decoder does not know | it is unpacked |
//! | BMP | a header of OS/2 2.x | that of Windows is left of it |
//! | PNG | a wrong checksum of compressed pixels | the right one is written |
//! | PNG | a chunk that only its writer knows, or its header again | it goes |
//! | PNG | no end after whole compressed pixels | an end is written |
//!
//! What PIL refuses stays as it is.

use std::borrow::Cow;

use ::image::ImageFormat;

use super::header::{be16, be32, le16, le32, next_marker};
use super::orientation::webp_chunks;
use super::tiff::unpack::unpacked;

/// The file as a decoder takes it; `most` is how many bytes what is unpacked for that may have.
pub(super) fn repaired(format: ImageFormat, bytes: &[u8], most: u64) -> Cow<'_, [u8]> {
    match format {
        ImageFormat::WebP => webp(bytes),
        ImageFormat::Gif => gif(bytes),
        ImageFormat::Jpeg => jpeg(bytes),
        ImageFormat::Tiff => unpacked(bytes, most),
        ImageFormat::Bmp => bmp(bytes),
        _ => None,
    }
    .map_or(Cow::Borrowed(bytes), Cow::Owned)
}

/// The flags of what comes, in the first byte of `VP8X`.
const WEBP_FLAGS: usize = 20;

fn webp(bytes: &[u8]) -> Option<Vec<u8>> {
    const XMP: u8 = 0x04;
    const EXIF: u8 = 0x08;
    const ALPHA: u8 = 0x10;
    let flags = *bytes.get(WEBP_FLAGS).filter(|_| bytes.get(12..16) == Some(b"VP8X"))?;
    let mut there = 0;
    for (name, _) in webp_chunks(bytes) {
        there |= match name {
            b"XMP " => XMP,
            b"EXIF" => EXIF,
            // Lossless pictures hold their transparency themselves, animations in each of their frames.
            b"ALPH" | b"VP8L" | b"ANMF" => ALPHA,
            _ => 0,
        };
    }
    let right = flags & (there | !(XMP | EXIF | ALPHA));
    (right != flags).then(|| {
        let mut bytes = bytes.to_vec();
        bytes[WEBP_FLAGS] = right;
        bytes
    })
}

fn gif(bytes: &[u8]) -> Option<Vec<u8>> {
    let [width, height] = [le16(bytes, 6)?, le16(bytes, 8)?];
    let (frame, _) = gif_frame(bytes)?;
    let [left, top, frame_width, frame_height] =
        [le16(bytes, frame)?, le16(bytes, frame + 2)?, le16(bytes, frame + 4)?, le16(bytes, frame + 6)?];
    let needed = [width.max(left + frame_width), height.max(top + frame_height)];
    let [new_width, new_height] = needed.map(u16::try_from);
    (needed != [width, height]).then_some(())?;
    let mut out = bytes.to_vec();
    out[6..8].copy_from_slice(&new_width.ok()?.to_le_bytes());
    out[8..10].copy_from_slice(&new_height.ok()?.to_le_bytes());
    Some(out)
}

/// What the part of a GIF's screen that its first frame leaves bare is filled with: the first of the frame's colours, or
/// nothing where the frame has a transparent one.
pub(super) fn gif_ground(bytes: &[u8]) -> Option<[u8; 3]> {
    let (frame, transparent) = gif_frame(bytes)?;
    let own = bytes.get(frame + 8)? & 0x80 != 0;
    let colours = if own { frame + 9 } else { 13 };
    if transparent || !(own || bytes.get(10)? & 0x80 != 0) {
        return None;
    }
    bytes.get(colours..)?.first_chunk().copied()
}

/// Where the first frame's place and size are, behind the header, its colours and any extensions; and whether one of
/// its colours is transparent.
fn gif_frame(bytes: &[u8]) -> Option<(usize, bool)> {
    let colours = |flags: u8| if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) };
    let (mut at, mut transparent) = (13 + colours(*bytes.get(10)?), false);
    loop {
        match bytes.get(at)? {
            b',' => return Some((at + 1, transparent)),
            b'!' => {
                // Graphic control: a block of four bytes, the first of them flags.
                if bytes.get(at + 1) == Some(&0xf9) {
                    transparent = bytes.get(at + 3)? & 1 != 0;
                }
                // A label, then blocks, each behind its length; one of length 0 ends them.
                at += 2;
                while *bytes.get(at)? != 0 {
                    at += 1 + usize::from(bytes[at]);
                }
                at += 1;
            }
            _ => return None,
        }
    }
}

/// Adobe's segment says how colours were transformed: not at all, to YCbCr, or to YCCK.
fn jpeg(bytes: &[u8]) -> Option<Vec<u8>> {
    const NONE: u8 = 0;
    const YCBCR: u8 = 1;
    const YCCK: u8 = 2;
    /// From the segment's name to the number.
    const PLACE: usize = 11;
    let (mut adobe, mut at) = (None, 2);
    let components = loop {
        let (marker, body) = next_marker(bytes, at)?;
        let length = be16(bytes, body)? as usize;
        match marker {
            0xee if length > PLACE + 2 && bytes.get(body + 2..body + 7) == Some(b"Adobe") => {
                adobe = Some(body + 2 + PLACE);
            }
            // Frame headers: see `header::jpeg_size`.
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => break *bytes.get(body + 7)?,
            0xda => return None,
            _ => {}
        }
        at = body + length;
    };
    let place = adobe?;
    let stated = *bytes.get(place)?;
    let taken = match components {
        3 if stated != NONE => YCBCR,
        4 if stated != NONE => YCCK,
        _ => NONE,
    };
    (taken != stated).then(|| {
        let mut bytes = bytes.to_vec();
        bytes[place] = taken;
        bytes
    })
}

/// The header of OS/2 2.x is that of Windows 3 and 24 bytes more, for printers.
fn bmp(bytes: &[u8]) -> Option<Vec<u8>> {
    const FILE_HEADER: usize = 14;
    const WINDOWS: usize = 40;
    const OS_2: usize = 64;
    const PIXELS: usize = 10;
    if le32(bytes, FILE_HEADER)? as usize != OS_2 {
        return None;
    }
    let pixels = le32(bytes, PIXELS)?.checked_sub((OS_2 - WINDOWS) as u32)?;
    let (before, after) = (bytes.get(..FILE_HEADER + WINDOWS)?, bytes.get(FILE_HEADER + OS_2..)?);
    let mut out = [before, after].concat();
    out[PIXELS..][..4].copy_from_slice(&pixels.to_le_bytes());
    out[FILE_HEADER..][..4].copy_from_slice(&(WINDOWS as u32).to_le_bytes());
    Some(out)
}

/// A PNG that a decoder has refused, where there is something to be put right.
pub(super) fn repaired_png(format: ImageFormat, bytes: &[u8]) -> Option<Vec<u8>> {
    if format != ImageFormat::Png {
        return None;
    }
    const END: &[u8] = b"\0\0\0\0IEND\xae\x42\x60\x82";
    const SIGNATURE: usize = 8;
    /// What decoders have to know. The other names that begin with a capital are of somebody's own.
    const CRITICAL: [&[u8]; 4] = [b"IHDR", b"PLTE", b"IDAT", b"IEND"];
    let mut out = bytes.get(..SIGNATURE)?.to_vec();
    let (mut at, mut changed, mut pixels) = (SIGNATURE, false, false);
    let ended = loop {
        let (Some(length), Some(name)) = (be32(bytes, at), bytes.get(at + 4..at + 8)) else { break false };
        if name == b"IEND" {
            break bytes.len() >= at + END.len();
        }
        // A chunk that is cut off stays so.
        let checksum = (at + 8).checked_add(length as usize)?;
        let stated = be32(bytes, checksum)?;
        let unknown = name[0].is_ascii_uppercase() && !CRITICAL.contains(&name);
        if unknown || (name == b"IHDR" && at > SIGNATURE) {
            changed = true;
        } else {
            out.extend(&bytes[at..checksum]);
            let right = if name == b"IDAT" { crc32fast::hash(&bytes[at + 4..checksum]) } else { stated };
            out.extend(right.to_be_bytes());
            pixels |= name == b"IDAT";
            changed |= right != stated;
        }
        at = checksum + 4;
    };
    out.extend(if ended { &bytes[at..] } else { END });
    (pixels && (changed || !ended)).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_right_or_too_short_stays() {
        for (format, bytes) in [
            (ImageFormat::Png, &b"\x89PNG\r\n\x1a\n\xff\xff\xff\xffIDAT"[..]),
            (ImageFormat::Png, b"\x89PNG\r\n\x1a\n"),
            (ImageFormat::Gif, b"GIF89a\x01\0\x01\0\x80\0\0"),
            (ImageFormat::Gif, b"GIF89a\x01\0\x01\0\0\0\0!\xff\xff"),
            (ImageFormat::WebP, b"RIFF\0\0\0\0WEBPVP8X"),
            (ImageFormat::Jpeg, b""),
        ] {
            assert!(matches!(repaired(format, bytes, u64::MAX), Cow::Borrowed(_)), "{bytes:?}");
            assert_eq!(repaired_png(format, bytes), None, "{bytes:?}");
        }
    }

    #[test]
    fn a_header_of_os_2_is_cut_to_that_of_windows() {
        let mut file = [b"BM\0\0\0\0\0\0\0\0\x4e\0\0\0\x40\0\0\0".as_slice(), &[7; 60], b"pixels"].concat();
        let out = repaired(ImageFormat::Bmp, &file, u64::MAX).into_owned();
        let expected = [b"BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0".as_slice(), &[7; 36], b"pixels"].concat();
        assert_eq!(out, expected);
        file.truncate(70);
        assert!(matches!(repaired(ImageFormat::Bmp, &file, u64::MAX), Cow::Borrowed(_)));
    }

    #[test]
    fn chunks_that_only_their_writer_knows_go() {
        let chunk = |name: &[u8; 4], data: &[u8]| {
            let named = [name, data].concat();
            let length = (data.len() as u32).to_be_bytes();
            [&length[..], &named, &crc32fast::hash(&named).to_be_bytes()].concat()
        };
        let (header, end) = (chunk(b"IHDR", &[1; 13]), chunk(b"IEND", b""));
        let (pixels, text) = (chunk(b"IDAT", b"xyz"), chunk(b"tEXt", b"a"));
        let signature = b"\x89PNG\r\n\x1a\n".as_slice();
        let right = [signature, &header, &text, &pixels, &end].concat();
        assert_eq!(repaired_png(ImageFormat::Png, &right), None);
        let own = chunk(b"ABCD", b"12");
        let odd = [signature, &header, &own, &header, &text, &pixels, &end].concat();
        assert_eq!(repaired_png(ImageFormat::Png, &odd), Some(right));
    }

    #[test]
    fn a_screen_grows_to_its_first_frame() {
        let gif = b"GIF89a\x02\0\x09\0\0\0\0!\xfe\x01x\0,\x01\0\0\0\x05\0\x04\0";
        assert_eq!(repaired(ImageFormat::Gif, gif, u64::MAX)[6..10], [6, 0, 9, 0]);
    }
}
