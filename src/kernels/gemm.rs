//! Linear layers: `y = x W^T + b`, then an activation or a residual.
//!
//! The work is cut into panels of 8 outputs, which lie together in [`Matrix`], and tiles of a few rows of inputs
//! by one panel or two, whose sums stay in registers. A panel of weights (6 KB for 768 inputs in int8) stays in
//! the nearest cache while a block of rows passes by it, and a strip of panels in the next one while all
//! blocks do, so each weight comes from memory once.

use std::cell::LazyCell;
use std::ops::Range;

use half::f16;
use half::slice::{HalfBitsSliceExt, HalfFloatSliceExt};

use super::activation::Activation;
use super::matrix::{BLOCK, Dtype, Int8, Matrix, PANEL, Store};
use super::parallel::{self, Shared};
use super::quantize::{QuantTerms, Quantized, QuantizedRows};
use super::simd::{DotNative, DotWidened, F32x4, LANES, has_native_dot};
use super::tile::{TILE, VECTORS, f32_tile, tile_rows};
use super::tile_int8::int8_panels;

/// Panels that are finished (activation) while their outputs are still in the nearest cache.
const STRIP: usize = 8;
/// Bytes of inputs that go over a strip of panels together.
const CACHE: usize = 128 << 10;
/// Multiplications below which a second thread is not worth waking.
const GRAIN: usize = 1 << 18;
/// Layers with fewer inputs or outputs than this have their inputs in two terms throughout (see
/// [`super::quantize`]): in a narrow model the errors of seven bits do not average out. With one term, the best tag
/// of 3.5 % of photographs changed in the built-in model, which is 192 wide; with two, of 0.5 %. Published models are
/// at least 256 wide, and pay nothing.
pub(super) const NARROW: usize = 256;

/// What happens to the sums of a layer.
#[derive(Debug, Clone, Copy)]
pub enum Epilogue<'a> {
    /// Nothing.
    Nothing,
    /// They go through an activation.
    Activation(Activation),
    /// These numbers, as many as the outputs of all layers, are added.
    Residual(&'a [f32]),
    /// The same, and then an activation.
    ResidualActivation(&'a [f32], Activation),
}

impl Epilogue<'_> {
    fn activation(self) -> Option<Activation> {
        match self {
            Self::Activation(activation) | Self::ResidualActivation(_, activation) => Some(activation),
            Self::Nothing | Self::Residual(_) => None,
        }
    }
}

/// One of the layers that [`linear`] computes side by side.
#[derive(Debug, Clone, Copy)]
pub struct Layer<'a> {
    /// `(out, in)`.
    pub weight: &'a Matrix,
    /// `(out,)`.
    pub bias: Option<&'a [f32]>,
    /// What happens to the sums.
    pub after: Epilogue<'a>,
}

