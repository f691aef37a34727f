//! Positions of patches, for another number of them than a model was trained with.

use candle_core::{Device, Tensor};

use crate::Result;

/// The coefficient of the cubic convolution that PyTorch interpolates with (Keys, 1981).
const A: f32 = -0.75;

/// Positions of `side` by `side` patches, `(side side, width)`, out of those of `own` by `own`.
///
/// Source: `torch.nn.functional.interpolate` with `mode="bicubic"` and `align_corners=False`, as `transformers` calls it for
/// DINOv2 and ViT; what lies beyond an edge is the edge's.
pub(super) fn resampled(positions: &Tensor, own: usize, side: usize) -> Result<Tensor> {
    if own == side {
        return Ok(positions.contiguous()?);
    }
    let width = positions.dim(1)?;
    let values = positions.flatten_all()?.to_vec1::<f32>()?;
    let taps: Vec<_> = (0..side).map(|at| taps(at, own, side)).collect();
    let mut resampled = vec![0.0; side * side * width];
    for (place, sum) in resampled.chunks_exact_mut(width.max(1)).enumerate() {
        let (rows, columns) = (&taps[place / side], &taps[place % side]);
        for &(row, down) in rows {
            for &(column, across) in columns {
                let from = &values[(row * own + column) * width..][..width];
                for (sum, value) in sum.iter_mut().zip(from) {
                    *sum += down * across * value;
                }
            }
        }
    }
    Ok(Tensor::from_vec(resampled, (side * side, width), &Device::Cpu)?)
}

/// The four places that the place `at` of `side` is made of, and how much of each.
fn taps(at: usize, own: usize, side: usize) -> [(usize, f32); 4] {
    let centre = (at as f32 + 0.5) * (own as f32 / side as f32) - 0.5;
    let (floor, fraction) = (centre.floor(), centre - centre.floor());
    let near = |x: f32| ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0;
    let far = |x: f32| ((A * x - 5.0 * A) * x + 8.0 * A) * x - 4.0 * A;
    let weights = [far(fraction + 1.0), near(fraction), near(1.0 - fraction), far(2.0 - fraction)];
    let place = |tap: usize| (floor + tap as f32 - 1.0).clamp(0.0, (own - 1) as f32) as usize;
    [0, 1, 2, 3].map(|tap| (place(tap), weights[tap]))
}
