//! Dot products with plain 128-bit SIMD: bytes are widened to 16 bits first.

use core::arch::wasm32::*;

use super::{Dot, I32x4};

/// Pairs of products, of the first two columns and of the last two.
#[derive(Clone, Copy)]
pub(crate) struct DotWidened(v128, v128);

/// There is only one way here.
pub(crate) type DotNative = DotWidened;

/// There is only one way here.
pub(crate) fn has_native_dot() -> bool {
    false
}

impl Dot for DotWidened {
    type Weights = (v128, v128);
    type Inputs = v128;
    // Two registers for each sum: a tile twice as wide would not fit the machine.
    const VECTORS: usize = 1;
    const TWO_STEPS: bool = false;

    #[inline(always)]
    fn zero() -> Self {
        Self(i32x4_splat(0), i32x4_splat(0))
    }

    #[inline(always)]
    unsafe fn weights(weights: *const i8) -> (v128, v128) {
        // SAFETY: the caller's promise; wasm loads need no alignment.
        unsafe { (i16x8_load_extend_i8x8(weights), i16x8_load_extend_i8x8(weights.add(8))) }
    }

    #[inline(always)]
    unsafe fn inputs(inputs: *const u8) -> v128 {
        // SAFETY: the caller's promise; wasm loads need no alignment.
        i16x8_extend_low_u8x16(unsafe { v128_load32_splat(inputs.cast()) })
    }

    #[inline(always)]
    fn add(self, weights: [(v128, v128); 2], inputs: [v128; 2]) -> Self {
        let mut sums = self;
        for ((low, high), inputs) in weights.into_iter().zip(inputs) {
            sums.0 = i32x4_add(sums.0, i32x4_dot_i16x8(low, inputs));
            sums.1 = i32x4_add(sums.1, i32x4_dot_i16x8(high, inputs));
        }
        sums
    }

    #[inline(always)]
    fn sums(self) -> I32x4 {
        let even = i32x4_shuffle::<0, 2, 4, 6>(self.0, self.1);
        let odd = i32x4_shuffle::<1, 3, 5, 7>(self.0, self.1);
        I32x4(i32x4_add(even, odd))
    }
}
