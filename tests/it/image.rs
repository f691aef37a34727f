//! Pictures against PIL and transformers. Golden data: `python tests/golden/image/make.py`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use candle_core::Tensor;
use ocelli::ErrorKind;
use ocelli::image::{Filter, Preprocessor, PreprocessorKind, RgbImage, decode, resize};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::support::random;

/// Lossy formats: another inverse transform and another chroma upsampling than libjpeg-turbo's and libwebp's.
/// Largest and mean difference in grey levels.
const LOSSY_BOUND: (u8, f64) = (4, 0.5);
/// TIFF in CMYK: the decoder cuts where PIL rounds.
const CMYK_TIFF_BOUND: (u8, f64) = (1, 1.0);

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/image").join(name)
}

fn read(name: &str) -> Vec<u8> {
    std::fs::read(golden(name)).unwrap()
}

fn cases<T: DeserializeOwned>(name: &str) -> Vec<T> {
    let cases: Vec<T> = serde_json::from_slice(&read(name)).unwrap();
    assert!(!cases.is_empty(), "{name} holds nothing, so it proves nothing");
    cases
}

/// The picture that make.py's `synthetic` makes.
fn synthetic(width: u32, height: u32, kind: &str) -> RgbImage {
    let mut bytes = Vec::with_capacity((width * height * 3) as usize);
    for y in 0..height {
        for x in 0..width {
            for c in 0..3u32 {
                let mixed =
                    x.wrapping_mul(73_856_093) ^ y.wrapping_mul(19_349_663) ^ c.wrapping_mul(83_492_791);
                let noise = (mixed ^ (mixed >> 13)).wrapping_mul(1_274_126_177) >> 24;
                let value = match kind {
                    "noise" => noise,
                    "extreme" if noise & 64 != 0 => 255,
                    "extreme" => 0,
                    _ => (((x * 255 / width + y * 255 / height + c * 40) % 256) * 7 + noise) / 8,
                };
                bytes.push(value as u8);
            }
        }
    }
    RgbImage::from_raw(width, height, bytes).unwrap()
}

#[derive(Deserialize)]
struct DecodeCase {
    file: String,
    width: u32,
    height: u32,
    offset: usize,
}

#[test]
fn every_format_decodes_as_pil_decodes_it() {
    let expected = read("decode.bin");
    for case in cases::<DecodeCase>("decode.json") {
        let name = &case.file;
        let result = decode(&read(&format!("files/{name}")));
        let image =
            result.unwrap_or_else(|error| panic!("{name}: {error} {:?}", std::error::Error::source(&error)));
        assert_eq!(image.dimensions(), (case.width, case.height), "{name}");
        let wanted = &expected[case.offset..][..image.as_raw().len()];
        let differences = image.as_raw().iter().zip(wanted).map(|(&a, &b)| a.abs_diff(b));
        let largest = differences.clone().max().unwrap();
        let mean = differences.map(f64::from).sum::<f64>() / wanted.len() as f64;
        let bound = match name.as_str() {
            "cmyk.tiff" => CMYK_TIFF_BOUND,
            name if name.ends_with(".jpg") || name.starts_with("lossy") => LOSSY_BOUND,
            _ => (0, 0.0),
        };
        println!("{name}: largest difference {largest}, mean {mean:.3}");
        assert!(
            largest <= bound.0 && mean <= bound.1,
            "{name}: largest difference {largest}, mean {mean:.3}"
        );
    }
}

/// kind, width, height, to width, to height, filter, check sum, samples
type ResizeCase = (String, u32, u32, u32, u32, u64, u32, Vec<(usize, u8)>);

