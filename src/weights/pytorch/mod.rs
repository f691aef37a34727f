//! What `torch.save` writes: a zip of one pickle, which comes first, and of storages, nothing compressed.
//!
//! The layout is that of [PKWARE's APPNOTE](https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT). The
//! directory is at the end of the file and comes too late to be of use: entries are read one after the other by
//! the headers before them. Those usually do not tell how long the entry is (its sizes follow it, in a data
//! descriptor); but a pickle knows its own end, and tells the sizes of the storages.

mod globals;
mod operation;
mod pickle;
mod storage;

use super::fields::{Fields, Items, Stop};
use super::fill::Filler;
use super::loader::Format;
use super::plan::{invalid, shorten};
use crate::{Error, ErrorKind, Result};
use pickle::Unpickler;
use storage::{Reading, Storages};

/// What each entry begins with.
const ENTRY: u32 = u32::from_le_bytes(*b"PK\x03\x04");
/// What the sizes after an entry begin with.
const DESCRIPTOR: [u8; 4] = *b"PK\x07\x08";
/// What the directory begins with, and what stands for it where there are no entries.
const DIRECTORY: [u32; 2] = [u32::from_le_bytes(*b"PK\x01\x02"), u32::from_le_bytes(*b"PK\x05\x06")];
/// Bytes of the small entries beside pickle and storages, whose length nothing tells.
const MAX_NOTE: usize = 4096;
/// Bytes of the larger of the two forms of a descriptor.
const LONG_DESCRIPTOR: usize = 24;

/// Reads a zip as PyTorch writes it.
#[derive(Debug)]
pub(super) struct PyTorch {
    items: Items,
    stage: Stage,
    /// None before the pickle.
    storages: Option<Storages>,
}

#[derive(Debug)]
enum Stage {
    Header,
    Pickle {
        pickle: Box<Unpickler>,
        size: Option<u64>,
    },
    Storage {
        reading: Reading,
        length: u64,
        size: Option<u64>,
    },
    /// An entry that is passed over, of a known length.
    Skipped {
        left: u64,
    },
    /// A small entry of an unknown length, with what follows it.
    Note {
        name: String,
        bytes: Vec<u8>,
    },
    /// The sizes after an entry of this length.
    Descriptor {
        length: u64,
    },
    /// The directory and all that follows.
    End,
}

impl Default for PyTorch {
    fn default() -> Self {
        Self { items: Items::default(), stage: Stage::Header, storages: None }
    }
}

impl Format for PyTorch {
    fn push(&mut self, mut bytes: &[u8], filler: &mut Filler) -> Result<()> {
        while !bytes.is_empty() {
            self.advance(&mut bytes, filler)?;
        }
        Ok(())
    }

    fn total(&self) -> Option<u64> {
        None
    }

    fn finish(&self) -> Result<()> {
        let early = |what: &str| Err(Error::new(ErrorKind::WeightsTruncated, what));
        match &self.storages {
            None => early("The weights end within their table of contents."),
            Some(storages) => match storages.missing() {
                Some(key) => early(&format!("The weights end before the storage {}.", shorten(key))),
                None => Ok(()),
            },
        }
    }
}

impl PyTorch {
    /// Takes bytes up to the end of a stage.
    fn advance(&mut self, bytes: &mut &[u8], filler: &mut Filler) -> Result<()> {
        match &mut self.stage {
            Stage::Header => {
                if let Some(header) = self.items.next(bytes, header)? {
                    self.stage = match header {
                        Some(entry) => self.begin(entry, filler)?,
                        None => Stage::End,
                    };
                    self.settle();
                }
            }
            Stage::Pickle { pickle, size } => {
                if let Some(contents) = pickle.push(bytes)? {
                    let (length, size) = (pickle.taken(), *size);
                    self.storages = Some(Storages::new(contents)?);
                    self.stage = after(length, size)?;
                }
            }
            Stage::Storage { reading, .. } => {
                reading.push(bytes, filler)?;
                self.settle();
            }
            Stage::Skipped { left } => {
                let count = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                *bytes = &bytes[count..];
                *left -= count as u64;
                self.settle();
            }
            Stage::Note { name, bytes: note } => {
                // One by one, until the last of them are sizes that fit what came before.
                let Some((&byte, rest)) = bytes.split_first() else { return Ok(()) };
                *bytes = rest;
                note.push(byte);
                if let Some(length) = described(note) {
                    if name.ends_with("/byteorder") && &note[..length] != b"little" {
                        let message = "The PyTorch file is for machines that store numbers high byte first.";
                        return Err(invalid(message));
                    }
                    self.stage = Stage::Header;
                } else if note.len() > MAX_NOTE + LONG_DESCRIPTOR {
                    let name = shorten(name);
                    return Err(invalid(format!(
                        "The PyTorch file does not tell where its part {name} ends."
                    )));
                }
            }
            Stage::Descriptor { length } => {
                let length = *length;
                if self.items.next(bytes, |fields| descriptor(fields, length))?.is_some() {
                    self.stage = Stage::Header;
                }
            }
            Stage::End => *bytes = &[],
        }
        Ok(())
    }

    /// Leaves a stage that has nothing left to take.
    fn settle(&mut self) {
        match &self.stage {
            Stage::Storage { reading, length, size } if reading.left() == 0 => {
                self.stage =
                    if size.is_some() { Stage::Header } else { Stage::Descriptor { length: *length } };
            }
            Stage::Skipped { left: 0 } => self.stage = Stage::Header,
            _ => {}
        }
    }

