//! Weight matrices in the order in which the tiles read them.
//!
//! A matrix has the shape `(rows, columns)` of the published files: of a linear layer `(out, in)`, of an
//! embedding table `(ids, width)`. Eight rows make a *panel*, whose numbers lie together:
//!
//! ```text
//! f32, f16: panel, column, row                      one column of 8 rows after the other
//! int8:     panel, group of 4 columns, row, column  4 columns of 8 rows after the other
//! ```
//!
//! The columns of a convolution, whose published shape is `(out, in, height, width)`, are packed in the order
//! `(height, width, in)`, in which patches are gathered from images whose channels lie together: see
//! [`MatrixBuilder::convolution`].
//!
//! The last panel is filled up with rows of zeros, an odd number of groups with columns of zeros.
//!
//! An int8 row is its numbers divided by a scale of its own and rounded. The scale is the largest magnitude
//! over 127, or larger where four weights that a tile adds up in 16 bits (columns 0, 1, 4, 5 and 2, 3, 6, 7
//! of each eight) would not fit there: in a row of normal numbers, by a few per cent if at all.

use bytemuck::{Zeroable, cast_slice, cast_slice_mut};
use half::f16;

use super::math::min_max;
use super::simd::{F32x4, GROUP, MOST};

/// Rows of one panel.
pub(super) const PANEL: usize = 8;
/// Columns whose inputs share a scale; see [`super::quantize`].
pub(super) const BLOCK: usize = 128;
/// Columns that one step of an int8 tile takes: two groups.
pub(super) const STEP: usize = 2 * GROUP;

/// How a matrix stores its numbers. Whatever it is, sums are made in f32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Dtype {
    /// Four bytes a number, exact.
    F32,
    /// Two bytes a number: 11 significant bits.
    F16,
    /// One byte a number, with a scale for each row.
    #[default]
    Int8,
}

impl Dtype {
    /// The dtype called `f32`, `f16` or `int8`.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "f32" => Self::F32,
            "f16" => Self::F16,
            "int8" => Self::Int8,
            _ => return None,
        })
    }
}

/// Why there is no matrix. Each says so in a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MatrixError {
    /// The shape claims more numbers than there is memory for.
    #[error("There is not enough memory for a matrix of {rows} by {columns} numbers.")]
    TooLarge {
        /// Of the shape.
        rows: usize,
        /// Of the shape.
        columns: usize,
    },
    /// Fewer numbers came than the shape has.
    #[error("A matrix ends after {done} of its {rows} rows.")]
    Incomplete {
        /// Rows that came whole.
        done: usize,
        /// Of the shape.
        rows: usize,
    },
}

/// `Result` with a [`MatrixError`].
pub type Result<T, E = MatrixError> = std::result::Result<T, E>;

