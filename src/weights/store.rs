//! Where the numbers of a tensor go as they arrive: quantised and packed, or as they are.

use std::collections::HashMap;
use std::sync::Arc;

use candle_core::{Device, Tensor};

use super::named::Parameter;
use super::packed::Writer;
use super::plan::{Encoding, Span, invalid, scale_name, shorten};
use crate::Result;
use crate::kernels::{Dtype, MatrixBuilder};

/// Matrices of fewer numbers stay f32: they cost next to nothing, and small layers (heads, temperatures) are
/// the ones whose rounding shows.
const SMALL: usize = 4096;

/// Convolutions of fewer weights stay f32 where others become int8. They are those near the pixels, of many positions and
/// few channels: 7 % of the weights of EfficientNet-Lite0. Kept in f32, they bring the cosine of its features from 0.9985
/// to 0.9992 (see `kernels/conv.rs`), and with so few channels int8 gains least.
const NARROW_CONVOLUTION: usize = 1 << 16;

/// Takes tensors one after the other, each in runs of numbers.
#[derive(Debug)]
pub(super) struct Store {
    dtype: Dtype,
    /// Writes the packed form down as it is made.
    writer: Option<Writer>,
    current: Option<Current>,
    /// The largest magnitude so far in the current tensor: its bits, see [`largest_magnitude`].
    largest: u32,
    done: HashMap<String, Parameter>,
    /// Scales of the rows of tensors that are still to come, by the names of the scales.
    scales: HashMap<String, Vec<f32>>,
    /// Where the current tensor's bytes get their scales.
    scaling: Option<Scaling>,
}

/// The scales of the rows of a tensor, and how far it is.
#[derive(Debug)]
struct Scaling {
    scales: Vec<f32>,
    columns: usize,
    /// Elements so far.
    taken: usize,
    /// A run of elements with their scales.
    run: Vec<f32>,
}

impl Scaling {
    /// `run` times the scales of its rows.
    fn apply(&mut self, run: &[f32]) -> &[f32] {
        self.run.clear();
        let mut rest = run;
        while !rest.is_empty() {
            let left = self.columns - self.taken % self.columns;
            let (now, later) = rest.split_at(left.min(rest.len()));
            let scale = self.scales.get(self.taken / self.columns).copied().unwrap_or(0.0);
            self.run.extend(now.iter().map(|x| x * scale));
            self.taken += now.len();
            rest = later;
        }
        &self.run
    }
}

#[derive(Debug)]
enum Current {
    Dense(Vec<f32>),
    Matrix(MatrixBuilder),
}

impl Store {
    /// A store of tensors whose matrices become `dtype`; with `keep`, their packed form can be taken with
    /// [`Store::take_packed`].
    pub(super) fn new(dtype: Dtype, keep: bool) -> Self {
        let writer = keep.then(Writer::default);
        Self {
            dtype,
            writer,
            current: None,
            largest: 0,
            done: HashMap::new(),
            scales: HashMap::new(),
            scaling: None,
        }
    }

    /// Makes room for the numbers of `span`, exactly once.
    pub(super) fn begin(&mut self, span: &Span) -> Result<()> {
        let scales =
            if span.encoding == Encoding::I8 { self.scales.remove(&scale_name(&span.name)) } else { None };
        let current = match matrix_shape(&span.name, &span.shape) {
            Some((rows, columns)) if !span.is_scale => {
                let dtype = if span.elements < smallest(&span.name, &span.shape, self.dtype) {
                    Dtype::F32
                } else {
                    self.dtype
                };
                let builder =
                    MatrixBuilder::convolution(dtype, rows, columns, channels(&span.name, &span.shape))?;
                Current::Matrix(match &scales {
                    Some(scales) => builder.scaled(scales.clone()),
                    None => builder,
                })
            }
            _ => {
                let mut values = Vec::new();
                values.try_reserve_exact(span.elements).map_err(|error| {
                    let (name, bytes) = (shorten(&span.name), span.elements as u64 * 4);
                    invalid(format!("There is not enough memory for the tensor {name} ({bytes} bytes)."))
                        .with_source(error)
                })?;
                Current::Dense(values)
            }
        };
        if let Some(writer) = self.writer.as_mut().filter(|_| !span.is_scale) {
            let dtype = match &current {
                Current::Dense(_) => None,
                Current::Matrix(builder) => Some(builder.matrix().dtype()),
            };
            writer.begin(&span.name, &span.shape, dtype);
        }
        self.current = Some(current);
        self.largest = 0;
        let columns = span.shape.iter().skip(1).product::<usize>().max(1);
        self.scaling = scales.map(|scales| Scaling { scales, columns, taken: 0, run: Vec::new() });
        Ok(())
    }

