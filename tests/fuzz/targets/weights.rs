//! Files of weights: safetensors, GGUF, PyTorch's, ONNX and the packed form. Which it is, the first bytes tell; the seeds decide
//! which of them a run is about.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ocelli::kernels::Dtype;
use ocelli::weights::WeightsLoader;

fuzz_target!(|file: &[u8]| {
    for (dtype, chunk) in [(Dtype::Int8, 4096), (Dtype::F32, 7)] {
        // In tiny pieces only what is small.
        if chunk < 100 && file.len() > 4096 {
            continue;
        }
        let mut loader = WeightsLoader::keeping(dtype);
        let mut packed = Vec::new();
        if file.chunks(chunk).try_for_each(|chunk| loader.push(chunk).map(|()| packed.extend(loader.take_packed()))).is_err() {
            continue;
        }
        let Ok(weights) = loader.finish() else { continue };
        let Ok(tensors) = weights.into_tensors() else { continue };
        // What was read is read again from what was kept of it.
        if packed.is_empty() {
            continue;
        }
        let mut again = WeightsLoader::new(dtype);
        again.push(&packed).expect("what was packed is read");
        let again = again.finish().and_then(|weights| weights.into_tensors()).expect("what was packed is complete");
        let names = |all: &[(String, _)]| all.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&again), names(&tensors));
    }
});