#[test]
fn resizing_equals_pil_bit_for_bit() {
    for (kind, width, height, to_width, to_height, code, crc, samples) in cases::<ResizeCase>("resize.json") {
        let filter = Filter::from_code(code).unwrap();
        let output = resize(&synthetic(width, height, &kind), to_width, to_height, filter);
        let what = format!("{kind} {width} x {height} to {to_width} x {to_height}, {filter:?}");
        for (index, wanted) in samples {
            assert_eq!(output.as_raw()[index], wanted, "{what}, byte {index}");
        }
        assert_eq!(crc32fast::hash(output.as_raw()), crc, "{what}");
    }
}

/// The processors as make.py names and orders them.
const KINDS: [(&str, PreprocessorKind); 3] =
    [("clip", PreprocessorKind::Clip), ("blip", PreprocessorKind::Blip), ("vit", PreprocessorKind::Vit)];

#[derive(Deserialize)]
struct PreprocessCase {
    kind: String,
    config: Value,
    width: u32,
    height: u32,
    shape: [usize; 3],
    crc: u32,
    samples: Vec<(usize, f32)>,
}

#[test]
fn tensors_equal_the_reference_bit_for_bit() {
    for case in cases::<PreprocessCase>("preprocess.json") {
        let what = format!("{} {} {} x {}", case.kind, case.config, case.width, case.height);
        let (_, kind) = KINDS.into_iter().find(|(name, _)| *name == case.kind).unwrap();
        let preprocessor = Preprocessor::from_json(case.config.to_string().as_bytes(), kind).unwrap();
        let tensor = preprocessor.tensor(&synthetic(case.width, case.height, "photo")).unwrap();
        assert_eq!(tensor.dims(), case.shape, "{what}");
        assert_eq!(preprocessor.output_size(), (case.shape[1], case.shape[2]), "{what}");
        let values: Vec<f32> = tensor.flatten_all().unwrap().to_vec1().unwrap();
        for (index, wanted) in case.samples {
            assert!(
                (values[index] - wanted).abs() < 1e-6,
                "{what}: {} for {wanted} at {index}",
                values[index]
            );
        }
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        assert_eq!(crc32fast::hash(&bytes), case.crc, "{what}");
    }
}

/// kind, width, height, orientation (0: given as pixels), and for each processor check sum and three samples
type PipelineCase = (String, u32, u32, u16, [(u32, u8, u8, u8); 3]);

/// The pixels of a tensor that was neither rescaled nor normalised.
fn grey_levels(tensor: &Tensor) -> Vec<u8> {
    let values: Vec<f32> = tensor.flatten_all().unwrap().to_vec1().unwrap();
    let levels: Vec<u8> = values.iter().map(|&value| value as u8).collect();
    assert!(levels.iter().zip(&values).all(|(&level, &value)| f32::from(level) == value), "not grey levels");
    levels
}

/// Every processor's pixels for every case that is `wanted`, bit for bit: every one of them is in the check sum.
/// Gives the cases back, so that a test can say what they cover.
fn check_pipeline(wanted: impl Fn(&PipelineCase) -> bool) -> Vec<PipelineCase> {
    let processors = KINDS.map(|(name, kind)| {
        let json = br#"{"do_rescale": false, "do_normalize": false}"#;
        (name, Preprocessor::from_json(json, kind).unwrap())
    });
    let mut cases: Vec<PipelineCase> = cases("pipeline.json");
    cases.retain(wanted);
    for (kind, width, height, orientation, expected) in &cases {
        let mut image = synthetic(*width, *height, kind);
        if *orientation > 0 {
            image = decode(&tiff(&image, *orientation)).unwrap();
        }
        for ((name, processor), (crc, first, middle, last)) in processors.iter().zip(expected) {
            let levels = grey_levels(&processor.tensor(&image).unwrap());
            let what = format!("{name} of {kind} {width} x {height}, orientation {orientation}");
            let end = levels.len() - 1;
            assert_eq!([levels[0], levels[end / 2], levels[end]], [*first, *middle, *last], "{what}");
            assert_eq!(crc32fast::hash(&levels), *crc, "{what}");
        }
    }
    cases
}

