//! The safetensors format: eight bytes of header length, a JSON header, the data.

use std::fmt;

use serde::Deserialize;
use serde::de::{IgnoredAny, MapAccess, Visitor};

use super::Weights;
use super::fill::Filler;
use super::plan::{Encoding, MAX_TENSORS, Plan, Span, invalid, shorten};
use crate::kernels::Dtype;
use crate::{Error, ErrorKind, Result};

/// Bytes that a header may have. The format allows 100 MB; the largest model here needs 0.2 MB.
const MAX_HEADER: u64 = 16 << 20;

/// Reads a safetensors file, pushed in chunks of any size. The order of the tensors in the file need not be
/// that of the header.
#[derive(Debug)]
pub(super) struct Safetensors {
    dtype: Dtype,
    keep: bool,
    stage: Stage,
    /// The first bytes of the file, by which a file of another kind is recognised.
    start: Vec<u8>,
}

#[derive(Debug)]
enum Stage {
    Length,
    Header { bytes: Vec<u8>, length: usize },
    Data { filler: Box<Filler>, offset: u64 },
    Failed,
}

/// How many bytes of a file are kept to tell what it is instead of weights.
const START: usize = 64;
/// Bytes of the header's length.
const LENGTH: usize = 8;

impl Safetensors {
    /// A reader before the first byte; see [`super::store::Store::new`].
    pub(super) fn new(dtype: Dtype, keep: bool) -> Self {
        Self { dtype, keep, stage: Stage::Length, start: Vec::with_capacity(START) }
    }

    /// Takes the next bytes of the file.
    pub(super) fn push(&mut self, chunk: &[u8]) -> Result<()> {
        // A stage that fails is not put back: the loader cannot go on from the middle of a file.
        let stage = std::mem::replace(&mut self.stage, Stage::Failed);
        self.stage = self.advance(stage, chunk)?;
        Ok(())
    }

    /// Bytes taken so far, and the length of the whole file once its header is complete.
    pub(super) fn progress(&self) -> (u64, Option<u64>) {
        match &self.stage {
            Stage::Length => (self.start.len() as u64, None),
            Stage::Header { bytes, .. } => ((LENGTH + bytes.len()) as u64, None),
            Stage::Data { filler, offset } => {
                let (taken, all) = filler.progress();
                (offset + taken, Some(offset + all))
            }
            Stage::Failed => (0, None),
        }
    }

    /// Bytes of the packed form made since the last call.
    pub(super) fn take_packed(&mut self) -> Vec<u8> {
        match &mut self.stage {
            Stage::Data { filler, .. } => filler.take_packed(),
            _ => Vec::new(),
        }
    }

    /// The weights, if the file is complete.
    pub(super) fn finish(self) -> Result<Weights> {
        let early = |message: &str| Err(Error::new(ErrorKind::WeightsTruncated, message));
        match self.stage {
            Stage::Length => {
                // A few bytes of text are no length: it would be impossible even with zeros to follow.
                let mut length = [0; LENGTH];
                length[..self.start.len()].copy_from_slice(&self.start);
                self.header_length(length)?;
                early("The weights end within their first eight bytes.")
            }
            Stage::Header { .. } => early("The weights end within their header."),
            Stage::Data { filler, .. } => Ok(Weights::from_parameters(filler.finish()?)),
            Stage::Failed => Err(failed()),
        }
    }

