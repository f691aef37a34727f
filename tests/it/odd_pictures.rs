//! Pictures of odd but real kinds: turned by odd tags, contradicting themselves. What is right was tried with Pillow 13
//! (`ImageOps.exif_transpose`), case by case; `../shared/reports` has more of them, with Pillow's pixels.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use ocelli::image::{RgbImage, decode};

use crate::support::random;

fn golden(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/image/files");
    std::fs::read(folder.join(name)).unwrap()
}

/// A JPEG with more segments of APP1 before its own.
fn jpeg(segments: &[Vec<u8>]) -> Vec<u8> {
    let plain = golden("444.jpg");
    let mut file = plain[..2].to_vec();
    for segment in segments {
        file.extend([0xff, 0xe1]);
        file.extend((segment.len() as u16 + 2).to_be_bytes());
        file.extend(segment);
    }
    file.extend(&plain[2..]);
    file
}

/// EXIF with one entry, in either byte order; `value` fills the entry, or what comes behind the directory.
fn tiff(little: bool, kind: u16, count: u32, value: &[u8]) -> Vec<u8> {
    let short = |x: u16| if little { x.to_le_bytes() } else { x.to_be_bytes() };
    let long = |x: u32| if little { x.to_le_bytes() } else { x.to_be_bytes() };
    let mut out = if little { b"II*\0".to_vec() } else { b"MM\0*".to_vec() };
    out.extend(long(8));
    out.extend([short(1), short(0x112), short(kind)].concat());
    out.extend(long(count));
    let inline = value.len() <= 4;
    if inline {
        out.extend(value);
        out.resize(22, 0);
    } else {
        out.extend(long(26));
    }
    out.extend(long(0));
    if !inline {
        out.extend(value);
    }
    out
}

fn exif(payload: &[u8]) -> Vec<u8> {
    [b"Exif\0\0", payload].concat()
}

fn xmp(packet: &str) -> Vec<u8> {
    [b"http://ns.adobe.com/xap/1.0/\0", packet.as_bytes()].concat()
}

const NO_ENTRIES: &[u8] = b"II*\0\x08\0\0\0\0\0\0\0\0\0";
const ATTRIBUTE: &str = r#"<x:xmpmeta tiff:Orientation="6"/>"#;

fn six() -> Vec<u8> {
    tiff(true, 3, 1, &[6, 0])
}

/// Whether the file is read as its plain picture on its side.
fn is_turned(file: &[u8], plain: &str) -> bool {
    let (width, height) = decode(&golden(plain)).unwrap().dimensions();
    assert_ne!(width, height);
    let image = decode(file).unwrap();
    assert!([(width, height), (height, width)].contains(&image.dimensions()));
    image.dimensions() == (height, width)
}

#[test]
fn an_orientation_of_any_numeric_type_turns() {
    let both = |x: u32, little: bool| if little { x.to_le_bytes() } else { x.to_be_bytes() };
    for little in [true, false] {
        let short = if little { [6, 0] } else { [0, 6] };
        let long = |x| both(x, little).to_vec();
        let pair = |a, b| [long(a), long(b)].concat();
        let double = if little { 6f64.to_le_bytes() } else { 6f64.to_be_bytes() }.to_vec();
        let wide = if little { pair(6, 0) } else { pair(0, 6) };
        for (kind, count, value, turns) in [
            (3, 1, short.to_vec(), true),
            (3, 2, short.repeat(2), true),
            (3, 3, short.repeat(3), true),
            (8, 1, short.to_vec(), true),
            (4, 1, long(6), true),
            (9, 1, long(6), true),
            (6, 1, vec![6], true),
            (11, 1, long(6f32.to_bits()), true),
            (5, 1, pair(18, 3), true),
            (10, 1, pair(18, 3), true),
            (12, 1, double, true),
            (16, 1, wide, true),
            // Bytes and texts are no numbers to Pillow.
            (1, 1, vec![6], false),
            (7, 1, vec![6], false),
            (2, 2, b"6\0".to_vec(), false),
            // No orientations, or none that is whole.
            (3, 1, if little { vec![9, 0] } else { vec![0, 9] }, false),
            (3, 1, vec![0, 0], false),
            (5, 1, pair(6, 0), false),
            (5, 1, pair(13, 2), false),
            (99, 1, vec![6, 0, 0, 0], false),
        ] {
            let file = jpeg(&[exif(&tiff(little, kind, count, &value))]);
            assert_eq!(is_turned(&file, "444.jpg"), turns, "type {kind}, {count}, little {little}");
        }
    }
}

