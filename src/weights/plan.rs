//! Which bytes of a file are which tensor: the validated form of a table of contents.

use std::collections::{HashMap, HashSet};

use crate::{Error, ErrorKind, Result};

/// Tensors that one file may hold. The largest published captioner has about a thousand.
pub(super) const MAX_TENSORS: usize = 100_000;
/// Dimensions that one tensor may have.
const MAX_RANK: usize = 8;
/// Bytes that a name may have. The longest of a published model has about a hundred.
pub(super) const MAX_NAME: usize = 2048;
/// Numbers in all tensors of a file together: as f32 they would fill the 4 GiB that wasm can address.
pub(super) const MAX_ELEMENTS: u64 = 1 << 30;
/// Names longer than this are cut in messages.
const NAME_SHOWN: usize = 120;

/// How a file stores numbers: one by one, or as a block of several that share a scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    F64,
    F32,
    F16,
    Bf16,
    Q8_0,
    Q4_0,
    Q4K,
    Q6K,
    /// Signed bytes that the scale of their row multiplies: see [`Plan::new`].
    I8,
    /// Something that no model here computes with, of this many bytes; its name is kept for messages.
    Other(&'static str, usize),
}

impl Encoding {
    /// The encoding that safetensors spells `name`.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "F32" => Self::F32,
            "F16" => Self::F16,
            "BF16" => Self::Bf16,
            "F64" => Self::F64,
            "I64" => Self::Other("I64", 8),
            "U64" => Self::Other("U64", 8),
            "I32" => Self::Other("I32", 4),
            "U32" => Self::Other("U32", 4),
            "I16" => Self::Other("I16", 2),
            "U16" => Self::Other("U16", 2),
            "I8" => Self::I8,
            "U8" => Self::Other("U8", 1),
            "BOOL" => Self::Other("BOOL", 1),
            "F8_E4M3" => Self::Other("F8_E4M3", 1),
            "F8_E5M2" => Self::Other("F8_E5M2", 1),
            _ => return None,
        })
    }

    /// Numbers of one block, and the bytes that it takes.
    pub(super) fn block(self) -> (usize, usize) {
        match self {
            Self::F64 => (1, 8),
            Self::F32 => (1, 4),
            Self::F16 | Self::Bf16 => (1, 2),
            Self::Q8_0 => (32, 34),
            Self::Q4_0 => (32, 18),
            Self::Q4K => (256, 144),
            Self::Q6K => (256, 210),
            Self::I8 => (1, 1),
            Self::Other(_, size) => (1, size),
        }
    }

    /// Bytes of a tensor, if they can be counted. Blocks run along the last dimension, and none reaches into
    /// the next row.
    fn bytes(self, shape: &[usize], elements: usize) -> Option<u64> {
        let (block, size) = self.block();
        let row = shape.last().copied().unwrap_or(1);
        if !row.is_multiple_of(block) {
            return None;
        }
        ((elements / block) as u64).checked_mul(size as u64)
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
    /// These are the scales of the rows of an [`Encoding::I8`] that follows.
    pub(super) is_scale: bool,
}

impl Span {
    /// A span whose size follows from its shape. `begin..end` is what the file claims.
    pub(super) fn new(name: String, encoding: Encoding, shape: &[u64], begin: u64, end: u64) -> Result<Self> {
        let shown = shorten(&name);
        let span = Self::starting(name, encoding, shape, begin)?;
        if span.end != end {
            let bytes = span.end - begin;
            return Err(invalid(format!(
                "The tensor {shown} needs {bytes} bytes for its shape {shape:?}, but the file gives it {begin} to {end}."
            )));
        }
        Ok(span)
    }

