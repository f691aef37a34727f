//! What is kept of weights between visits, with bytes of it changed: an input has a place and a byte, three bytes each.

#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use ocelli::kernels::Dtype;
use ocelli::weights::WeightsLoader;

/// Three tensors: a matrix in int8, one in f32, and a vector.
fn packed() -> &'static [u8] {
    static PACKED: OnceLock<Vec<u8>> = OnceLock::new();
    PACKED.get_or_init(|| {
        let header = r#"{"a.weight":{"dtype":"F32","shape":[64,64],"data_offsets":[0,16384]},
            "b.weight":{"dtype":"F32","shape":[3,5],"data_offsets":[16384,16444]},
            "c.bias":{"dtype":"F32","shape":[2],"data_offsets":[16444,16452]}}"#;
        let mut loader = WeightsLoader::keeping(Dtype::Int8);
        let numbers = (0..4113).flat_map(|i| (i as f32 / 100.0).sin().to_le_bytes()).collect::<Vec<_>>();
        let file = [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &numbers].concat();
        loader.push(&file).expect("the file is right");
        loader.take_packed()
    })
}

fuzz_target!(|changes: &[u8]| {
    let mut file = packed().to_vec();
    for change in changes.chunks_exact(3) {
        let place = usize::from(u16::from_le_bytes([change[0], change[1]])) % file.len();
        file[place] ^= change[2];
    }
    let mut loader = WeightsLoader::new(Dtype::Int8);
    if file.chunks(1000).try_for_each(|chunk| loader.push(chunk)).is_ok()
        && let Ok(weights) = loader.finish()
    {
        let _ = weights.into_tensors();
    }
});
