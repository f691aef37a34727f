//! The front door: whatever a file of weights is, its first bytes tell.

use std::fmt::Debug;

use super::Weights;
use super::fill::Filler;
use super::gguf::Gguf;
use super::onnx::{self, Onnx};
use super::packed::{MAGIC, Reader};
use super::plan::invalid;
use super::pytorch::PyTorch;
use super::safetensors::{MAX_HEADER, Safetensors};
use crate::kernels::Dtype;
use crate::{Error, ErrorKind, Result};

/// How many bytes of a file are kept to tell what it is.
const START: usize = 64;

/// A format: where in the stream of a file the tensors are. What becomes of them is the filler's to know.
pub(super) trait Format: Debug {
    /// Takes the next bytes of the file and hands those of tensors on to `filler`.
    fn push(&mut self, bytes: &[u8], filler: &mut Filler) -> Result<()>;

    /// The length of the whole file, once it is known.
    fn total(&self) -> Option<u64>;

    /// Checks that the file may end here, as far as the filler cannot tell.
    fn finish(&self) -> Result<()>;
}

/// Builds [`Weights`] from the bytes of a file, or of several, pushed in chunks of any size: safetensors, GGUF, ONNX, or what
/// PyTorch saves.
///
/// Every number goes where it stays as it arrives: matrices are packed, and quantised where the
/// [`Dtype`] asks for it, everything else becomes f32. After an error the loader stays failed.
#[derive(Debug)]
pub struct WeightsLoader {
    stage: Stage,
    filler: Filler,
    taken: u64,
}

#[derive(Debug)]
enum Stage {
    /// Too few bytes to tell what the file is.
    Start(Vec<u8>),
    Format(Box<dyn Format>),
    Packed(Box<Reader>),
    Failed,
}

impl WeightsLoader {
    /// A loader before the first byte, for a model whose matrices are to be `dtype`. A file in the packed form
    /// keeps the dtype it was packed in.
    pub fn new(dtype: Dtype) -> Self {
        Self::with(Filler::new(dtype, false))
    }

    /// [`WeightsLoader::new`], whose packed form can be taken with [`WeightsLoader::take_packed`] while the
    /// bytes arrive.
    pub fn keeping(dtype: Dtype) -> Self {
        Self::with(Filler::new(dtype, true))
    }

    fn with(filler: Filler) -> Self {
        Self { stage: Stage::Start(Vec::with_capacity(START)), filler, taken: 0 }
    }

    /// Passes over the tensors whose names begin with one of `unused`, with or without the model's own prefix, as
    /// if the file did not have them: parts of a larger model that the one to be built does without. Comes before
    /// the first bytes, and changes nothing for a file in the packed form.
    pub fn pass_over(&mut self, unused: &[&str]) {
        self.filler.pass_over(unused);
    }

    /// Takes tensors for those of the tower `tower` (`vision_model`, `text_model`) where their names do not say it, as those of
    /// a tower that was saved alone. Comes before the first bytes.
    pub fn of_tower(&mut self, tower: &'static str) {
        self.filler.of_tower(tower);
    }

    /// Leaves the names of tensors as the file has them, for what is to be written again; otherwise they become those that
    /// models ask by. Comes before the first bytes.
    pub fn keep_names(mut self) -> Self {
        self.filler.keep_names();
        self
    }

    /// Takes the next bytes of the file.
    pub fn push(&mut self, chunk: &[u8]) -> Result<()> {
        // A stage that fails is not put back: the loader cannot go on from the middle of a file.
        let stage = std::mem::replace(&mut self.stage, Stage::Failed);
        self.stage = self.advance(stage, chunk)?;
        self.taken += chunk.len() as u64;
        Ok(())
    }

    fn advance(&mut self, stage: Stage, mut chunk: &[u8]) -> Result<Stage> {
        let mut stage = match stage {
            Stage::Start(mut start) => {
                let (now, later) = chunk.split_at((START - start.len()).min(chunk.len()));
                start.extend_from_slice(now);
                if start.len() < MAGIC.len() {
                    return Ok(Stage::Start(start));
                }
                chunk = later;
                let stage = recognise(&start)?;
                self.advance(stage, &start)?
            }
            stage => stage,
        };
        match &mut stage {
            Stage::Start(_) => {}
            Stage::Format(format) => format.push(chunk, &mut self.filler)?,
            Stage::Packed(reader) => reader.push(chunk)?,
            Stage::Failed => return Err(failed()),
        }
        Ok(stage)
    }