    fn begin(&mut self, entry: Entry, filler: &mut Filler) -> Result<Stage> {
        let Entry { name, size } = entry;
        // All names are in one folder, which is named as the file was.
        let path = name.split_once('/').map_or(name.as_str(), |(_, path)| path);
        if path == "data.pkl" && self.storages.is_none() {
            return Ok(Stage::Pickle { pickle: Box::default(), size });
        }
        if let Some(key) = path.strip_prefix("data/") {
            let Some(storages) = &mut self.storages else {
                return Err(invalid(
                    "The PyTorch file does not begin with its table of contents, as those of torch.save do. If it is TorchScript, \
                     save its weights alone: torch.save(torch.jit.load(file).state_dict(), \"pytorch_model.bin\").",
                ));
            };
            if let Some(reading) = storages.begin(key, filler)? {
                let length = reading.left();
                if size.is_some_and(|size| size != length) {
                    return Err(wrong_size(length));
                }
                return Ok(Stage::Storage { reading, length, size });
            }
        }
        Ok(match size {
            Some(left) => Stage::Skipped { left },
            None => Stage::Note { name, bytes: Vec::new() },
        })
    }
}

/// What follows an entry whose length turned out to be `length`: its sizes, if they did not come before it.
fn after(length: u64, size: Option<u64>) -> Result<Stage> {
    match size {
        None => Ok(Stage::Descriptor { length }),
        Some(size) if size == length => Ok(Stage::Header),
        Some(_) => Err(wrong_size(length)),
    }
}

fn wrong_size(length: u64) -> Error {
    invalid(format!("A part of the PyTorch file should have {length} bytes and has another length."))
}

/// The header of an entry.
struct Entry {
    name: String,
    /// None where it comes after the entry.
    size: Option<u64>,
}

/// The next header; none where the directory begins.
fn header(fields: &mut Fields<'_>) -> Result<Option<Entry>, Stop> {
    let signature = fields.u32()?;
    if DIRECTORY.contains(&signature) {
        return Ok(None);
    }
    if signature != ENTRY {
        return Err(invalid("The PyTorch file is damaged: a part does not begin where it should.").into());
    }
    // The version that is needed, flags, the method, time and date, the checksum.
    fields.take(2)?;
    let (flags, method) = (fields.u16()?, fields.u16()?);
    fields.take(8)?;
    let (packed, size) = (fields.u32()?, fields.u32()?);
    let (name_length, extra_length) = (fields.u16()?, fields.u16()?);
    let name = String::from_utf8_lossy(fields.take(usize::from(name_length))?).into_owned();
    let extra = fields.take(usize::from(extra_length))?;
    let shown = shorten(&name);
    if flags & 1 != 0 {
        return Err(invalid(format!("The part {shown} of the PyTorch file is encrypted.")).into());
    }
    if method != 0 {
        return Err(invalid(format!("The part {shown} of the PyTorch file is compressed.")).into());
    }
    let size = match (flags & 8 != 0, size, packed) {
        // Sizes follow the entry. Some writers give them here as well; those after it are the ones to trust.
        (true, ..) => None,
        (false, u32::MAX, _) | (false, _, u32::MAX) => {
            let size = zip64_size(extra).ok_or_else(|| {
                invalid(format!("The part {shown} of the PyTorch file does not tell its size."))
            })?;
            Some(size)
        }
        (false, size, _) => Some(u64::from(size)),
    };
    Ok(Some(Entry { name, size }))
}

/// The size that the zip64 field of `extra` tells.
fn zip64_size(mut extra: &[u8]) -> Option<u64> {
    while let Some((head, rest)) = extra.split_first_chunk::<4>() {
        let [kind, length] = [[head[0], head[1]], [head[2], head[3]]].map(u16::from_le_bytes);
        let (field, later) = rest.split_at_checked(usize::from(length))?;
        if kind == 1 {
            return field.first_chunk().map(|size| u64::from_le_bytes(*size));
        }
        extra = later;
    }
    None
}

/// Passes over the sizes after an entry of `length` bytes: of four bytes each or, behind the first 4 GiB of a
/// file, of eight.
fn descriptor(fields: &mut Fields<'_>, length: u64) -> Result<(), Stop> {
    if fields.take(4)? != DESCRIPTOR {
        return Err(wrong_size(length).into());
    }
    // The checksum. PyTorch may write something else in its place, so that it proves nothing.
    fields.take(4)?;
    let sizes = [fields.u32()?, fields.u32()?].map(u64::from);
    if sizes == [length; 2] {
        return Ok(());
    }
    if sizes[0] | sizes[1] << 32 == length && fields.u64()? == length {
        return Ok(());
    }
    Err(wrong_size(length).into())
}

/// The length of the entry that `bytes` are, if they end with sizes that say so.
fn described(bytes: &[u8]) -> Option<usize> {
    [16, LONG_DESCRIPTOR].into_iter().find_map(|form| {
        let length = bytes.len().checked_sub(form)?;
        let sizes = &bytes[length..];
        let (size, packed) = sizes[8..].split_at((form - 8) / 2);
        let expected = (length as u64).to_le_bytes();
        (sizes.starts_with(&DESCRIPTOR) && size == packed && size == &expected[..size.len()])
            .then_some(length)
    })
}
