//! Exponential and error function, four numbers at a time.

use super::simd::F32x4;

/// `e^x` with a relative error below [`EXP_BOUND`] for x in -87..=88; smaller x give e^-87, larger ones e^88.
///
/// `x = n ln 2 + r` with a whole `n` and |r| <= ln 2 / 2; `e^r` is the polynomial of the Cephes library
/// (Moshier, `expf.c`), and `2^n` is added to the exponent bits.
#[inline(always)]
pub(super) fn exp(x: F32x4) -> F32x4 {
    const LOG2_E: f32 = std::f32::consts::LOG2_E;
    // ln 2 as the sum of a short number, whose product with `n` is exact, and a correction.
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    const POLYNOMIAL: [f32; 5] = [1.398_2e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 5e-1];
    const FIRST: f32 = 1.987_569_2e-4;

    let x = x.min(F32x4::splat(88.0)).max(F32x4::splat(-87.0));
    // Adding 1.5 * 2^23 rounds to a whole number and leaves it in the lowest bits.
    let round = F32x4::splat(12_582_912.0);
    let shifted = x.mul_add(F32x4::splat(LOG2_E), round);
    let n = shifted.sub(round);
    let r = n.mul_add(F32x4::splat(-LN2_HIGH), x);
    let r = n.mul_add(F32x4::splat(-LN2_LOW), r);
    let mut y = F32x4::splat(FIRST);
    for coefficient in POLYNOMIAL {
        y = y.mul_add(r, F32x4::splat(coefficient));
    }
    let y = y.mul_add(r.mul(r), r).add(F32x4::splat(1.0));
    F32x4::from_bits(y.to_bits().add(shifted.to_bits().shl::<23>()))
}

/// `1 / (1 + e^-x)`.
#[inline(always)]
pub(super) fn sigmoid(x: F32x4) -> F32x4 {
    let one = F32x4::splat(1.0);
    one.div(one.add(exp(F32x4::splat(0.0).sub(x))))
}

/// The upper tail of the normal distribution, `1 - Phi(x)` for x >= 0, with an absolute error below
/// [`TAIL_BOUND`].
///
/// Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26, with `erf(z)`, `z = x / sqrt(2)`:
/// `1 - Phi(x) = erfc(z) / 2`, `erfc(z) = (a1 t + ... + a5 t^5) e^-z^2`, `t = 1 / (1 + p z)`.
#[inline(always)]
pub(super) fn normal_tail(x: F32x4) -> F32x4 {
    const P: f32 = 0.327_591_1 * std::f32::consts::FRAC_1_SQRT_2;
    const A: [f32; 4] = [-1.453_152, 1.421_413_7, -0.284_496_74, 0.254_829_6];
    const A5: f32 = 1.061_405_4;
    let one = F32x4::splat(1.0);
    let t = one.div(x.mul_add(F32x4::splat(P), one));
    let mut y = F32x4::splat(A5);
    for a in A {
        y = y.mul_add(t, F32x4::splat(a));
    }
    let gauss = exp(x.mul(x).mul(F32x4::splat(-0.5)));
    y.mul(t).mul(gauss).mul(F32x4::splat(0.5))
}

/// Replaces each of `values` by `f` of it.
#[inline(always)]
pub(super) fn map(values: &mut [f32], f: impl Fn(F32x4) -> F32x4) {
    let mut chunks = values.chunks_exact_mut(4);
    for chunk in &mut chunks {
        // SAFETY: the chunk has 4 numbers.
        unsafe { f(F32x4::load(chunk.as_ptr())).store(chunk.as_mut_ptr()) }
    }
    let rest = chunks.into_remainder();
    if !rest.is_empty() {
        let mut four = [0.0; 4];
        four[..rest.len()].copy_from_slice(rest);
        // SAFETY: the array has 4 numbers.
        unsafe { f(F32x4::load(four.as_ptr())).store(four.as_mut_ptr()) }
        rest.copy_from_slice(&four[..rest.len()]);
    }
}

