//! Logarithms of probabilities.

use super::math::{exp, min_max, sum};
use super::simd::F32x4;

/// The logarithm of the softmax of `x`: `(x - max) - ln(sum e^(x - max))`, where `max` is the largest of `x`.
pub fn log_softmax(x: &[f32]) -> Vec<f32> {
    let max = min_max(x).1;
    let shift = F32x4::splat(max);
    let log_sum = sum(x, |x| exp(x.sub(shift)), |x| (x - max).exp()).ln();
    x.iter().map(|x| (x - max) - log_sum).collect()
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    /// Largest relative error against the formula in f64.
    const BOUND: f64 = 1e-6;

    #[test]
    fn equals_the_formula_over_odd_lengths() {
        for (len, spread) in (1..40).flat_map(|len| [(len, 1.0), (len, 30.0)]).chain([(30_524, 8.0)]) {
            let x: Vec<f32> =
                (0..len).map(|i| (((i * 7919 + 13) % 2003) as f32 / 1000.0 - 1.0) * spread).collect();
            let max = x.iter().copied().fold(f32::MIN, f32::max);
            let log_sum = x.iter().map(|&x| f64::from(x - max).exp()).sum::<f64>().ln();
            for (x, y) in x.iter().zip(log_softmax(&x)) {
                let expected = f64::from(*x) - f64::from(max) - log_sum;
                let error = (f64::from(y) - expected).abs() / expected.abs().max(1.0);
                assert!(error <= BOUND, "{len} numbers: {y} instead of {expected}");
            }
        }
        assert!(log_softmax(&[]).is_empty());
        assert_eq!(log_softmax(&[3.0]), [0.0]);
    }
}
