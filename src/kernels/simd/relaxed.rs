//! Dot products with relaxed SIMD.
//!
//! The instruction multiplies signed bytes with bytes of which it leaves open whether they are signed, so
//! those are kept in `0..=127`, where every machine gives the same answer.

use core::arch::wasm32::*;
use core::hint::black_box;

use super::{Dot, I32x4};

/// Four products and their sum in one instruction: where the machine has it (AVX-VNNI, Arm's dot product),
/// nothing is faster.
#[derive(Clone, Copy)]
pub(in crate::kernels) struct DotNative(v128);

/// The same in two steps, which the browser would otherwise build out of five instructions.
#[derive(Clone, Copy)]
pub(in crate::kernels) struct DotWidened(v128);

/// Whether [`DotNative`] is the faster way on this machine.
///
/// Machines without the instruction go through 16-bit sums that saturate, which shows in the answer to an
/// input that the tiles never have: 2 * 255 * 127 is more than 32767.
pub(in crate::kernels) fn has_native_dot() -> bool {
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
    const VECTORS: usize = 2;

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
    fn add(self, weights: v128, inputs: v128) -> Self {
        Self(i32x4_relaxed_dot_i8x16_i7x16_add(weights, inputs, self.0))
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
    fn add(self, weights: v128, inputs: v128) -> Self {
        // At most 2 * 127 * 127, so the 16 bits do not overflow.
        let pairs = i16x8_relaxed_dot_i8x16_i7x16(weights, inputs);
        Self(i32x4_add(self.0, i32x4_dot_i16x8(pairs, i16x8_splat(1))))
    }

    #[inline(always)]
    fn sums(self) -> I32x4 {
        I32x4(self.0)
    }
}
