//! Safetensors of signed bytes with a scale for each row.

use std::io::Write;

use candle_core::Tensor;
use half::f16;
use serde_json::{Map, Value, json};

use crate::Result;
use crate::kernels::{Dtype, Matrix};
use crate::weights::is_matrix;

/// How many weights a convolution has at least that is stored in bytes, though the browser computes with it in f32: of
/// smaller ones bytes would save little, and their errors would meet every pixel of the largest maps.
const LARGE_CONVOLUTION: usize = 1 << 15;

/// A tensor as it is written.
struct Entry {
    name: String,
    dtype: &'static str,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

#[derive(Default)]
pub(super) struct Tensors {
    entries: Vec<Entry>,
    count: usize,
}

impl Tensors {
    /// A matrix or a large convolution becomes its bytes and their scales, in f32; anything else f16, where that fits it.
    pub(super) fn add(&mut self, name: &str, tensor: &Tensor) -> Result<()> {
        self.count += 1;
        let shape = tensor.dims().to_vec();
        let values = tensor.flatten_all()?.to_vec1::<f32>()?;
        let mut push = |name: String, dtype, shape, bytes| {
            self.entries.push(Entry { name, dtype, shape, bytes });
        };
        let rows = shape.first().copied().unwrap_or(0);
        let large = matches!(*shape, [_, inputs, _, _] if inputs > 1) && values.len() >= LARGE_CONVOLUTION;
        if !(is_matrix(name, &shape) || large) || rows == 0 {
            if fits_f16(&shape, &values) {
                let bytes = values.iter().flat_map(|&x| f16::from_f32(x).to_le_bytes()).collect();
                push(name.to_owned(), "F16", shape, bytes);
            } else {
                push(name.to_owned(), "F32", shape, values.iter().flat_map(|x| x.to_le_bytes()).collect());
            }
            return Ok(());
        }
        let columns = values.len() / rows;
        let matrix = Matrix::pack(Dtype::Int8, rows, columns, &values)?;
        let mut scales = Vec::with_capacity(4 * rows);
        let mut bytes = Vec::with_capacity(values.len());
        let mut row = vec![0.0; columns];
        for i in 0..rows {
            matrix.copy_row(i, &mut row);
            let scale = matrix.row_scale(i).filter(|&scale| scale > 0.0).unwrap_or(1.0);
            bytes.extend(row.iter().map(|x| (x / scale).round() as i8 as u8));
            scales.extend(scale.to_le_bytes());
        }
        push(format!("{name}_scale"), "F32", vec![rows, 1], scales);
        push(name.to_owned(), "I8", shape, bytes);
        Ok(())
    }

    pub(super) fn write(&self, out: &mut dyn Write) -> std::io::Result<usize> {
        let mut entries: Vec<&Entry> = self.entries.iter().collect();
        // Scales come before the bytes that need them: one order does, as names are.
        entries.sort_by_key(|entry| (entry.dtype == "I8", &entry.name));
        let mut header = Map::new();
        let mut begin = 0;
        for entry in &entries {
            let end = begin + entry.bytes.len();
            let about = json!({ "dtype": entry.dtype, "shape": entry.shape, "data_offsets": [begin, end] });
            header.insert(entry.name.clone(), about);
            begin = end;
        }
        let mut header = Value::Object(header).to_string();
        // The data begin at a multiple of eight bytes.
        header.push_str(&" ".repeat(header.len().next_multiple_of(8) - header.len()));
        out.write_all(&(header.len() as u64).to_le_bytes())?;
        out.write_all(header.as_bytes())?;
        entries.iter().try_for_each(|entry| out.write_all(&entry.bytes))?;
        Ok(self.count)
    }
}

/// Whether f16 holds what matters of a tensor to three digits. Weights are added up: there, what is small beside the largest
/// may be lost. Elsewhere each number counts: variances near zero, temperatures.
fn fits_f16(shape: &[usize], values: &[f32]) -> bool {
    let holds = |x: f32| (6.2e-5..=65_504.0).contains(&x);
    let largest = values.iter().fold(0.0_f32, |largest, x| largest.max(x.abs()));
    match shape.len() {
        0 => false,
        1 => values.len() > 1 && values.iter().all(|x| *x == 0.0 || holds(x.abs())),
        _ => largest == 0.0 || holds(largest / 256.0),
    }
}