/// Computes `layers`, all with the inputs `x`, rows of `in` numbers. The outputs of one row lie side by
/// side, in the order of the layers.
///
/// Lengths that do not fit each other are a mistake of the caller, and panic.
pub fn linear(x: &[f32], layers: &[Layer<'_>]) -> Vec<f32> {
    linear_of(x, layers, QuantTerms::AsNeeded)
}

/// [`linear`], where int8 weights get their inputs in two terms throughout: fourteen bits, for twice the time.
pub fn linear_precise(x: &[f32], layers: &[Layer<'_>]) -> Vec<f32> {
    linear_of(x, layers, QuantTerms::Two)
}

/// Layers wide enough have their inputs in `terms`.
fn linear_of(x: &[f32], layers: &[Layer<'_>], terms: QuantTerms) -> Vec<f32> {
    let columns = layers.first().map_or(0, |layer| layer.weight.columns());
    let stride: usize = layers.iter().map(|layer| layer.weight.rows()).sum();
    assert!(columns > 0 && x.len().is_multiple_of(columns), "linear: inputs do not fit the weights");
    let mut y = vec![0.0; x.len() / columns * stride];
    let widest = layers.iter().map(|layer| layer.weight.rows()).max().unwrap_or(0);
    let terms = if columns.min(widest) < NARROW { QuantTerms::Two } else { terms };
    linear_into(x, layers, terms, Threads::All, &mut y);
    y
}

/// Which threads a product may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Threads {
    /// All that there are.
    All,
    /// The calling one: others have their own products.
    This,
}

impl Threads {
    /// [`parallel::ranges`] on these threads.
    fn ranges(self, count: usize, grain: usize, work: impl Fn(Range<usize>) + Sync) {
        let grain = if self == Self::All { grain } else { usize::MAX };
        parallel::ranges(count, grain, work);
    }
}

/// [`linear`], whose inputs for int8 are quantised in `terms`, with its outputs in `y`.
pub(super) fn linear_into(
    x: &[f32],
    layers: &[Layer<'_>],
    terms: QuantTerms,
    threads: Threads,
    y: &mut [f32],
) {
    let columns = layers.first().map_or(0, |layer| layer.weight.columns());
    let stride: usize = layers.iter().map(|layer| layer.weight.rows()).sum();
    assert!(columns > 0 && x.len().is_multiple_of(columns), "linear: inputs do not fit the weights");
    let rows = x.len() / columns;
    assert_eq!(y.len(), rows * stride, "linear: outputs do not fit the inputs");

    // The same inputs serve every int8 layer.
    let quantized = LazyCell::new(|| Quantized::new(x, columns, terms));
    let values = Shared::new(y);
    let mut parts = Vec::with_capacity(layers.len());
    let (mut first, mut panels) = (0, 0);
    for layer in layers {
        let outputs = layer.weight.rows();
        assert_eq!(layer.weight.columns(), columns, "linear: layers of different inputs");
        assert!(layer.bias.is_none_or(|bias| bias.len() == outputs), "linear: bias of another length");
        if let Epilogue::Residual(residual) | Epilogue::ResidualActivation(residual, _) = layer.after {
            assert_eq!(residual.len(), rows * stride, "linear: residual of another length");
        }
        let input = match &layer.weight.store {
            Store::F32(weights) => Input::F32 { x, weights },
            Store::F16(weights) => Input::F16 { x, weights },
            Store::Int8(weights) => {
                assert_eq!(layer.weight.block, BLOCK, "linear: the weights of a convolution");
                Input::Int8 { x: quantized.rows(), weights, native: has_native_dot() }
            }
        };
        let out = Out { values, stride, first };
        let end = panels + outputs.div_ceil(PANEL);
        parts.push(Part { layer, input, out, panels: panels..end });
        first += outputs;
        panels = end;
    }
    let grain = (GRAIN / (rows * columns * PANEL).max(1)).max(1);
    // One round of all layers' panels: each round costs threads a meeting.
    threads.ranges(panels, grain, |panels| {
        let mut scratch = Vec::new();
        for part in &parts {
            let from = panels.start.clamp(part.panels.start, part.panels.end) - part.panels.start;
            let to = panels.end.clamp(part.panels.start, part.panels.end) - part.panels.start;
            part.compute(from..to, rows, columns, &mut scratch);
        }
    });
}

/// Rows of inputs times a matrix of int8, without more.
///
/// # Safety
/// Nobody else uses the outputs meanwhile: of each row of `x`, as many from `out.first` on as the matrix has rows.
pub(super) unsafe fn int8_product(x: &Quantized, weight: &Matrix, out: Out<'_>) {
    assert_eq!(weight.dtype(), Dtype::Int8, "int8-product: a matrix of another dtype");
    let layer = Layer { weight, bias: None, after: Epilogue::Nothing };
    // SAFETY: the caller's promise.
    unsafe { int8_layer(x.rows(), &layer, out, Threads::This) }
}

/// Rows of inputs through a layer of int8. Its residual has rows as its outputs have.
///
/// # Safety
/// Nobody else uses the outputs meanwhile: of each row of `x`, as many from `out.first` on as the layer has.
pub(super) unsafe fn int8_layer(x: QuantizedRows<'_>, layer: &Layer<'_>, out: Out<'_>, threads: Threads) {
    let Store::Int8(weights) = &layer.weight.store else { return };
    let (rows, columns) = (x.count(), layer.weight.columns());
    let panels = 0..layer.weight.rows().div_ceil(PANEL);
    let input = Input::Int8 { x, weights, native: has_native_dot() };
    let part = Part { layer, input, out, panels: panels.clone() };
    let grain = (GRAIN / (rows * columns * PANEL).max(1)).max(1);
    threads.ranges(panels.end, grain, |panels| part.compute(panels, rows, columns, &mut Vec::new()));
}

/// One layer, and where its inputs and outputs are.
struct Part<'a> {
    layer: &'a Layer<'a>,
    input: Input<'a>,
    out: Out<'a>,
    /// Which of the panels of all layers are its own.
    panels: Range<usize>,
}

impl Part<'_> {
    /// Computes some panels for all rows. `scratch` is room for one panel of f32.
    fn compute(&self, panels: Range<usize>, rows: usize, columns: usize, scratch: &mut Vec<f32>) {
        let (layer, out, outputs) = (self.layer, self.out, self.layer.weight.rows());
        let block = self.input.block(columns);
        let mut sums = Vec::new();
        let end = panels.end;
        for begin in panels.step_by(STRIP) {
            let strip = begin..end.min(begin + STRIP);
            for first in (0..rows).step_by(block) {
                let rows = first..rows.min(first + block);
                let mut panel = strip.start;
                while panel < strip.end {
                    let rows = rows.clone();
                    panel += match self.input {
                        Input::F32 { x, weights } => {
                            let panel_of = &weights[panel * columns * PANEL..][..columns * PANEL];
                            f32_panel(x, columns, panel_of, layer, panel, rows, out)
                        }
                        Input::F16 { x, weights } => {
                            let panel_of = &weights[panel * columns * PANEL..][..columns * PANEL];
                            scratch.resize(columns * PANEL, 0.0);
                            panel_of.reinterpret_cast::<f16>().convert_to_f32_slice(scratch);
                            f32_panel(x, columns, scratch, layer, panel, rows, out)
                        }
                        Input::Int8 { x, weights, native: true } => {
                            let panels = panel..strip.end;
                            int8_panels::<DotNative>(x, weights, layer, panels, rows, out, &mut sums)
                        }
                        Input::Int8 { x, weights, native: false } => {
                            let panels = panel..strip.end;
                            int8_panels::<DotWidened>(x, weights, layer, panels, rows, out, &mut sums)
                        }
                    };
                }
            }
            // What only clamps was done with the tiles.
            if let Some(activation) = layer.after.activation()
                && activation.bounds().is_none()
            {
                let (from, to) = (strip.start * PANEL, outputs.min(strip.end * PANEL));
                for row in 0..rows {
                    // SAFETY: these outputs belong to this call's panels.
                    activation.apply(unsafe { out.slice(row, from, to - from) });
                }
            }
        }
    }
}

/// Inputs and weights of one layer.
#[derive(Clone, Copy)]
enum Input<'a> {
    F32 { x: &'a [f32], weights: &'a [f32] },
    F16 { x: &'a [f32], weights: &'a [u16] },
    Int8 { x: QuantizedRows<'a>, weights: &'a Int8, native: bool },
}

