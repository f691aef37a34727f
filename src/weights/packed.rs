//! The packed form: weights as they lie in memory, to be kept between visits.
//!
//! ```text
//! "OCELLIPK", version u32
//! for each tensor:
//!   header length u32, header: dtype u8 (0 plain f32, 1 f32, 2 f16, 3 int8), rank u8, dimensions u64..., name
//!   numbers, and for int8 scales and sums: see `kernels::Matrix`
//!   XXH3-64 of all bytes of the tensor so far
//! ```
//!
//! How many tensors there are is told by nothing: whoever keeps the form knows its length, and a model which of its tensors
//! are missing. All numbers are little-endian. The form is that of one version of the kernels, and for the machine that
//! wrote it: it is a cache and not a format to publish (the converter writes GGUF for that).

use std::collections::HashMap;
use std::sync::Arc;

use candle_core::{Device, Tensor};
use xxhash_rust::xxh3::Xxh3;

use super::named::Parameter;
use super::plan::{MAX_TENSORS, check_shape, invalid, shorten};
use super::store::{channels, matrix_shape};
use crate::kernels::{Dtype, Matrix, MatrixBuilder};
use crate::{Error, ErrorKind, Result};

/// What a packed file begins with.
pub(super) const MAGIC: &[u8; 8] = b"OCELLIPK";
/// Changes with every change of the form or of the order in which kernels read their weights.
pub const PACKING_VERSION: u32 = 4;
/// Bytes that the header of one tensor may have.
const MAX_HEADER: usize = 4096;
/// Bytes of the checksum of one tensor.
const CHECKSUM: usize = 8;

/// The number that stands for how a tensor is stored.
fn code(dtype: Option<Dtype>) -> u8 {
    match dtype {
        None => 0,
        Some(Dtype::F32) => 1,
        Some(Dtype::F16) => 2,
        Some(Dtype::Int8) => 3,
    }
}

/// Writes the packed form while matrices are packed.
#[derive(Debug, Default)]
pub(super) struct Writer {
    /// Whether what comes before the first tensor is written.
    started: bool,
    out: Vec<u8>,
    hash: Hash,
    /// Bytes of the current tensor's numbers that were written.
    written: usize,
}

/// [`Xxh3`] has no `Debug` of its own.
struct Hash(Box<Xxh3>);

impl std::fmt::Debug for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hash")
    }
}

impl Default for Hash {
    fn default() -> Self {
        Self(Box::new(Xxh3::new()))
    }
}

impl Writer {
    /// Begins a tensor: `dtype` of a matrix, or none.
    pub(super) fn begin(&mut self, name: &str, shape: &[usize], dtype: Option<Dtype>) {
        if !self.started {
            self.started = true;
            self.out.extend_from_slice(MAGIC);
            self.out.extend_from_slice(&PACKING_VERSION.to_le_bytes());
        }
        // A plan refuses more dimensions and longer names than this cuts.
        let mut header = vec![code(dtype), shape.len() as u8];
        for &dimension in shape {
            header.extend_from_slice(&(dimension as u64).to_le_bytes());
        }
        header.extend_from_slice(name.as_bytes());
        self.hash.0.reset();
        self.written = 0;
        self.put(&(header.len() as u32).to_le_bytes());
        self.put(&header);
    }

    /// Writes what `builder` has finished since the last call.
    pub(super) fn follow(&mut self, builder: &MatrixBuilder) {
        let numbers = &builder.matrix().parts()[0][..builder.packed_bytes()];
        self.put(&numbers[self.written..]);
        self.written = numbers.len();
    }

    /// Ends a tensor whose numbers are `parts`.
    pub(super) fn end(&mut self, parts: &[&[u8]]) {
        for (i, part) in parts.iter().enumerate() {
            self.put(&part[if i == 0 { self.written } else { 0 }..]);
        }
        let checksum = self.hash.0.digest();
        self.out.extend_from_slice(&checksum.to_le_bytes());
    }

    /// What was written since the last call.
    pub(super) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }

    fn put(&mut self, bytes: &[u8]) {
        self.hash.0.update(bytes);
        self.out.extend_from_slice(bytes);
    }
}

/// Builds tensors from the packed form, pushed in chunks of any size. Every byte is copied once, to where it
/// stays.
#[derive(Debug)]
pub(super) struct Reader {
    stage: Stage,
    /// Bytes of the field that is being read.
    field: Vec<u8>,
    taken: u64,
    hash: Hash,
    done: HashMap<String, Parameter>,
}

#[derive(Debug)]
enum Stage {
    /// Magic and version.
    Start,
    HeaderLength,
    Header(usize),
    Body {
        name: String,
        shape: Vec<usize>,
        body: Body,
        at: usize,
    },
    Checksum {
        name: String,
        shape: Vec<usize>,
        body: Body,
    },
    /// Between two of the others.
    Changing,
}

#[derive(Debug)]
enum Body {
    Dense(Vec<f32>),
    Matrix(Matrix),
}

impl Body {
    fn parts(&mut self) -> [&mut [u8]; 3] {
        match self {
            Self::Dense(values) => [bytemuck::cast_slice_mut(values), &mut [], &mut []],
            Self::Matrix(matrix) => matrix.parts_mut(),
        }
    }
}

impl Reader {
    pub(super) fn new() -> Self {
        Self { stage: Stage::Start, field: Vec::new(), taken: 0, hash: Hash::default(), done: HashMap::new() }
    }

