//! The tiles of int8: a few rows of quantised inputs by one panel of weights or two.

use std::ops::Range;

use super::gemm::{Layer, Out, PanelEpilogue, eight};
use super::matrix::{Int8, PANEL, STEP};
use super::quantize::QuantizedRows;
use super::simd::{Dot, F32x4, GROUP, VECTOR};
use super::tile::{TILE, VECTORS, tile_rows};

/// Rows that a tile of two panels takes: its twelve sums are what registers hold, and what the machine needs to have
/// under way at a time.
const WIDE_ROWS: usize = 3;

/// Rows of `x` times a panel of int8 weights, or two where a tile takes two and there is a second one. Returns how
/// many it took. `sums` is room for the sums of the weights that each term of `x` meets.
pub(super) fn int8_panels<D: Dot>(
    x: QuantizedRows<'_>,
    weights: &Int8,
    layer: &Layer<'_>,
    panels: Range<usize>,
    rows: Range<usize>,
    out: Out<'_>,
    sums: &mut Vec<F32x4>,
) -> usize {
    let columns = layer.weight.columns();
    let padded = columns.next_multiple_of(STEP);
    let blocks = columns.div_ceil(layer.weight.block);
    let panel = panels.start;
    let end =
        |panel: usize| PanelEpilogue::new(layer, panel, Some(&weights.scales[panel * PANEL..][..PANEL]));
    let first = end(panel);
    // For a few rows, as in decoding, one stream of weights at a time comes from memory faster than two.
    let pair = D::VECTORS > VECTORS && panels.len() > 1 && rows.len() > TILE;
    let second = pair.then(|| end(panel + 1));
    let count = 1 + usize::from(pair);
    sums.clear();
    for term in x.terms() {
        for panel in panel..panel + count {
            let mut sum = [F32x4::splat(0.0); VECTORS];
            for block in
                weights.sums[(panel * blocks + term.block) * PANEL..].chunks_exact(PANEL).take(term.blocks)
            {
                let [low, high] = eight(block);
                sum = [sum[0].add(low), sum[1].add(high)];
            }
            sums.extend(sum);
        }
    }
    let w = Int8Panel {
        weights: &weights.weights[panel * padded * PANEL..],
        sums,
        columns,
        block: layer.weight.block,
    };
    // Where tiles put their sums: made once, because clearing memory is a call in the browser.
    let mut tile: Tile = [[F32x4::splat(0.0); 2 * VECTORS]; TILE];
    let (mut row, last) = (rows.start, rows.end);
    while row < last {
        let rows = tile_rows(last - row, if second.is_some() { WIDE_ROWS } else { TILE });
        if second.is_some() {
            match rows {
                1 => int8_tile::<D, 1, { 2 * VECTORS }, 0>(x, row, w, &mut tile),
                2 => int8_tile::<D, 2, { 2 * VECTORS }, 0>(x, row, w, &mut tile),
                _ => int8_tile::<D, WIDE_ROWS, { 2 * VECTORS }, 0>(x, row, w, &mut tile),
            }
        } else {
            match rows {
                1 => int8_panel::<D, 1>(x, row, w, &mut tile),
                2 => int8_panel::<D, 2>(x, row, w, &mut tile),
                3 => int8_panel::<D, 3>(x, row, w, &mut tile),
                _ => int8_panel::<D, TILE>(x, row, w, &mut tile),
            }
        }
        first.write::<{ 2 * VECTORS }, 0>(&tile[..rows], row, out);
        if let Some(second) = &second {
            second.write::<{ 2 * VECTORS }, VECTORS>(&tile[..rows], row, out);
        }
        row += rows;
    }
    count
}

/// Eight rows of int8 weights, and those after them.
#[derive(Clone, Copy)]
struct Int8Panel<'a> {
    weights: &'a [i8],
    /// By term of the inputs, panel and row.
    sums: &'a [F32x4],
    columns: usize,
    /// Columns of a block.
    block: usize,
}

/// Sums of the rows of a tile by two panels.
type Tile = [[F32x4; 2 * VECTORS]; TILE];

/// Rows `row..row + R` of `x` times one panel.
#[inline(always)]
fn int8_panel<D: Dot, const R: usize>(x: QuantizedRows<'_>, row: usize, w: Int8Panel<'_>, sums: &mut Tile) {
    if D::VECTORS >= VECTORS {
        int8_tile::<D, R, VECTORS, 0>(x, row, w, sums);
    } else {
        int8_tile::<D, R, 1, 0>(x, row, w, sums);
        int8_tile::<D, R, 1, 1>(x, row, w, sums);
    }
}

/// Rows `row..row + R` of `x` times `V` vectors of four rows of weights, from vector `FIRST` on: still to be
/// multiplied with the scales of these rows.
///
/// A function of its own, so that browsers have all registers for its sums; and without a check or a branch between
/// them, so that the compiler unrolls what comes after each block.
#[inline(never)]
fn int8_tile<D: Dot, const R: usize, const V: usize, const FIRST: usize>(
    x: QuantizedRows<'_>,
    row: usize,
    w: Int8Panel<'_>,
    sums: &mut Tile,
) {
    let terms = x.terms().len();
    let padded = w.columns.next_multiple_of(STEP);
    let panels = (FIRST + V).div_ceil(VECTORS);
    assert!(row + R <= x.count());
    assert!(w.weights.len() >= panels * padded * PANEL && w.sums.len() >= terms * panels * VECTORS);
    let mut out = [[F32x4::splat(0.0); V]; R];
    let starts: [*const u8; R] = std::array::from_fn(|i| x.row(row + i));
    let mut params = x.params(row).as_ptr();
    for (p, term) in x.terms().iter().enumerate() {
        let begin = term.block * w.block;
        assert!(begin + term.len <= padded);
        let mut acc = [[D::zero(); V]; R];
        // SAFETY: the term's bytes lie within each of the `R` rows; each panel has 8 weights for
        // each of its columns, of which the term has `term.len` from `begin` on, and 8 sums for each term. Each row has
        // as many parameters as there are terms.
        unsafe {
            let rows = starts.map(|row| row.add(term.at));
            let weights = w.weights.as_ptr().add(begin * PANEL + FIRST * VECTOR);
            let mut k = 0;
            // Plain loops: the iterator of every eighth number costs a comparison more.
            let mut step = |k: usize| {
                let inputs = rows.map(|row| row.add(k));
                D::step::<R, V>(&mut acc, inputs, weights.add(k * PANEL), [GROUP * PANEL, padded * PANEL]);
            };
            while D::TWO_STEPS && k + STEP < term.len {
                step(k);
                step(k + STEP);
                k += 2 * STEP;
            }
            while k < term.len {
                step(k);
                k += STEP;
            }
            let offsets = w.sums.as_ptr().add(p * panels * VECTORS + FIRST);
            for i in 0..R {
                let [scale, min] = *params.add(i * terms);
                for j in 0..V {
                    let sum = (*offsets.add(j)).mul_add(F32x4::splat(min), out[i][j]);
                    out[i][j] = acc[i][j].sums().to_f32().mul_add(F32x4::splat(scale), sum);
                }
            }
            params = params.add(1);
        }
    }
    for (sums, out) in sums.iter_mut().zip(out) {
        sums[FIRST..FIRST + V].copy_from_slice(&out);
    }
}
