//! Configurations of every model, and how pictures are prepared for it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ocelli::image::{Preprocessor, PreprocessorKind, RgbImage};
use ocelli::models::blip::BlipConfig;
use ocelli::models::dual::DualConfig;
use ocelli::models::ocelli::OcelliConfig;
use ocelli::models::vit::VitConfig;
use ocelli::tasks::ClassifierFiles;

fuzz_target!(|file: &[u8]| {
    let _ = DualConfig::from_json(file);
    let _ = VitConfig::from_json(file);
    let _ = BlipConfig::from_json(file);
    let _ = OcelliConfig::from_json(file);
    let _ = ClassifierFiles::read(br#"{"architecture": "vit_base_patch16_224", "num_classes": 2}"#, b"", file);
    let picture = RgbImage::new(5, 3);
    for kind in [PreprocessorKind::Clip, PreprocessorKind::Blip, PreprocessorKind::Siglip, PreprocessorKind::Vit] {
        prepare(Preprocessor::from_json(file, kind), &picture);
    }
    prepare(Preprocessor::from_timm(file), &picture);
});

/// A small picture; large ones would only take time.
fn prepare(preprocessor: ocelli::Result<Preprocessor>, picture: &RgbImage) {
    if let Ok(preprocessor) = preprocessor
        && preprocessor.output_size().0 * preprocessor.output_size().1 <= 1 << 18
    {
        preprocessor.tensor(picture).expect("what was read can be used");
        preprocessor.frame(picture);
    }
}
