//! Activation functions, by the names that `hidden_act` gives them.

use super::math::{exp, map, normal_tail, sigmoid};
use super::simd::F32x4;

/// An element-wise non-linearity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// `x * sigmoid(1.702 x)`, of the original CLIP.
    QuickGelu,
    /// `x * Phi(x)` with the exact error function.
    Gelu,
    /// GELU with a hyperbolic tangent in place of the error function.
    GeluTanh,
    /// `max(x, 0)`.
    Relu,
    /// `min(max(x, 0), 6)`.
    Relu6,
    /// `x * sigmoid(x)`.
    Silu,
}

impl Activation {
    /// The activation that the reference calls `name`, if it is one of these.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "quick_gelu" => Self::QuickGelu,
            "gelu" | "gelu_python" => Self::Gelu,
            "gelu_new" | "gelu_pytorch_tanh" | "gelu_python_tanh" | "gelu_fast" => Self::GeluTanh,
            "relu" => Self::Relu,
            "relu6" => Self::Relu6,
            "silu" | "swish" => Self::Silu,
            _ => return None,
        })
    }

    /// What this project calls it: a name that [`Activation::from_name`] knows.
    pub fn name(self) -> &'static str {
        match self {
            Self::QuickGelu => "quick_gelu",
            Self::Gelu => "gelu",
            Self::GeluTanh => "gelu_pytorch_tanh",
            Self::Relu => "relu",
            Self::Relu6 => "relu6",
            Self::Silu => "silu",
        }
    }

    /// Replaces each value by its activation, off by at most 1e-6 times the larger of 1 and |x|.
    pub fn apply(self, values: &mut [f32]) {
        // The match is outside of the loops, so that each of them is free of it.
        match self {
            Self::QuickGelu => map(values, quick_gelu),
            Self::Gelu => map(values, gelu),
            Self::GeluTanh => map(values, gelu_tanh),
            Self::Relu => map(values, relu),
            Self::Relu6 => map(values, relu6),
            Self::Silu => map(values, silu),
        }
    }

    /// Of an activation that only clamps: between what. NaN stays what it is.
    pub(super) fn bounds(self) -> Option<[f32; 2]> {
        match self {
            Self::Relu => Some([0.0, f32::INFINITY]),
            Self::Relu6 => Some([0.0, 6.0]),
            _ => None,
        }
    }

    /// The derivative at `x`, off by at most 1e-6 times the larger of 1 and |x|.
    pub fn slope(self, x: f32) -> f32 {
        // Of `x sigmoid(u)`, where `u` has the derivative `slope`.
        let gated = |u: f32, slope: f32| {
            let gate = 1.0 / (1.0 + (-u).exp());
            gate + x * gate * (1.0 - gate) * slope
        };
        match self {
            Self::QuickGelu => gated(1.702 * x, 1.702),
            Self::Gelu => {
                let tail = normal_tail(F32x4::splat(x.abs())).to_array()[0];
                let below = if x < 0.0 { tail } else { 1.0 - tail };
                // The density has the factor 1 / sqrt(2 pi).
                below + x * 0.398_942_3 * (-0.5 * x * x).exp()
            }
            Self::GeluTanh => {
                let square = 0.044_715 * x * x;
                gated(TANH_SCALE * x * (1.0 + square), TANH_SCALE * (1.0 + 3.0 * square))
            }
            Self::Relu => f32::from(x > 0.0),
            Self::Relu6 => f32::from(x > 0.0 && x < 6.0),
            Self::Silu => gated(x, 1.0),
        }
    }
}

#[inline(always)]
fn quick_gelu(x: F32x4) -> F32x4 {
    x.div(F32x4::splat(1.0).add(exp(x.mul(F32x4::splat(-1.702)))))
}

/// `x Phi(x)`, as `max(x, 0) - |x| (1 - Phi(|x|))`: nothing cancels, so small results keep their digits.
#[inline(always)]
fn gelu(x: F32x4) -> F32x4 {
    let magnitude = x.abs();
    x.max(F32x4::splat(0.0)).sub(magnitude.mul(normal_tail(magnitude)))
}

/// `2 sqrt(2 / pi)`
const TANH_SCALE: f32 = 1.595_769;

