//! Pixels: decode, orient, resize, crop, normalise. The only module where pixels become tensors.
//!
//! Unlike a browser's canvas, which resizes and composites as its vendor sees fit, every step here gives
//! the numbers of the reference (Python's `transformers` over PIL), so that a model sees the same picture
//! everywhere:
//!
//! ```no_run
//! use ocelli::image::{Preprocessor, PreprocessorKind, decode};
//! # fn main() -> ocelli::Result<()> {
//! let picture = decode(&std::fs::read("cat.jpg").unwrap_or_default())?;
//! let preprocessor = Preprocessor::from_json(b"{\"size\": 224}", PreprocessorKind::Clip)?;
//! assert_eq!(preprocessor.tensor(&picture)?.dims(), [3, 224, 224]);
//! # Ok(())
//! # }
//! ```
//!
//! | step | equal to | how closely |
//! | --- | --- | --- |
//! | PNG, GIF, BMP, TIFF, lossless WebP | PIL | exactly (16-bit grey: see [`decode`]) |
//! | JPEG, lossy WebP | libjpeg-turbo, libwebp | a few grey levels: another inverse transform and upsampling |
//! | [`resize`] of given pixels | PIL's `Image.resize` | exactly |
//! | [`Preprocessor::tensor`] of given pixels | the image processors in their PIL form | exactly |

mod convert;
mod decode;
mod header;
mod orientation;
mod preprocess;
mod preview;
mod repair;
mod settings;
mod tiff;
mod timm;

pub use ::image::RgbImage;
pub use decode::{MAX_BYTES, MAX_EDGE, MAX_PIXELS, decode, from_rgba};
pub use ocelli_pixels::{Filter, Window, resize, resize_window};
pub use preprocess::{Frame, Preprocessor, PreprocessorKind};
pub use preview::{thumbnail, to_rgba};
