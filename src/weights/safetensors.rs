//! The safetensors format: eight bytes of header length, a JSON header, the data.

use std::fmt;

use serde::Deserialize;
use serde::de::{IgnoredAny, MapAccess, Visitor};

use super::fields::Items;
use super::fill::Filler;
use super::loader::Format;
use super::plan::{Encoding, Gaps, MAX_TENSORS, Plan, Span, invalid, shorten};
use crate::{Error, ErrorKind, Result};

/// Bytes that a header may have. The format allows 100 MB; the largest model here needs 0.2 MB.
pub(super) const MAX_HEADER: u64 = 16 << 20;
/// Bytes of the header's length.
const LENGTH: usize = 8;

/// Reads a safetensors file. The order of the tensors in the file need not be that of the header.
#[derive(Debug, Default)]
pub(super) struct Safetensors {
    stage: Stage,
    items: Items,
}

#[derive(Debug, Default)]
enum Stage {
    #[default]
    Length,
    Header {
        bytes: Vec<u8>,
        length: usize,
    },
    Data {
        /// Length of the whole file.
        total: u64,
    },
}

impl Format for Safetensors {
    fn push(&mut self, mut chunk: &[u8], filler: &mut Filler) -> Result<()> {
        loop {
            match &mut self.stage {
                Stage::Length => {
                    let Some(length) = self.items.next(&mut chunk, |fields| fields.u64())? else {
                        return Ok(());
                    };
                    if length > MAX_HEADER {
                        return Err(invalid("The length of the weights' header is impossible."));
                    }
                    // At most 16 MiB, so it fits.
                    self.stage = Stage::Header { bytes: Vec::new(), length: length as usize };
                }
                Stage::Header { bytes, length } => {
                    let (now, later) = chunk.split_at((*length - bytes.len()).min(chunk.len()));
                    // Grows with the bytes that really come, so a lying length costs nothing.
                    bytes.extend_from_slice(now);
                    chunk = later;
                    if bytes.first().is_some_and(|&first| first != b'{') {
                        return Err(invalid(
                            "The weights are not a safetensors file: the header is not JSON.",
                        ));
                    }
                    if bytes.len() < *length {
                        return Ok(());
                    }
                    let plan = parse_header(bytes)?;
                    self.stage = Stage::Data { total: (LENGTH + *length) as u64 + plan.bytes };
                    filler.begin(plan)?;
                }
                Stage::Data { .. } => return filler.push(chunk),
            }
        }
    }

    fn total(&self) -> Option<u64> {
        if let Stage::Data { total } = self.stage { Some(total) } else { None }
    }

    fn finish(&self) -> Result<()> {
        match self.stage {
            Stage::Data { .. } => Ok(()),
            _ => Err(Error::new(ErrorKind::WeightsTruncated, "The weights end within their header.")),
        }
    }
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
    Plan::new(spans.collect::<Result<_>>()?, Gaps::None)
}
