//! The loops that the project exists for: linear layers on int8, f16 and f32 weights, attention, layer norm,
//! activations.
//!
//! ```text
//! simd                     four lanes: relaxed | simd128 | scalar
//!  |- math                 exp, the normal distribution, reductions
//!  |   |- activation, norm, softmax
//!  |- matrix               weights in the order in which tiles read them
//!  |- quantize             inputs in seven bits, by blocks
//!  |- tile                 4 rows of f32 by 8 outputs
//!  |- gemm                 linear layers, on that tile and those of int8
//!  |- attention            on the f32 tile, one block of scores at a time
//!  |- attention_int8       on the int8 tiles, for long sequences
//!  '- vectors              many vectors in int8, compared with one or with each other
//! parallel                 ranges of rows or columns over threads
//! ```
//!
//! Slices come in and vectors go out; shapes that do not fit are a mistake of the caller and panic. Each fast
//! loop is tested against the plain formula in double precision, over sizes that leave its tiles incomplete.

mod activation;
mod attention;
mod attention_int8;
mod conv;
mod depthwise;
mod gemm;
mod inverted;
mod math;
mod matrix;
mod norm;
mod parallel;
mod pool;
mod quantize;
#[cfg(test)]
mod shared_memory;
mod simd;
mod softmax;
mod tile;
mod tile_int8;
mod vectors;
mod window;

pub use activation::Activation;
pub use attention::{Columns, Heads, KeyValues, attend_rows, pooled_attention, self_attention, softmax};
pub use attention_int8::self_attention_int8;
pub use conv::{channels_last, convolve};
pub use depthwise::{Depthwise, depthwise};
pub use gemm::{Epilogue, Layer, linear, linear_precise};
pub use inverted::{Inverted, inverted_residual};
pub use matrix::{Dtype, Matrix, MatrixBuilder, MatrixError, Result, channels_first};
pub use norm::layer_norm;
pub use pool::{average_pool, global_average_pool};
pub use softmax::log_softmax;
pub use vectors::{Pair, PairScan, Query, Vectors};
pub use window::{Extent, Padding, Window};
