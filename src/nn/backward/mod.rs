//! Looking inside: attention maps, and gradients of layers with respect to their inputs.
//!
//! The fast kernels never write an attention map, and know no gradients. Both are asked for rarely, of one
//! image at a time, so this is a second and plainer way: it takes the states that the layers themselves have
//! computed, whatever their weights are stored as, and works on them in f32, one head and one matrix at a
//! time. No map of all heads or layers is ever held: what is asked about is always one row, the class
//! token's, and a row goes through the layers from the last to the first as vector times matrix.
//!
//! Values are rows of f32 in a slice: `(rows, width)`, the rows one after the other. Gradients are named after
//! what they are gradients of: `inputs`, `outputs`.

mod attention;
mod encoder;
mod layers;
mod pool;
#[cfg(test)]
mod tests;

use candle_core::Tensor;

use super::rows;
use crate::Result;
use crate::kernels::{self, Dtype, Epilogue, Layer, Matrix};

/// `a` times the transpose of `b`; the rows of both have `inner` numbers.
fn product(a: &[f32], b: &[f32], inner: usize) -> Result<Vec<f32>> {
    let weight = Matrix::pack(Dtype::F32, b.len() / inner, inner, b)?;
    Ok(kernels::linear(a, &[Layer { weight: &weight, bias: None, after: Epilogue::Nothing }]))
}

/// The transpose of rows of `columns` numbers.
fn transpose(values: &[f32], columns: usize) -> Vec<f32> {
    part(values, columns, 0, columns, true)
}

/// Of rows of `stride` numbers, `count` numbers each from `first` on: row by row, or column by column.
fn part(values: &[f32], stride: usize, first: usize, count: usize, by_column: bool) -> Vec<f32> {
    let rows = values.len() / stride;
    let mut part = vec![0.0; rows * count];
    let (row_step, column_step) = if by_column { (1, rows) } else { (count, 1) };
    for (i, row) in values.chunks_exact(stride).enumerate() {
        for (j, &value) in row[first..first + count].iter().enumerate() {
            part[i * row_step + j * column_step] = value;
        }
    }
    part
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The numbers of a tensor.
fn values(tensor: &Tensor) -> Result<Vec<f32>> {
    Ok(rows::with(&tensor.contiguous()?, <[f32]>::to_vec)?)
}