/// An uncompressed TIFF with an EXIF orientation: the same bytes as those of make.py.
fn tiff(image: &RgbImage, orientation: u16) -> Vec<u8> {
    let (width, height) = image.dimensions();
    let pixels = image.as_raw();
    let (long, short) = (4u16, 3u16);
    let entries = [
        (256u16, long, 1u32, width),
        (257, long, 1, height),
        (258, short, 3, 134),
        (259, short, 1, 1),
        (262, short, 1, 2),
        (273, long, 1, 140),
        (274, short, 1, orientation.into()),
        (277, short, 1, 3),
        (278, long, 1, height),
        (279, long, 1, pixels.len() as u32),
    ];
    let mut file = b"II*\0\x08\0\0\0\x0a\0".to_vec();
    for (tag, kind, count, value) in entries {
        file.extend([tag.to_le_bytes(), kind.to_le_bytes()].concat());
        file.extend([count.to_le_bytes(), value.to_le_bytes()].concat());
    }
    file.extend(b"\0\0\0\0\x08\0\x08\0\x08\0");
    file.extend(pixels);
    file
}

#[test]
fn pixels_from_1x1_to_8000x6000_equal_the_reference_bit_for_bit() {
    let cases = check_pipeline(|case| case.3 == 0);
    for (width, height) in [(1, 1), (1, 1000), (1000, 1), (8000, 6000), (6000, 8000)] {
        assert!(cases.iter().any(|case| (case.1, case.2) == (width, height)), "no {width} x {height}");
    }
    let landscape = cases.iter().filter(|case| case.1 > case.2).count();
    let portrait = cases.iter().filter(|case| case.1 < case.2).count();
    assert!(landscape.min(portrait) > 90, "{landscape} landscape, {portrait} portrait");
    assert_differ(&cases);
}

#[test]
fn pixels_of_every_orientation_equal_the_reference_bit_for_bit() {
    let cases = check_pipeline(|case| case.3 > 0);
    for shape in [(5, 3), (3, 5), (300, 200), (200, 300), (640, 480), (480, 640)] {
        let turned = cases.iter().filter(|case| (case.1, case.2) == shape).map(|case| case.3);
        assert!(turned.eq(1..=8), "{shape:?} is not turned in every way");
    }
    assert_differ(&cases);
}

/// The expected pixels differ from case to case, or equal ones would prove nothing. The smallest pictures look alike.
fn assert_differ(cases: &[PipelineCase]) {
    let cases = cases.iter().filter(|case| case.1 * case.2 > 10);
    for (index, (name, _)) in KINDS.iter().enumerate() {
        let sums: HashSet<u32> = cases.clone().map(|case| case.4[index].0).collect();
        assert_eq!(sums.len(), cases.clone().count(), "{name}");
    }
}

#[test]
fn published_preprocessor_files_are_read() {
    let Some(hub) = hub() else { return };
    for (folder, kind, size) in [
        ("clip-vit-base-patch32", PreprocessorKind::Clip, 224),
        ("TinyCLIP-ViT-8M-16-Text-3M-YFCC15M", PreprocessorKind::Clip, 224),
        ("blip-image-captioning-base", PreprocessorKind::Blip, 384),
    ] {
        let json = std::fs::read(hub.join(folder).join("preprocessor_config.json")).unwrap();
        let preprocessor = Preprocessor::from_json(&json, kind).unwrap();
        assert_eq!(preprocessor.output_size(), (size, size), "{folder}");
    }
}