    /// Takes the next bytes.
    pub(super) fn push(&mut self, mut bytes: &[u8]) -> Result<()> {
        self.taken += bytes.len() as u64;
        while !bytes.is_empty() {
            match &mut self.stage {
                Stage::Start => {
                    let Some(start) = self.collect(&mut bytes, MAGIC.len() + 4) else { return Ok(()) };
                    if &start[..8] != MAGIC || number(&start[8..]) != u64::from(PACKING_VERSION) {
                        return Err(damaged("they are of another version"));
                    }
                    self.stage = Stage::HeaderLength;
                }
                Stage::HeaderLength => {
                    let Some(length) = self.collect(&mut bytes, 4) else { return Ok(()) };
                    self.hash.0.reset();
                    self.hash.0.update(&length);
                    let length = number(&length) as usize;
                    if self.done.len() == MAX_TENSORS {
                        return Err(damaged("they hold too many tensors"));
                    }
                    if !(2..=MAX_HEADER).contains(&length) {
                        return Err(damaged("the length of a header is impossible"));
                    }
                    self.stage = Stage::Header(length);
                }
                Stage::Header(length) => {
                    let length = *length;
                    let Some(header) = self.collect(&mut bytes, length) else { return Ok(()) };
                    self.hash.0.update(&header);
                    let (name, shape, body) = parse(&header)?;
                    self.stage = Stage::Body { name, shape, body, at: 0 };
                    self.fill(&mut &[][..]);
                }
                Stage::Body { .. } => self.fill(&mut bytes),
                Stage::Checksum { .. } => {
                    let Some(checksum) = self.collect(&mut bytes, CHECKSUM) else { return Ok(()) };
                    self.settle(number(&checksum))?;
                }
                Stage::Changing => return Err(damaged("an earlier part of them was refused")),
            }
        }
        Ok(())
    }

    /// `count` bytes, once all of them have come.
    fn collect(&mut self, bytes: &mut &[u8], count: usize) -> Option<Vec<u8>> {
        let (now, later) = bytes.split_at((count - self.field.len()).min(bytes.len()));
        self.field.extend_from_slice(now);
        *bytes = later;
        (self.field.len() == count).then(|| std::mem::take(&mut self.field))
    }

    /// Copies bytes into the tensor, and goes on once it is full.
    fn fill(&mut self, bytes: &mut &[u8]) {
        let Stage::Body { body, at, .. } = &mut self.stage else { return };
        let mut begin = 0;
        for part in body.parts() {
            let end = begin + part.len();
            if (begin..end).contains(at) {
                let to = &mut part[*at - begin..];
                let (now, later) = bytes.split_at(to.len().min(bytes.len()));
                to[..now.len()].copy_from_slice(now);
                self.hash.0.update(now);
                *at += now.len();
                *bytes = later;
            }
            begin = end;
        }
        if *at == begin {
            let stage = std::mem::replace(&mut self.stage, Stage::Changing);
            if let Stage::Body { name, shape, body, .. } = stage {
                self.stage = Stage::Checksum { name, shape, body };
            }
        }
    }

    /// Takes the finished tensor over if its checksum is right.
    fn settle(&mut self, checksum: u64) -> Result<()> {
        let stage = std::mem::replace(&mut self.stage, Stage::Changing);
        let Stage::Checksum { name, shape, body } = stage else { return Ok(()) };
        if self.hash.0.digest() != checksum {
            return Err(damaged(&format!("the checksum of {} is wrong", shorten(&name))));
        }
        let parameter = match body {
            Body::Dense(values) => {
                Parameter::Dense(Tensor::from_vec(values, shape.as_slice(), &Device::Cpu)?)
            }
            Body::Matrix(matrix) => Parameter::Matrix { matrix: Arc::new(matrix), shape },
        };
        self.done.insert(name, parameter);
        self.stage = Stage::HeaderLength;
        Ok(())
    }

    /// The tensors, if the last that began is complete.
    pub(super) fn finish(self) -> Result<HashMap<String, Parameter>> {
        if let (Stage::HeaderLength, []) = (&self.stage, self.field.as_slice()) {
            return Ok(self.done);
        }
        let message = format!("The packed weights end too early, after {} bytes.", self.taken);
        Err(Error::new(ErrorKind::WeightsTruncated, message))
    }
}

/// Name, shape and room for the numbers of a tensor.
fn parse(header: &[u8]) -> Result<(String, Vec<usize>, Body)> {
    let rank = usize::from(header[1]);
    let Some((dimensions, name)) = header[2..].split_at_checked(8 * rank) else {
        return Err(damaged("a header is too short"));
    };
    let name = std::str::from_utf8(name).map_err(|_| damaged("a name is no text"))?.to_owned();
    let dimensions: Vec<u64> = dimensions.chunks_exact(8).map(number).collect();
    let (shape, elements) = check_shape(&name, &dimensions)?;
    let dtype = match header[0] {
        0 => None,
        1 => Some(Dtype::F32),
        2 => Some(Dtype::F16),
        3 => Some(Dtype::Int8),
        _ => return Err(damaged("a tensor has an unknown type")),
    };
    let body = match (dtype, matrix_shape(&name, &shape)) {
        (None, _) => {
            let mut values = Vec::new();
            values.try_reserve_exact(elements).map_err(|error| {
                invalid(format!("There is not enough memory for {}.", shorten(&name))).with_source(error)
            })?;
            values.resize(elements, 0.0);
            Body::Dense(values)
        }
        (Some(dtype), Some((rows, columns))) => {
            Body::Matrix(Matrix::zeros(dtype, rows, columns, channels(&name, &shape))?)
        }
        (Some(_), None) => return Err(damaged("a tensor is packed that is no matrix")),
    };
    Ok((name, shape, body))
}

/// An unsigned little-endian number of up to eight bytes.
fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte))
}

fn damaged(why: &str) -> Error {
    invalid(format!("The packed weights are damaged: {why}."))
}
