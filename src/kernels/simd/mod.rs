//! Four lanes at a time: the one place that knows the machine.
//!
//! | back end | where | multiply-add | int8 dot product |
//! | --- | --- | --- | --- |
//! | relaxed | wasm with `relaxed-simd` | one instruction, rounded once where the machine does | `relaxed_dot_i8x16_i7x16` |
//! | simd128 | wasm with `simd128` | multiply, then add | widened to 16 bits, `i32x4_dot_i16x8` |
//! | scalar | everywhere else (native tests and tools) | multiply, then add | plain loops |
//!
//! The integer arithmetic of all three is exact, so they agree to the last bit there; floating-point sums
//! may differ by the rounding of the multiply-add. Where inputs are quantised such a difference decides now and
//! then which of two steps a number becomes, and the next layers carry that on: in int8 two back ends end up
//! about as far from each other (a cosine of 0.9997) as each is from f32, in f32 within 1e-6.

#[cfg(all(target_arch = "wasm32", target_feature = "relaxed-simd"))]
mod relaxed;
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
mod scalar;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128", not(target_feature = "relaxed-simd")))]
mod simd128;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod wasm;

#[cfg(all(target_arch = "wasm32", target_feature = "relaxed-simd"))]
pub(super) use relaxed::{DotNative, DotWidened, has_native_dot};
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
pub(super) use scalar::{DotNative, DotWidened, F32x4, I16x8, I32x4, has_native_dot};
#[cfg(all(target_arch = "wasm32", target_feature = "simd128", not(target_feature = "relaxed-simd")))]
pub(super) use simd128::{DotNative, DotWidened, has_native_dot};
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub(super) use wasm::{F32x4, I16x8, I32x4};

/// Lanes of every vector type here.
pub(super) const LANES: usize = 4;

/// Columns whose weights lie together.
pub(super) const GROUP: usize = 4;
/// Bytes of four columns of int8 weights for four rows.
pub(super) const VECTOR: usize = LANES * GROUP;

/// What four weights may sum up to: times the largest input, 127, it fits 16 bits with their sign.
pub(super) const MOST: i32 = 258;

/// One way to multiply four columns of four signed bytes each with four bytes of `0..=127`, and to add the
/// four products of each column up.
pub(super) trait Dot: Copy {
    /// Four columns of four weights.
    type Weights: Copy;
    /// Four inputs, as often as the way needs them.
    type Inputs: Copy;
    /// Vectors of four rows of weights that one tile takes side by side: part of a panel, or two panels.
    const VECTORS: usize;
    /// Whether a tile takes two steps at a time, as measured: one way is faster so by a tenth, another slower.
    const TWO_STEPS: bool;

    /// No products yet.
    fn zero() -> Self;

    /// Sixteen weights: four of the first column, four of the second, and so on.
    ///
    /// # Safety
    /// `weights` points at 16 readable bytes.
    unsafe fn weights(weights: *const i8) -> Self::Weights;

    /// Four inputs.
    ///
    /// # Safety
    /// `inputs` points at 4 readable bytes, each at most 127.
    unsafe fn inputs(inputs: *const u8) -> Self::Inputs;

    /// The sums with the products of two groups of weights and inputs added.
    ///
    /// Of each column, the magnitudes of the first two weights of both groups, and of the last two, may sum up
    /// to no more than [`MOST`]: then a way may add products up in 16 bits.
    fn add(self, weights: [Self::Weights; 2], inputs: [Self::Inputs; 2]) -> Self;

    /// Adds the products of two groups to the sums of a tile: of `R` rows of inputs, and of `V` vectors of weights,
    /// two from each panel. The second group of a panel is `group` bytes after the first, the second panel `panel`
    /// bytes after the first.
    ///
    /// # Safety
    /// Each of `inputs` points at 8 readable bytes, each at most 127; `weights` points at the vectors so described.
    #[inline(always)]
    unsafe fn step<const R: usize, const V: usize>(
        sums: &mut [[Self; V]; R],
        inputs: [*const u8; R],
        weights: *const i8,
        [group, panel]: [usize; 2],
    ) {
        // SAFETY: the caller's promise.
        unsafe {
            let pair = |at: *const i8| [Self::weights(at), Self::weights(at.add(group))];
            let mut eights = [pair(weights); V];
            for (j, eight) in eights.iter_mut().enumerate().skip(1) {
                *eight = pair(weights.add(j / 2 * panel + j % 2 * VECTOR));
            }
            for (sums, inputs) in sums.iter_mut().zip(inputs) {
                let inputs = [Self::inputs(inputs), Self::inputs(inputs.add(GROUP))];
                for (sum, eight) in sums.iter_mut().zip(eights) {
                    *sum = sum.add(eight, inputs);
                }
            }
        }
    }

    /// The sum of each of the four columns.
    fn sums(self) -> I32x4;
}