/// A matrix of weights, packed for multiplication.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    rows: usize,
    columns: usize,
    /// Columns whose stored numbers of int8 are summed up together.
    pub(super) block: usize,
    pub(super) store: Store,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Store {
    F32(Vec<f32>),
    /// The bits of each number.
    F16(Vec<u16>),
    Int8(Int8),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Int8 {
    pub(super) weights: Vec<i8>,
    /// For each row, padding included.
    pub(super) scales: Vec<f32>,
    /// Sums of the stored numbers, by panel, block of columns, row.
    pub(super) sums: Vec<f32>,
}

impl Matrix {
    /// Number of rows: outputs of a linear layer.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns: inputs of a linear layer.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Multiplies each row with a number of its own, as many as there are rows. Of int8 only the scales change.
    ///
    /// # Panics
    /// Where there are more or fewer factors than rows.
    pub fn scale_rows(&mut self, factors: &[f32]) {
        assert_eq!(factors.len(), self.rows, "scale-rows: factors do not fit the rows");
        let panel = (self.columns * PANEL).max(1);
        match &mut self.store {
            Store::F32(values) => {
                for (panel, factors) in values.chunks_exact_mut(panel).zip(factors.chunks(PANEL)) {
                    for column in panel.chunks_exact_mut(PANEL) {
                        column.iter_mut().zip(factors).for_each(|(value, factor)| *value *= factor);
                    }
                }
            }
            Store::F16(values) => {
                for (panel, factors) in values.chunks_exact_mut(panel).zip(factors.chunks(PANEL)) {
                    for column in panel.chunks_exact_mut(PANEL) {
                        for (value, factor) in column.iter_mut().zip(factors) {
                            *value = f16::from_f32(f16::from_bits(*value).to_f32() * factor).to_bits();
                        }
                    }
                }
            }
            Store::Int8(int8) => {
                int8.scales.iter_mut().zip(factors).for_each(|(scale, factor)| *scale *= factor);
            }
        }
    }

    /// How the numbers are stored.
    pub fn dtype(&self) -> Dtype {
        match self.store {
            Store::F32(_) => Dtype::F32,
            Store::F16(_) => Dtype::F16,
            Store::Int8(_) => Dtype::Int8,
        }
    }

    /// The matrix of `values`, row by row.
    pub fn pack(dtype: Dtype, rows: usize, columns: usize, values: &[f32]) -> Result<Self> {
        let mut builder = MatrixBuilder::new(dtype, rows, columns)?;
        builder.push(values);
        builder.finish()
    }

    /// What the whole numbers of a row are multiplied with; none where the matrix is not int8.
    pub fn row_scale(&self, row: usize) -> Option<f32> {
        match &self.store {
            Store::Int8(int8) => int8.scales.get(row).copied(),
            _ => None,
        }
    }

    /// A row as f32, written to `to`, which has as many numbers as there are columns.
    pub fn copy_row(&self, row: usize, to: &mut [f32]) {
        assert!(row < self.rows && to.len() == self.columns, "copy-row: no such row");
        let (panel, lane) = (row / PANEL, row % PANEL);
        match &self.store {
            Store::F32(values) => {
                let panel = &values[panel * self.columns * PANEL..][..self.columns * PANEL];
                for (to, column) in to.iter_mut().zip(panel.chunks_exact(PANEL)) {
                    *to = column[lane];
                }
            }
            Store::F16(values) => {
                let panel = &values[panel * self.columns * PANEL..][..self.columns * PANEL];
                for (to, column) in to.iter_mut().zip(panel.chunks_exact(PANEL)) {
                    *to = f16::from_bits(column[lane]).to_f32();
                }
            }
            Store::Int8(int8) => {
                let padded = self.columns.next_multiple_of(STEP);
                let panel = &int8.weights[panel * padded * PANEL..][..padded * PANEL];
                let scale = int8.scales[row];
                for (to, group) in to.chunks_mut(GROUP).zip(panel.chunks_exact(GROUP * PANEL)) {
                    for (to, &weight) in to.iter_mut().zip(&group[lane * GROUP..]) {
                        *to = f32::from(weight) * scale;
                    }
                }
            }
        }
    }

    /// The parts of the packed form, numbers in the machine's byte order: the stored numbers, and for int8
    /// the scales of the rows and the sums of the blocks.
    pub fn parts(&self) -> [&[u8]; 3] {
        match &self.store {
            Store::F32(values) => [cast_slice(values), &[], &[]],
            Store::F16(values) => [cast_slice(values), &[], &[]],
            Store::Int8(int8) => {
                [cast_slice(&int8.weights), cast_slice(&int8.scales), cast_slice(&int8.sums)]
            }
        }
    }

    /// [`Matrix::parts`], to be filled in. Whatever the bytes, the matrix stays one that is safe to use.
    pub fn parts_mut(&mut self) -> [&mut [u8]; 3] {
        match &mut self.store {
            Store::F32(values) => [cast_slice_mut(values), &mut [], &mut []],
            Store::F16(values) => [cast_slice_mut(values), &mut [], &mut []],
            Store::Int8(Int8 { weights, scales, sums }) => {
                [cast_slice_mut(weights), cast_slice_mut(scales), cast_slice_mut(sums)]
            }
        }
    }

    /// A matrix of zeros; of a convolution with as many input channels, if there are `channels`.
    pub fn zeros(dtype: Dtype, rows: usize, columns: usize, channels: Option<usize>) -> Result<Self> {
        let block = channels.filter(|&channels| channels < columns).map_or(BLOCK, block_of_taps);
        let store = || {
            let padded = rows.checked_next_multiple_of(PANEL)?;
            let numbers = |columns: usize| padded.checked_mul(columns);
            Some(match dtype {
                Dtype::F32 => Store::F32(zeros(numbers(columns)?)?),
                Dtype::F16 => Store::F16(zeros(numbers(columns)?)?),
                Dtype::Int8 => Store::Int8(Int8 {
                    weights: zeros(numbers(columns.checked_next_multiple_of(STEP)?)?)?,
                    scales: zeros(padded)?,
                    sums: zeros(numbers(columns.div_ceil(block))?)?,
                }),
            })
        };
        let store = store().ok_or(MatrixError::TooLarge { rows, columns })?;
        Ok(Self { rows, columns, block, store })
    }
}

/// The largest block into which whole taps of a convolution's `channels` can be cut, or [`BLOCK`] where there is none.
fn block_of_taps(channels: usize) -> usize {
    (STEP..=BLOCK)
        .rev()
        .find(|&block| block.is_multiple_of(STEP) && channels.is_multiple_of(block))
        .unwrap_or(BLOCK)
}

/// `count` zeros, but where there is no memory for them, or more than a browser can address: a shape may claim anything.
fn zeros<T: Zeroable + Clone>(count: usize) -> Option<Vec<T>> {
    count.checked_mul(size_of::<T>()).filter(|&bytes| bytes <= u32::MAX as usize)?;
    let mut values = Vec::new();
    values.try_reserve_exact(count).ok()?;
    values.resize(count, T::zeroed());
    Some(values)
}

/// `row` of `channels` with as many taps each, tap by tap; both as many numbers.
pub(crate) fn taps_first(row: &[f32], channels: usize, to: &mut [f32]) {
    let taps = row.len() / channels.max(1);
    for (tap, to) in to.chunks_exact_mut(channels.max(1)).enumerate() {
        to.iter_mut().zip(row.iter().skip(tap).step_by(taps.max(1))).for_each(|(to, &from)| *to = from);
    }
}

/// What [`taps_first`] made a row of, again.
pub fn channels_first(row: &[f32], channels: usize, to: &mut [f32]) {
    taps_first(row, row.len() / channels.max(1), to);
}

/// Packs a matrix while its numbers arrive. Beside the packed matrix it holds one row, or two of a convolution.
#[derive(Debug)]
pub struct MatrixBuilder {
    matrix: Matrix,
    /// Of a convolution: its input channels, and room for one row.
    channels: Option<(usize, Vec<f32>)>,
    /// The numbers so far of the row that is incomplete.
    row: Vec<f32>,
    /// Rows that are complete.
    done: usize,
    /// What whole numbers were multiplied with to become the rows, where they were.
    scales: Option<Vec<f32>>,
}

impl MatrixBuilder {
    /// A builder before the first number; all memory that it needs is allocated here.
    pub fn new(dtype: Dtype, rows: usize, columns: usize) -> Result<Self> {
        Self::convolution(dtype, rows, columns, None)
    }

    /// The same for a convolution of `channels` inputs, whose rows arrive channel by channel and are packed tap by
    /// tap. `channels` divides the columns.
    pub fn convolution(dtype: Dtype, rows: usize, columns: usize, channels: Option<usize>) -> Result<Self> {
        let matrix = Matrix::zeros(dtype, rows, columns, channels)?;
        let room = || zeros(columns).ok_or(MatrixError::TooLarge { rows, columns });
        let mut row = room()?;
        row.clear();
        // With one channel or one tap both orders are the same.
        let channels = match channels.filter(|&channels| channels > 1 && channels < columns) {
            Some(channels) => Some((channels, room()?)),
            None => None,
        };
        Ok(Self { matrix, channels, row, done: 0, scales: None })
    }

    /// The same for rows that are whole numbers of magnitude up to 127 times `scales`, one for each row: in int8 they
    /// become these whole numbers again, where the kernels can add up such (see `largest_four`).
    pub fn scaled(self, scales: Vec<f32>) -> Self {
        Self { scales: Some(scales), ..self }
    }

    /// The scale that the row to come next had before.
    fn scale(&self) -> Option<f32> {
        self.scales.as_ref().and_then(|scales| scales.get(self.done)).copied()
    }

    /// Takes the next numbers, row by row; those after the last row are passed over.
    pub fn push(&mut self, mut values: &[f32]) {
        let columns = self.matrix.columns;
        while !values.is_empty() && self.done < self.matrix.rows {
            // A row that lies whole in the input is packed from there.
            if self.row.is_empty() && values.len() >= columns {
                let (row, rest) = values.split_at(columns);
                let scale = self.scale();
                Self::pack(&mut self.matrix, &mut self.channels, self.done, row, scale);
                (self.done, values) = (self.done + 1, rest);
                continue;
            }
            let (now, rest) = values.split_at((columns - self.row.len()).min(values.len()));
            self.row.extend_from_slice(now);
            values = rest;
            if self.row.len() == columns {
                let scale = self.scale();
                Self::pack(&mut self.matrix, &mut self.channels, self.done, &self.row, scale);
                self.done += 1;
                self.row.clear();
            }
        }
    }

    fn pack(
        matrix: &mut Matrix,
        channels: &mut Option<(usize, Vec<f32>)>,
        row: usize,
        values: &[f32],
        scale: Option<f32>,
    ) {
        match channels {
            Some((channels, ordered)) => {
                taps_first(values, *channels, ordered);
                pack_row(matrix, row, ordered, scale);
            }
            None => pack_row(matrix, row, values, scale),
        }
    }

    /// The matrix so far; rows that have not come are zeros.
    pub fn matrix(&self) -> &Matrix {
        &self.matrix
    }

    /// Bytes of the stored numbers, from the first on, that no further row will change.
    pub fn packed_bytes(&self) -> usize {
        let bytes = self.matrix.parts()[0].len();
        let panels = self.matrix.rows.div_ceil(PANEL).max(1);
        if self.done == self.matrix.rows { bytes } else { self.done / PANEL * (bytes / panels) }
    }

    /// The matrix, if every number has come.
    pub fn finish(self) -> Result<Matrix> {
        // Rows without columns are complete from the start.
        if self.done < self.matrix.rows && self.matrix.columns > 0 {
            return Err(MatrixError::Incomplete { done: self.done, rows: self.matrix.rows });
        }
        Ok(self.matrix)
    }
}

/// Writes a row to its place. `scale` is the one that the row had before, if it had one.
fn pack_row(matrix: &mut Matrix, row: usize, values: &[f32], scale: Option<f32>) {
    let (columns, panel, lane) = (matrix.columns, row / PANEL, row % PANEL);
    match &mut matrix.store {
        Store::F32(packed) => {
            let panel = &mut packed[panel * columns * PANEL..][..columns * PANEL];
            for (column, &value) in panel.chunks_exact_mut(PANEL).zip(values) {
                column[lane] = value;
            }
        }
        Store::F16(packed) => {
            let panel = &mut packed[panel * columns * PANEL..][..columns * PANEL];
            for (column, &value) in panel.chunks_exact_mut(PANEL).zip(values) {
                column[lane] = f16::from_f32(value).to_bits();
            }
        }
        Store::Int8(int8) => {
            let padded = columns.next_multiple_of(STEP);
            let (min, max) = min_max(values);
            let (largest, sum) = largest_four(values);
            // Bytes cannot say that a weight is not a number, nor would minima and maxima. The scale can.
            let fits = |scale: f32| max.max(-min) <= scale * 127.4 && largest <= scale * (MOST as f32 + 0.4);
            let scale = match scale {
                // Bytes as they were: rounding them anew would add an error.
                Some(scale) if sum.is_finite() && fits(scale) => scale,
                // Rounding adds up to a half to each of four weights.
                _ if sum.is_finite() => (max.max(-min) / 127.0).max(largest / (MOST - 2) as f32),
                _ => f32::NAN,
            };
            int8.scales[row] = scale;
            // A row of zeros has no scale to divide by.
            let inverse = if scale > 0.0 { 1.0 / scale } else { 0.0 };
            let weights = &mut int8.weights[panel * padded * PANEL..][..padded * PANEL];
            let blocks = columns.div_ceil(matrix.block);
            let sums = &mut int8.sums[panel * blocks * PANEL..][..blocks * PANEL];
            for (i, block) in values.chunks(matrix.block).enumerate() {
                let weights = &mut weights[i * matrix.block * PANEL..];
                sums[i * PANEL + lane] = quantize_block(block, inverse, lane, weights);
            }
        }
    }
}

/// The largest sum of the magnitudes of four weights that a tile adds up in 16 bits, and the sum of all magnitudes.
fn largest_four(values: &[f32]) -> (f32, f32) {
    let (mut largest, mut sum) = (F32x4::splat(0.0), F32x4::splat(0.0));
    let eights = values.chunks_exact(STEP);
    let mut last = [0.0; STEP];
    last[..eights.remainder().len()].copy_from_slice(eights.remainder());
    for eight in eights.chain([&last[..]]) {
        // SAFETY: there are 8 numbers.
        let (first, second) =
            unsafe { (F32x4::load(eight.as_ptr()), F32x4::load(eight.as_ptr().add(GROUP))) };
        let both = first.abs().add(second.abs());
        (largest, sum) = (largest.max(both.add_neighbours()), sum.add(both));
    }
    (largest.to_array().into_iter().fold(0.0, f32::max), sum.to_array().into_iter().sum())
}

/// Writes a block of a row into its panel and gives the sum of what it wrote.
fn quantize_block(values: &[f32], inverse: f32, lane: usize, weights: &mut [i8]) -> f32 {
    // Adding 1.5 * 2^23 rounds to a whole number, whose low byte is that of the sum's bits.
    let (inverse, round) = (F32x4::splat(inverse), F32x4::splat(12_582_912.0));
    let mut sum = 0i32;
    for (group, to) in values.chunks(GROUP).zip(weights.chunks_exact_mut(GROUP * PANEL)) {
        let mut four = [0.0; GROUP];
        four[..group.len()].copy_from_slice(group);
        // SAFETY: the array has 4 numbers.
        let shifted = unsafe { F32x4::load(four.as_ptr()) }.mul_add(inverse, round);
        for (to, byte) in to[lane * GROUP..].iter_mut().zip(shifted.to_bits().low_bytes()) {
            *to = byte as i8;
            sum += i32::from(*to);
        }
    }
    // At most 128 * 128, which an f32 holds exactly.
    sum as f32
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    fn values(rows: usize, columns: usize) -> Vec<f32> {
        (0..rows * columns).map(|i| ((i * 7919 + 13) % 2003) as f32 / 1000.0 - 1.0).collect()
    }

    /// Rows and columns that leave panels, groups and blocks incomplete in every way.
    const SHAPES: [(usize, usize); 8] =
        [(1, 1), (7, 3), (8, 4), (9, 5), (16, 128), (17, 129), (3, 257), (25, 260)];

    #[test]
    fn gives_back_the_rows_it_was_given() -> Result<()> {
        for (rows, columns) in SHAPES {
            let values = values(rows, columns);
            for dtype in [Dtype::F32, Dtype::F16, Dtype::Int8] {
                let matrix = Matrix::pack(dtype, rows, columns, &values)?;
                let mut row = vec![0.0; columns];
                for (i, expected) in values.chunks(columns).enumerate() {
                    matrix.copy_row(i, &mut row);
                    let largest = expected.iter().fold(0f32, |max, x| max.max(x.abs()));
                    let bound = match dtype {
                        Dtype::F32 => 0.0,
                        Dtype::F16 => largest / 2048.0,
                        // Alike large numbers need twice the scale: four of them sum up to 4 * 127.
                        Dtype::Int8 => largest / 127.0 * 1.01,
                    };
                    for (x, y) in expected.iter().zip(&row) {
                        assert!((x - y).abs() <= bound, "{dtype:?} {rows}x{columns}: {y} instead of {x}");
                    }
                }
            }
        }
        Ok(())
    }

    #[test]
    fn runs_of_any_length_pack_the_same_matrix() -> Result<()> {
        for (rows, columns) in SHAPES {
            let values = values(rows, columns);
            for dtype in [Dtype::F32, Dtype::Int8] {
                let whole = Matrix::pack(dtype, rows, columns, &values)?;
                for run in [1, 2, 3, 100, 131] {
                    let mut builder = MatrixBuilder::new(dtype, rows, columns)?;
                    values.chunks(run).for_each(|run| builder.push(run));
                    assert_eq!(builder.finish()?, whole, "runs of {run}");
                }
            }
        }
        Ok(())
    }

    #[test]
    fn four_weights_fit_sixteen_bits_whatever_they_are() -> Result<()> {
        let rows: [Vec<f32>; 4] = [
            vec![1.0; 24],
            (0..24).map(|i| if i % 8 < 4 { -3.0 } else { 0.1 }).collect(),
            (0..24).map(|i| (i as f32 * 0.7).sin()).collect(),
            vec![0.0; 24],
        ];
        for row in rows {
            let matrix = Matrix::pack(Dtype::Int8, 1, 24, &row)?;
            let weights: Vec<i32> = (0..24)
                .map(|k| i32::from(matrix.parts()[0][k / GROUP * GROUP * PANEL + k % GROUP] as i8))
                .collect();
            for eight in weights.chunks(8) {
                for four in [[0, 1, 4, 5], [2, 3, 6, 7]] {
                    assert!(four.iter().map(|&i| eight[i].abs()).sum::<i32>() <= MOST, "{eight:?}");
                }
            }
        }
        Ok(())
    }

    #[test]
    fn a_row_with_what_is_not_a_number_has_no_other() -> Result<()> {
        for wrong in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            for columns in [3, 8, 131] {
                for place in [0, columns - 1] {
                    let mut values = values(3, columns);
                    values[columns + place] = wrong;
                    let matrix = Matrix::pack(Dtype::Int8, 3, columns, &values)?;
                    let mut row = vec![0.0; columns];
                    for i in 0..3 {
                        matrix.copy_row(i, &mut row);
                        let found = if i == 1 {
                            row.iter().all(|x| x.is_nan())
                        } else {
                            row.iter().all(|x| x.is_finite())
                        };
                        assert!(found, "{wrong} at {place} of {columns}: {row:?} is row {i}");
                    }
                }
            }
        }
        Ok(())
    }

    #[test]
    fn rows_of_a_convolution_are_packed_tap_by_tap() -> Result<()> {
        // Channels that int8 cuts into blocks, and some that it does not.
        for (rows, channels, taps) in [(3, 2, 4), (9, 24, 9), (5, 1, 9), (4, 5, 1), (2, 136, 4)] {
            let columns = channels * taps;
            let values = values(rows, columns);
            for dtype in [Dtype::F32, Dtype::Int8] {
                let mut builder = MatrixBuilder::convolution(dtype, rows, columns, Some(channels))?;
                values.chunks(7).for_each(|run| builder.push(run));
                let matrix = builder.finish()?;
                let (mut row, mut published) = (vec![0.0; columns], vec![0.0; columns]);
                for (i, expected) in values.chunks(columns).enumerate() {
                    matrix.copy_row(i, &mut row);
                    channels_first(&row, channels, &mut published);
                    let bound = if dtype == Dtype::F32 { 0.0 } else { 0.02 };
                    for at in 0..columns {
                        let tap_first = row[at % taps * channels + at / taps];
                        assert!((tap_first - expected[at]).abs() <= bound, "{dtype:?} {channels} {taps}");
                        assert_eq!(published[at], tap_first, "{dtype:?} {channels} {taps}");
                    }
                }
            }
        }
        Ok(())
    }

    /// Found by fuzzing the packed form: a column that is padded to eight times its size.
    #[test]
    fn more_than_a_browser_can_address_is_an_error() {
        for (dtype, rows, columns) in
            [(Dtype::F32, 1 << 30, 1), (Dtype::Int8, 1 << 30, 1), (Dtype::F16, 1 << 31, 1)]
        {
            assert!(Matrix::zeros(dtype, rows, columns, None).is_err(), "{dtype:?}");
        }
    }

    #[test]
    fn an_incomplete_or_impossible_matrix_is_an_error() -> Result<()> {
        let mut builder = MatrixBuilder::new(Dtype::Int8, 2, 3)?;
        builder.push(&[1.0; 5]);
        assert!(builder.finish().is_err());
        assert!(MatrixBuilder::new(Dtype::F32, usize::MAX / 16, usize::MAX / 16).is_err());
        assert!(MatrixBuilder::new(Dtype::Int8, usize::MAX, 1).is_err());
        Ok(())
    }
}
