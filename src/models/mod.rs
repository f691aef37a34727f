//! CLIP, BLIP and ViT: ids and pixels in, numbers out.
//!
//! Each model is a configuration read from the published `config.json`, and a forward pass that agrees
//! with the reference (the Python library `transformers`) on the same weights. Nothing here knows texts
//! or pictures.

pub mod blip;
pub mod clip;
mod config;
mod passage;
mod tree;
pub mod vit;

use candle_core::Tensor;

pub use passage::{Passage, Trace};

use crate::{Error, ErrorKind, Result};

/// Refuses `pixels` that are not `(batch, 3, size, size)`.
fn check_pixels(pixels: &Tensor, size: usize) -> Result<()> {
    match *pixels.dims() {
        [batch, 3, height, width] if batch > 0 && height == size && width == size => Ok(()),
        ref found => Err(Error::new(
            ErrorKind::ArgumentInvalid,
            format!("The model takes pixels of shape [batch, 3, {size}, {size}], not {found:?}."),
        )),
    }
}
