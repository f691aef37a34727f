//! The GGUF format, [as ggml specifies it](https://github.com/ggml-org/ggml/blob/master/docs/gguf.md): a header
//! of key-value pairs, a table of tensors, then their blocks.

use std::mem;

use super::fields::{Fields, Items, Stop};
use super::fill::Filler;
use super::loader::Format;
use super::plan::{Encoding, Gaps, MAX_NAME, MAX_TENSORS, Plan, Span, invalid, shorten, unusable};
use crate::{Error, ErrorKind, Result};

/// Key-value pairs that a file may have. Published ones have less than a hundred.
const MAX_PAIRS: u64 = 10_000;
/// Bytes that the key of a pair may have, as the format says.
const MAX_KEY: u64 = 65_535;
/// Bytes that all values together may have: those of a vocabulary are some megabytes.
const MAX_VALUES: u64 = 64 << 20;
/// Dimensions that the format allows.
const MAX_RANK: u32 = 4;
/// Where a file does not say it, tensors begin at multiples of this.
const ALIGNMENT: u64 = 32;
/// The largest alignment accepted.
const MAX_ALIGNMENT: u64 = 1 << 16;

/// Reads a GGUF file of version 2 or 3. Of its metadata, only the alignment is looked at.
#[derive(Debug)]
pub(super) struct Gguf {
    stage: Stage,
    items: Items,
    /// Bytes taken of the header.
    taken: u64,
    tensors: u64,
    alignment: u64,
    /// Bytes of values so far.
    values: u64,
    spans: Vec<Span>,
    /// Length of the whole file, once known.
    total: Option<u64>,
}

#[derive(Debug)]
enum Stage {
    Start,
    /// Key-value pairs still to come.
    Pairs(u64),
    /// Bytes of a value that are passed over, then the pairs after it.
    Bytes {
        left: u64,
        pairs: u64,
    },
    /// Strings of an array that are passed over, then the pairs after it.
    Strings {
        left: u64,
        skip: u64,
        pairs: u64,
    },
    /// Tensors still to be listed.
    Tensors(u64),
    /// Bytes up to the first tensor.
    Padding(u64),
    Data,
    /// Bytes that may follow the last tensor.
    End(u64),
}

impl Default for Gguf {
    fn default() -> Self {
        Self {
            stage: Stage::Start,
            items: Items::default(),
            taken: 0,
            tensors: 0,
            alignment: ALIGNMENT,
            values: 0,
            spans: Vec::new(),
            total: None,
        }
    }
}

impl Format for Gguf {
    fn push(&mut self, mut bytes: &[u8], filler: &mut Filler) -> Result<()> {
        loop {
            let before = bytes.len();
            let more = self.advance(&mut bytes, filler)?;
            self.taken += (before - bytes.len()) as u64;
            if !more {
                return Ok(());
            }
            self.settle(filler)?;
        }
    }

    fn total(&self) -> Option<u64> {
        self.total
    }

    fn finish(&self) -> Result<()> {
        match self.stage {
            Stage::Data | Stage::End(_) => Ok(()),
            _ => Err(Error::new(ErrorKind::WeightsTruncated, "The weights end within their header.")),
        }
    }
}