impl Input<'_> {
    /// Rows that go over a strip of panels together: as many as stay in the second cache.
    fn block(self, columns: usize) -> usize {
        let rows = match self {
            Self::F32 { .. } => CACHE / (4 * columns),
            // Each row block unpacks every panel again, so all rows are taken together.
            Self::F16 { .. } => usize::MAX / 2,
            Self::Int8 { .. } => CACHE / columns,
        };
        (rows / TILE).max(1) * TILE
    }
}

/// Where the outputs of one layer go: columns from `first` on, of rows of `stride` numbers.
#[derive(Clone, Copy)]
pub(super) struct Out<'a> {
    pub(super) values: Shared<'a, f32>,
    pub(super) stride: usize,
    pub(super) first: usize,
}

impl<'a> Out<'a> {
    /// Outputs `column..column + count` of a row.
    ///
    /// # Safety
    /// Nobody else uses these outputs while the slice lives.
    unsafe fn slice(&self, row: usize, column: usize, count: usize) -> &'a mut [f32] {
        // SAFETY: the caller's promise.
        unsafe { self.values.slice(row * self.stride + self.first + column, count) }
    }
}

/// Rows of `x` times one panel of f32 weights. Returns how many panels it took: one.
fn f32_panel(
    x: &[f32],
    columns: usize,
    weights: &[f32],
    layer: &Layer<'_>,
    panel: usize,
    rows: Range<usize>,
    out: Out<'_>,
) -> usize {
    assert!(weights.len() >= columns * PANEL && x.len() >= rows.end * columns);
    let end = PanelEpilogue::new(layer, panel, None);
    let (mut row, last) = (rows.start, rows.end);
    while row < last {
        let x = &x[row * columns..];
        let rows = tile_rows(last - row, TILE);
        // SAFETY: `x` has as many rows of `columns` numbers as the tile takes, and the weights are a panel.
        unsafe {
            match rows {
                1 => end.write::<VECTORS, 0>(&f32_tile::<1>(x, columns, columns, weights, PANEL), row, out),
                2 => end.write::<VECTORS, 0>(&f32_tile::<2>(x, columns, columns, weights, PANEL), row, out),
                3 => end.write::<VECTORS, 0>(&f32_tile::<3>(x, columns, columns, weights, PANEL), row, out),
                _ => {
                    end.write::<VECTORS, 0>(&f32_tile::<TILE>(x, columns, columns, weights, PANEL), row, out)
                }
            }
        }
        row += rows;
    }
    1
}