#[test]
fn the_first_exif_of_a_jpeg_counts_and_xmp_where_it_says_nothing() {
    let (six, none) = (exif(&six()), exif(NO_ENTRIES));
    let one = exif(&tiff(true, 3, 1, &[1, 0]));
    for (name, segments, turns) in [
        ("two, the first turns", vec![six.clone(), none.clone()], true),
        ("two, the second would", vec![none.clone(), six.clone()], false),
        ("damaged before good", vec![exif(b"garbage"), six.clone()], false),
        ("a prefix twice", vec![exif(&six)], true),
        ("another prefix", vec![[b"Exif\0\xff", &six[6..]].concat()], false),
        ("behind XMP", vec![xmp("<x/>"), six.clone()], true),
        ("XMP alone", vec![xmp(ATTRIBUTE)], true),
        ("as an element", vec![xmp("<tiff:Orientation>6</tiff:Orientation>")], true),
        ("XMP before silent EXIF", vec![xmp(ATTRIBUTE), none], true),
        ("EXIF that says upright", vec![xmp(ATTRIBUTE), one], false),
        ("damaged EXIF", vec![exif(b"garbage"), xmp(ATTRIBUTE)], false),
        ("the last XMP counts", vec![xmp("<x/>"), xmp(ATTRIBUTE)], true),
        ("cut off", vec![six[..20].to_vec()], false),
    ] {
        assert_eq!(is_turned(&jpeg(&segments), "444.jpg"), turns, "{name}");
    }
}

fn chunk(name: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let named = [name, data].concat();
    [&(data.len() as u32).to_be_bytes()[..], &named, &crc32fast::hash(&named).to_be_bytes()].concat()
}

fn zipped(text: &[u8]) -> Vec<u8> {
    miniz_oxide::deflate::compress_to_vec_zlib(text, 6)
}

/// Where the first chunk of a name begins.
fn find(png: &[u8], name: &[u8; 4]) -> usize {
    png.windows(4).position(|window| window == name).unwrap() - 4
}

const PLAIN_PNG: &str = "exif-1.png";

fn png(before: &[u8], after: &[u8]) -> Vec<u8> {
    let mut plain = golden(PLAIN_PNG);
    let own = find(&plain, b"eXIf");
    let length = 12 + u32::from_be_bytes(plain[own..own + 4].try_into().unwrap()) as usize;
    plain.drain(own..own + length);
    let (pixels, end) = (find(&plain, b"IDAT"), find(&plain, b"IEND"));
    [&plain[..pixels], before, &plain[pixels..end], after, &plain[end..]].concat()
}

#[test]
fn a_png_is_turned_by_its_chunk_by_a_raw_profile_and_by_xmp() {
    let hex: String = six().iter().map(|byte| format!("{byte:02x}")).collect();
    let raw = format!("\nexif\n{:8}\n{}\n{}\n", six().len(), &hex[..20], &hex[20..]);
    let text = |keyword: &str, rest: &[u8]| [keyword.as_bytes(), b"\0", rest].concat();
    let profile = "Raw profile type exif";
    let keyword = "XML:com.adobe.xmp";
    let upright = chunk(b"eXIf", &tiff(true, 3, 1, &[1, 0]));
    let ztxt = |text: &[u8]| [&[0], &zipped(text)[..]].concat();
    for (name, extra, turns) in [
        ("eXIf", chunk(b"eXIf", &six()), true),
        ("eXIf with a prefix", chunk(b"eXIf", &exif(&six())), true),
        ("zTXt", chunk(b"zTXt", &text(profile, &ztxt(raw.as_bytes()))), true),
        ("tEXt", chunk(b"tEXt", &text(profile, raw.as_bytes())), true),
        ("another profile", chunk(b"tEXt", &text("Raw profile type APP1", raw.as_bytes())), false),
        ("iTXt", chunk(b"iTXt", &text(keyword, format!("\0\0\0\0{ATTRIBUTE}").as_bytes())), true),
        (
            "packed iTXt",
            chunk(b"iTXt", &text(keyword, &[b"\x01\0\0\0", &zipped(ATTRIBUTE.as_bytes())[..]].concat())),
            true,
        ),
        (
            "eXIf before a raw profile",
            [upright, chunk(b"tEXt", &text(profile, raw.as_bytes()))].concat(),
            false,
        ),
        ("damaged zTXt", chunk(b"zTXt", &text(profile, b"\0nothing")), false),
    ] {
        assert_eq!(is_turned(&png(&extra, b""), PLAIN_PNG), turns, "{name}");
        assert_eq!(is_turned(&png(b"", &extra), PLAIN_PNG), turns, "{name}, behind the pixels");
    }
}

#[test]
fn a_png_with_a_wrong_checksum_or_no_end_is_read() {
    let right = decode(&golden(PLAIN_PNG)).unwrap();
    let plain = png(b"", b"");
    let pixels = find(&plain, b"IDAT");
    let length = u32::from_be_bytes(plain[pixels..pixels + 4].try_into().unwrap()) as usize;
    let mut wrong = plain.clone();
    wrong[pixels + 8 + length] ^= 1;
    assert_eq!(decode(&wrong).unwrap(), right);
    let end = find(&plain, b"IEND");
    for cut in [end, end + 4, end + 8, end + 11] {
        assert_eq!(decode(&plain[..cut]).unwrap(), right, "cut at {cut}");
        assert_eq!(decode(&wrong[..cut]).unwrap(), right, "cut at {cut}, wrong");
    }
    assert!(decode(&plain[..end - 1]).is_err(), "pixels that are cut off stay so");
}

