//! Tensors by name, and what a model finds wrong with them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use candle_core::{DType, Device, Shape, Tensor};

use super::names::canonical;
use super::plan::{is_ignorable, is_of, shorten};
use super::store::channels;
use crate::kernels::{Dtype, Matrix, MatrixBuilder, channels_first};
use crate::{Error, ErrorKind, Result};

/// Tensors named in one message; the rest are counted.
const NAMED: usize = 5;

/// One tensor: as it is, or packed for multiplication.
#[derive(Debug, Clone)]
pub(super) enum Parameter {
    Dense(Tensor),
    Matrix {
        matrix: Arc<Matrix>,
        /// As the file has it: that of a convolution has four dimensions.
        shape: Vec<usize>,
    },
}

impl Parameter {
    fn dims(&self) -> &[usize] {
        match self {
            Self::Dense(tensor) => tensor.dims(),
            Self::Matrix { shape, .. } => shape,
        }
    }

    /// The numbers of the tensor `name` as f32.
    fn into_tensor(self, name: &str) -> Result<Tensor> {
        match self {
            Self::Dense(tensor) => Ok(tensor),
            Self::Matrix { matrix, shape } => {
                let mut values = vec![0.0; matrix.rows() * matrix.columns()];
                let mut packed = vec![0.0; matrix.columns()];
                for (i, row) in values.chunks_exact_mut(matrix.columns().max(1)).enumerate() {
                    match channels(name, &shape) {
                        Some(channels) => {
                            matrix.copy_row(i, &mut packed);
                            channels_first(&packed, channels, row);
                        }
                        None => matrix.copy_row(i, row),
                    }
                }
                Ok(Tensor::from_vec(values, shape, &Device::Cpu)?)
            }
        }
    }
}

/// Named tensors, to be consumed by a model's constructor.
///
/// The constructor takes what it needs through [`Weights::root`] and ends with [`Weights::finish`], which
/// reports whatever the model needs and is not here. So that one mistake does not
/// hide the next, taking a tensor that is missing or misshapen gives a placeholder of the right shape.
#[derive(Debug)]
pub struct Weights {
    tensors: RefCell<HashMap<String, Parameter>>,
    problems: RefCell<Problems>,
    /// Tensors of the file that are of no use, and the type of their numbers.
    unusable: HashMap<String, &'static str>,
}

#[derive(Debug, Default)]
struct Problems {
    missing: Vec<String>,
    misshapen: Vec<String>,
}

impl Weights {
    /// Weights made of `tensors` by their published names.
    pub fn from_tensors(tensors: HashMap<String, Tensor>) -> Self {
        let dense = tensors
            .into_iter()
            .map(|(name, tensor)| (canonical(&name, tensor.dims()).into_owned(), Parameter::Dense(tensor)));
        Self::from_parameters(dense.collect())
    }

    pub(super) fn from_parameters(tensors: HashMap<String, Parameter>) -> Self {
        Self { tensors: RefCell::new(tensors), problems: RefCell::default(), unusable: HashMap::new() }
    }

    /// The same weights of a file that has `unusable` tensors besides, of these types.
    pub(super) fn beside(self, unusable: HashMap<String, &'static str>) -> Self {
        Self { unusable, ..self }
    }

    /// The scope of all names.
    pub fn root(&self) -> Scope<'_> {
        Scope { weights: self, prefix: String::new() }
    }

    /// Number of tensors not yet taken.
    pub fn len(&self) -> usize {
        self.tensors.borrow().len()
    }

    /// Whether every tensor has been taken.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Drops the tensors of parts that a model does without, named as for
    /// [`WeightsLoader::pass_over`](super::WeightsLoader::pass_over), which never lets them in.
    pub fn pass_over(&self, unused: &[&str]) {
        self.tensors.borrow_mut().retain(|name, _| !is_of(unused, name));
    }

    /// Every tensor not yet taken, as f32, in the order of their names.
    pub fn into_tensors(self) -> Result<Vec<(String, Tensor)>> {
        let mut all: Vec<_> = self.tensors.into_inner().into_iter().collect();
        all.sort_by(|(a, _), (b, _)| a.cmp(b));
        all.into_iter()
            .map(|(name, parameter)| {
                let tensor = parameter.into_tensor(&name)?;
                Ok((name, tensor))
            })
            .collect()
    }

    /// Checks that every tensor asked for was there in its right shape. What is left over is ignored, as the reference does:
    /// heads of other tasks, buffers, what a trainer kept.
    ///
    /// # Errors
    /// `WeightsMismatch` names what is missing and what is misshapen, and then also what nobody asked for.
    pub fn finish(self) -> Result<()> {
        let Problems { missing, misshapen } = self.problems.into_inner();
        let mut unknown: Vec<String> = self
            .tensors
            .into_inner()
            .into_keys()
            .filter(|name| !is_ignorable(name))
            .map(|n| shorten(&n))
            .collect();
        if missing.is_empty() && misshapen.is_empty() {
            return Ok(());
        }
        // The map has no order of its own, and a message should be the same each time.
        unknown.sort();
        let parts: Vec<String> = [("missing", missing), ("misshapen", misshapen), ("unknown", unknown)]
            .into_iter()
            .filter(|(_, names)| !names.is_empty())
            .map(|(what, names)| {
                let rest = names.len().saturating_sub(NAMED);
                let named = names[..names.len() - rest].join(", ");
                let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
                format!("{what}: {named}{more}")
            })
            .collect();
        let message =
            format!("The weights do not fit the model that config.json describes; {}.", parts.join("; "));
        Err(Error::new(ErrorKind::WeightsMismatch, message))
    }
}