/// What is done with the sums of every tile of one panel.
pub(super) struct PanelEpilogue<'a> {
    scales: [F32x4; VECTORS],
    bias: [F32x4; VECTORS],
    residual: Option<&'a [f32]>,
    /// Between which the activation clamps.
    bounds: Option<[F32x4; 2]>,
    column: usize,
    count: usize,
}

impl<'a> PanelEpilogue<'a> {
    pub(super) fn new(layer: &Layer<'a>, panel: usize, scales: Option<&[f32]>) -> Self {
        let column = panel * PANEL;
        let count = (layer.weight.rows() - column).min(PANEL);
        Self {
            scales: scales.map_or([F32x4::splat(1.0); VECTORS], eight),
            bias: layer.bias.map_or([F32x4::splat(0.0); VECTORS], |bias| eight(&bias[column..][..count])),
            residual: match layer.after {
                Epilogue::Residual(residual) | Epilogue::ResidualActivation(residual, _) => Some(residual),
                Epilogue::Nothing | Epilogue::Activation(_) => None,
            },
            bounds: layer
                .after
                .activation()
                .and_then(Activation::bounds)
                .map(|bounds| bounds.map(F32x4::splat)),
            column,
            count,
        }
    }

    /// Scales the sums of rows `row` and on, which of `V` vectors are those from `FIRST` on, adds bias and residual,
    /// and writes them out.
    #[inline(always)]
    pub(super) fn write<const V: usize, const FIRST: usize>(
        &self,
        sums: &[[F32x4; V]],
        row: usize,
        out: Out<'_>,
    ) {
        for (i, sums) in sums.iter().enumerate() {
            // SAFETY: each panel of outputs is written by the one call that has this panel; that no other product has
            // the same outputs is the promise of `int8_product`'s caller, and `linear` owns its own.
            let y = unsafe { out.slice(row + i, self.column, self.count) };
            let mut low = sums[FIRST].mul_add(self.scales[0], self.bias[0]);
            let mut high = sums[FIRST + 1].mul_add(self.scales[1], self.bias[1]);
            if let Some(residual) = self.residual {
                let begin = (row + i) * out.stride + out.first + self.column;
                let residual = eight(&residual[begin..][..self.count]);
                (low, high) = (low.add(residual[0]), high.add(residual[1]));
            }
            if let Some([least, most]) = self.bounds {
                (low, high) = (low.at_least(least).at_most(most), high.at_least(least).at_most(most));
            }
            if self.count == PANEL {
                // SAFETY: the slice has 8 numbers.
                unsafe {
                    low.store(y.as_mut_ptr());
                    high.store(y.as_mut_ptr().add(LANES));
                }
            } else {
                for (y, sum) in y.iter_mut().zip([low, high].into_iter().flat_map(F32x4::to_array)) {
                    *y = sum;
                }
            }
        }
    }
}

