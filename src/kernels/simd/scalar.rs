//! The same vectors as arrays: what the tiles are tested with, and what native tools run.

use super::Dot;

/// Four f32.
#[derive(Clone, Copy)]
pub(crate) struct F32x4([f32; 4]);

/// Four i32.
#[derive(Clone, Copy)]
pub(crate) struct I32x4([i32; 4]);

/// Eight i16.
#[derive(Clone, Copy)]
pub(crate) struct I16x8([i16; 8]);

#[inline(always)]
fn zip(a: F32x4, b: F32x4, f: impl Fn(f32, f32) -> f32) -> F32x4 {
    F32x4([f(a.0[0], b.0[0]), f(a.0[1], b.0[1]), f(a.0[2], b.0[2]), f(a.0[3], b.0[3])])
}

impl F32x4 {
    #[inline(always)]
    pub fn splat(x: f32) -> Self {
        Self([x; 4])
    }

    /// # Safety
    /// `from` points at 4 readable f32.
    #[inline(always)]
    pub unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller's promise; the array has the alignment of an f32.
        Self(unsafe { *from.cast() })
    }

    /// The number at `from` in every lane.
    ///
    /// # Safety
    /// `from` points at a readable f32.
    #[inline(always)]
    pub unsafe fn load_splat(from: *const f32) -> Self {
        // SAFETY: the caller's promise.
        Self([unsafe { *from }; 4])
    }

    /// # Safety
    /// `to` points at 4 writable f32.
    #[inline(always)]
    pub unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller's promise; the array has the alignment of an f32.
        unsafe { *to.cast() = self.0 }
    }

    #[inline(always)]
    pub fn add(self, other: Self) -> Self {
        zip(self, other, |a, b| a + b)
    }

    #[inline(always)]
    pub fn sub(self, other: Self) -> Self {
        zip(self, other, |a, b| a - b)
    }

    #[inline(always)]
    pub fn mul(self, other: Self) -> Self {
        zip(self, other, |a, b| a * b)
    }

    #[inline(always)]
    pub fn div(self, other: Self) -> Self {
        zip(self, other, |a, b| a / b)
    }

    /// `self * factor + addend`.
    #[inline(always)]
    pub fn mul_add(self, factor: Self, addend: Self) -> Self {
        self.mul(factor).add(addend)
    }

    /// `low` where a lane is below it. NaN stays.
    #[inline(always)]
    pub fn at_least(self, low: Self) -> Self {
        zip(self, low, |x, low| if x < low { low } else { x })
    }

    /// `high` where a lane is above it. NaN stays.
    #[inline(always)]
    pub fn at_most(self, high: Self) -> Self {
        zip(self, high, |x, high| if x > high { high } else { x })
    }

    /// The smaller of each pair; either of them where one is not a number.
    #[inline(always)]
    pub fn min(self, other: Self) -> Self {
        zip(self, other, |a, b| if a < b { a } else { b })
    }

    /// The larger of each pair; either of them where one is not a number.
    #[inline(always)]
    pub fn max(self, other: Self) -> Self {
        zip(self, other, |a, b| if a > b { a } else { b })
    }

    #[inline(always)]
    pub fn abs(self) -> Self {
        Self(self.0.map(f32::abs))
    }

    /// Each lane plus the one beside it: of `[a, b, c, d]`, `[a + b, a + b, c + d, c + d]`.
    #[inline(always)]
    pub fn add_neighbours(self) -> Self {
        let [a, b, c, d] = self.0;
        Self([a + b, a + b, c + d, c + d])
    }

    #[inline(always)]
    pub fn to_bits(self) -> I32x4 {
        I32x4(self.0.map(|x| x.to_bits() as i32))
    }

    #[inline(always)]
    pub fn from_bits(bits: I32x4) -> Self {
        Self(bits.0.map(|x| f32::from_bits(x as u32)))
    }

    #[inline(always)]
    pub fn to_array(self) -> [f32; 4] {
        self.0
    }
}

impl I16x8 {
    /// # Safety
    /// `from` points at 8 readable i16.
    #[inline(always)]
    pub unsafe fn load(from: *const i16) -> Self {
        // SAFETY: the caller's promise; the array has the alignment of an i16.
        Self(unsafe { *from.cast() })
    }

