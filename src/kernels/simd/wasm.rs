//! Vectors of wasm's 128-bit SIMD.

use core::arch::wasm32::*;

/// Four f32.
#[derive(Clone, Copy)]
pub(crate) struct F32x4(pub(super) v128);

/// Four i32.
#[derive(Clone, Copy)]
pub(crate) struct I32x4(pub(super) v128);

/// Eight i16.
#[derive(Clone, Copy)]
pub(crate) struct I16x8(v128);

impl F32x4 {
    #[inline(always)]
    pub fn splat(x: f32) -> Self {
        Self(f32x4_splat(x))
    }

    /// # Safety
    /// `from` points at 4 readable f32.
    #[inline(always)]
    pub unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller's promise; wasm loads need no alignment.
        Self(unsafe { v128_load(from.cast()) })
    }

    /// The number at `from` in every lane.
    ///
    /// # Safety
    /// `from` points at a readable f32.
    #[inline(always)]
    pub unsafe fn load_splat(from: *const f32) -> Self {
        // SAFETY: the caller's promise; wasm loads need no alignment.
        Self(unsafe { v128_load32_splat(from.cast()) })
    }

    /// # Safety
    /// `to` points at 4 writable f32.
    #[inline(always)]
    pub unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller's promise; wasm stores need no alignment.
        unsafe { v128_store(to.cast(), self.0) }
    }

    #[inline(always)]
    pub fn add(self, other: Self) -> Self {
        Self(f32x4_add(self.0, other.0))
    }

    #[inline(always)]
    pub fn sub(self, other: Self) -> Self {
        Self(f32x4_sub(self.0, other.0))
    }

    #[inline(always)]
    pub fn mul(self, other: Self) -> Self {
        Self(f32x4_mul(self.0, other.0))
    }

    #[inline(always)]
    pub fn div(self, other: Self) -> Self {
        Self(f32x4_div(self.0, other.0))
    }

    /// `self * factor + addend`.
    #[inline(always)]
    pub fn mul_add(self, factor: Self, addend: Self) -> Self {
        #[cfg(target_feature = "relaxed-simd")]
        return Self(f32x4_relaxed_madd(self.0, factor.0, addend.0));
        #[cfg(not(target_feature = "relaxed-simd"))]
        return self.mul(factor).add(addend);
    }

    /// `low` where a lane is below it. NaN stays.
    ///
    /// Not by `f32x4_pmax`: with relaxed SIMD the compiler makes `f32x4.relaxed_max` of it, which may pass over NaN.
    #[inline(always)]
    pub fn at_least(self, low: Self) -> Self {
        Self(v128_bitselect(low.0, self.0, f32x4_lt(self.0, low.0)))
    }

    /// `high` where a lane is above it. NaN stays.
    #[inline(always)]
    pub fn at_most(self, high: Self) -> Self {
        Self(v128_bitselect(high.0, self.0, f32x4_gt(self.0, high.0)))
    }

    /// The smaller of each pair; either of them where one is not a number.
    #[inline(always)]
    pub fn min(self, other: Self) -> Self {
        // One instruction on every machine, unlike `f32x4_min`, which has to look for NaN.
        Self(f32x4_pmin(other.0, self.0))
    }

    /// The larger of each pair; either of them where one is not a number.
    #[inline(always)]
    pub fn max(self, other: Self) -> Self {
        Self(f32x4_pmax(other.0, self.0))
    }

    #[inline(always)]
    pub fn abs(self) -> Self {
        Self(f32x4_abs(self.0))
    }

    /// Each lane plus the one beside it: of `[a, b, c, d]`, `[a + b, a + b, c + d, c + d]`.
    #[inline(always)]
    pub fn add_neighbours(self) -> Self {
        Self(f32x4_add(self.0, i32x4_shuffle::<1, 0, 3, 2>(self.0, self.0)))
    }

    #[inline(always)]
    pub fn to_bits(self) -> I32x4 {
        I32x4(self.0)
    }

    #[inline(always)]
    pub fn from_bits(bits: I32x4) -> Self {
        Self(bits.0)
    }

    #[inline(always)]
    pub fn to_array(self) -> [f32; 4] {
        [
            f32x4_extract_lane::<0>(self.0),
            f32x4_extract_lane::<1>(self.0),
            f32x4_extract_lane::<2>(self.0),
            f32x4_extract_lane::<3>(self.0),
        ]
    }
}

