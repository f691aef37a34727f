//! The f32 tile, which linear layers and attention share, and how rows are divided into tiles.

use super::matrix::PANEL;
use super::simd::{F32x4, LANES};

/// The most rows of inputs that a tile takes.
pub(super) const TILE: usize = 4;
/// Vectors of four columns in a panel.
pub(super) const VECTORS: usize = PANEL / LANES;

/// How many of `left` rows the next tile takes, at most `most`: tiles of like size, because a last one of a row or
/// two would take as long as a whole one.
#[inline(always)]
pub(super) fn tile_rows(left: usize, most: usize) -> usize {
    left.div_ceil(left.div_ceil(most))
}

/// `R` rows of `x`, each `x_stride` numbers after the one before, times `depth` rows of 8 weights, each
/// `w_stride` numbers after the one before.
///
/// # Safety
/// `x` holds `(R - 1) x_stride + depth` numbers and `w` holds `(depth - 1) w_stride + 8`.
#[inline(always)]
pub(super) unsafe fn f32_tile<const R: usize>(
    x: &[f32],
    x_stride: usize,
    depth: usize,
    w: &[f32],
    w_stride: usize,
) -> [[F32x4; VECTORS]; R] {
    debug_assert!(depth == 0 || x.len() >= (R - 1) * x_stride + depth);
    debug_assert!(depth == 0 || w.len() >= (depth - 1) * w_stride + PANEL);
    let mut sums = [[F32x4::splat(0.0); VECTORS]; R];
    let mut rows = [x.as_ptr(); R];
    for (i, row) in rows.iter_mut().enumerate() {
        *row = row.wrapping_add(i * x_stride);
    }
    let mut w = w.as_ptr();
    let mut k = 0;
    while k < depth {
        // SAFETY: the caller's promise covers every row and column up to `depth`.
        unsafe {
            let weights = [F32x4::load(w), F32x4::load(w.add(LANES))];
            for i in 0..R {
                let x = F32x4::load_splat(rows[i].add(k));
                for j in 0..VECTORS {
                    sums[i][j] = x.mul_add(weights[j], sums[i][j]);
                }
            }
        }
        w = w.wrapping_add(w_stride);
        k += 1;
    }
    sums
}