/// The tensors of [`Weights`] whose names begin with a prefix.
#[derive(Debug, Clone)]
pub struct Scope<'a> {
    weights: &'a Weights,
    /// Empty, or ending with a full stop.
    prefix: String,
}

impl Scope<'_> {
    /// The scope `name` within this one. `name` may have several parts, or be a number.
    pub fn scope(&self, name: impl std::fmt::Display) -> Self {
        Self { weights: self.weights, prefix: format!("{}{name}.", self.prefix) }
    }

    /// Whether there is a tensor `name` that has not been taken.
    pub fn contains(&self, name: &str) -> bool {
        self.weights.tensors.borrow().contains_key(&self.full(name))
    }

    /// Takes the tensor `name`, which must have `shape`.
    ///
    /// A problem is kept for [`Weights::finish`] and answered with a placeholder that allocates nothing.
    pub fn take(&self, name: &str, shape: impl Into<Shape>) -> Result<Tensor> {
        let shape = shape.into();
        match self.find(name, &shape) {
            None => placeholder(&shape),
            // One number may come in one dimension: see `find`.
            Some(parameter) => Ok(parameter.into_tensor(&self.full(name))?.reshape(shape)?),
        }
    }

    /// [`Scope::take`] of the numbers of a tensor with one dimension.
    pub fn take_vector(&self, name: &str, length: usize) -> Result<Arc<[f32]>> {
        // A placeholder is as long as what it stands for, so that no layer is made of unequal lengths.
        Ok(self.take(name, length)?.contiguous()?.to_vec1::<f32>()?.into())
    }

    /// [`Scope::take`] of a tensor whose first dimension counts the rows of a matrix, and the others together
    /// its columns. Those of a convolution `(out, in, height, width)` come in the order `(height, width, in)`.
    pub fn take_matrix(&self, name: &str, shape: impl Into<Shape>) -> Result<Arc<Matrix>> {
        let shape = shape.into();
        let rows = shape.dims().first().copied().unwrap_or(1);
        let columns = shape.dims().iter().skip(1).product();
        match self.find(name, &shape) {
            // A model with a placeholder is never finished, let alone run.
            None => Ok(Arc::new(Matrix::zeros(Dtype::F32, 0, columns, None)?)),
            Some(Parameter::Matrix { matrix, .. }) => Ok(matrix),
            Some(Parameter::Dense(tensor)) => {
                let values = tensor.flatten_all()?.to_vec1::<f32>()?;
                let channels = channels(&self.full(name), shape.dims());
                let mut builder = MatrixBuilder::convolution(Dtype::F32, rows, columns, channels)?;
                builder.push(&values);
                Ok(Arc::new(builder.finish()?))
            }
        }
    }

    /// The tensor `name`, if it is there in the right shape; otherwise the problem is noted.
    fn find(&self, name: &str, shape: &Shape) -> Option<Parameter> {
        let full = self.full(name);
        let Some(found) = self.weights.tensors.borrow_mut().remove(&full) else {
            let shown = match self.weights.unusable.get(&full) {
                None => shorten(&full),
                Some(kind) => format!("{} (there, but of type {kind})", shorten(&full)),
            };
            self.weights.problems.borrow_mut().missing.push(shown);
            return None;
        };
        // Libraries differ in dimensions of one before the others; and GGUF is written without numbers of no dimension.
        let leading = without_leading_ones(found.dims()) == without_leading_ones(shape.dims());
        // Pointwise convolutions are stored as `(out, in)` too, so that rows can be cut into blocks.
        let pointwise = matches!(*shape.dims(), [outputs, inputs, 1, 1] if found.dims() == [outputs, inputs]);
        if leading || pointwise {
            return Some(found);
        }
        let note = format!("{} is {:?} instead of {:?}", shorten(&full), found.dims(), shape.dims());
        self.weights.problems.borrow_mut().misshapen.push(note);
        None
    }

    /// Takes the tensor `name` if it is there.
    pub fn take_if_present(&self, name: &str, shape: impl Into<Shape>) -> Result<Option<Tensor>> {
        if self.contains(name) { self.take(name, shape).map(Some) } else { Ok(None) }
    }

    fn full(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }
}

/// The dimensions from the first on that is not one.
fn without_leading_ones(mut dims: &[usize]) -> &[usize] {
    while let Some((1, rest)) = dims.split_first() {
        dims = rest;
    }
    dims
}

/// One zero seen as a tensor of any shape.
fn placeholder(shape: &Shape) -> Result<Tensor> {
    Ok(Tensor::zeros((), DType::F32, &Device::Cpu)?.broadcast_as(shape)?)
}
