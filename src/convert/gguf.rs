//! GGUF, written by candle.

use std::collections::BTreeMap;
use std::io::{Seek, SeekFrom, Write};

use candle_core::Tensor;
use candle_core::quantized::{GgmlDType, QTensor, gguf_file};

use crate::Result;
use crate::weights::is_matrix;

pub(super) struct Tensors {
    dtype: GgmlDType,
    all: BTreeMap<String, QTensor>,
}

impl Tensors {
    pub(super) fn new(dtype: GgmlDType) -> Self {
        Self { dtype, all: BTreeMap::new() }
    }

    /// A tensor as it is stored: pointwise convolutions as `(out, in)`, because blocks run along the last dimension, which
    /// must be that of its inputs.
    pub(super) fn add(&mut self, name: &str, tensor: &Tensor) -> Result<()> {
        let tensor = match *tensor.dims() {
            [outputs, inputs, 1, 1] => &tensor.reshape((outputs, inputs))?,
            // candle's tensors of GGUF have at least one dimension.
            [] => &tensor.reshape(1)?,
            _ => tensor,
        };
        let row = tensor.dims().last().copied().unwrap_or(1);
        let dtype = match self.dtype {
            _ if !is_matrix(name, tensor.dims()) => GgmlDType::F32,
            dtype if row.is_multiple_of(dtype.block_size()) => dtype,
            _ => GgmlDType::F16,
        };
        self.all.insert(name.to_owned(), QTensor::quantize(tensor, dtype)?);
        Ok(())
    }

    pub(super) fn write(&self, out: &mut dyn Write) -> std::io::Result<usize> {
        let tensors: Vec<(&str, &QTensor)> =
            self.all.iter().map(|(name, tensor)| (&**name, tensor)).collect();
        gguf_file::write(&mut Counted { out, position: 0 }, &[], &tensors).map_err(std::io::Error::other)?;
        Ok(tensors.len())
    }
}

/// A writer that knows how far it is, which is all that candle asks of seeking.
struct Counted<'a> {
    out: &'a mut dyn Write,
    position: u64,
}

impl Write for Counted<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.position += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}

impl Seek for Counted<'_> {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        match to {
            SeekFrom::Current(0) => Ok(self.position),
            _ => Err(std::io::ErrorKind::Unsupported.into()),
        }
    }
}
