//! Many vectors of one model, each under an id, to be searched: an exact index.
//!
//! Vectors are kept in int8 with a scale each ([`Vectors`]) and read as a whole for every query: a hundred thousand of 512
//! numbers are 52 MB, which a machine reads in a few milliseconds. Nothing is approximate but the eight bits. An id stands for
//! its vector until it is removed; the *row* of a vector is its place for now, and changes when others are removed.
//!
//! ```
//! use ocelli::index::{Filter, Index, ModelName};
//! # fn main() -> ocelli::Result<()> {
//! let mut index = Index::new(ModelName::new("ocelli", "", "int8")?, 3)?;
//! index.add(&["a.jpg", "b.jpg"], &[1.0, 0.0, 0.0, 0.0, 0.6, 0.8])?;
//! let hits = index.search(&[0.0, 0.0, 1.0], 1, Filter::all())?;
//! assert_eq!(index.id(hits[0].row), "b.jpg");
//! # Ok(()) }
//! ```

mod background;
mod diverse;
mod format;
mod groups;
mod ids;
mod search;

pub use diverse::Diversity;
pub use format::{IndexReader, MAX_NAME_BYTES};
pub use groups::{Closeness, GroupScan};
pub use ids::MAX_ID_BYTES;
pub use search::{Filter, Hit};

use crate::kernels::Vectors;
use crate::{Error, ErrorKind, Result};
use ids::Ids;

/// The widest vectors that an index takes.
pub const MAX_WIDTH: usize = 16_384;
/// The most vectors that an index takes. Memory ends sooner.
pub const MAX_VECTORS: usize = 1 << 24;

/// Which model made the vectors: those of another cannot be compared with them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelName {
    /// Its name: `ocelli`, `openai/clip-vit-base-patch32`, or an address.
    pub id: String,
    /// The revision of its files; empty where it has none.
    pub revision: String,
    /// How its matrices were kept in memory: `int8`, `f16` or `f32`.
    pub dtype: String,
}

impl ModelName {
    /// A name of its parts.
    ///
    /// # Errors
    /// `ArgumentInvalid`: a part is longer than [`MAX_NAME_BYTES`].
    pub fn new(id: &str, revision: &str, dtype: &str) -> Result<Self> {
        if [id, revision, dtype].iter().any(|part| part.len() > MAX_NAME_BYTES) {
            return Err(argument(format!("The name of a model has at most {MAX_NAME_BYTES} bytes.")));
        }
        Ok(Self { id: id.to_owned(), revision: revision.to_owned(), dtype: dtype.to_owned() })
    }
}

/// Vectors of length 1 with their ids.
#[derive(Debug, Clone)]
pub struct Index {
    model: ModelName,
    ids: Ids,
    vectors: Vectors,
    background: Vectors,
}

impl Index {
    /// An empty index of vectors of `width` numbers.
    ///
    /// # Errors
    /// `ArgumentInvalid`: the width is 0 or more than [`MAX_WIDTH`].
    pub fn new(model: ModelName, width: usize) -> Result<Self> {
        if !(1..=MAX_WIDTH).contains(&width) {
            return Err(argument(format!("The vectors of an index have from 1 to {MAX_WIDTH} numbers.")));
        }
        Ok(Self { model, ids: Ids::default(), vectors: Vectors::new(width), background: Vectors::new(width) })
    }

    /// Which model made the vectors.
    pub fn model(&self) -> &ModelName {
        &self.model
    }

    /// Numbers of a vector.
    pub fn width(&self) -> usize {
        self.vectors.width()
    }

    /// How many vectors there are.
    pub fn len(&self) -> usize {
        self.vectors.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.vectors.is_empty()
    }

    /// Bytes that the vectors and their ids take in memory, about.
    pub fn memory(&self) -> usize {
        self.vectors.memory() + self.ids.memory() + self.background.memory()
    }

    /// The id of the vector in a row.
    ///
    /// # Panics
    /// There is no such row.
    pub fn id(&self, row: usize) -> &str {
        self.ids.get(row)
    }

    /// Where the vector of an id is for now.
    pub fn row(&self, id: &str) -> Option<usize> {
        self.ids.find(id)
    }

    /// The vector in a row, in f32, as it is kept.
    ///
    /// # Panics
    /// There is no such row.
    pub fn vector(&self, row: usize) -> Vec<f32> {
        self.vectors.restore(row)
    }

    /// Adds vectors, one for each id, one after the other in `vectors`. They are brought to length 1. That of an id which is
    /// there already takes the place of the old one. It is all of them or, on an error, none.
    ///
    /// # Errors
    /// `ArgumentInvalid`: an id is empty, too long or given twice, there are not as many numbers as the ids need, or they have
    /// no direction (zeros, infinities). `IndexFull`: there is no room.
    pub fn add(&mut self, ids: &[&str], vectors: &[f32]) -> Result<()> {
        let width = self.width();
        if vectors.len() != ids.len() * width {
            let count = ids.len();
            let message = format!(
                "{count} vectors of {width} numbers were expected, and {} numbers came.",
                vectors.len()
            );
            return Err(argument(message));
        }
        let rows = vectors.chunks_exact(width);
        let units = rows.zip(ids).map(|(row, id)| unit(row).ok_or_else(|| no_direction(id)));
        let units = units.collect::<Result<Vec<_>>>()?;
        let fresh = self.ids.check(ids)?;
        if fresh > MAX_VECTORS - self.len() {
            return Err(full());
        }
        self.vectors.reserve(fresh).map_err(|_| full())?;
        self.ids.reserve(fresh).map_err(|_| full())?;
        for (id, unit) in ids.iter().zip(units) {
            match self.ids.find(id) {
                Some(row) => self.vectors.set(row, &unit),
                None => {
                    self.vectors.push(&unit).map_err(|_| full())?;
                    self.ids.push(id);
                }
            }
        }
        Ok(())
    }

    /// Removes the vectors of some ids; those that are not there are passed over. Returns how many were removed. The last
    /// vectors move into the rows that become free.
    pub fn remove<S: AsRef<str>>(&mut self, ids: &[S]) -> usize {
        let before = self.len();
        for id in ids {
            if let Some(row) = self.ids.find(id.as_ref()) {
                self.ids.swap_remove(row);
                self.vectors.swap_remove(row);
            }
        }
        before - self.len()
    }
}

/// `vector` at length 1, if it has a direction.
fn unit(vector: &[f32]) -> Option<Vec<f32>> {
    let length = vector.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt();
    let has_direction = length.is_finite() && length > 0.0;
    has_direction.then(|| vector.iter().map(|&x| (f64::from(x) / length) as f32).collect())
}

fn no_direction(id: &str) -> Error {
    argument(format!(
        "The vector of {id} has no direction: its numbers are zeros, or not all of them are finite."
    ))
}

fn full() -> Error {
    Error::new(ErrorKind::IndexFull, "There is no memory for more vectors: the index has stayed as it was.")
}

fn argument(message: String) -> Error {
    Error::new(ErrorKind::ArgumentInvalid, message)
}

#[cfg(test)]
mod tests;