impl Gguf {
    /// Takes what comes next. False if more bytes are needed first.
    fn advance(&mut self, bytes: &mut &[u8], filler: &mut Filler) -> Result<bool> {
        match &mut self.stage {
            Stage::Start => {
                let Some((tensors, pairs)) = self.items.next(bytes, start)? else { return Ok(false) };
                self.tensors = tensors;
                self.stage = Stage::Pairs(pairs);
            }
            Stage::Pairs(left) => {
                let pairs = *left - 1;
                let Some(pair) = self.items.next(bytes, pair)? else { return Ok(false) };
                self.stage = match pair {
                    Pair::Alignment(alignment) => {
                        self.alignment = check_alignment(alignment)?;
                        Stage::Pairs(pairs)
                    }
                    Pair::Bytes(left) => Stage::Bytes { left, pairs },
                    Pair::Strings(left) => Stage::Strings { left, skip: 0, pairs },
                };
            }
            Stage::Bytes { left: skip, .. } | Stage::Strings { skip, .. } if *skip > 0 => {
                let count = pass(bytes, skip);
                self.values += count;
                if self.values > MAX_VALUES {
                    return Err(invalid("The metadata of the GGUF file is too long."));
                }
                return Ok(*skip == 0);
            }
            Stage::Bytes { .. } => {}
            Stage::Strings { left, skip, .. } => {
                let Some(length) = self.items.next(bytes, |fields| fields.u64())? else { return Ok(false) };
                (*left, *skip) = (*left - 1, length);
            }
            Stage::Tensors(left) => {
                let Some(span) = self.items.next(bytes, tensor)? else { return Ok(false) };
                *left -= 1;
                self.spans.push(span);
            }
            Stage::Padding(left) => {
                pass(bytes, left);
                return Ok(*left == 0);
            }
            Stage::Data => {
                let missing = usize::try_from(filler.missing()).unwrap_or(usize::MAX);
                let (now, later) = bytes.split_at(missing.min(bytes.len()));
                filler.push(now)?;
                *bytes = later;
                return Ok(filler.missing() == 0 && !bytes.is_empty());
            }
            Stage::End(left) => {
                pass(bytes, left);
                if !bytes.is_empty() {
                    return Err(invalid("The weights go on after their last tensor."));
                }
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Leaves a stage that has nothing left to take.
    fn settle(&mut self, filler: &mut Filler) -> Result<()> {
        match self.stage {
            Stage::Bytes { left: 0, pairs } | Stage::Strings { left: 0, skip: 0, pairs } => {
                self.stage = Stage::Pairs(pairs);
                self.settle(filler)?;
            }
            Stage::Pairs(0) => {
                self.stage = Stage::Tensors(self.tensors);
                self.settle(filler)?;
            }
            Stage::Tensors(0) => {
                let begin = self.taken.next_multiple_of(self.alignment);
                let plan = Plan::new(mem::take(&mut self.spans), Gaps::Aligned(self.alignment))?;
                // Sizes are bounded by the plan: no sum can overflow.
                self.total = Some(begin + plan.bytes.next_multiple_of(self.alignment));
                self.stage = Stage::Padding(begin - self.taken);
                filler.begin(plan)?;
                self.settle(filler)?;
            }
            Stage::Padding(0) => self.stage = Stage::Data,
            Stage::Data if filler.missing() == 0 => self.stage = Stage::End(self.alignment - 1),
            _ => {}
        }
        Ok(())
    }
}

/// Drops up to `left` bytes, and counts them off. Returns how many.
fn pass(bytes: &mut &[u8], left: &mut u64) -> u64 {
    let count = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
    *bytes = &bytes[count..];
    *left -= count as u64;
    count as u64
}

/// The beginning of a file: its numbers of tensors and of pairs.
fn start(fields: &mut Fields<'_>) -> Result<(u64, u64), Stop> {
    fields.take(4)?;
    let version = fields.u32()?;
    if version.swap_bytes() <= 3 && version != 0 {
        return Err(invalid("The GGUF file is for machines that store numbers high byte first.").into());
    }
    if !(2..=3).contains(&version) {
        let message = format!("The GGUF file is of version {version}; only versions 2 and 3 can be read.");
        return Err(invalid(message).into());
    }
    let (tensors, pairs) = (fields.u64()?, fields.u64()?);
    if tensors > MAX_TENSORS as u64 || pairs > MAX_PAIRS {
        let message = format!("The GGUF file announces {tensors} tensors and {pairs} metadata pairs.");
        return Err(invalid(message).into());
    }
    Ok((tensors, pairs))
}

/// What is to be done about a pair after its key and type.
enum Pair {
    Alignment(u64),
    /// Passing over this many bytes.
    Bytes(u64),
    /// Passing over this many strings.
    Strings(u64),
}

fn pair(fields: &mut Fields<'_>) -> Result<Pair, Stop> {
    let length = fields.u64()?;
    if length > MAX_KEY {
        return Err(invalid(format!("The GGUF file has a metadata key of {length} bytes.")).into());
    }
    // At most 65,535, so it fits.
    let is_alignment = fields.take(length as usize)? == b"general.alignment";
    let unknown =
        |kind: u32| invalid(format!("The GGUF file has a metadata value of the unknown type {kind}."));
    Ok(match fields.u32()? {
        // Of type u32, as the format says.
        4 if is_alignment => Pair::Alignment(u64::from(fields.u32()?)),
        _ if is_alignment => return Err(invalid("The alignment of the GGUF file is no u32.").into()),
        8 => Pair::Bytes(fields.u64()?),
        9 => {
            let (kind, count) = (fields.u32()?, fields.u64()?);
            match (kind, scalar(kind)) {
                (8, _) => Pair::Strings(count),
                // More bytes than can be counted are more than the limit.
                (_, Some(size)) => Pair::Bytes(count.saturating_mul(size)),
                _ => return Err(unknown(kind).into()),
            }
        }
        kind => Pair::Bytes(scalar(kind).ok_or_else(|| unknown(kind))?),
    })
}

/// Bytes of a value of a type that is neither string nor array.
fn scalar(kind: u32) -> Option<u64> {
    match kind {
        0 | 1 | 7 => Some(1),
        2 | 3 => Some(2),
        4..=6 => Some(4),
        10..=12 => Some(8),
        _ => None,
    }
}

fn check_alignment(alignment: u64) -> Result<u64> {
    if alignment.is_power_of_two() && alignment <= MAX_ALIGNMENT {
        return Ok(alignment);
    }
    Err(invalid(format!("The GGUF file aligns its tensors to {alignment} bytes.")))
}

/// One line of the table of tensors.
fn tensor(fields: &mut Fields<'_>) -> Result<Span, Stop> {
    let length = fields.u64()?;
    if length > MAX_NAME as u64 {
        return Err(invalid(format!("The GGUF file has the name of a tensor of {length} bytes.")).into());
    }
    let name = fields.take(length as usize)?;
    let Ok(name) = std::str::from_utf8(name).map(str::to_owned) else {
        return Err(invalid("The GGUF file has a tensor whose name is no text.").into());
    };
    let rank = fields.u32()?;
    if rank > MAX_RANK {
        return Err(invalid(format!("The tensor {} has {rank} dimensions.", shorten(&name))).into());
    }
    let mut shape = Vec::new();
    for _ in 0..rank {
        shape.push(fields.u64()?);
    }
    // The file counts dimensions from the one whose numbers lie side by side.
    shape.reverse();
    let encoding = encoding(&name, fields.u32()?)?;
    let begin = fields.u64()?;
    Ok(Span::starting(name, encoding, &shape, begin)?)
}

/// The encoding that ggml gives the number `kind`, as in its `enum ggml_type`.
fn encoding(name: &str, kind: u32) -> Result<Encoding> {
    let refused = match kind {
        0 => return Ok(Encoding::F32),
        1 => return Ok(Encoding::F16),
        2 => return Ok(Encoding::Q4_0),
        8 => return Ok(Encoding::Q8_0),
        12 => return Ok(Encoding::Q4K),
        14 => return Ok(Encoding::Q6K),
        24 => return Ok(Encoding::Other("I8", 1)),
        25 => return Ok(Encoding::Other("I16", 2)),
        26 => return Ok(Encoding::Other("I32", 4)),
        27 => return Ok(Encoding::Other("I64", 8)),
        28 => return Ok(Encoding::F64),
        30 => return Ok(Encoding::Bf16),
        3 => "Q4_1",
        6 => "Q5_0",
        7 => "Q5_1",
        9 => "Q8_1",
        10 => "Q2_K",
        11 => "Q3_K",
        13 => "Q5_K",
        15 => "Q8_K",
        16 => "IQ2_XXS",
        17 => "IQ2_XS",
        18 => "IQ3_XXS",
        19 => "IQ1_S",
        20 => "IQ4_NL",
        21 => "IQ3_S",
        22 => "IQ2_S",
        23 => "IQ4_XS",
        29 => "IQ1_M",
        34 => "TQ1_0",
        35 => "TQ2_0",
        39 => "MXFP4",
        _ => {
            let name = shorten(name);
            return Err(invalid(format!("The tensor {name} holds numbers of the unknown type {kind}.")));
        }
    };
    Err(unusable(name, refused))
}
