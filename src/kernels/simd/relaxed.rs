//! Dot products with relaxed SIMD.
//!
//! The instruction multiplies signed bytes with bytes of which it leaves open whether they are signed, so
//! those are kept in `0..=127`, where every machine gives the same answer.

use core::arch::wasm32::*;
use core::hint::black_box;

use super::{Dot, GROUP, I32x4, VECTOR};

/// Four products and their sum in one instruction: where the machine has it (AVX-VNNI, Arm's dot product),
/// nothing is faster.
#[derive(Clone, Copy)]
pub(crate) struct DotNative(v128);

/// The same by way of 16 bits: elsewhere the browser would build each sum out of five instructions.
#[derive(Clone, Copy)]
pub(crate) struct DotWidened(v128);

/// Whether [`DotNative`] is the faster way on this machine.
///
/// Machines without the instruction go through 16-bit sums that saturate, which shows in the answer to an
/// input that the tiles never have: 2 * 255 * 127 is more than 32767.
pub(crate) fn has_native_dot() -> bool {
    let sum = i32x4_relaxed_dot_i8x16_i7x16_add(
        black_box(i8x16_splat(127)),
        black_box(i8x16_splat(-1)),
        black_box(i32x4_splat(0)),
    );
    i32x4_extract_lane::<0>(sum) != 2 * i32::from(i16::MAX)
}

impl Dot for DotNative {
    type Weights = v128;
    type Inputs = v128;
    const VECTORS: usize = 4;
    const TWO_STEPS: bool = true;

    #[inline(always)]
    fn zero() -> Self {
        Self(i32x4_splat(0))
    }

    #[inline(always)]
    unsafe fn weights(weights: *const i8) -> v128 {
        // SAFETY: the caller's promise; wasm loads need no alignment.
        unsafe { v128_load(weights.cast()) }
    }

    #[inline(always)]
    unsafe fn inputs(inputs: *const u8) -> v128 {
        // SAFETY: the caller's promise; wasm loads need no alignment.
        unsafe { v128_load32_splat(inputs.cast()) }
    }

    #[inline(always)]
    fn add(self, weights: [v128; 2], inputs: [v128; 2]) -> Self {
        let first = i32x4_relaxed_dot_i8x16_i7x16_add(weights[0], inputs[0], self.0);
        Self(i32x4_relaxed_dot_i8x16_i7x16_add(weights[1], inputs[1], first))
    }

    /// One group after the other: with twelve sums there are no registers for the weights of both.
    #[inline(always)]
    unsafe fn step<const R: usize, const V: usize>(
        sums: &mut [[Self; V]; R],
        inputs: [*const u8; R],
        weights: *const i8,
        [group, panel]: [usize; 2],
    ) {
        for g in 0..2 {
            // SAFETY: the caller's promise.
            unsafe {
                let mut here = [i32x4_splat(0); V];
                for (j, here) in here.iter_mut().enumerate() {
                    *here = Self::weights(weights.add(g * group + j / 2 * panel + j % 2 * VECTOR));
                }
                for (sums, inputs) in sums.iter_mut().zip(inputs) {
                    let inputs = Self::inputs(inputs.add(g * GROUP));
                    for (sum, weights) in sums.iter_mut().zip(here) {
                        sum.0 = i32x4_relaxed_dot_i8x16_i7x16_add(weights, inputs, sum.0);
                    }
                }
            }
        }
    }

    #[inline(always)]
    fn sums(self) -> I32x4 {
        I32x4(self.0)
    }
}

impl Dot for DotWidened {
    type Weights = v128;
    type Inputs = v128;
    const VECTORS: usize = 2;
    const TWO_STEPS: bool = false;

    #[inline(always)]
    fn zero() -> Self {
        Self(i32x4_splat(0))
    }

    #[inline(always)]
    unsafe fn weights(weights: *const i8) -> v128 {
        // SAFETY: the caller's promise; wasm loads need no alignment.
        unsafe { v128_load(weights.cast()) }
    }

    #[inline(always)]
    unsafe fn inputs(inputs: *const u8) -> v128 {
        // SAFETY: the caller's promise; wasm loads need no alignment.
        unsafe { v128_load32_splat(inputs.cast()) }
    }

    #[inline(always)]
    fn add(self, weights: [v128; 2], inputs: [v128; 2]) -> Self {
        let first = i16x8_relaxed_dot_i8x16_i7x16(weights[0], inputs[0]);
        let second = i16x8_relaxed_dot_i8x16_i7x16(weights[1], inputs[1]);
        // Weights are packed so that this does not overflow: one widening serves both.
        let both = i16x8_add(first, second);
        Self(i32x4_add(self.0, i32x4_dot_i16x8(both, i16x8_splat(1))))
    }

    #[inline(always)]
    fn sums(self) -> I32x4 {
        I32x4(self.0)
    }
}