/// The sum of `f` over `values`, in eight interleaved sums: faster and closer than one.
#[inline(always)]
pub(super) fn sum(values: &[f32], f: impl Fn(F32x4) -> F32x4, one: impl Fn(f32) -> f32) -> f32 {
    let mut sums = [F32x4::splat(0.0); 2];
    let chunks = values.chunks_exact(8);
    let rest: f32 = chunks.remainder().iter().map(|&x| one(x)).sum();
    for chunk in chunks {
        for (i, sum) in sums.iter_mut().enumerate() {
            // SAFETY: the chunk has 8 numbers.
            *sum = sum.add(f(unsafe { F32x4::load(chunk.as_ptr().add(4 * i)) }));
        }
    }
    sums[0].add(sums[1]).to_array().iter().sum::<f32>() + rest
}

/// The smallest and the largest of `values`; infinities the wrong way round where there are none.
#[inline(always)]
pub(super) fn min_max(values: &[f32]) -> (f32, f32) {
    let (mut min, mut max) = (F32x4::splat(f32::INFINITY), F32x4::splat(f32::NEG_INFINITY));
    let chunks = values.chunks_exact(4);
    let rest = chunks.remainder();
    for chunk in chunks {
        // SAFETY: the chunk has 4 numbers.
        let x = unsafe { F32x4::load(chunk.as_ptr()) };
        (min, max) = (min.min(x), max.max(x));
    }
    let all = min.to_array().into_iter().chain(rest.iter().copied()).fold(f32::INFINITY, f32::min);
    (all, max.to_array().into_iter().chain(rest.iter().copied()).fold(f32::NEG_INFINITY, f32::max))
}

/// Largest relative error of [`exp`].
#[cfg(test)]
pub(super) const EXP_BOUND: f64 = 3e-7;
/// Largest absolute error of [`normal_tail`].
#[cfg(test)]
pub(super) const TAIL_BOUND: f64 = 3e-7;

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use libm::erf;

    use super::*;

    fn four(x: f32, f: impl Fn(F32x4) -> F32x4) -> f64 {
        f64::from(f(F32x4::splat(x)).to_array()[2])
    }

    #[test]
    fn exp_equals_the_exponential_in_double_precision() {
        let mut worst = 0f64;
        for i in -87_000..=88_000 {
            let x = i as f32 / 1000.0;
            let expected = f64::from(x).exp();
            worst = worst.max((four(x, exp) - expected).abs() / expected);
        }
        assert!(worst <= EXP_BOUND, "relative error {worst}");
        assert_eq!(four(0.0, exp), 1.0);
        assert!(four(-1e30, exp) < 1e-37 && four(1e30, exp).is_finite());
    }

    #[test]
    fn normal_tail_equals_the_error_function_in_double_precision() {
        for i in 0..=20_000 {
            let x = i as f32 / 1000.0;
            let expected = 0.5 * (1.0 - erf(f64::from(x) / 2f64.sqrt()));
            let error = (four(x, normal_tail) - expected).abs();
            assert!(error <= TAIL_BOUND, "at {x}: off by {error}");
        }
    }

    #[test]
    fn reductions_take_every_number_whatever_their_count() {
        for n in 1..40usize {
            let values: Vec<f32> = (0..n).map(|i| ((i * 7 + 3) % 11) as f32 - 5.0).collect();
            let expected: f32 = values.iter().sum();
            assert_eq!(sum(&values, |x| x, |x| x), expected);
            let (min, max) = min_max(&values);
            assert_eq!(min, values.iter().copied().fold(f32::INFINITY, f32::min));
            assert_eq!(max, values.iter().copied().fold(f32::NEG_INFINITY, f32::max));
            let mut doubled = values.clone();
            map(&mut doubled, |x| x.add(x));
            assert!(values.iter().zip(&doubled).all(|(a, b)| a + a == *b));
        }
    }
}
