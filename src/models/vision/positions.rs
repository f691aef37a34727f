//! Positions of patches, for another number of them than a model was trained with.

use candle_core::{Device, Tensor};

use crate::Result;

/// Positions of `side` by `side` patches, `(side side, width)`, out of those of `own` by `own`.
///
/// Source: `torch.nn.functional.interpolate` with `mode="bicubic"` and `align_corners=False`, as `transformers` calls it: for
/// DINOv2 without, for DINOv2 with registers with `antialias`.
pub(super) fn resampled(positions: &Tensor, own: usize, side: usize, antialias: bool) -> Result<Tensor> {
    if own == side {
        return Ok(positions.contiguous()?);
    }
    let width = positions.dim(1)?;
    let values = positions.flatten_all()?.to_vec1::<f32>()?;
    let taps: Vec<_> = (0..side)
        .map(|at| if antialias { smooth_taps(at, own, side) } else { taps(at, own, side) })
        .collect();
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

/// The cubic convolution kernel with the coefficient `a` (Keys, 1981).
fn kernel(a: f32, x: f32) -> f32 {
    let x = x.abs();
    if x < 1.0 {
        ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        ((a * x - 5.0 * a) * x + 8.0 * a) * x - 4.0 * a
    } else {
        0.0
    }
}

/// The four places that the place `at` of `side` is made of, and how much of each. What lies beyond an edge is the edge's.
fn taps(at: usize, own: usize, side: usize) -> Vec<(usize, f32)> {
    let centre = (at as f32 + 0.5) * (own as f32 / side as f32) - 0.5;
    let first = centre.floor() - 1.0;
    let place = |tap: f32| (tap.clamp(0.0, (own - 1) as f32) as usize, kernel(-0.75, centre - tap));
    [0.0, 1.0, 2.0, 3.0].map(|tap| place(first + tap)).to_vec()
}

/// The same with a kernel as wide as what becomes one place. What lies beyond an edge is left out.
fn smooth_taps(at: usize, own: usize, side: usize) -> Vec<(usize, f32)> {
    let scale = own as f32 / side as f32;
    let (centre, stretch) = ((at as f32 + 0.5) * scale, scale.max(1.0));
    let first = (centre - 2.0 * stretch + 0.5).max(0.0) as usize;
    let end = ((centre + 2.0 * stretch + 0.5) as usize).min(own);
    let weight = |place: usize| kernel(-0.5, (place as f32 + 0.5 - centre) / stretch);
    let sum: f32 = (first..end).map(weight).sum();
    (first..end).map(|place| (place, weight(place) / sum)).collect()
}