impl I16x8 {
    /// # Safety
    /// `from` points at 8 readable i16.
    #[inline(always)]
    pub unsafe fn load(from: *const i16) -> Self {
        // SAFETY: the caller's promise; wasm loads need no alignment.
        Self(unsafe { v128_load(from.cast()) })
    }

    /// Eight bytes, each with its sign.
    ///
    /// # Safety
    /// `from` points at 8 readable bytes.
    #[inline(always)]
    pub unsafe fn load_i8(from: *const i8) -> Self {
        // SAFETY: the caller's promise; wasm loads need no alignment.
        Self(unsafe { i16x8_load_extend_i8x8(from) })
    }

    /// The products of each pair of lanes, neighbours added up.
    #[inline(always)]
    pub fn dot(self, other: Self) -> I32x4 {
        I32x4(i32x4_dot_i16x8(self.0, other.0))
    }
}

impl I32x4 {
    #[inline(always)]
    pub fn zero() -> Self {
        Self(i32x4_splat(0))
    }

    #[inline(always)]
    pub fn add(self, other: Self) -> Self {
        Self(i32x4_add(self.0, other.0))
    }

    /// The sum of the lanes of each of four vectors.
    #[inline(always)]
    pub fn sums([a, b, c, d]: [Self; 4]) -> Self {
        let halves = |a: Self, b: Self| {
            i32x4_add(i32x4_shuffle::<0, 4, 1, 5>(a.0, b.0), i32x4_shuffle::<2, 6, 3, 7>(a.0, b.0))
        };
        let (ab, cd) = (halves(a, b), halves(c, d));
        Self(i32x4_add(i32x4_shuffle::<0, 1, 4, 5>(ab, cd), i32x4_shuffle::<2, 3, 6, 7>(ab, cd)))
    }

    /// Each lane shifted left by `BITS`.
    #[inline(always)]
    pub fn shl<const BITS: u32>(self) -> Self {
        Self(i32x4_shl(self.0, BITS))
    }

    #[inline(always)]
    pub fn to_f32(self) -> F32x4 {
        F32x4(f32x4_convert_i32x4(self.0))
    }

    #[inline(always)]
    pub fn to_array(self) -> [i32; 4] {
        [
            i32x4_extract_lane::<0>(self.0),
            i32x4_extract_lane::<1>(self.0),
            i32x4_extract_lane::<2>(self.0),
            i32x4_extract_lane::<3>(self.0),
        ]
    }

    /// The lowest byte of each lane.
    #[inline(always)]
    pub fn low_bytes(self) -> [u8; 4] {
        let packed = i8x16_shuffle::<0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12>(self.0, self.0);
        i32x4_extract_lane::<0>(packed).to_le_bytes()
    }

    /// Writes the lowest byte of each lane of four vectors.
    ///
    /// # Safety
    /// `to` points at 16 writable bytes.
    #[inline(always)]
    pub unsafe fn store_low_bytes([a, b, c, d]: [Self; 4], to: *mut u8) {
        let ab = i8x16_shuffle::<0, 4, 8, 12, 16, 20, 24, 28, 0, 4, 8, 12, 16, 20, 24, 28>(a.0, b.0);
        let cd = i8x16_shuffle::<0, 4, 8, 12, 16, 20, 24, 28, 0, 4, 8, 12, 16, 20, 24, 28>(c.0, d.0);
        // SAFETY: the caller's promise; wasm stores need no alignment.
        unsafe { v128_store(to.cast(), i64x2_shuffle::<0, 2>(ab, cd)) }
    }

    /// Each lane's lowest seven bits.
    #[inline(always)]
    pub fn low_seven_bits(self) -> Self {
        Self(v128_and(self.0, i32x4_splat(127)))
    }
}
