//! A tensor of a graph, as its bytes arrive, into those of models.

use std::borrow::Cow;
use std::collections::HashMap;

use super::super::decode::Decoder;
use super::super::fill::Filler;
use super::super::plan::{Encoding, Gaps, MAX_ELEMENTS, Plan, Span, check_shape, invalid, shorten};
use super::graph::{Graph, QUANTIZED, SCALE, Target, ZERO_POINT};
use super::wire::{damaged, packed};
use crate::Result;

/// Numbers that are handed on at once.
const RUN: usize = 1 << 14;

/// What is known of a tensor before its numbers come.
#[derive(Debug, Default)]
pub(super) struct Header {
    pub(super) name: String,
    pub(super) dims: Vec<u64>,
    /// A `DataType` of `onnx.proto`.
    pub(super) kind: u64,
}

impl Header {
    fn encoding(&self) -> Encoding {
        match self.kind {
            1 => Encoding::F32,
            2 => Encoding::Other("U8", 1),
            3 => Encoding::Other("I8", 1),
            6 => Encoding::Other("I32", 4),
            7 => Encoding::Other("I64", 8),
            9 => Encoding::Other("BOOL", 1),
            10 => Encoding::F16,
            11 => Encoding::F64,
            16 => Encoding::Bf16,
            _ => Encoding::Other("another kind", 1),
        }
    }
}

/// Scales and zero points of tensors that are still to come, by the names of these without what quantisation adds to them.
#[derive(Debug, Default)]
pub(super) struct Tensors {
    scales: HashMap<String, Vec<f32>>,
    zero_points: HashMap<String, Vec<f32>>,
    elements: u64,
}

/// What becomes of the numbers of a tensor.
#[derive(Debug)]
pub(super) enum Numbers {
    /// Nobody wants them.
    Nowhere,
    /// They go on as they come.
    Filler,
    /// The same, once they are numbers.
    Quantized(Quantized),
    /// They are held until all have come: their order changes, or they are small.
    Held { bytes: Vec<u8>, of: Held },
}

/// What is held.
#[derive(Debug)]
pub(super) enum Held {
    Scale(String),
    ZeroPoint(String),
    Weights(Target),
}

/// The numbers behind the bytes of a tensor, as onnxruntime quantises it: `(byte - zero point) * scale`.
#[derive(Debug)]
pub(super) struct Quantized {
    signed: bool,
    scales: Vec<f32>,
    zero_points: Vec<f32>,
    /// How many numbers in a row have one scale.
    stride: usize,
    taken: usize,
}

impl Quantized {
    fn numbers(&mut self, bytes: &[u8], to: &mut Vec<f32>) {
        for &byte in bytes {
            let place = self.taken / self.stride % self.scales.len();
            let value = if self.signed { f32::from(byte as i8) } else { f32::from(byte) };
            let zero_point = self.zero_points.get(place).or(self.zero_points.first()).copied().unwrap_or(0.0);
            to.push((value - zero_point) * self.scales[place]);
            self.taken += 1;
        }
    }
}

