//! An index as a file. All numbers are little-endian.
//!
//! | bytes | what |
//! | --- | --- |
//! | 8 | `ocelli-i` |
//! | 4 each | version of the format (1), width, count of vectors, count of background vectors |
//! | 3 x (2 + n) | the model's id, revision and dtype: a length, and so many bytes of UTF-8 |
//! | count x (2 + n) | the ids, in the same way, in the order of the rows |
//! | count x 4 | the scales, f32 |
//! | count x width | the vectors, int8, each to be multiplied with its scale |
//! | background x (4 + width) | the background: scales, then vectors, as above |
//! | 8 | XXH3 (64 bits) of all bytes before it |
//!
//! It is read as it comes, in pieces of any size, so that a file of a hundred megabytes is never in memory beside the index that
//! it becomes; nothing is allocated for a count before what it counts has come.

use xxhash_rust::xxh3::Xxh3;

use super::background::MAX_BACKGROUND;
use super::ids::{Ids, MAX_ID_BYTES};
use super::{Index, MAX_VECTORS, MAX_WIDTH, ModelName, full};
use crate::kernels::Vectors;
use crate::{Error, ErrorKind, Result};

const MAGIC: &[u8; 8] = b"ocelli-i";
const VERSION: u32 = 1;
const HEAD: usize = MAGIC.len() + 4 * 4;
/// The longest id of a model, in UTF-8.
pub const MAX_NAME_BYTES: usize = 4096;
/// Bytes of a piece that is written.
const PIECE: usize = 1 << 20;

impl Index {
    /// Writes the index as a file, in pieces of about a megabyte.
    pub fn write<E>(
        &self,
        sink: impl FnMut(&[u8]) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        let mut writer = Writer { buffer: Vec::with_capacity(PIECE), hash: Xxh3::new(), sink };
        writer.put(MAGIC)?;
        for number in [VERSION as usize, self.width(), self.len(), self.background.len()] {
            writer.put(&(number as u32).to_le_bytes())?;
        }
        let ModelName { id, revision, dtype } = &self.model;
        let ids = (0..self.len()).map(|row| self.id(row));
        for text in [id, revision, dtype].into_iter().map(String::as_str).chain(ids) {
            writer.put(&(text.len() as u16).to_le_bytes())?;
            writer.put(text.as_bytes())?;
        }
        for vectors in [&self.vectors, &self.background] {
            for row in 0..vectors.len() {
                writer.put(&vectors.row(row).1.to_le_bytes())?;
            }
            for row in 0..vectors.len() {
                writer.put(bytemuck::cast_slice(&vectors.row(row).0))?;
            }
        }
        writer.finish()
    }
}

struct Writer<S> {
    buffer: Vec<u8>,
    hash: Xxh3,
    sink: S,
}

