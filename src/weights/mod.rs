//! Named tensors out of a byte stream.
//!
//! A file of weights is larger than a browser tab should hold twice, so it is never held as a file at
//! all. A loader takes the chunks as the network delivers them, reads the table of contents as soon as it
//! is complete, and from then on writes every number straight into the tensor it belongs to:
//!
//! ```text
//! chunks -> Format -> Plan (which bytes are which tensor) -> Filler -> Decoder (f32) -> Store -> Weights
//!        '- packed::Reader (bytes as the Store once left them) -------------------------------'
//! ```
//!
//! A `Format` (safetensors, GGUF, ONNX, PyTorch) only reads a table of contents. The `Store` packs matrices for the
//! kernels, in int8 unless asked otherwise, and can write the packed form down while it is made. Both sides
//! know the `Plan` and nothing of each other.
//!
//! [`Weights`] is then consumed by a model's constructor, which takes each tensor by name and shape.
//! Nothing fails half-way: the constructor ends with [`Weights::finish`], whose error names every tensor
//! that is missing, misshapen or unknown.
//!
//! ```
//! # use ocelli::kernels::Dtype;
//! # use ocelli::weights::WeightsLoader;
//! # let header = br#"{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#;
//! # let mut file = (header.len() as u64).to_le_bytes().to_vec();
//! # file.extend_from_slice(header);
//! # file.extend_from_slice(&[0; 8]);
//! let mut loader = WeightsLoader::new(Dtype::Int8);
//! for chunk in file.chunks(5) {
//!     loader.push(chunk)?;
//! }
//! let weights = loader.finish()?;
//! let tensor = weights.root().take("w", 2)?;
//! weights.finish()?;
//! # Ok::<(), ocelli::Error>(())
//! ```

mod decode;
mod fields;
mod fill;
mod gguf;
mod loader;
mod named;
mod names;
mod onnx;
mod packed;
mod plan;
mod pytorch;
mod safetensors;
mod store;

pub use loader::WeightsLoader;
pub use named::{Scope, Weights};
pub use packed::PACKING_VERSION;
pub use store::is_matrix;