    /// Ends the file, and makes ready for the next: models that are published in several files have some of their tensors in
    /// each.
    ///
    /// # Errors
    /// `WeightsTruncated` where the file is not complete, and those of [`WeightsLoader::push`]. A file in the packed form is
    /// never one of several.
    pub fn next_file(&mut self) -> Result<()> {
        match std::mem::replace(&mut self.stage, Stage::Failed) {
            Stage::Format(format) => {
                format.finish()?;
                self.filler.check_complete()?;
                self.stage = Stage::Start(Vec::with_capacity(START));
                Ok(())
            }
            Stage::Start(_) => Err(Error::new(ErrorKind::WeightsTruncated, "The weights are empty.")),
            Stage::Packed(_) => Err(invalid("Packed weights are in one file.")),
            Stage::Failed => Err(failed()),
        }
    }

    /// Bytes taken so far, and the length of the whole file where it is known.
    pub fn progress(&self) -> (u64, Option<u64>) {
        let total = if let Stage::Format(format) = &self.stage { format.total() } else { None };
        (self.taken, total)
    }

    /// Bytes of the packed form made since the last call; none unless the loader is
    /// [keeping](WeightsLoader::keeping), and none of a file that is packed already.
    pub fn take_packed(&mut self) -> Vec<u8> {
        self.filler.take_packed()
    }

    /// The tensors that are complete so far. They are then no longer here, so that a file can be gone through
    /// without ever holding all of it. None of a packed file.
    pub fn take_finished(&mut self) -> Weights {
        Weights::from_parameters(self.filler.take_finished())
    }

    /// The weights, if the file is complete.
    pub fn finish(self) -> Result<Weights> {
        let early = |message: &str| Err(Error::new(ErrorKind::WeightsTruncated, message));
        match self.stage {
            Stage::Start(start) if start.is_empty() => early("The weights are empty."),
            Stage::Start(mut start) => {
                // A few bytes may already be no beginning of any weights, whatever came after them.
                start.resize(MAGIC.len(), 0);
                recognise(&start)?;
                early("The weights end within their first eight bytes.")
            }
            Stage::Format(format) => {
                format.finish()?;
                self.filler.finish()
            }
            Stage::Packed(reader) => Ok(Weights::from_parameters(reader.finish()?)),
            Stage::Failed => Err(failed()),
        }
    }
}

fn failed() -> Error {
    invalid("The weights could not be read: an earlier part of them was refused.")
}

/// The reader for a file that begins with `start`, of which there are at least eight bytes.
fn recognise(start: &[u8]) -> Result<Stage> {
    let mut length = [0; 8];
    length.copy_from_slice(&start[..8]);
    Ok(if start.starts_with(MAGIC) {
        Stage::Packed(Box::new(Reader::new()))
    } else if start.starts_with(b"GGUF") {
        Stage::Format(Box::<Gguf>::default())
    } else if start.starts_with(b"PK\x03\x04") {
        Stage::Format(Box::<PyTorch>::default())
    } else if onnx::begins(start) {
        Stage::Format(Box::<Onnx>::default())
    } else if u64::from_le_bytes(length) <= MAX_HEADER {
        // Safetensors has no magic: it begins with the length of its header.
        Stage::Format(Box::<Safetensors>::default())
    } else {
        return Err(invalid(format!("The weights are of no format that can be read: {}.", foreign(start))));
    })
}

/// What a file is that begins with `start` and is of no known format.
fn foreign(start: &[u8]) -> &'static str {
    let text = start.trim_ascii();
    if text.starts_with(b"<") {
        "an HTML page was served in their place"
    } else if text.starts_with(b"{") || text.starts_with(b"[") {
        "a JSON text was served in their place"
    } else if text.starts_with(b"version ") || text == b"version" {
        "a Git LFS pointer was served in their place"
    } else if start.starts_with(b"\x80\x02") {
        "this is a PyTorch file of the old form, before version 1.6; saved again with a newer one it can be read"
    } else if start.starts_with(b"\x1f\x8b") || start.starts_with(b"\x28\xb5\x2f\xfd") {
        "the file is compressed"
    } else if !text.is_empty() && text.iter().all(|b| b.is_ascii_graphic() || b.is_ascii_whitespace()) {
        "a text was served in their place"
    } else {
        "they are neither safetensors nor GGUF nor ONNX nor a PyTorch file"
    }
}