/// Up to eight numbers, filled up with zeros.
#[inline(always)]
pub(super) fn eight(values: &[f32]) -> [F32x4; VECTORS] {
    let mut filled = [0.0; PANEL];
    let from = if values.len() == PANEL {
        values
    } else {
        filled[..values.len()].copy_from_slice(values);
        &filled[..]
    };
    // SAFETY: there are 8 numbers.
    unsafe { [F32x4::load(from.as_ptr()), F32x4::load(from.as_ptr().add(LANES))] }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::super::matrix::Dtype;
    use super::*;
    use crate::Result;

    /// Largest difference of f32 sums of n products of about 1 from those in f64: n times this.
    const F32_BOUND: f64 = 5e-7;
    /// Largest error of int8 in deviations of the result: 7 bits of input and 8 of weight.
    const INT8_BOUND: f64 = 0.03;

    fn noise(count: usize, seed: usize) -> Vec<f32> {
        (0..count).map(|i| (((i + seed) * 7919 + 13 * seed) % 2003) as f32 / 1000.0 - 1.0).collect()
    }

    /// The formula in double precision: the naive twin.
    fn naive(x: &[f32], w: &[f32], bias: Option<&[f32]>, columns: usize) -> Vec<f64> {
        let rows_of_w = w.len() / columns;
        let mut y = Vec::new();
        for x in x.chunks(columns) {
            for (o, w) in w.chunks(columns).enumerate().take(rows_of_w) {
                let sum: f64 = x.iter().zip(w).map(|(&x, &w)| f64::from(x) * f64::from(w)).sum();
                y.push(sum + bias.map_or(0.0, |bias| f64::from(bias[o])));
            }
        }
        y
    }

    fn worst(y: &[f32], expected: &[f64]) -> f64 {
        assert_eq!(y.len(), expected.len());
        y.iter().zip(expected).map(|(&y, e)| (f64::from(y) - e).abs()).fold(0.0, f64::max)
    }

    /// Rows, columns and outputs that leave tiles, groups, blocks and panels incomplete.
    const SIZES: [(usize, usize, usize); 9] = [
        (1, 1, 1),
        (2, 3, 5),
        (3, 4, 8),
        (4, 127, 9),
        (5, 128, 16),
        (6, 129, 17),
        (7, 260, 3),
        (50, 64, 24),
        (9, 513, 31),
    ];

    #[test]
    fn equals_the_formula_over_odd_sizes() -> Result<()> {
        for (rows, columns, outputs) in SIZES {
            let (x, w) = (noise(rows * columns, 1), noise(outputs * columns, 2));
            let bias = noise(outputs, 3);
            for bias in [None, Some(&bias[..])] {
                let expected = naive(&x, &w, bias, columns);
                for dtype in [Dtype::F32, Dtype::F16, Dtype::Int8] {
                    let weight = Matrix::pack(dtype, outputs, columns, &w)?;
                    let y = linear(&x, &[Layer { weight: &weight, bias, after: Epilogue::Nothing }]);
                    let deviation = (columns as f64).sqrt() / 3.0;
                    let bound = match dtype {
                        Dtype::F32 => F32_BOUND * columns as f64,
                        Dtype::F16 => 4e-4 * columns as f64,
                        Dtype::Int8 => INT8_BOUND * deviation.max(1.0),
                    };
                    let error = worst(&y, &expected);
                    assert!(error <= bound, "{dtype:?} {rows}x{columns}x{outputs}: off by {error}");
                }
            }
        }
        Ok(())
    }

    #[test]
    fn int8_sums_are_those_of_the_quantised_numbers() -> Result<()> {
        // Apart from the rounding of f32, nothing is lost after quantising: terms and weights read back and
        // multiplied in double precision give the same.
        // A wide layer, where one block of inputs has two terms, and two blocks share one.
        let (rows, columns, outputs) = (6, 400, NARROW + 5);
        let mut x = noise(rows * columns, 5);
        x.iter_mut().step_by(columns).for_each(|x| *x *= 70.0);
        let weight = Matrix::pack(Dtype::Int8, outputs, columns, &noise(outputs * columns, 6))?;
        let quantized = Quantized::new(&x, columns, QuantTerms::AsNeeded);
        let blocks: Vec<[usize; 2]> = quantized.terms.iter().map(|term| [term.block, term.blocks]).collect();
        assert_eq!(blocks, [[0, 1], [0, 1], [1, 2], [3, 1]]);
        let mut restored = vec![0f32; rows * columns];
        for row in 0..rows {
            for (p, term) in quantized.terms.iter().enumerate() {
                let [scale, min] = quantized.params[row * quantized.terms.len() + p];
                let begin = term.block * BLOCK;
                for k in 0..term.len.min(columns - begin) {
                    let q = quantized.values[row * quantized.stride + term.at + k];
                    restored[row * columns + begin + k] += min + scale * f32::from(q);
                }
            }
        }
        let mut w = vec![0f32; outputs * columns];
        w.chunks_mut(columns).enumerate().for_each(|(i, row)| weight.copy_row(i, row));
        let y = linear(&x, &[Layer { weight: &weight, bias: None, after: Epilogue::Nothing }]);
        let error = worst(&y, &naive(&restored, &w, None, columns));
        assert!(error <= 2e-4, "off by {error}");
        Ok(())
    }

    #[test]
    fn precise_layers_round_their_inputs_off_far_less() -> Result<()> {
        let (rows, columns, outputs) = (3, 400, NARROW + 5);
        let x = noise(rows * columns, 5);
        let weight = Matrix::pack(Dtype::Int8, outputs, columns, &noise(outputs * columns, 6))?;
        let mut w = vec![0f32; outputs * columns];
        w.chunks_mut(columns).enumerate().for_each(|(i, row)| weight.copy_row(i, row));
        let exact = naive(&x, &w, None, columns);
        let layers = [Layer { weight: &weight, bias: None, after: Epilogue::Nothing }];
        let (seven, fourteen) = (linear(&x, &layers), linear_precise(&x, &layers));
        assert!(20.0 * worst(&fourteen, &exact) < worst(&seven, &exact));
        Ok(())
    }

    #[test]
    fn layers_side_by_side_are_those_one_by_one() -> Result<()> {
        let (rows, columns) = (5, 70);
        let x = noise(rows * columns, 1);
        let residual = noise(rows * 30, 9);
        for dtype in [Dtype::F32, Dtype::Int8] {
            let weights: Vec<Matrix> = [7, 13, 10]
                .iter()
                .map(|&n| Matrix::pack(dtype, n, columns, &noise(n * columns, n)))
                .collect::<Result<_>>()?;
            let bias = noise(13, 4);
            let layer = |i: usize, after| Layer {
                weight: &weights[i],
                bias: if i == 1 { Some(&bias[..]) } else { None },
                after,
            };
            let gelu = Epilogue::Activation(Activation::Gelu);
            let all = linear(
                &x,
                &[layer(0, Epilogue::Residual(&residual)), layer(1, gelu), layer(2, Epilogue::Nothing)],
            );
            for i in 0..3 {
                let mut alone = linear(&x, &[layer(i, Epilogue::Nothing)]);
                if i == 1 {
                    Activation::Gelu.apply(&mut alone);
                }
                let (first, count) = ([0, 7, 20][i], weights[i].rows());
                for row in 0..rows {
                    for o in 0..count {
                        let at = row * 30 + first + o;
                        let added = if i == 0 { residual[at] } else { 0.0 };
                        let expected = alone[row * count + o] + added;
                        assert!((all[at] - expected).abs() <= 1e-6, "layer {i}, row {row}, output {o}");
                    }
                }
            }
        }
        Ok(())
    }
}