/// `x / 2 (1 + tanh(u))` is `x sigmoid(2 u)`.
#[inline(always)]
fn gelu_tanh(x: F32x4) -> F32x4 {
    let scale = F32x4::splat(TANH_SCALE);
    let cubic = x.mul(x).mul_add(F32x4::splat(0.044_715), F32x4::splat(1.0));
    x.mul(sigmoid(x.mul(scale).mul(cubic)))
}

#[inline(always)]
fn relu(x: F32x4) -> F32x4 {
    x.at_least(F32x4::splat(0.0))
}

#[inline(always)]
fn relu6(x: F32x4) -> F32x4 {
    relu(x).at_most(F32x4::splat(6.0))
}

#[inline(always)]
fn silu(x: F32x4) -> F32x4 {
    x.mul(sigmoid(x))
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use libm::erf;

    use super::*;

    /// Largest difference from the same formula in f64, for inputs in -12..=12.
    const BOUND: f64 = 1e-6;

    type Formula = fn(f64) -> f64;

    /// Each activation in double precision, by its name.
    const FORMULAS: [(&str, Formula); 6] = [
        ("quick_gelu", |x| x * sigmoid(1.702 * x)),
        ("gelu", |x| 0.5 * x * (1.0 + erf(x / 2f64.sqrt()))),
        ("gelu_new", |x| {
            0.5 * x * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x.powi(3))).tanh())
        }),
        ("relu", |x| x.max(0.0)),
        ("relu6", |x| x.clamp(0.0, 6.0)),
        ("silu", |x| x * sigmoid(x)),
    ];

    fn sigmoid(x: f64) -> f64 {
        1.0 / (1.0 + (-x).exp())
    }

    #[test]
    fn slopes_are_those_of_the_formula() {
        const STEP: f64 = 1e-5;
        for (name, formula) in FORMULAS {
            let Some(activation) = Activation::from_name(name) else { unreachable!("{name} is known") };
            // No zero among them, where one of the formulas has no slope.
            for x in (-12_000..12_000).map(|i| (i as f32 + 0.5) / 1000.0) {
                let at = f64::from(x);
                let expected = (formula(at + STEP) - formula(at - STEP)) / (2.0 * STEP);
                let difference = (f64::from(activation.slope(x)) - expected).abs();
                assert!(difference <= BOUND * at.abs().max(1.0), "{name}'({x}): off by {difference}");
            }
            let last = if name == "relu6" { 0.0 } else { 1.0 };
            assert!(activation.slope(-1e4).abs() < 1e-30 && activation.slope(1e4) == last, "{name}");
        }
    }

    #[test]
    fn equals_the_formula_in_double_precision() {
        let inputs: Vec<f32> = (-12_000..=12_000).map(|i| i as f32 / 1000.0).collect();
        for (name, formula) in FORMULAS {
            let Some(activation) = Activation::from_name(name) else { unreachable!("{name} is known") };
            let mut values = inputs.clone();
            activation.apply(&mut values);
            for (&x, &y) in inputs.iter().zip(&values) {
                let difference = (f64::from(y) - formula(f64::from(x))).abs();
                assert!(
                    difference <= BOUND * f64::from(x).abs().max(1.0),
                    "{name}({x}): off by {difference}"
                );
            }
        }
    }

    #[test]
    fn rectifiers_keep_what_is_not_a_number() {
        for activation in [Activation::Relu, Activation::Relu6] {
            let mut values = [f32::NAN, 1.0, -1.0, 7.0, f32::NAN];
            activation.apply(&mut values);
            assert!(values[0].is_nan() && values[4].is_nan(), "{activation:?}: {values:?}");
        }
    }

    #[test]
    fn keeps_infinities_and_large_numbers_finite_where_the_limit_is() {
        for name in ["quick_gelu", "gelu", "gelu_new", "relu", "silu"] {
            let Some(activation) = Activation::from_name(name) else { unreachable!("{name} is known") };
            let mut values = [-1e4, 1e4];
            activation.apply(&mut values);
            assert!(values[0].abs() < 1e-30 && values[1] == 1e4, "{name}: {values:?}");
        }
        assert_eq!(Activation::from_name("tanh"), None);
    }
}
