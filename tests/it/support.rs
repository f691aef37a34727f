//! What several of the integration tests use.

use ocelli::Error;
use ocelli::kernels::Dtype;
use ocelli::weights::{Weights, WeightsLoader};

/// The weights of a file that comes in chunks of so many bytes.
pub fn load(file: &[u8], chunk: usize) -> Result<Weights, Error> {
    let mut loader = WeightsLoader::new(Dtype::F32);
    for chunk in file.chunks(chunk) {
        loader.push(chunk)?;
    }
    loader.finish()
}

/// The error of a file that is refused, the same in whatever chunks it comes.
pub fn refuse(file: &[u8]) -> Error {
    let whole = load(file, usize::MAX).unwrap_err();
    for chunk in [1, 7, 64] {
        assert_eq!(load(file, chunk).unwrap_err().to_string(), whole.to_string(), "in chunks of {chunk}");
    }
    whole
}

/// Random numbers below a bound, the same in each run: Marsaglia's xorshift.
pub fn random() -> impl FnMut(usize) -> usize {
    let mut state = 0x9e37_79b9u32;
    move |below| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as usize % below
    }
}
