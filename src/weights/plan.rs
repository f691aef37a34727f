//! Which bytes of a file are which tensor: the validated form of a table of contents.

use std::collections::HashSet;

use crate::{Error, ErrorKind, Result};

/// Tensors that one file may hold. The largest published captioner has about a thousand.
pub(super) const MAX_TENSORS: usize = 100_000;
/// Dimensions that one tensor may have.
const MAX_RANK: usize = 8;
/// Bytes that a name may have. The longest of a published model has about a hundred.
const MAX_NAME: usize = 2048;
/// Numbers in all tensors of a file together: as f32 they would fill the 4 GiB that wasm can address.
const MAX_ELEMENTS: u64 = 1 << 30;
/// Names longer than this are cut in messages.
const NAME_SHOWN: usize = 120;

/// How a file stores one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    F32,
    F16,
    Bf16,
    /// Something that no model here computes with, of this many bytes; its name is kept for messages.
    Other(&'static str, u64),
}

impl Encoding {
    /// The encoding that safetensors spells `name`.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "F32" => Self::F32,
            "F16" => Self::F16,
            "BF16" => Self::Bf16,
            "F64" => Self::Other("F64", 8),
            "I64" => Self::Other("I64", 8),
            "U64" => Self::Other("U64", 8),
            "I32" => Self::Other("I32", 4),
            "U32" => Self::Other("U32", 4),
            "I16" => Self::Other("I16", 2),
            "U16" => Self::Other("U16", 2),
            "I8" => Self::Other("I8", 1),
            "U8" => Self::Other("U8", 1),
            "BOOL" => Self::Other("BOOL", 1),
            "F8_E4M3" => Self::Other("F8_E4M3", 1),
            "F8_E5M2" => Self::Other("F8_E5M2", 1),
            _ => return None,
        })
    }

    /// Bytes that one number takes.
    pub(super) fn size(self) -> u64 {
        match self {
            Self::F32 => 4,
            Self::F16 | Self::Bf16 => 2,
            Self::Other(_, size) => size,
        }
    }
}

/// One tensor of a file: the half-open range `begin..end` of its bytes within the data section.
#[derive(Debug, Clone)]
pub(super) struct Span {
    pub(super) name: String,
    pub(super) encoding: Encoding,
    pub(super) shape: Vec<usize>,
    pub(super) elements: usize,
    pub(super) begin: u64,
    pub(super) end: u64,
    /// The bytes are passed over: a buffer such as `position_ids` that no model reads.
    pub(super) skipped: bool,
}

impl Span {
    /// A span whose size follows from its shape. `begin..end` is what the file claims.
    pub(super) fn new(name: String, encoding: Encoding, shape: &[u64], begin: u64, end: u64) -> Result<Self> {
        let shown = shorten(&name);
        let (sizes, elements) = check_shape(&name, shape)?;
        let too_large = || invalid(format!("The tensor {shown} is too large: its shape is {shape:?}."));
        let bytes = (elements as u64).checked_mul(encoding.size()).ok_or_else(too_large)?;
        if end.checked_sub(begin) != Some(bytes) {
            return Err(invalid(format!(
                "The tensor {shown} needs {bytes} bytes for its shape {shape:?}, but the file gives it {begin} to {end}."
            )));
        }
        let skipped = is_ignorable(&name);
        if let (Encoding::Other(kind, _), false) = (encoding, skipped) {
            return Err(invalid(format!(
                "The tensor {shown} holds numbers of type {kind}; only F32, F16 and BF16 can be used."
            )));
        }
        Ok(Self { name, encoding, shape: sizes, elements, begin, end, skipped })
    }
}

/// The dimensions of a tensor and the number of its elements, if memory can hold them.
pub(super) fn check_shape(name: &str, shape: &[u64]) -> Result<(Vec<usize>, usize)> {
    let shown = shorten(name);
    if name.len() > MAX_NAME {
        return Err(invalid(format!("The name of the tensor {shown} has {} bytes.", name.len())));
    }
    if shape.len() > MAX_RANK {
        return Err(invalid(format!("The tensor {shown} has {} dimensions.", shape.len())));
    }
    let too_large = || invalid(format!("The tensor {shown} is too large: its shape is {shape:?}."));
    // A zero in the shape must not hide a product that overflows.
    let product = |all: &[u64]| all.iter().try_fold(1u64, |product, &n| product.checked_mul(n));
    let bound: Vec<u64> = shape.iter().map(|&n| n.max(1)).collect();
    if product(&bound).is_none_or(|n| n > MAX_ELEMENTS) {
        return Err(too_large());
    }
    let elements = product(shape).ok_or_else(too_large)?;
    let to_usize = |n: u64| usize::try_from(n).map_err(|_| too_large());
    Ok((shape.iter().map(|&n| to_usize(n)).collect::<Result<_>>()?, to_usize(elements)?))
}

/// Every tensor of a file in the order of its bytes, which follow each other without gap or overlap.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) spans: Vec<Span>,
    /// Length of the data section.
    pub(super) bytes: u64,
}

impl Plan {
    /// Orders `spans` by their bytes and checks that together they are the whole data section.
    pub(super) fn new(mut spans: Vec<Span>) -> Result<Self> {
        if spans.is_empty() {
            return Err(invalid("The weights hold no tensors."));
        }
        let mut names = HashSet::with_capacity(spans.len());
        if let Some(twice) = spans.iter().find(|span| !names.insert(span.name.as_str())) {
            return Err(invalid(format!("The tensor {} is listed twice.", shorten(&twice.name))));
        }
        drop(names);
        // Empty tensors share their offset with the tensor that follows them.
        spans.sort_by_key(|span| (span.begin, span.end));
        let (mut end, mut elements) = (0u64, 0u64);
        for span in &spans {
            if span.begin != end {
                let what =
                    if span.begin < end { "overlaps the tensor before it" } else { "leaves a gap before it" };
                return Err(invalid(format!(
                    "The tensor {} {what}, at byte {}.",
                    shorten(&span.name),
                    span.begin
                )));
            }
            end = span.end;
            elements = elements.saturating_add(span.elements as u64);
            if elements > MAX_ELEMENTS {
                return Err(invalid("The weights hold more numbers than a browser can address."));
            }
        }
        Ok(Self { spans, bytes: end })
    }
}

/// Buffers that older versions of the reference saved beside the parameters; no model reads them.
pub(super) fn is_ignorable(name: &str) -> bool {
    matches!(name.rsplit('.').next(), Some("position_ids" | "num_batches_tracked"))
}

/// `name` in back quotes, cut to a length fit for a sentence.
pub(super) fn shorten(name: &str) -> String {
    match name.char_indices().nth(NAME_SHOWN) {
        Some((cut, _)) => format!("`{}...`", &name[..cut]),
        None => format!("`{name}`"),
    }
}

/// A [`ErrorKind::WeightsInvalid`] error.
pub(super) fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::WeightsInvalid, message)
}