    /// Eight bytes, each with its sign.
    ///
    /// # Safety
    /// `from` points at 8 readable bytes.
    #[inline(always)]
    pub unsafe fn load_i8(from: *const i8) -> Self {
        // SAFETY: the caller's promise; bytes need no alignment.
        Self(unsafe { *from.cast::<[i8; 8]>() }.map(i16::from))
    }

    /// The products of each pair of lanes, neighbours added up.
    #[inline(always)]
    pub fn dot(self, other: Self) -> I32x4 {
        let product = |i: usize| i32::from(self.0[i]) * i32::from(other.0[i]);
        I32x4([0, 2, 4, 6].map(|i| product(i).wrapping_add(product(i + 1))))
    }
}

impl I32x4 {
    #[inline(always)]
    pub fn zero() -> Self {
        Self([0; 4])
    }

    /// The sum of the lanes of each of four vectors.
    #[inline(always)]
    pub fn sums(vectors: [Self; 4]) -> Self {
        Self(vectors.map(|Self([a, b, c, d])| a.wrapping_add(b).wrapping_add(c).wrapping_add(d)))
    }

    #[inline(always)]
    pub fn add(self, other: Self) -> Self {
        let mut sums = self.0;
        for (sum, x) in sums.iter_mut().zip(other.0) {
            *sum = sum.wrapping_add(x);
        }
        Self(sums)
    }

    /// Each lane shifted left by `BITS`.
    #[inline(always)]
    pub fn shl<const BITS: u32>(self) -> Self {
        Self(self.0.map(|x| x << BITS))
    }

    #[inline(always)]
    pub fn to_f32(self) -> F32x4 {
        F32x4(self.0.map(|x| x as f32))
    }

    #[inline(always)]
    pub fn to_array(self) -> [i32; 4] {
        self.0
    }

    /// The lowest byte of each lane.
    #[inline(always)]
    pub fn low_bytes(self) -> [u8; 4] {
        self.0.map(|x| x as u8)
    }

    /// Writes the lowest byte of each lane of four vectors.
    ///
    /// # Safety
    /// `to` points at 16 writable bytes.
    #[inline(always)]
    pub unsafe fn store_low_bytes(vectors: [Self; 4], to: *mut u8) {
        // SAFETY: the caller's promise; bytes need no alignment.
        unsafe { *to.cast() = vectors.map(Self::low_bytes) }
    }

    /// Each lane's lowest seven bits.
    #[inline(always)]
    pub fn low_seven_bits(self) -> Self {
        Self(self.0.map(|x| x & 127))
    }
}

/// Sums of four columns.
#[derive(Clone, Copy)]
pub(crate) struct DotWidened([i32; 4]);

/// There is only one way here.
pub(crate) type DotNative = DotWidened;

/// There is only one way here.
pub(crate) fn has_native_dot() -> bool {
    false
}

impl Dot for DotWidened {
    type Weights = [i8; 16];
    type Inputs = [u8; 4];
    const VECTORS: usize = 2;
    const TWO_STEPS: bool = false;

    #[inline(always)]
    fn zero() -> Self {
        Self([0; 4])
    }

    #[inline(always)]
    unsafe fn weights(weights: *const i8) -> [i8; 16] {
        // SAFETY: the caller's promise; bytes need no alignment.
        unsafe { *weights.cast() }
    }

    #[inline(always)]
    unsafe fn inputs(inputs: *const u8) -> [u8; 4] {
        // SAFETY: the caller's promise; bytes need no alignment.
        unsafe { *inputs.cast() }
    }

    #[inline(always)]
    fn add(mut self, weights: [[i8; 16]; 2], inputs: [[u8; 4]; 2]) -> Self {
        for (weights, inputs) in weights.iter().zip(inputs) {
            for (sum, column) in self.0.iter_mut().zip(weights.chunks_exact(4)) {
                for (&w, x) in column.iter().zip(inputs) {
                    *sum += i32::from(w) * i32::from(x);
                }
            }
        }
        self
    }

    #[inline(always)]
    fn sums(self) -> I32x4 {
        I32x4(self.0)
    }
}
