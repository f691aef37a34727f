//! What the first bytes of a file tell, read before a decoder may allocate anything.

use ::image::ImageFormat;

use super::tiff::Tiff;

/// The format of a file, if it is one of those that ocelli decodes.
pub(super) fn format(bytes: &[u8]) -> Option<ImageFormat> {
    use ImageFormat::{Bmp, Gif, Jpeg, Png, Tiff, WebP};
    // BigTIFF, which nobody guesses.
    if bytes.starts_with(b"II+\0") || bytes.starts_with(b"MM\0+") {
        return Some(Tiff);
    }
    let format = ::image::guess_format(bytes).ok()?;
    matches!(format, Bmp | Gif | Jpeg | Png | Tiff | WebP).then_some(format)
}

/// Width and height as the header states them, without any check of the rest of the file.
///
/// `None` where the header is too short to say.
pub(super) fn size(format: ImageFormat, bytes: &[u8]) -> Option<(u32, u32)> {
    match format {
        // Signature (8), length and name of IHDR (8), then width and height.
        ImageFormat::Png => Some((be32(bytes, 16)?, be32(bytes, 20)?)),
        ImageFormat::Gif => Some((le16(bytes, 6)?, le16(bytes, 8)?)),
        ImageFormat::Bmp => bmp_size(bytes),
        ImageFormat::WebP => webp_size(bytes),
        ImageFormat::Jpeg => jpeg_size(bytes),
        ImageFormat::Tiff => tiff_size(bytes),
        _ => None,
    }
}

fn bmp_size(bytes: &[u8]) -> Option<(u32, u32)> {
    // The oldest header (12 bytes) has 16-bit sizes. In the others a negative height means top row first.
    if le32(bytes, 14)? == 12 {
        return Some((le16(bytes, 18)?, le16(bytes, 20)?));
    }
    let (width, height) = (le32(bytes, 18)?, le32(bytes, 22)?);
    Some(((width as i32).unsigned_abs(), (height as i32).unsigned_abs()))
}

fn webp_size(bytes: &[u8]) -> Option<(u32, u32)> {
    match bytes.get(12..16)? {
        // Two 24-bit numbers, each less one, after four bytes of flags.
        b"VP8X" => Some(((le32(bytes, 24)? & 0xff_ffff) + 1, (le32(bytes, 26)? >> 8) + 1)),
        b"VP8L" => {
            let bits = le32(bytes, 21)?;
            Some(((bits & 0x3fff) + 1, ((bits >> 14) & 0x3fff) + 1))
        }
        b"VP8 " => Some((le16(bytes, 26)? & 0x3fff, le16(bytes, 28)? & 0x3fff)),
        _ => None,
    }
}

fn jpeg_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut at = 2;
    loop {
        let (marker, body) = next_marker(bytes, at)?;
        match marker {
            // Frame headers: every SOFn, which leaves out DHT (c4), JPG (c8) and DAC (cc).
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => {
                return Some((be16(bytes, body + 5)?, be16(bytes, body + 3)?));
            }
            0xd8..=0xda => return None,
            _ => at = body + be16(bytes, body)? as usize,
        }
    }
}

fn tiff_size(bytes: &[u8]) -> Option<(u32, u32)> {
    const WIDTH: u64 = 256;
    const HEIGHT: u64 = 257;
    let file = Tiff::new(bytes)?;
    // Whatever is no number of pixels is left to the decoder.
    let edge = |tag| file.number(tag).filter(|edge| edge.fract() == 0.0).map(|edge| edge as u32);
    Some((edge(WIDTH)?, edge(HEIGHT)?))
}

/// Whether a JPEG reaches its end marker.
///
/// The decoder paints what is missing grey and says nothing. PIL refuses a file that is cut off, and so do we.
///
/// Method: segments that have a length are stepped over (their content, a thumbnail say, may hold end markers
/// of its own); in the compressed data every marker is escaped, so the next unescaped one ends it.
pub(super) fn jpeg_is_complete(bytes: &[u8]) -> bool {
    let mut at = 2;
    while let Some((marker, body)) = next_marker(bytes, at) {
        at = match marker {
            0xd9 => return true,
            // Restart markers, TEM and a byte-stuffed 0xff have no length.
            0x00 | 0x01 | 0xd0..=0xd8 => body,
            _ => match be16(bytes, body) {
                Some(length) => body + length as usize,
                None => return false,
            },
        };
    }
    false
}

/// The next marker at or after `at`: its code, and where its body begins.
pub(super) fn next_marker(bytes: &[u8], at: usize) -> Option<(u8, usize)> {
    let mut at = at + bytes.get(at..)?.iter().position(|&byte| byte == 0xff)?;
    // Any number of 0xff may fill the space before a marker's code.
    while *bytes.get(at)? == 0xff {
        at += 1;
    }
    Some((bytes[at], at + 1))
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

pub(super) fn be16(bytes: &[u8], at: usize) -> Option<u32> {
    array(bytes, at).map(|pair| u16::from_be_bytes(pair).into())
}

pub(super) fn le16(bytes: &[u8], at: usize) -> Option<u32> {
    array(bytes, at).map(|pair| u16::from_le_bytes(pair).into())
}

pub(super) fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    array(bytes, at).map(u32::from_be_bytes)
}

pub(super) fn le32(bytes: &[u8], at: usize) -> Option<u32> {
    array(bytes, at).map(u32::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_sizes_from_headers_alone() {
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x75\x30\0\0\x4e\x20";
        assert_eq!(size(ImageFormat::Png, png), Some((30_000, 20_000)));
        assert_eq!(size(ImageFormat::Png, &png[..23]), None);
        assert_eq!(size(ImageFormat::Gif, b"GIF89a\x30\x75\x20\x4e"), Some((30_000, 20_000)));
        let jpeg = b"\xff\xd8\xff\xe0\0\x04\xff\xd9\xff\xff\xc2\0\x11\x08\x4e\x20\x75\x30\x03";
        assert_eq!(size(ImageFormat::Jpeg, jpeg), Some((30_000, 20_000)));
    }

    #[test]
    fn an_end_marker_inside_a_segment_ends_nothing() {
        assert!(!jpeg_is_complete(b"\xff\xd8\xff\xe1\0\x04\xff\xd9\xff\xda\0\x02\x12\xff\0\x34"));
        assert!(jpeg_is_complete(b"\xff\xd8\xff\xe1\0\x04\xff\xd9\xff\xda\0\x02\x12\xff\0\x34\xff\xff\xd9"));
        assert!(!jpeg_is_complete(b"\xff\xd8\xff"));
        assert!(!jpeg_is_complete(b""));
    }
}
