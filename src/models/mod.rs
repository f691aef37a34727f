//! CLIP, BLIP and ViT: ids and pixels in, numbers out.
//!
//! Each model is a configuration read from the published `config.json`, and a forward pass that agrees
//! with the reference (the Python library `transformers`) on the same weights. Nothing here knows texts
//! or pictures.

pub mod blip;
pub mod clip;
mod config;
pub mod ocelli;
mod tree;
pub mod vision;
pub mod vit;

pub use vision::{EncoderState, ImageTower, Trace};