    /// Takes the next numbers of the tensor; never more than it has.
    pub(super) fn push(&mut self, run: &[f32]) {
        let run = match &mut self.scaling {
            Some(scaling) => scaling.apply(run),
            None => run,
        };
        self.largest = self.largest.max(largest_magnitude(run));
        match &mut self.current {
            Some(Current::Dense(values)) => values.extend_from_slice(run),
            Some(Current::Matrix(builder)) => {
                builder.push(run);
                if let Some(writer) = &mut self.writer {
                    writer.follow(builder);
                }
            }
            None => {}
        }
    }

    /// Ends the tensor that `begin` began.
    ///
    /// # Errors
    /// `WeightsInvalid` where not all its numbers are finite, or one is too large for how it is stored: int8 would turn
    /// it into a number like any other, and the model would answer as if nothing were wrong.
    pub(super) fn end(&mut self, span: &Span) -> Result<()> {
        let current = self.current.take();
        self.scaling = None;
        check_finite(&span.name, self.largest, current.as_ref())?;
        if let (true, Some(Current::Dense(values))) = (span.is_scale, &current) {
            self.scales.insert(span.name.clone(), values.clone());
            return Ok(());
        }
        let parameter = match current {
            Some(Current::Dense(values)) => {
                if let Some(writer) = &mut self.writer {
                    writer.end(&[bytemuck::cast_slice(&values)]);
                }
                Parameter::Dense(Tensor::from_vec(values, span.shape.as_slice(), &Device::Cpu)?)
            }
            Some(Current::Matrix(builder)) => {
                let matrix = builder.finish()?;
                if let Some(writer) = &mut self.writer {
                    writer.end(&matrix.parts());
                }
                Parameter::Matrix { matrix: Arc::new(matrix), shape: span.shape.clone() }
            }
            None => return Ok(()),
        };
        self.done.insert(span.name.clone(), parameter);
        Ok(())
    }

    /// Bytes of the packed form made since the last call.
    pub(super) fn take_packed(&mut self) -> Vec<u8> {
        self.writer.as_mut().map_or_else(Vec::new, Writer::take)
    }

    /// Every tensor that ended since the last call.
    pub(super) fn take_finished(&mut self) -> HashMap<String, Parameter> {
        std::mem::take(&mut self.done)
    }

    /// Every tensor that ended.
    pub(super) fn finish(self) -> HashMap<String, Parameter> {
        self.done
    }
}

/// The bits of the largest magnitude of `run`. Magnitudes are ordered as their bits are, with infinity above all numbers
/// and NaN above infinity; a loop over whole numbers becomes vector code.
fn largest_magnitude(run: &[f32]) -> u32 {
    run.iter().fold(0, |largest, x| largest.max(x.to_bits() & 0x7FFF_FFFF))
}