    fn advance(&mut self, mut stage: Stage, mut chunk: &[u8]) -> Result<Stage> {
        loop {
            stage = match stage {
                Stage::Length => {
                    // More than the length is kept only if it came in the same chunk: enough to recognise.
                    let take = (START - self.start.len()).min(chunk.len());
                    let had = self.start.len();
                    self.start.extend_from_slice(&chunk[..take]);
                    let Some(length) = self.start.first_chunk::<LENGTH>() else {
                        return Ok(Stage::Length);
                    };
                    chunk = &chunk[LENGTH - had..];
                    let length = self.header_length(*length)?;
                    Stage::Header { bytes: Vec::new(), length }
                }
                Stage::Header { mut bytes, length } => {
                    let (now, later) = chunk.split_at((length - bytes.len()).min(chunk.len()));
                    // Grows with the bytes that really come, so a lying length costs nothing.
                    bytes.extend_from_slice(now);
                    chunk = later;
                    if bytes.first().is_some_and(|&first| first != b'{') {
                        return Err(invalid(
                            "The weights are not a safetensors file: the header is not JSON.",
                        ));
                    }
                    if bytes.len() < length {
                        return Ok(Stage::Header { bytes, length });
                    }
                    let filler = Box::new(Filler::new(parse_header(&bytes)?, self.dtype, self.keep)?);
                    Stage::Data { filler, offset: (LENGTH + length) as u64 }
                }
                Stage::Data { mut filler, offset } => {
                    filler.push(chunk)?;
                    return Ok(Stage::Data { filler, offset });
                }
                Stage::Failed => return Err(failed()),
            }
        }
    }

    fn header_length(&self, raw: [u8; LENGTH]) -> Result<usize> {
        let length = u64::from_le_bytes(raw);
        if length <= MAX_HEADER {
            // At most 16 MiB, so it fits.
            return Ok(length as usize);
        }
        Err(invalid(foreign(&self.start).unwrap_or_else(|| {
            "The weights are not a safetensors file: the length of the header is impossible.".to_owned()
        })))
    }
}

fn failed() -> Error {
    invalid("The weights could not be read: an earlier part of them was refused.")
}

/// What a file is that begins with `start` and is not safetensors: a sentence, where it can be told.
fn foreign(start: &[u8]) -> Option<String> {
    let text = start.trim_ascii_start();
    let what = if text.starts_with(b"<") {
        "an HTML page was served in their place"
    } else if text.starts_with(b"{") || text.starts_with(b"[") {
        "a JSON text was served in their place"
    } else if text.starts_with(b"version ") {
        "a Git LFS pointer was served in their place"
    } else if start.starts_with(b"PK\x03\x04") || start.starts_with(b"\x80\x02") {
        "this is a PyTorch file"
    } else if start.starts_with(b"GGUF") {
        "this is a GGUF file"
    } else if !text.is_empty() && text.iter().all(|b| b.is_ascii_graphic() || b.is_ascii_whitespace()) {
        "a text was served in their place"
    } else {
        return None;
    };
    Some(format!("The weights are not a safetensors file: {what}."))
}

/// The header's entry for one tensor.
#[derive(Deserialize)]
struct Entry {
    dtype: String,
    shape: Vec<u64>,
    data_offsets: [u64; 2],
}

/// All entries of a header in its order, names that come twice included.
struct Entries(Vec<(String, Entry)>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Table;
        impl<'de> Visitor<'de> for Table {
            type Value = Entries;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table of tensors")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Entries, A::Error> {
                let mut entries = Vec::new();
                while let Some(name) = map.next_key::<String>()? {
                    if name == "__metadata__" {
                        map.next_value::<IgnoredAny>()?;
                    } else if entries.len() == MAX_TENSORS {
                        return Err(serde::de::Error::custom("too many tensors"));
                    } else {
                        entries.push((name, map.next_value()?));
                    }
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(Table)
    }
}

fn parse_header(bytes: &[u8]) -> Result<Plan> {
    let Entries(entries) = serde_json::from_slice(bytes)
        .map_err(|error| invalid("The header of the weights is malformed.").with_source(error))?;
    let spans = entries.into_iter().map(|(name, entry)| {
        let Some(encoding) = Encoding::from_name(&entry.dtype) else {
            let (name, kind) = (shorten(&name), shorten(&entry.dtype));
            return Err(invalid(format!("The tensor {name} holds numbers of the unknown type {kind}.")));
        };
        let [begin, end] = entry.data_offsets;
        Span::new(name, encoding, &entry.shape, begin, end)
    });
    Plan::new(spans.collect::<Result<_>>()?)
}
