//! Layer normalisation.

use super::math::sum;
use super::parallel::{self, Shared};
use super::simd::F32x4;

/// `(x - mean) / sqrt(variance + epsilon) * weight + bias` of each row of `weight.len()` numbers.
///
/// The variance is that of the differences from the mean. The mean of the squares less the square of the
/// mean would save a pass, but loses every digit where a row is nearly constant, and below zero with BLIP's
/// epsilon of 1e-12 gives what is not a number throughout.
///
/// `weight` and `bias` have the same length, and `x` is a multiple of it.
pub fn layer_norm(x: &[f32], weight: &[f32], bias: &[f32], epsilon: f32) -> Vec<f32> {
    let width = weight.len();
    assert!(width > 0 && bias.len() == width && x.len().is_multiple_of(width), "layer-norm: lengths differ");
    let mut y = vec![0.0; x.len()];
    let out = Shared::new(&mut y);
    parallel::ranges(x.len() / width, 4096 / width + 1, |rows| {
        for row in rows {
            // SAFETY: each row is given to one call only.
            let y = unsafe { out.slice(row * width, width) };
            normalise(&x[row * width..][..width], weight, bias, epsilon, y);
        }
    });
    y
}

fn normalise(x: &[f32], weight: &[f32], bias: &[f32], epsilon: f32, y: &mut [f32]) {
    let width = x.len();
    let mean = sum(x, |x| x, |x| x) / width as f32;
    let centre = F32x4::splat(mean);
    let square = |x: F32x4| x.sub(centre).mul(x.sub(centre));
    let variance = sum(x, square, |x| (x - mean) * (x - mean)) / width as f32;
    let scale = 1.0 / (variance + epsilon).sqrt();
    let whole = width - width % 4;
    for i in (0..whole).step_by(4) {
        // SAFETY: all four slices have `width` numbers, and `i + 4 <= width`.
        unsafe {
            let (w, b) = (F32x4::load(weight.as_ptr().add(i)), F32x4::load(bias.as_ptr().add(i)));
            let x = F32x4::load(x.as_ptr().add(i)).sub(centre).mul(F32x4::splat(scale));
            x.mul_add(w, b).store(y.as_mut_ptr().add(i));
        }
    }
    for i in whole..width {
        y[i] = (x[i] - mean) * scale * weight[i] + bias[i];
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    /// Largest difference from the same formula in f64, for outputs of about 1.
    const BOUND: f64 = 2e-5;

    fn norm(row: &[f32], epsilon: f32) -> Vec<f32> {
        let n = row.len();
        let ramp = |from: f32| (0..n).map(move |i| from + i as f32 / n as f32).collect::<Vec<_>>();
        layer_norm(row, &ramp(0.5), &ramp(-0.5), epsilon)
    }

    #[test]
    fn equals_the_formula_in_double_precision_for_every_width() {
        for n in 1..=70usize {
            // An offset of 30 deviations, as outlier rows of real models have.
            let row: Vec<f32> = (0..n).map(|i| 30.0 + ((i * 37 + 11) % 101) as f32 / 50.0).collect();
            let mean = row.iter().map(|&x| f64::from(x)).sum::<f64>() / n as f64;
            let variance = row.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / n as f64;
            for (i, &y) in norm(&row, 1e-5).iter().enumerate() {
                let step = i as f64 / n as f64;
                let expected =
                    (f64::from(row[i]) - mean) / (variance + 1e-5).sqrt() * (0.5 + step) + step - 0.5;
                assert!((f64::from(y) - expected).abs() <= BOUND, "width {n}: {y} instead of {expected}");
            }
        }
    }

    #[test]
    fn a_constant_row_gives_the_bias() {
        let y = norm(&[0.1; 9], 1e-12);
        assert!(y.iter().all(|y| y.is_finite() && y.abs() < 1.0), "{y:?}");
    }

    #[test]
    fn rows_do_not_touch_each_other() {
        let x = [1.0, 2.0, 3.0, -5.0, 0.0, 5.0];
        let (weight, bias) = ([1.0; 3], [0.0; 3]);
        let both = layer_norm(&x, &weight, &bias, 1e-5);
        let apart: Vec<f32> = x.chunks(3).flat_map(|row| layer_norm(row, &weight, &bias, 1e-5)).collect();
        assert_eq!(both, apart);
    }
}
