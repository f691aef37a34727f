//! The front door: whatever a file of weights is, its first bytes tell.

use super::Weights;
use super::packed::{MAGIC, Reader};
use super::plan::invalid;
use super::safetensors::Safetensors;
use crate::kernels::Dtype;
use crate::{Error, ErrorKind, Result};

/// Builds [`Weights`] from the bytes of a file, pushed in chunks of any size.
///
/// Every number goes where it stays as it arrives: matrices are packed, and quantised where the
/// [`Dtype`] asks for it, everything else becomes f32. After an error the loader stays failed.
#[derive(Debug)]
pub struct WeightsLoader {
    dtype: Dtype,
    keep: bool,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// Too few bytes to tell what the file is.
    Start(Vec<u8>),
    Safetensors(Box<Safetensors>),
    Packed(Box<Reader>),
    Failed,
}

impl WeightsLoader {
    /// A loader before the first byte, for a model whose matrices are to be `dtype`. A file in the packed form
    /// keeps the dtype it was packed in.
    pub fn new(dtype: Dtype) -> Self {
        Self { dtype, keep: false, stage: Stage::Start(Vec::new()) }
    }

    /// The packed form can be taken with [`WeightsLoader::take_packed`] while the bytes arrive.
    #[must_use]
    pub fn keeping(mut self) -> Self {
        self.keep = true;
        self
    }

    /// Takes the next bytes of the file.
    pub fn push(&mut self, chunk: &[u8]) -> Result<()> {
        // A stage that fails is not put back: the loader cannot go on from the middle of a file.
        let stage = std::mem::replace(&mut self.stage, Stage::Failed);
        self.stage = self.advance(stage, chunk)?;
        Ok(())
    }

    fn advance(&self, stage: Stage, chunk: &[u8]) -> Result<Stage> {
        Ok(match stage {
            Stage::Start(mut start) => {
                start.extend_from_slice(chunk);
                if start.len() < MAGIC.len() {
                    return Ok(Stage::Start(start));
                }
                let stage = if start.starts_with(MAGIC) {
                    Stage::Packed(Box::new(Reader::new()))
                } else {
                    Stage::Safetensors(Box::new(Safetensors::new(self.dtype, self.keep)))
                };
                return self.advance(stage, &start);
            }
            Stage::Safetensors(mut file) => {
                file.push(chunk)?;
                Stage::Safetensors(file)
            }
            Stage::Packed(mut file) => {
                file.push(chunk)?;
                Stage::Packed(file)
            }
            Stage::Failed => return Err(failed()),
        })
    }

    /// Bytes taken so far, and the length of the whole file where it is known.
    pub fn progress(&self) -> (u64, Option<u64>) {
        match &self.stage {
            Stage::Start(start) => (start.len() as u64, None),
            Stage::Safetensors(file) => file.progress(),
            Stage::Packed(file) => (file.taken(), None),
            Stage::Failed => (0, None),
        }
    }

    /// Bytes of the packed form made since the last call; none unless [`WeightsLoader::keeping`] was asked
    /// for, and none of a file that is packed already.
    pub fn take_packed(&mut self) -> Vec<u8> {
        match &mut self.stage {
            Stage::Safetensors(file) => file.take_packed(),
            _ => Vec::new(),
        }
    }

    /// The weights, if the file is complete.
    pub fn finish(self) -> Result<Weights> {
        match self.stage {
            Stage::Start(start) if start.is_empty() => {
                Err(Error::new(ErrorKind::WeightsTruncated, "The weights are empty."))
            }
            Stage::Start(start) => {
                let mut file = Safetensors::new(self.dtype, false);
                file.push(&start)?;
                file.finish()
            }
            Stage::Safetensors(file) => file.finish(),
            Stage::Packed(file) => Ok(Weights::from_parameters(file.finish()?)),
            Stage::Failed => Err(failed()),
        }
    }
}

fn failed() -> Error {
    invalid("The weights could not be read: an earlier part of them was refused.")
}