impl Tensors {
    /// What becomes of the numbers of the tensor `header`, which come as `raw` bytes, or else as a list.
    pub(super) fn begin(&mut self, header: &Header, graph: &Graph, filler: &mut Filler) -> Result<Numbers> {
        let Header { name, dims, kind } = header;
        let (shape, elements) = check_shape(name, dims)?;
        self.count(elements)?;
        graph.refuse_fused(name, elements)?;
        let of = |end: &str| {
            let base = name.strip_suffix(end)?;
            graph.has(&format!("{base}{QUANTIZED}")).then(|| base.to_owned())
        };
        if let Some(base) = of(SCALE) {
            return Ok(Numbers::Held { bytes: Vec::new(), of: Held::Scale(base) });
        }
        if let Some(base) = of(ZERO_POINT) {
            return Ok(Numbers::Held { bytes: Vec::new(), of: Held::ZeroPoint(base) });
        }
        let is_quantized = name.ends_with(QUANTIZED) && matches!(kind, 2 | 3);
        if !is_quantized && matches!(header.encoding(), Encoding::Other(..)) {
            return Ok(Numbers::Nowhere);
        }
        let Some(target) = graph.target(name, shape.len(), elements) else { return Ok(Numbers::Nowhere) };
        // Each of its names is a copy.
        self.count(elements.saturating_mul(target.names.len() - 1))?;
        if target.flipped || target.exponential || target.names.len() != 1 {
            return Ok(Numbers::Held { bytes: Vec::new(), of: Held::Weights(target) });
        }
        let encoding = if is_quantized { Encoding::F32 } else { header.encoding() };
        for published in target.names {
            begin(published, encoding, dims, filler)?;
        }
        Ok(if is_quantized {
            Numbers::Quantized(self.quantized(header, &shape, target.axis)?)
        } else {
            Numbers::Filler
        })
    }

    /// Counts numbers that memory is needed for.
    fn count(&mut self, elements: usize) -> Result<()> {
        self.elements = self.elements.saturating_add(elements as u64);
        if self.elements > MAX_ELEMENTS {
            return Err(invalid("The weights hold more numbers than a browser can address."));
        }
        Ok(())
    }

    /// How the bytes of `header` become numbers.
    fn quantized(&mut self, header: &Header, shape: &[usize], axis: i64) -> Result<Quantized> {
        let base = header.name.strip_suffix(QUANTIZED).unwrap_or_default();
        let shown = shorten(&header.name);
        let Some(scales) = self.scales.remove(base).filter(|scales| !scales.is_empty()) else {
            return Err(invalid(format!("The tensor {shown} of the ONNX file has no scale before it.")));
        };
        let zero_points = self.zero_points.remove(base).unwrap_or_default();
        let axis = if axis < 0 { axis + shape.len() as i64 } else { axis };
        let stride = if scales.len() == 1 {
            1
        } else {
            let axis = usize::try_from(axis).ok().filter(|&axis| shape.get(axis) == Some(&scales.len()));
            let Some(axis) = axis else {
                let count = scales.len();
                return Err(invalid(format!(
                    "The tensor {shown} of the ONNX file has {count} scales for its shape {shape:?}."
                )));
            };
            shape[axis + 1..].iter().product::<usize>().max(1)
        };
        Ok(Quantized { signed: header.kind == 3, scales, zero_points, stride, taken: 0 })
    }

    /// Takes the last of the numbers of a tensor.
    pub(super) fn end(&mut self, header: &Header, numbers: Numbers, filler: &mut Filler) -> Result<()> {
        match numbers {
            Numbers::Nowhere => Ok(()),
            // What is still missing is told by the filler.
            Numbers::Filler | Numbers::Quantized(_) => filler.check_complete(),
            Numbers::Held { bytes, of: Held::Scale(base) } => {
                self.scales.insert(base, all(header, &bytes)?);
                Ok(())
            }
            Numbers::Held { bytes, of: Held::ZeroPoint(base) } => {
                self.zero_points.insert(base, all(header, &bytes)?);
                Ok(())
            }
            Numbers::Held { bytes, of: Held::Weights(target) } => {
                self.weights(header, &bytes, target, filler)
            }
        }
    }

    /// Hands on the numbers of a tensor that is here as a whole.
    fn weights(&mut self, header: &Header, bytes: &[u8], target: Target, filler: &mut Filler) -> Result<()> {
        let Target { names, flipped, axis, exponential } = target;
        let (shape, elements) = check_shape(&header.name, &header.dims)?;
        let mut values = if header.name.ends_with(QUANTIZED) {
            let mut quantized = self.quantized(header, &shape, axis)?;
            let mut values = Vec::with_capacity(bytes.len());
            quantized.numbers(bytes, &mut values);
            values
        } else {
            all(header, bytes)?
        };
        if values.len() != elements {
            return Err(incomplete(header));
        }
        if exponential {
            values.iter_mut().for_each(|value| *value = value.ln());
        }
        let (dims, values) = match *shape {
            [rows, columns] if flipped => {
                let flipped =
                    (0..columns).flat_map(|column| (0..rows).map(move |row| row * columns + column));
                (Cow::Owned(vec![columns as u64, rows as u64]), flipped.map(|place| values[place]).collect())
            }
            _ => (Cow::Borrowed(&header.dims), values),
        };
        for name in names {
            begin(name, Encoding::F32, &dims, filler)?;
            filler.push(bytemuck::cast_slice::<f32, u8>(&values))?;
        }
        Ok(())
    }
}

