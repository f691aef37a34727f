//! Weights in a smaller form: whatever the loader reads comes out as GGUF or, for `int8`, as safetensors, which the browser
//! streams like any other files.
//!
//! ```
//! use ocelli::convert::{Converter, Form};
//! # fn main() -> ocelli::Result<()> {
//! let file = std::fs::read("tests/golden/models/blip-tied/model.safetensors").unwrap_or_default();
//! let mut converter = Converter::new(Form::named("q8")?);
//! for chunk in file.chunks(1 << 20) {
//!     converter.push(chunk)?;
//! }
//! let mut small = Vec::new();
//! let tensors = converter.finish()?.write(&mut small)?;
//! assert!(tensors > 0 && small.starts_with(b"GGUF"));
//! # Ok(())
//! # }
//! ```

#[cfg(not(target_arch = "wasm32"))]
mod folder;
mod gguf;
mod int8;

use std::io::Write;

use candle_core::Tensor;
use candle_core::quantized::GgmlDType;

use crate::kernels::Dtype;
use crate::weights::{Weights, WeightsLoader};
use crate::{Error, ErrorKind, Result};

#[cfg(not(target_arch = "wasm32"))]
pub use folder::ModelFolder;

/// How weights are stored. Everything that is no matrix stays f32, but for `Int8`.
#[derive(Debug, Clone, Copy)]
pub enum Form {
    /// As GGUF, with matrices of this type, where their rows can be cut into its blocks, and in f16 elsewhere.
    Gguf(GgmlDType),
    /// As safetensors, with matrices and large convolutions of signed bytes and a scale for each row (the layout of
    /// `compressed-tensors` for weights quantised by channel), and all else in f16, or in f32 where f16 would lose too much.
    Int8,
}

impl Form {
    /// The form that is called `int8`, `q8` (8.5 bits a number), `q4` (4.5 bits), `f16` or `f32`.
    ///
    /// # Errors
    /// `ArgumentInvalid` for any other name.
    pub fn named(name: &str) -> Result<Self> {
        Ok(Self::Gguf(match name {
            "q8" => GgmlDType::Q8_0,
            "q4" => GgmlDType::Q4_0,
            "f16" => GgmlDType::F16,
            "f32" => GgmlDType::F32,
            "int8" => return Ok(Self::Int8),
            _ => {
                let shown: String = name.chars().take(40).collect();
                let sentence =
                    format!("--dtype is {shown:?}; it must be \"int8\", \"q8\", \"q4\", \"f16\" or \"f32\".");
                return Err(Error::new(ErrorKind::ArgumentInvalid, sentence));
            }
        }))
    }
}

impl Form {
    /// What a file of this form is called in a model's folder.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Gguf(_) => "model.gguf",
            Self::Int8 => "model.safetensors",
        }
    }
}

/// The tensors so far, in the form in which they will be written.
enum Tensors {
    Gguf(gguf::Tensors),
    Int8(int8::Tensors),
}

/// A conversion under way. Each tensor is made small as soon as its bytes are complete.
pub struct Converter {
    loader: WeightsLoader,
    tensors: Tensors,
}

impl Converter {
    /// A conversion that has seen no byte yet.
    pub fn new(form: Form) -> Self {
        let tensors = match form {
            Form::Gguf(dtype) => Tensors::Gguf(gguf::Tensors::new(dtype)),
            Form::Int8 => Tensors::Int8(int8::Tensors::default()),
        };
        Self { loader: WeightsLoader::new(Dtype::F32).keep_names(), tensors }
    }

    /// Takes the next bytes of a file of weights, any number of them: safetensors, a PyTorch file, GGUF or ONNX.
    ///
    /// # Errors
    /// Those of [`WeightsLoader::push`].
    pub fn push(&mut self, chunk: &[u8]) -> Result<()> {
        self.loader.push(chunk)?;
        let finished = self.loader.take_finished();
        self.take(finished)
    }

    /// Ends a file, where a model's weights are in several.
    ///
    /// # Errors
    /// Those of [`WeightsLoader::next_file`].
    pub fn next_file(&mut self) -> Result<()> {
        self.loader.next_file()
    }

    /// What there is to write, once all bytes are there.
    ///
    /// # Errors
    /// Those of [`WeightsLoader::finish`].
    pub fn finish(mut self) -> Result<Converted> {
        let loader = std::mem::replace(&mut self.loader, WeightsLoader::new(Dtype::F32).keep_names());
        self.take(loader.finish()?)?;
        Ok(Converted(self.tensors))
    }

    fn take(&mut self, weights: Weights) -> Result<()> {
        let add: &mut dyn FnMut(&str, &Tensor) -> Result<()> = match &mut self.tensors {
            Tensors::Gguf(tensors) => &mut |name, tensor| tensors.add(name, tensor),
            Tensors::Int8(tensors) => &mut |name, tensor| tensors.add(name, tensor),
        };
        weights.into_tensors()?.iter().try_for_each(|(name, tensor)| add(name, tensor))
    }
}

/// Weights that are ready to be written.
pub struct Converted(Tensors);

impl Converted {
    /// Writes the file from its beginning to its end. Returns how many tensors it has.
    ///
    /// # Errors
    /// `ArgumentInvalid`, with the writer's error as its source.
    pub fn write(&self, out: &mut dyn Write) -> Result<usize> {
        match &self.0 {
            Tensors::Gguf(tensors) => tensors.write(out),
            Tensors::Int8(tensors) => tensors.write(out),
        }
        .map_err(|error| {
            Error::new(
                ErrorKind::ArgumentInvalid,
                format!("The converted weights cannot be written: {error}."),
            )
            .with_source(error)
        })
    }
}
