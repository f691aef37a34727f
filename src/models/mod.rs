//! CLIP, BLIP and ViT, and the built-in model made of them: ids and pixels in, numbers out.
//!
//! Each model is a configuration read from the published `config.json`, and a forward pass that agrees
//! with the reference (the Python libraries `transformers`, `open_clip` and `timm`) on the same weights. Nothing here
//! knows texts or pictures. What models see with is in [`vision`]: one seam, behind which are vision transformers, CLIP's
//! ResNets and EfficientNet-Lite.

mod bert;
pub mod blip;
mod config;
mod description;
pub mod dual;
pub mod ocelli;
mod prefix_trie;
pub mod vision;
pub mod vit;

pub use description::{LayersDescription, to_json};
pub use vision::{EncoderState, ImageTower, Trace};