#[test]
fn a_webp_may_promise_what_it_lacks() {
    let plain = golden("lossy.webp");
    let right = decode(&plain).unwrap();
    let (width, height) = right.dimensions();
    let edge = |length: u32| (length - 1).to_le_bytes()[..3].to_vec();
    for flags in [0u8, 0x04, 0x08, 0x10, 0x20, 0x3c] {
        let head = [&[flags, 0, 0, 0][..], &edge(width), &edge(height)].concat();
        let body = [b"WEBPVP8X\x0a\0\0\0", &head[..], &plain[12..]].concat();
        let file = [b"RIFF", &(body.len() as u32).to_le_bytes()[..], &body].concat();
        assert_eq!(decode(&file).unwrap(), right, "flags {flags:#x}");
    }
}

#[test]
fn a_gif_s_screen_is_as_large_as_its_first_frame() {
    let plain = golden("interlaced.gif");
    let right = decode(&plain).unwrap();
    for (width, height) in [(0u16, 0u16), (3, 2), (1, right.height() as u16)] {
        let mut file = plain.clone();
        file[6..8].copy_from_slice(&width.to_le_bytes());
        file[8..10].copy_from_slice(&height.to_le_bytes());
        assert_eq!(decode(&file).unwrap(), right, "{width} x {height}");
    }
}

/// `tests/golden/image/make_tiff.py` makes them.
#[test]
fn every_kind_of_tiff_that_pillow_reads_is_read_as_pillow_reads_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/image/tiff");
    let mut faults = Vec::new();
    let (mut count, mut random) = (0, random());
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|end| end != "tiff") {
            continue;
        }
        count += 1;
        let right = decode(&std::fs::read(path.with_extension("png")).unwrap()).unwrap();
        let file = std::fs::read(&path).unwrap();
        match decode(&file) {
            Err(error) => {
                faults.push(format!("{path:?}: {error} {:?}", std::error::Error::source(&error)));
            }
            Ok(image) => {
                let (largest, _) = differences(&image, &right);
                if image.dimensions() != right.dimensions() || largest > 1 {
                    faults.push(format!("{path:?}: differs by {largest}"));
                }
            }
        }
        // Cut off anywhere, or changed, it is a picture or an error, and no panic.
        for length in (0..file.len()).step_by(7) {
            let _ = decode(&file[..length]);
        }
        for _ in 0..60 {
            let mut changed = file.clone();
            let at = random(changed.len());
            changed[at] ^= 1 << random(8);
            let _ = decode(&changed);
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(count >= 25, "{count} files");
}

/// Of `../shared/reports`: what browsers alone read.
const NOT_READ: &[&str] = &["other.avif"];

fn reports() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/reports");
    folder.join("expected.csv").exists().then_some(folder)
}

/// The largest and the mean difference.
fn differences(a: &RgbImage, b: &RgbImage) -> (u8, f64) {
    let each = a.as_raw().iter().zip(b.as_raw()).map(|(a, b)| a.abs_diff(*b));
    (each.clone().max().unwrap(), each.map(f64::from).sum::<f64>() / a.as_raw().len() as f64)
}

#[test]
fn pictures_that_people_reported_are_read_as_pillow_reads_them() {
    let Some(folder) = reports() else {
        println!("skipped: ../shared/reports is not here");
        return;
    };
    let table = std::fs::read_to_string(folder.join("expected.csv")).unwrap();
    let mut faults = Vec::new();
    for line in table.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let (name, reads) = (cells[0], cells[1] == "reads");
        let found = decode(&std::fs::read(folder.join("images").join(name)).unwrap());
        if NOT_READ.contains(&name) {
            match found {
                Ok(_) => faults.push(format!("{name} is read by now")),
                Err(error) if error.code() != "image-unsupported" => faults.push(format!("{name}: {error}")),
                Err(_) => {}
            }
            continue;
        }
        // What Pillow refuses may be read, as browsers do.
        if !reads {
            continue;
        }
        let right = std::fs::read(folder.join("expected").join(format!("{name}.png"))).unwrap();
        let right = decode(&right).unwrap();
        match found {
            Err(error) => faults.push(format!("{name}: {error} {:?}", std::error::Error::source(&error))),
            Ok(image) if image.dimensions() != right.dimensions() => {
                faults.push(format!("{name}: {:?}, not {:?}", image.dimensions(), right.dimensions()));
            }
            Ok(image) => {
                let (largest, mean) = differences(&image, &right);
                let lossy = name.ends_with(".jpg") || name.contains("jpeg") || name.starts_with("webp");
                let bound = if lossy { (90, 2.0) } else { (1, 1.0) };
                if largest > bound.0 || mean > bound.1 {
                    faults.push(format!("{name}: differs by {largest} at most, {mean:.2} on average"));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
