//! Layers on [`candle_core::Tensor`].
//!
//! A layer is made from a [`Scope`](crate::weights::Scope), in which its parameters have the names of the
//! published files. Activations are f32, `(rows, width)` unless said otherwise: the rows of all sequences one
//! after the other, so that sequences of different lengths need no padding.
//!
//! The arithmetic is that of [`crate::kernels`], which enters as custom operations: one pass over memory each,
//! and no copies between them.

mod attention;
mod attention_pool;
mod backward;
mod conv;
mod embedding;
mod encoder;
mod folded;
mod inverted;
mod linear;
mod norm;
mod parameters;
mod patch;
mod pool;
mod probe_pool;
mod rows;

pub use crate::kernels::{Activation, Heads, KeyValues, Padding, Window};
pub use attention::{AttentionMask, CrossAttention, RowCache, SelfAttention};
pub use attention_pool::AttentionPool;
pub use conv::{Conv2d, ConvSizes, channels_last};
pub use embedding::{Embedding, Positions};
pub use encoder::{EncoderLayer, Mlp, Sizes};
pub use inverted::{DepthwiseConv2d, InvertedResidual};
pub use linear::Linear;
pub use norm::LayerNorm;
pub use parameters::Parameter;
pub use patch::{PatchEmbed, with_prefix};
pub use pool::{avg_pool2d, global_avg_pool};
pub use probe_pool::ProbePool;
pub use rows::{accumulate, add, segment_means, segment_starts, select};
