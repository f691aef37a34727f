//! Named tensors out of a byte stream.
//!
//! A file of weights is larger than a browser tab should hold twice, so it is never held as a file at
//! all. A loader takes the chunks as the network delivers them, reads the table of contents as soon as it
//! is complete, and from then on writes every number straight into the tensor it belongs to:
//!
//! ```text
//! chunks -> SafetensorsLoader -> Plan (which bytes are which tensor) -> Filler (bytes -> f32) -> Weights
//! ```
//!
//! `Plan` and `Filler` know nothing of safetensors: another format needs
//! only its own table of contents.
//!
//! [`Weights`] is then consumed by a model's constructor, which takes each tensor by name and shape.
//! Nothing fails half-way: the constructor ends with [`Weights::finish`], whose error names every tensor
//! that is missing, misshapen or unknown.
//!
//! ```
//! # use ocelli::weights::SafetensorsLoader;
//! # let header = br#"{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#;
//! # let mut file = (header.len() as u64).to_le_bytes().to_vec();
//! # file.extend_from_slice(header);
//! # file.extend_from_slice(&[0; 8]);
//! let mut loader = SafetensorsLoader::new();
//! for chunk in file.chunks(5) {
//!     loader.push(chunk)?;
//! }
//! let weights = loader.finish()?;
//! let tensor = weights.root().take("w", 2)?;
//! weights.finish()?;
//! # Ok::<(), ocelli::Error>(())
//! ```

mod fill;
mod named;
mod plan;
mod safetensors;

pub use named::{Scope, Weights};
pub use safetensors::SafetensorsLoader;