    /// A span that begins at `begin`, and whose size follows from its shape.
    pub(super) fn starting(name: String, encoding: Encoding, shape: &[u64], begin: u64) -> Result<Self> {
        let shown = shorten(&name);
        let (sizes, elements) = check_shape(&name, shape)?;
        let bytes = encoding.bytes(&sizes, elements).ok_or_else(|| {
            invalid(format!(
                "The tensor {shown} of shape {shape:?} cannot be cut into blocks of {encoding:?}."
            ))
        })?;
        let Some(end) = begin.checked_add(bytes) else {
            return Err(invalid(format!("The tensor {shown} begins at the impossible byte {begin}.")));
        };
        // What no model computes with may still lie beside what it does: it is missed only where it is asked for.
        let skipped = is_ignorable(&name) || matches!(encoding, Encoding::Other(..));
        Ok(Self { name, encoding, shape: sizes, elements, begin, end, skipped, is_scale: false })
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

/// What may lie between the tensors of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gaps {
    /// Nothing.
    None,
    /// What it takes to begin each tensor at a multiple of this.
    Aligned(u64),
    /// Anything.
    Any,
}

/// Every tensor of a file, or of a part of it, in the order of their bytes, which never overlap.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) spans: Vec<Span>,
    /// Length of the data section up to the end of the last tensor.
    pub(super) bytes: u64,
}

impl Plan {
    /// Orders `spans` by their bytes and checks that together with `gaps` they are the whole data section.
    pub(super) fn new(mut spans: Vec<Span>, gaps: Gaps) -> Result<Self> {
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
            let fits = match gaps {
                Gaps::None => span.begin == end,
                Gaps::Aligned(alignment) => end.checked_next_multiple_of(alignment) == Some(span.begin),
                Gaps::Any => span.begin >= end,
            };
            if !fits {
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
        mark_scales(&mut spans)?;
        Ok(Self { spans, bytes: end })
    }
}

/// Marks the scales of every [`Encoding::I8`] among `spans`, which are in the order of their bytes. The layout is that of
/// weights quantised by channel as `compressed-tensors` publishes them: `weight` of signed bytes, and before it in the
/// file `weight_scale` with a number for each row, of shape `(rows,)` or `(rows, 1)`.
fn mark_scales(spans: &mut [Span]) -> Result<()> {
    let places: HashMap<String, usize> =
        spans.iter().enumerate().map(|(i, span)| (span.name.clone(), i)).collect();
    for i in 0..spans.len() {
        let span = &spans[i];
        if span.encoding != Encoding::I8 || span.skipped {
            continue;
        }
        let place = places.get(&scale_name(&span.name)).copied().filter(|&place| place < i);
        let rows = span.shape.first().copied();
        let Some(place) = place.filter(|&place| {
            let scale = &spans[place];
            scale.encoding != Encoding::I8
                && Some(scale.elements) == rows
                && scale.shape.first().copied() == rows
        }) else {
            let name = shorten(&span.name);
            return Err(invalid(format!(
                "The tensor {name} holds numbers of type I8 without a scale for each of its rows before it, `weight_scale`."
            )));
        };
        spans[place].is_scale = true;
    }
    Ok(())
}

/// The name of the scales of the rows of the tensor `name`.
pub(super) fn scale_name(name: &str) -> String {
    format!("{name}_scale")
}

/// Buffers that older versions of the reference saved beside the parameters; no model reads them.
pub(super) fn is_ignorable(name: &str) -> bool {
    matches!(name.rsplit('.').next(), Some("position_ids" | "num_batches_tracked"))
}

/// Whether the tensor `name` belongs to a part of a larger model: whether its name begins with one of `parts`, with
/// or without the larger model's own prefix.
pub(super) fn is_of(parts: &[impl AsRef<str>], name: &str) -> bool {
    let begins = |name: &str| parts.iter().any(|part| name.starts_with(part.as_ref()));
    begins(name) || name.split_once('.').is_some_and(|(_, inner)| begins(inner))
}

/// `name` in back quotes, cut to a length fit for a sentence.
pub(super) fn shorten(name: &str) -> String {
    match name.char_indices().nth(NAME_SHOWN) {
        Some((cut, _)) => format!("`{}...`", &name[..cut]),
        None => format!("`{name}`"),
    }
}

/// The error for a tensor of numbers of a type that no model here computes with.
pub(super) fn unusable(name: &str, kind: &str) -> Error {
    let name = shorten(name);
    invalid(format!(
        "The tensor {name} holds numbers of type {kind}; only F32, F16, BF16, I8 with scales, Q8_0, Q4_0, Q4_K and Q6_K can be used."
    ))
}

/// A [`ErrorKind::WeightsInvalid`] error.
pub(super) fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::WeightsInvalid, message)
}
