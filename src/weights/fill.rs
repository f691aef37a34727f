//! Bytes into tensors, as they arrive.

use std::collections::HashMap;

use candle_core::{Device, Tensor};
use half::{bf16, f16};

use super::plan::{Encoding, Plan, Span, invalid, shorten};
use crate::{Error, ErrorKind, Result};

/// Takes the bytes of a data section in chunks of any size and builds the tensors of its [`Plan`].
///
/// At any time it holds the finished tensors, the numbers of the one being filled, and at most one
/// incomplete number: never a byte twice.
#[derive(Debug)]
pub(super) struct Filler {
    plan: Plan,
    /// Index into the plan's spans of the tensor being filled.
    current: usize,
    /// Bytes of the data section taken so far.
    taken: u64,
    numbers: Numbers,
    tensors: HashMap<String, Tensor>,
}

impl Filler {
    /// A filler for `plan`, before its first byte.
    pub(super) fn new(plan: Plan) -> Result<Self> {
        let tensors = HashMap::with_capacity(plan.spans.len());
        let mut filler = Self { plan, current: 0, taken: 0, numbers: Numbers::default(), tensors };
        // Tensors without elements at the very beginning wait for no byte.
        filler.settle()?;
        Ok(filler)
    }

    /// Takes the next bytes. More bytes than the plan has are an error.
    pub(super) fn push(&mut self, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            let Some(span) = self.plan.spans.get(self.current) else {
                return Err(invalid("The weights go on after their last tensor."));
            };
            let missing = usize::try_from(span.end - self.taken).unwrap_or(usize::MAX);
            let (now, later) = bytes.split_at(missing.min(bytes.len()));
            if !span.skipped {
                if self.taken == span.begin {
                    self.numbers.begin(span)?;
                }
                self.numbers.push(span.encoding, now);
            }
            self.taken += now.len() as u64;
            bytes = later;
            self.settle()?;
        }
        Ok(())
    }

    /// Turns every tensor whose bytes are complete into a [`Tensor`].
    fn settle(&mut self) -> Result<()> {
        while let Some(span) = self.plan.spans.get(self.current) {
            if span.end > self.taken {
                break;
            }
            if !span.skipped {
                let values = std::mem::take(&mut self.numbers.values);
                let tensor = Tensor::from_vec(values, span.shape.as_slice(), &Device::Cpu)?;
                self.tensors.insert(span.name.clone(), tensor);
            }
            self.current += 1;
        }
        Ok(())
    }

    /// Bytes of the data section taken so far, and in all.
    pub(super) fn progress(&self) -> (u64, u64) {
        (self.taken, self.plan.bytes)
    }

    /// The tensors, if every byte has come.
    pub(super) fn finish(self) -> Result<HashMap<String, Tensor>> {
        match self.plan.spans.get(self.current) {
            None => Ok(self.tensors),
            Some(span) => Err(Error::new(
                ErrorKind::WeightsTruncated,
                format!(
                    "The weights end too early, within the tensor {}: {} of {} bytes came.",
                    shorten(&span.name),
                    self.taken,
                    self.plan.bytes
                ),
            )),
        }
    }
}

/// The numbers of one tensor so far, and the bytes of the number that a chunk boundary cut in two.
#[derive(Debug, Default)]
struct Numbers {
    values: Vec<f32>,
    part: [u8; 4],
    part_len: usize,
}

impl Numbers {
    /// Makes room for all numbers of `span`, exactly once.
    fn begin(&mut self, span: &Span) -> Result<()> {
        self.part_len = 0;
        self.values = Vec::new();
        self.values.try_reserve_exact(span.elements).map_err(|error| {
            let bytes = span.elements as u64 * 4;
            let name = shorten(&span.name);
            invalid(format!("There is not enough memory for the tensor {name} ({bytes} bytes)."))
                .with_source(error)
        })
    }

    fn push(&mut self, encoding: Encoding, bytes: &[u8]) {
        match encoding {
            Encoding::F32 => self.extend(bytes, f32::from_le_bytes),
            Encoding::F16 => self.extend(bytes, |b| f16::from_le_bytes(b).to_f32()),
            Encoding::Bf16 => self.extend(bytes, |b| bf16::from_le_bytes(b).to_f32()),
            // Only skipped spans have another encoding: see `Span::new`.
            Encoding::Other(..) => {}
        }
    }

    /// Appends the numbers of `N` bytes each that `bytes` completes. The caller never passes more bytes
    /// than the tensor has, so the vector never grows beyond what `begin` reserved.
    fn extend<const N: usize>(&mut self, mut bytes: &[u8], decode: impl Fn([u8; N]) -> f32) {
        let number = |slice: &[u8]| {
            let mut raw = [0; N];
            raw.copy_from_slice(slice);
            decode(raw)
        };
        if self.part_len > 0 {
            let take = (N - self.part_len).min(bytes.len());
            self.part[self.part_len..self.part_len + take].copy_from_slice(&bytes[..take]);
            self.part_len += take;
            bytes = &bytes[take..];
            if self.part_len < N {
                return;
            }
            self.values.push(number(&self.part[..N]));
            self.part_len = 0;
        }
        let whole = bytes.chunks_exact(N);
        let rest = whole.remainder();
        self.values.extend(whole.map(number));
        self.part[..rest.len()].copy_from_slice(rest);
        self.part_len = rest.len();
    }
}
