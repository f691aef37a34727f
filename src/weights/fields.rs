//! Fields of a table of contents that arrives in chunks.

use crate::{Error, Result};

/// Why a field cannot be read.
#[derive(Debug)]
pub(super) enum Stop {
    /// The item needs at least this many bytes in all.
    Short(usize),
    Wrong(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Wrong(error)
    }
}

/// Reads little-endian fields from the beginning of an item.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Fields<'a> {
    /// The fields of an item that is here as a whole.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Whether nothing is left.
    pub(super) fn is_empty(&self) -> bool {
        self.at == self.bytes.len()
    }

    /// The next `count` bytes.
    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], Stop> {
        let end = self.at.saturating_add(count);
        let taken = self.bytes.get(self.at..end).ok_or(Stop::Short(end))?;
        self.at = end;
        Ok(taken)
    }

    fn number<const N: usize>(&mut self) -> Result<[u8; N], Stop> {
        let mut raw = [0; N];
        raw.copy_from_slice(self.take(N)?);
        Ok(raw)
    }

    pub(super) fn u8(&mut self) -> Result<u8, Stop> {
        Ok(u8::from_le_bytes(self.number()?))
    }

    pub(super) fn u16(&mut self) -> Result<u16, Stop> {
        Ok(u16::from_le_bytes(self.number()?))
    }

    pub(super) fn u32(&mut self) -> Result<u32, Stop> {
        Ok(u32::from_le_bytes(self.number()?))
    }

    pub(super) fn u64(&mut self) -> Result<u64, Stop> {
        Ok(u64::from_le_bytes(self.number()?))
    }
}

/// Cuts a stream into items, holding only the bytes of one that is incomplete.
#[derive(Debug, Default)]
pub(super) struct Items {
    held: Vec<u8>,
    /// Bytes that the item is known to need.
    need: usize,
}

impl Items {
    /// The next item, if it is complete: `parse` reads it field by field and is called again from its beginning
    /// once there is more of it. Whoever asks for a field of a length that the file tells has to bound it.
    pub(super) fn next<T>(
        &mut self,
        bytes: &mut &[u8],
        mut parse: impl FnMut(&mut Fields<'_>) -> Result<T, Stop>,
    ) -> Result<Option<T>> {
        if self.held.is_empty() {
            let mut fields = Fields { bytes, at: 0 };
            match parse(&mut fields) {
                Ok(item) => {
                    *bytes = &bytes[fields.at..];
                    return Ok(Some(item));
                }
                Err(Stop::Short(need)) => self.need = need,
                Err(Stop::Wrong(error)) => return Err(error),
            }
        }
        loop {
            let (now, later) = bytes.split_at((self.need - self.held.len()).min(bytes.len()));
            self.held.extend_from_slice(now);
            *bytes = later;
            if self.held.len() < self.need {
                return Ok(None);
            }
            match parse(&mut Fields { bytes: &self.held, at: 0 }) {
                Ok(item) => {
                    self.held.clear();
                    return Ok(Some(item));
                }
                Err(Stop::Short(need)) => self.need = need,
                Err(Stop::Wrong(error)) => return Err(error),
            }
        }
    }
}
