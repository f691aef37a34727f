//! The weights in an ONNX file, as Optimum exports models and onnxruntime quantises them. Of the graph only the names of nodes
//! and of their tensors are looked at; nothing in it is executed.
//!
//! The layout is that of [`onnx.proto`](https://github.com/onnx/onnx/blob/main/onnx/onnx.proto): a `ModelProto` has a
//! `GraphProto`, and that its nodes and, after them, its tensors. Writers put fields in the order of their numbers, so that
//! what a tensor is for is known before its numbers come.

mod graph;
mod tensor;
mod wire;

use std::mem;

use super::fields::Items;
use super::fill::Filler;
use super::loader::Format;
use super::plan::{MAX_NAME, MAX_TENSORS, invalid};
use crate::{Error, ErrorKind, Result};
use graph::Graph;
use tensor::{Header, Numbers, Tensors};
use wire::{Field, Head, damaged, head, packed, text};

/// Bytes that a node may have. Those with constants of an exporter have some kilobytes.
const MAX_NODE: u64 = 16 << 20;
/// Bytes of a list of numbers. Those of weights are raw, but for some of half precision.
const MAX_LIST: u64 = 256 << 20;
/// Bytes of a list of dimensions.
const MAX_DIMENSIONS: u64 = 256;
/// Nodes that a graph may have. Those of a large tower have some thousands.
const MAX_NODES: usize = 200_000;

/// Whether a file may be a `ModelProto`: it begins with its version, a small number.
pub(super) fn begins(start: &[u8]) -> bool {
    // Then comes the writer's name, or what was used of it, or at once the graph.
    // The length of a safetensors header has zeros above its lowest bytes.
    matches!(start, [0x08, 1..=64, 0x12 | 0x1A | 0x22 | 0x2A | 0x32 | 0x3A | 0x42, _, rest @ ..] if !rest.starts_with(&[0; 4]))
}

/// Reads an ONNX file.
#[derive(Debug, Default)]
pub(super) struct Onnx {
    items: Items,
    /// Bytes taken so far.
    taken: u64,
    stage: Stage,
    /// Where the graph ends, within it.
    graph_end: Option<u64>,
    /// The tensor that is being read, within one.
    tensor: Option<Open>,
    graph: Graph,
    tensors: Tensors,
    /// Tensors so far.
    count: usize,
}

#[derive(Debug, Default)]
enum Stage {
    /// Before the key of a field.
    #[default]
    Key,
    /// Within a field that is wanted as a whole.
    Whole { number: u32, left: u64, bytes: Vec<u8> },
    /// Within the raw numbers of a tensor.
    Numbers { left: u64 },
    /// Within a field that is passed over.
    Skipped { left: u64 },
}

/// A tensor between its first byte and its last.
#[derive(Debug)]
struct Open {
    end: u64,
    header: Header,
    /// None before the first number.
    numbers: Option<Numbers>,
    /// Lists of numbers, which come before the name that tells what they are.
    lists: Vec<(u32, Vec<u8>)>,
}

impl Format for Onnx {
    fn push(&mut self, mut bytes: &[u8], filler: &mut Filler) -> Result<()> {
        loop {
            self.close(filler)?;
            if bytes.is_empty() {
                return Ok(());
            }
            self.advance(&mut bytes, filler)?;
        }
    }

    fn total(&self) -> Option<u64> {
        None
    }

    fn finish(&self) -> Result<()> {
        let within = self.graph_end.is_some() || !matches!(self.stage, Stage::Key);
        if within || self.count == 0 {
            let message = "The weights end within the graph of the ONNX file.";
            return Err(Error::new(ErrorKind::WeightsTruncated, message));
        }
        Ok(())
    }
}

impl Onnx {
    /// Takes bytes up to the end of a stage.
    fn advance(&mut self, bytes: &mut &[u8], filler: &mut Filler) -> Result<()> {
        let before = bytes.len();
        match &mut self.stage {
            Stage::Key => {
                let field = self.items.next(bytes, head)?;
                self.taken += (before - bytes.len()) as u64;
                return field.map_or(Ok(()), |field| self.begin(field, filler));
            }
            Stage::Whole { left, bytes: whole, .. } => whole.extend_from_slice(cut(bytes, left)),
            Stage::Numbers { left } => {
                let now = cut(bytes, left);
                if let Some(Open { numbers: Some(numbers), .. }) = &mut self.tensor {
                    numbers.push(now, filler)?;
                }
            }
            Stage::Skipped { left } => {
                cut(bytes, left);
            }
        }
        self.taken += (before - bytes.len()) as u64;
        Ok(())
    }