impl<S: FnMut(&[u8]) -> std::result::Result<(), E>, E> Writer<S> {
    fn put(&mut self, bytes: &[u8]) -> std::result::Result<(), E> {
        if self.buffer.len() + bytes.len() > PIECE {
            self.flush()?;
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    fn flush(&mut self) -> std::result::Result<(), E> {
        self.hash.update(&self.buffer);
        (self.sink)(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }

    fn finish(mut self) -> std::result::Result<(), E> {
        self.flush()?;
        (self.sink)(&self.hash.digest().to_le_bytes())
    }
}

/// What the next bytes of a file are.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Part {
    Head,
    Names,
    Ids,
    Scales,
    Vectors,
    BackgroundScales,
    Background,
    Checksum,
    End,
}

/// Reads a file as it comes.
///
/// ```
/// # use ocelli::index::{Index, IndexReader, ModelName};
/// # fn main() -> ocelli::Result<()> {
/// # let index = Index::new(ModelName::new("ocelli", "", "int8")?, 3)?;
/// let mut file = Vec::new();
/// index.write(|piece| std::io::Write::write_all(&mut file, piece)).ok();
/// let mut reader = IndexReader::new();
/// for piece in file.chunks(5) {
///     reader.push(piece)?;
/// }
/// assert_eq!(reader.finish()?.len(), 0);
/// # Ok(()) }
/// ```
pub struct IndexReader {
    part: Part,
    /// The record that is under way, as far as it has come.
    pending: Vec<u8>,
    hash: Xxh3,
    count: usize,
    background_count: usize,
    names: Vec<String>,
    ids: Ids,
    scales: Vec<f32>,
    vectors: Vectors,
    background: Vectors,
}

impl Default for IndexReader {
    fn default() -> Self {
        Self::new()
    }
}

impl IndexReader {
    /// A reader at the beginning of a file.
    pub fn new() -> Self {
        Self {
            part: Part::Head,
            pending: Vec::new(),
            hash: Xxh3::new(),
            count: 0,
            background_count: 0,
            names: Vec::new(),
            ids: Ids::default(),
            scales: Vec::new(),
            vectors: Vectors::new(1),
            background: Vectors::new(1),
        }
    }

    /// Takes the next bytes of the file, any number of them.
    ///
    /// # Errors
    /// `IndexInvalid`: the file is no index, or is damaged. `IndexFull`: there is no memory for it. The reader is of no more
    /// use then.
    pub fn push(&mut self, mut bytes: &[u8]) -> Result<()> {
        loop {
            let needed = self.needed()?;
            let (taken, rest) = bytes.split_at(bytes.len().min(needed - self.pending.len()));
            self.pending.extend_from_slice(taken);
            bytes = rest;
            if self.pending.len() < needed {
                return Ok(());
            }
            // A text says how long it is, and is needed then as a whole.
            if self.needed()? == needed {
                if self.part == Part::End {
                    return if bytes.is_empty() { Ok(()) } else { Err(damaged("goes on after its end")) };
                }
                let record = std::mem::take(&mut self.pending);
                self.take(&record)?;
                self.pending = record;
                self.pending.clear();
            }
        }
    }

    /// The index.
    ///
    /// # Errors
    /// `IndexInvalid`: the file ends too early.
    pub fn finish(self) -> Result<Index> {
        if self.part != Part::End {
            return Err(damaged("ends too early"));
        }
        let [id, revision, dtype] =
            <[String; 3]>::try_from(self.names).map_err(|_| damaged("names no model"))?;
        let Self { ids, vectors, background, .. } = self;
        Ok(Index { model: ModelName { id, revision, dtype }, ids, vectors, background })
    }

    /// Bytes of the record under way, as far as is known.
    fn needed(&self) -> Result<usize> {
        let text = |most: usize| match self.pending.first_chunk::<2>() {
            None => Ok(2),
            Some(length) => match usize::from(u16::from_le_bytes(*length)) {
                length if length <= most => Ok(2 + length),
                _ => Err(damaged("has a text that is too long")),
            },
        };
        match self.part {
            Part::Head => Ok(HEAD),
            Part::Names => text(MAX_NAME_BYTES),
            Part::Ids => text(MAX_ID_BYTES),
            Part::Scales | Part::BackgroundScales => Ok(4),
            Part::Vectors | Part::Background => Ok(self.vectors.width()),
            Part::Checksum => Ok(8),
            Part::End => Ok(0),
        }
    }

    /// Takes a whole record, and goes on to the part that comes next.
    fn take(&mut self, record: &[u8]) -> Result<()> {
        if self.part != Part::Checksum {
            self.hash.update(record);
        }
        match self.part {
            Part::Head => self.head(record)?,
            Part::Names => self.names.push(text(record)?.to_owned()),
            Part::Ids => self.id(text(record)?)?,
            Part::Scales | Part::BackgroundScales => self.scale(record)?,
            Part::Vectors => Self::vector(&mut self.vectors, &self.scales, record)?,
            Part::Background => Self::vector(&mut self.background, &self.scales, record)?,
            Part::Checksum if record == self.hash.digest().to_le_bytes() => self.part = Part::End,
            Part::Checksum => return Err(damaged("does not match its checksum")),
            Part::End => {}
        }
        self.advance();
        Ok(())
    }

    /// Goes on to the part of which there is more to come.
    fn advance(&mut self) {
        loop {
            let (full, next) = match self.part {
                Part::Names => (self.names.len() == 3, Part::Ids),
                Part::Ids => (self.ids.len() == self.count, Part::Scales),
                Part::Scales => (self.scales.len() == self.count, Part::Vectors),
                Part::Vectors => (self.vectors.len() == self.count, Part::BackgroundScales),
                Part::BackgroundScales => (self.scales.len() == self.background_count, Part::Background),
                Part::Background => (self.background.len() == self.background_count, Part::Checksum),
                Part::Head | Part::Checksum | Part::End => return,
            };
            if !full {
                return;
            }
            if self.part == Part::Vectors {
                self.scales = Vec::new();
            }
            self.part = next;
        }
    }

    fn head(&mut self, record: &[u8]) -> Result<()> {
        let Some(numbers) = record.strip_prefix(MAGIC) else {
            return Err(Error::new(ErrorKind::IndexInvalid, "The file is not an index of ocelli."));
        };
        let (numbers, _) = numbers.as_chunks::<4>();
        let number = |place: usize| u32::from_le_bytes(numbers[place]);
        if number(0) != VERSION {
            let message = format!("The index has the format {}, and this ocelli reads {VERSION}.", number(0));
            return Err(Error::new(ErrorKind::IndexInvalid, message));
        }
        let [width, count, background] = [1, 2, 3].map(|place| number(place) as usize);
        if !(1..=MAX_WIDTH).contains(&width) || count > MAX_VECTORS || background > MAX_BACKGROUND {
            return Err(damaged("has numbers in its head that no index has"));
        }
        (self.count, self.background_count) = (count, background);
        (self.vectors, self.background) = (Vectors::new(width), Vectors::new(width));
        self.part = Part::Names;
        Ok(())
    }

    fn id(&mut self, id: &str) -> Result<()> {
        if id.is_empty() || self.ids.find(id).is_some() {
            return Err(damaged("has an id that is empty or there twice"));
        }
        self.ids.reserve(1).map_err(|_| full())?;
        self.ids.push(id);
        Ok(())
    }

    fn scale(&mut self, record: &[u8]) -> Result<()> {
        let scale = record.first_chunk().map_or(f32::NAN, |bytes| f32::from_le_bytes(*bytes));
        // The largest number of a vector of length 1 is 1, and a step of it a 127th: with room for rounding.
        if !(0.0..=1.01 / 127.0).contains(&scale) {
            return Err(damaged("has a vector that is not of length 1"));
        }
        self.scales.try_reserve(1).map_err(|_| full())?;
        self.scales.push(scale);
        Ok(())
    }

    fn vector(to: &mut Vectors, scales: &[f32], record: &[u8]) -> Result<()> {
        let row: &[i8] = bytemuck::cast_slice(record);
        if row.contains(&i8::MIN) {
            return Err(damaged("has a number that no vector has"));
        }
        to.push_quantised(row, scales[to.len()]).map_err(|_| full())
    }
}

/// The text of a record, behind its length.
fn text(record: &[u8]) -> Result<&str> {
    std::str::from_utf8(&record[2..]).map_err(|_| damaged("has a text that is not UTF-8"))
}

fn damaged(how: &str) -> Error {
    Error::new(ErrorKind::IndexInvalid, format!("The index is damaged: its file {how}."))
}
