//! The integration tests: one program, because each would be linked with all of the core.

#![allow(clippy::unwrap_used, clippy::panic)]

mod blip;
mod clip;
#[path = "../golden/text/corpus.rs"]
mod corpus;
mod dual;
mod formats;
mod full_size;
mod full_size_gguf;
mod generation;
// Not each of its readers is used by every kind of model.
#[allow(dead_code)]
#[path = "../golden/models/read.rs"]
mod golden;
mod image;
mod inside;
mod int8;
mod int8_wide;
mod interrogator;
mod matching;
mod names;
mod odd_pictures;
mod offload;
mod onnx;
mod retrieval;
mod seeded;
mod support;
mod tagging;
mod tasks;
mod text;
mod text_encoder;
mod text_offload;
mod timm;
mod towers;
mod vit;
mod vqa;
mod weights;