    /// Begins a field, of the tensor or else of the graph or else of the model.
    fn begin(&mut self, Field { number, value }: Field<Head>, filler: &mut Filler) -> Result<()> {
        let end = self.tensor.as_ref().map(|open| open.end).or(self.graph_end);
        let length = if let Head::Length(length) = value { length } else { 0 };
        let beyond = |end: u64| self.taken.checked_add(length).is_none_or(|own| own > end);
        if end.is_some_and(beyond) {
            return Err(damaged());
        }
        let whole = |left: u64, most: u64| {
            if left > most {
                return Err(invalid(format!("A part of the ONNX file is too long, of {left} bytes.")));
            }
            Ok(Stage::Whole { number, left, bytes: Vec::new() })
        };
        self.stage = match (&mut self.tensor, self.graph_end, number, value) {
            (Some(open), _, 1, Head::Number(dimension)) => {
                open.header.dims.push(dimension);
                Stage::Key
            }
            (Some(open), _, 2, Head::Number(kind)) => {
                open.header.kind = kind;
                Stage::Key
            }
            (Some(_), _, 13, _) | (Some(_), _, 14, Head::Number(1)) => {
                let message =
                    "The ONNX file keeps its numbers in another file; only those in one file can be read.";
                return Err(invalid(message));
            }
            (Some(_), _, 1, Head::Length(left)) => whole(left, MAX_DIMENSIONS)?,
            (Some(_), _, 8, Head::Length(left)) => whole(left, MAX_NAME as u64)?,
            (Some(_), _, 4 | 5 | 10, Head::Length(left)) => whole(left, MAX_LIST)?,
            // Some writers have each number of a list as a field of its own; for weights none does.
            (Some(_), _, 4 | 5 | 10, Head::Number(_)) => return Err(damaged()),
            (Some(open), _, 9, Head::Length(left)) => {
                if open.header.name.is_empty() {
                    return Err(invalid("The ONNX file has the numbers of a tensor before its name."));
                }
                open.numbers = Some(self.tensors.begin(&open.header, &self.graph, filler)?);
                Stage::Numbers { left }
            }
            (None, Some(_), 1, Head::Length(left)) => {
                if self.count > 0 || self.graph.len() == MAX_NODES {
                    return Err(invalid("The ONNX file has nodes after its tensors, or too many of them."));
                }
                whole(left, MAX_NODE)?
            }
            (None, Some(_), 5, Head::Length(length)) => {
                self.count += 1;
                if self.count > MAX_TENSORS {
                    return Err(invalid("The weights hold too many tensors."));
                }
                let end = self.taken + length;
                let header = Header::default();
                self.tensor = Some(Open { end, header, numbers: None, lists: Vec::new() });
                Stage::Key
            }
            (None, Some(_), 15, _) => return Err(invalid("The ONNX file has sparse tensors.")),
            (None, None, 7, Head::Length(length)) if self.count == 0 => {
                self.graph_end = Some(self.taken.checked_add(length).ok_or_else(damaged)?);
                Stage::Key
            }
            (_, _, _, Head::Length(left)) => Stage::Skipped { left },
            (_, _, _, Head::Number(_)) => Stage::Key,
        };
        Ok(())
    }

    /// Leaves what has come to its end.
    fn close(&mut self, filler: &mut Filler) -> Result<()> {
        let done = match &self.stage {
            Stage::Key => false,
            Stage::Whole { left, .. } | Stage::Numbers { left } | Stage::Skipped { left } => *left == 0,
        };
        if done && let Stage::Whole { number, bytes, .. } = mem::take(&mut self.stage) {
            self.take(number, bytes)?;
        }
        if !matches!(self.stage, Stage::Key) {
            return Ok(());
        }
        if let Some(open) = self.tensor.take_if(|open| open.end <= self.taken) {
            if open.end < self.taken {
                return Err(damaged());
            }
            self.end(open, filler)?;
        }
        if let (None, Some(end)) = (&self.tensor, self.graph_end)
            && end <= self.taken
        {
            if end < self.taken {
                return Err(damaged());
            }
            self.graph_end = None;
        }
        Ok(())
    }

    /// Takes a field that is here as a whole.
    fn take(&mut self, number: u32, bytes: Vec<u8>) -> Result<()> {
        let Some(open) = &mut self.tensor else { return self.graph.add(&bytes) };
        match number {
            1 => open.header.dims.extend(packed(&bytes)?),
            8 => open.header.name = text(&bytes)?,
            _ => open.lists.push((number, bytes)),
        }
        Ok(())
    }

    /// Ends a tensor.
    fn end(&mut self, Open { header, numbers, lists, .. }: Open, filler: &mut Filler) -> Result<()> {
        let mut numbers = match numbers {
            Some(numbers) => numbers,
            None => self.tensors.begin(&header, &self.graph, filler)?,
        };
        for (number, list) in lists {
            numbers.push_list(number, &list, header.kind, filler)?;
        }
        self.tensors.end(&header, numbers, filler)
    }
}

/// Up to `left` bytes, which are counted off.
fn cut<'a>(bytes: &mut &'a [u8], left: &mut u64) -> &'a [u8] {
    let (now, later) = bytes.split_at(usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len()));
    *bytes = later;
    *left -= now.len() as u64;
    now
}
