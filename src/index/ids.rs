//! The ids of vectors, by row and by name.

use std::collections::{HashSet, TryReserveError};

use hashbrown::HashTable;
use xxhash_rust::xxh3::xxh3_64;

use super::argument;
use crate::Result;

/// The longest id, in UTF-8: the longest path of Linux.
pub const MAX_ID_BYTES: usize = 4096;

/// Ids in the order of the rows. The table finds rows by ids, and does not keep the ids a second time.
#[derive(Debug, Clone, Default)]
pub(super) struct Ids {
    names: Vec<Box<str>>,
    rows: HashTable<u32>,
}

fn hash(id: &str) -> u64 {
    xxh3_64(id.as_bytes())
}

impl Ids {
    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    pub(super) fn get(&self, row: usize) -> &str {
        &self.names[row]
    }

    pub(super) fn find(&self, id: &str) -> Option<usize> {
        self.rows.find(hash(id), |&row| *self.names[row as usize] == *id).map(|&row| row as usize)
    }

    /// Bytes in memory, about: an allocation has eight more.
    pub(super) fn memory(&self) -> usize {
        let texts: usize = self.names.iter().map(|name| name.len() + 8).sum();
        texts + self.names.capacity() * size_of::<Box<str>>() + self.rows.capacity() * 6
    }

    /// Checks ids that are to be added. Returns how many of them are new.
    pub(super) fn check(&self, ids: &[&str]) -> Result<usize> {
        let mut seen = HashSet::with_capacity(ids.len());
        for id in ids {
            check_id(id)?;
            if !seen.insert(*id) {
                return Err(argument(format!("The id {id} is given twice.")));
            }
        }
        Ok(ids.iter().filter(|id| self.find(id).is_none()).count())
    }

    pub(super) fn reserve(&mut self, more: usize) -> Result<(), TryReserveError> {
        if self.names.capacity() - self.names.len() < more {
            self.names.try_reserve_exact(more.max(self.names.len() / 8))?;
        }
        let Self { names, rows } = self;
        // A table that cannot grow is told below as what it is: a vector of no such capacity.
        rows.try_reserve(more, |&row| hash(&names[row as usize]))
            .or_else(|_| Vec::<u8>::new().try_reserve(usize::MAX))
    }

    /// Adds an id that is not there yet.
    pub(super) fn push(&mut self, id: &str) {
        let Self { names, rows } = self;
        rows.insert_unique(hash(id), names.len() as u32, |&row| hash(&names[row as usize]));
        names.push(id.into());
    }

    /// Removes the id of a row; the last takes its place.
    pub(super) fn swap_remove(&mut self, row: usize) {
        let last = self.names.len() - 1;
        if let Ok(entry) = self.rows.find_entry(hash(&self.names[row]), |&one| one as usize == row) {
            entry.remove();
        }
        if let Some(moved) = self.rows.find_mut(hash(&self.names[last]), |&one| one as usize == last) {
            *moved = row as u32;
        }
        self.names.swap_remove(row);
    }
}

/// # Errors
/// `ArgumentInvalid`: the id is empty or too long.
fn check_id(id: &str) -> Result<()> {
    if id.is_empty() || id.len() > MAX_ID_BYTES {
        return Err(argument(format!("An id has from 1 to {MAX_ID_BYTES} bytes, and one has {}.", id.len())));
    }
    Ok(())
}