/// The folder of published configuration files, which is not part of the project.
fn hub() -> Option<PathBuf> {
    let shared = std::env::var_os("OCELLI_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let hub = shared.join("hub");
    if !hub.is_dir() {
        println!("Skipped: {} is not here; set OCELLI_SHARED to the folder that holds hub/.", hub.display());
        return None;
    }
    Some(hub)
}

fn kind_of(bytes: &[u8]) -> Option<ErrorKind> {
    decode(bytes).err().map(|error| error.kind())
}

#[test]
fn a_file_that_is_cut_off_is_damaged() {
    for case in cases::<DecodeCase>("decode.json") {
        let name = &case.file;
        let bytes = read(&format!("files/{name}"));
        // Of an animation only the first frame is read; what is cut behind it is not missed.
        let parts: &[usize] = if name.starts_with("animated") { &[1] } else { &[1, 2, 3] };
        for part in parts {
            let kind = kind_of(&bytes[..bytes.len() * part / 4]);
            assert_eq!(kind, Some(ErrorKind::ImageDamaged), "{name} cut to {part}/4");
        }
    }
}

#[test]
fn a_giant_is_refused_by_its_header() {
    let (width, height) = (30_000u32, 20_000u32);
    let png =
        [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".as_slice(), &width.to_be_bytes(), &height.to_be_bytes()].concat();
    let gif = [b"GIF89a".as_slice(), &(width as u16).to_le_bytes(), &(height as u16).to_le_bytes(), &[0; 3]]
        .concat();
    let jpeg = [
        b"\xff\xd8\xff\xc0\0\x11\x08".as_slice(),
        &(height as u16).to_be_bytes(),
        &(width as u16).to_be_bytes(),
        b"\x03\x01\x11\0\x02\x11\0\x03\x11\0\xff\xd9",
    ]
    .concat();
    let webp = b"RIFF\x1a\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\x2f\x75\0\x1f\x4e\0".to_vec();
    let mut bmp = read("files/rgb.bmp");
    bmp[18..22].copy_from_slice(&width.to_le_bytes());
    bmp[22..26].copy_from_slice(&height.to_le_bytes());
    for (name, bytes) in [("png", png), ("gif", gif), ("jpeg", jpeg), ("webp", webp), ("bmp", bmp)] {
        assert_eq!(kind_of(&bytes), Some(ErrorKind::ImageTooLarge), "{name}");
    }
    // A directory of two entries, width (256) and height (257) as long numbers.
    let tiff = [
        b"II*\0\x08\0\0\0\x02\0\0\x01\x04\0\x01\0\0\0".as_slice(),
        &width.to_le_bytes(),
        b"\x01\x01\x04\0\x01\0\0\0",
        &height.to_le_bytes(),
        &[0; 4],
    ]
    .concat();
    assert_eq!(kind_of(&tiff), Some(ErrorKind::ImageTooLarge), "tiff");
}

#[test]
fn what_is_no_picture_is_told_apart() {
    assert_eq!(kind_of(b""), Some(ErrorKind::ImageEmpty));
    for bytes in
        [b"x".as_slice(), b"<!doctype html>", b"{\"a\": 1}", &[0; 1000], b"\0\0\0\x20ftypavif", b"%PDF-1.7"]
    {
        assert_eq!(kind_of(bytes), Some(ErrorKind::ImageUnsupported), "{bytes:?}");
    }
}

#[test]
fn changed_bytes_give_a_picture_or_an_error_never_a_panic() {
    let mut random = random();
    let rounds: usize = std::env::var("OCELLI_MUTATIONS").ok().and_then(|n| n.parse().ok()).unwrap_or(40);
    for case in cases::<DecodeCase>("decode.json") {
        let original = read(&format!("files/{}", case.file));
        for _ in 0..rounds {
            let mut bytes = original.clone();
            for _ in 0..1 + random(4) {
                // Headers decide most, so half of the changes go there.
                let reach = if random(2) == 0 { bytes.len().min(64) } else { bytes.len() };
                let at = random(reach);
                bytes[at] = [random(256) as u8, 0, 0xff, bytes[at] ^ 1 << random(8)][random(4)];
            }
            if random(8) == 0 {
                bytes.truncate(random(original.len()));
            }
            if let Ok(image) = decode(&bytes) {
                assert!(image.width() > 0 && image.height() > 0, "{}", case.file);
            }
        }
    }
}
