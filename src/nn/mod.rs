//! Layers on [`candle_core::Tensor`].
//!
//! A layer is made from a [`Scope`](crate::weights::Scope), in which its parameters have the names of the
//! published files, and computes in f32. Weights of linear layers stay as stored, `(out, in)`.
//!
//! Activations are `(batch, sequence, width)` unless said otherwise. What touches every number once
//! (bias, activation, softmax, layer norm) is a custom operation in one pass over memory instead of a
//! chain of tensor operations with a temporary each.

mod activation;
mod attention;
mod embedding;
mod encoder;
mod linear;
mod norm;
mod patch;
mod rows;

pub use activation::Activation;
pub use attention::{CrossAttention, Heads, KeyValues, SelfAttention};
pub use embedding::Embedding;
pub use encoder::{EncoderLayer, Mlp, Sizes};
pub use linear::Linear;
pub use norm::LayerNorm;
pub use patch::PatchEmbed;
