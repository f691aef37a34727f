//! Image tagging (CLIP), captioning (BLIP) and classification (ViT) that never leaves the browser.
//!
//! The layers, each importing only from those before it:
//!
//! ```text
//! kernels -> error -> weights -> nn -> models -> tasks -> wasm
//!                            -> convert ---------------->
//!                -> index ------------------------------->
//!       -> image ------------------------------>
//!       -> text ------------------------------->
//! ```
//!
//! * [`kernels`]: the loops that the project exists for: int8, f16 and f32 linear layers, convolutions, attention, norms. A
//!   crate of its own, which is compiled for speed where the rest is for size.
//! * [`weights`]: named tensors out of a byte stream, without a whole-file buffer, packed for the kernels.
//! * [`nn`]: layers on [`candle_core::Tensor`].
//! * [`models`]: CLIP, BLIP, ViT and the built-in model; their image towers (ViT, CLIP's ResNet, EfficientNet-Lite) behind
//!   one seam; ids and pixels in, numbers out.
//! * [`image`]: the only place where pixels become tensors.
//! * [`text`]: tokenizers and prompt templates.
//! * [`convert`]: weights in a smaller form.
//! * [`index`]: many vectors, to be searched.
//! * [`tasks`]: what a user asks for: [`tasks::Tagger`], [`tasks::Captioner`], [`tasks::Matcher`],
//!   [`tasks::Answerer`], [`tasks::Classifier`], and [`tasks::Ocelli`], where several share one image tower.
//!
//! The crate `ocelli-wasm` puts thin handles over them for JavaScript: the only layer that knows the browser.

pub mod convert;
pub mod error;
pub mod image;
pub mod index;
mod json;
pub mod models;
pub mod nn;
pub mod tasks;
pub mod text;
pub mod weights;

pub use ocelli_kernels as kernels;

pub use error::{Error, ErrorKind, Result};