/// Refuses a tensor whose largest magnitude has the bits `largest`, if it cannot be stored as `current` does.
fn check_finite(name: &str, largest: u32, current: Option<&Current>) -> Result<()> {
    let (end, dtype) = match current {
        // What is rounded to infinity.
        Some(Current::Matrix(builder)) if builder.matrix().dtype() == Dtype::F16 => (65_520.0, "f16"),
        // Scales are made of the sums of four magnitudes.
        Some(Current::Matrix(builder)) if builder.matrix().dtype() == Dtype::Int8 => (f32::MAX / 4.0, "int8"),
        _ => (f32::INFINITY, "f32"),
    };
    if largest < end.to_bits() {
        return Ok(());
    }
    let name = shorten(name);
    Err(invalid(if largest < f32::INFINITY.to_bits() {
        format!("The tensor {name} holds numbers too large for {dtype}.")
    } else {
        format!("The tensor {name} holds infinities or what is not a number (NaN).")
    }))
}

/// How many elements a matrix has at least that becomes `dtype`.
fn smallest(name: &str, shape: &[usize], dtype: Dtype) -> usize {
    // Pointwise convolutions may have lost their dimensions of one, but not their names.
    let layer = name.rsplit('.').nth(1).unwrap_or_default();
    let is_convolution = (shape.len() == 4 && !is_patch_embedding(name)) || layer.starts_with("conv");
    match dtype {
        Dtype::Int8 if is_convolution && is_early_stage(name) => usize::MAX,
        Dtype::Int8 if is_convolution => NARROW_CONVOLUTION,
        _ => SMALL,
    }
}

/// Whether a convolution belongs to the first half of a ResNet's four stages: 6 % of the weights of CLIP's RN50. What these
/// round off goes through all that follow: kept in f32 they bring the cosine of its features from 0.998 to 0.9992.
fn is_early_stage(name: &str) -> bool {
    name.split('.').any(|part| part == "layer1" || part == "layer2")
}

/// Whether a tensor is multiplied with or looked up in, and large enough to be worth storing in fewer bits: whether the
/// browser computes with it in int8.
pub fn is_matrix(name: &str, shape: &[usize]) -> bool {
    matrix_shape(name, shape)
        .is_some_and(|(rows, columns)| rows * columns >= smallest(name, shape, Dtype::Int8))
}

/// Rows and columns of a tensor that is multiplied with or looked up in: the weights of linear layers and
/// convolutions, and embedding tables. Positions are added, row by row, and stay as they are; so do the weights of
/// depthwise convolutions, `(channels, 1, height, width)`, of which each meets one channel only.
pub(super) fn matrix_shape(name: &str, shape: &[usize]) -> Option<(usize, usize)> {
    let is_matrix = match *shape {
        [_, _] => true,
        [_, 1, height, width] => height * width == 1,
        [_, _, _, _] => true,
        _ => false,
    };
    if !is_matrix || !name.ends_with("weight") || name.contains("position_embedding") {
        return None;
    }
    let (&rows, columns) = shape.split_first()?;
    Some((rows, columns.iter().product()))
}

/// The input channels of a convolution's weights `(out, in, height, width)`. Patch embeddings stay as they are: their
/// patches do not overlap, and a block of one channel is quantised better than one of all.
pub(super) fn channels(name: &str, shape: &[usize]) -> Option<usize> {
    match *shape {
        [_, channels, _, _] if !is_patch_embedding(name) => Some(channels),
        _ => None,
    }
}

/// Whether a tensor makes states of an image's patches, as a linear layer does.
fn is_patch_embedding(name: &str) -> bool {
    name.contains("patch_embedding")
}

#[cfg(test)]
mod tests {
    use super::is_matrix;

    #[test]
    fn convolutions_become_int8_where_they_are_wide_and_late() {
        for (name, shape, expected) in [
            ("visual.layer3.0.conv2.weight", [256, 256, 3, 3], true),
            ("visual.layer2.0.conv2.weight", [128, 128, 3, 3], false),
            ("visual.layer1.0.downsample.0.weight", [256, 64, 1, 1], false),
            ("blocks.1.0.conv_pw.weight", [96, 16, 1, 1], false),
            ("blocks.6.0.conv_pw.weight", [1152, 192, 1, 1], true),
        ] {
            assert_eq!(is_matrix(name, &shape), expected, "{name}");
        }
    }
}
