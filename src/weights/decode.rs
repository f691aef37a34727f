//! Bytes of a file into numbers.

use half::{bf16, f16};

use super::plan::Encoding;

/// Numbers that are handed on at once.
const RUN: usize = 1024;

/// Turns the bytes of one tensor, in chunks of any size, into runs of f32.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    /// The bytes of the number that a chunk boundary cut in two.
    part: [u8; 4],
    part_len: usize,
}

impl Decoder {
    /// Hands on the numbers that `bytes` completes, in order.
    pub(super) fn push(&mut self, encoding: Encoding, bytes: &[u8], sink: &mut dyn FnMut(&[f32])) {
        match encoding {
            Encoding::F32 => self.decode(bytes, f32::from_le_bytes, sink),
            Encoding::F16 => self.decode(bytes, |b| f16::from_le_bytes(b).to_f32(), sink),
            Encoding::Bf16 => self.decode(bytes, |b| bf16::from_le_bytes(b).to_f32(), sink),
            // Only skipped spans have another encoding: see `Span::new`.
            Encoding::Other(..) => {}
        }
    }

    fn decode<const N: usize>(
        &mut self,
        mut bytes: &[u8],
        number: impl Fn([u8; N]) -> f32,
        sink: &mut dyn FnMut(&[f32]),
    ) {
        let read = |slice: &[u8]| {
            let mut raw = [0; N];
            raw.copy_from_slice(slice);
            number(raw)
        };
        if self.part_len > 0 {
            let take = (N - self.part_len).min(bytes.len());
            self.part[self.part_len..self.part_len + take].copy_from_slice(&bytes[..take]);
            self.part_len += take;
            bytes = &bytes[take..];
            if self.part_len < N {
                return;
            }
            sink(&[read(&self.part[..N])]);
            self.part_len = 0;
        }
        let mut run = [0.0; RUN];
        for bytes in bytes.chunks(RUN * N) {
            let whole = bytes.chunks_exact(N);
            let rest = whole.remainder();
            let count = whole.len();
            for (to, bytes) in run.iter_mut().zip(whole) {
                *to = read(bytes);
            }
            sink(&run[..count]);
            self.part[..rest.len()].copy_from_slice(rest);
            self.part_len = rest.len();
        }
    }
}
