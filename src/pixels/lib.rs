//! What takes time over the pixels of a picture, in a crate that is compiled for speed.
//!
//! Decoders are generic, and compiled where they are used: that of JPEG, in which nearly all photographs come, is used here, and
//! handed on as an object. Those of other formats are small and fast enough as `ocelli` compiles them.

mod jpeg;
mod resize;

pub use jpeg::jpeg_decoder;
pub use resize::{Filter, Window, resize, resize_window};