impl Numbers {
    /// Takes the next bytes of a tensor's numbers.
    pub(super) fn push(&mut self, mut bytes: &[u8], filler: &mut Filler) -> Result<()> {
        match self {
            Self::Nowhere => Ok(()),
            Self::Filler => filler.push(bytes),
            Self::Quantized(quantized) => {
                let mut run = Vec::with_capacity(RUN.min(bytes.len()));
                while !bytes.is_empty() {
                    let (now, later) = bytes.split_at(RUN.min(bytes.len()));
                    run.clear();
                    quantized.numbers(now, &mut run);
                    filler.push(bytemuck::cast_slice::<f32, u8>(&run))?;
                    bytes = later;
                }
                Ok(())
            }
            Self::Held { bytes: held, .. } => {
                held.try_reserve(bytes.len()).map_err(|error| {
                    invalid("There is not enough memory for a tensor of the ONNX file.").with_source(error)
                })?;
                held.extend_from_slice(bytes);
                Ok(())
            }
        }
    }

    /// The same, of numbers that come as a list: the message's field `number` of a tensor of the kind `kind`.
    pub(super) fn push_list(
        &mut self,
        number: u32,
        list: &[u8],
        kind: u64,
        filler: &mut Filler,
    ) -> Result<()> {
        match (number, kind) {
            // `float_data` and `double_data` lie as raw bytes do.
            (4, 1) | (10, 11) => self.push(list, filler),
            // `int32_data` has whatever is no wider, half precision as its bits.
            (5, 2 | 3 | 9) => {
                let bytes: Vec<u8> = packed(list)?.into_iter().map(|value| value as u8).collect();
                self.push(&bytes, filler)
            }
            (5, 10 | 16) => {
                let bytes: Vec<u8> =
                    packed(list)?.into_iter().flat_map(|value| (value as u16).to_le_bytes()).collect();
                self.push(&bytes, filler)
            }
            // Whole numbers that no model computes with.
            (5 | 7 | 11, _) => Ok(()),
            _ => Err(damaged()),
        }
    }
}

/// Begins a tensor of a model.
fn begin(name: String, encoding: Encoding, dims: &[u64], filler: &mut Filler) -> Result<()> {
    filler.begin(Plan::new(vec![Span::starting(name, encoding, dims, 0)?], Gaps::None)?)
}

/// The numbers of `bytes`.
fn all(header: &Header, bytes: &[u8]) -> Result<Vec<f32>> {
    let mut values = Vec::with_capacity(bytes.len());
    match header.encoding() {
        Encoding::Other("U8", _) => values.extend(bytes.iter().map(|&byte| f32::from(byte))),
        Encoding::Other("I8", _) => values.extend(bytes.iter().map(|&byte| f32::from(byte as i8))),
        Encoding::Other(..) => return Err(incomplete(header)),
        encoding => Decoder::default().push(encoding, bytes, &mut |run| values.extend_from_slice(run)),
    }
    let (_, elements) = check_shape(&header.name, &header.dims)?;
    if values.len() != elements {
        return Err(incomplete(header));
    }
    Ok(values)
}

fn incomplete(header: &Header) -> crate::Error {
    let name = shorten(&header.name);
    invalid(format!("The tensor {name} of the ONNX file has not the numbers that its shape asks for."))
}
