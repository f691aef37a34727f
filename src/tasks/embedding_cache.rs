//! Embeddings of labels that were computed before, in this visit or an earlier one.

use std::collections::HashMap;
use std::sync::Arc;

use super::LabelSet;
use crate::text::Templates;
use crate::{Error, ErrorKind, Result};

/// How many embeddings are remembered, if they are not too long (2 KB each at 512 dimensions).
///
/// More than [`MAX_LABELS`](super::MAX_LABELS), so that editing the largest set re-encodes only what changed, and the
/// longest list of texts is encoded once for many images.
const MAX_REMEMBERED: usize = 16_384;

/// How many numbers all remembered embeddings have at most: 64 MiB. Those of 1024 dimensions, more than the published
/// models have, fit.
const MAX_NUMBERS: usize = 1 << 24;

/// What a file of embeddings begins with: its name and version.
const MAGIC: [u8; 8] = *b"ocelemb\x01";

/// How far from 1 the length of an embedding out of a file may be: rounding, in f32.
const LENGTH_BOUND: f32 = 1e-3;

/// How many embeddings of `width` numbers are remembered.
pub(super) fn capacity(width: usize) -> usize {
    MAX_REMEMBERED.min(MAX_NUMBERS / width.max(1))
}

/// Unit-length embeddings by what takes the place of `{}`.
pub(super) type TemplateEntries = HashMap<String, Arc<[f32]>>;

/// Unit-length embeddings of labels, by the templates that they were written into.
///
/// Written down, they are: [`MAGIC`], how many numbers an embedding has, then the shelves, one after the other. A shelf is
/// how many templates it has, they, how many labels, and of each its text and its embedding. Counts are u32, a text is
/// its length in bytes and its UTF-8, numbers are f32; all little-endian.
#[derive(Default)]
pub(super) struct EmbeddingCache {
    shelves: HashMap<Templates, TemplateEntries>,
    len: usize,
    /// Whether there are embeddings that were not written down.
    unwritten: bool,
}

impl EmbeddingCache {
    /// What is known of labels in `templates`.
    pub(super) fn shelf(&self, templates: &Templates) -> Option<&TemplateEntries> {
        self.shelves.get(templates)
    }

    /// Remembers embeddings that `set` has brought. Where there is no room left, only what that set uses stays, as
    /// far as there is room for it: the next picture will ask for it again.
    pub(super) fn add(&mut self, set: &LabelSet, fresh: Vec<(String, Arc<[f32]>)>) {
        let Some((_, first)) = fresh.first() else { return };
        let capacity = capacity(first.len());
        if self.len + fresh.len() > capacity {
            let own = set.encoded().take(capacity.saturating_sub(fresh.len()));
            let own = own.map(|(text, embedding)| (text.clone(), embedding.clone())).collect();
            self.shelves.clear();
            self.shelves.insert(set.templates().clone(), own);
        }
        // Bare texts are a matter of one visit: see `write`.
        self.unwritten |= !set.templates().is_bare();
        match self.shelves.get_mut(set.templates()) {
            Some(shelf) => shelf.extend(fresh),
            None => drop(self.shelves.insert(set.templates().clone(), fresh.into_iter().collect())),
        }
        self.len = self.shelves.values().map(HashMap::len).sum();
    }

    /// The embeddings written down, for [`EmbeddingCache::read`], if there are any that were not before: of as many labels as
    /// fit into `limit` bytes. Bare texts, which may be anything, are left out.
    pub(super) fn write(&mut self, limit: usize) -> Option<Vec<u8>> {
        if !std::mem::take(&mut self.unwritten) {
            return None;
        }
        let mut out = Vec::new();
        for (templates, shelf) in self.shelves.iter().filter(|(templates, _)| !templates.is_bare()) {
            let Some(width) = shelf.values().next().map(|embedding| embedding.len()) else { continue };
            if out.is_empty() {
                out.extend_from_slice(&MAGIC);
                put_count(&mut out, width);
            }
            let begin = out.len();
            put_count(&mut out, templates.iter().len());
            templates.iter().for_each(|template| put_text(&mut out, &template.to_string()));
            let (place, mut count) = (out.len(), 0);
            put_count(&mut out, count);
            let size: usize = shelf.keys().map(|text| 4 + text.len() + 4 * width).sum();
            out.reserve(size.min(limit.saturating_sub(out.len())));
            for (text, embedding) in shelf {
                if out.len() + 4 + text.len() + 4 * embedding.len() > limit {
                    continue;
                }
                put_text(&mut out, text);
                embedding.iter().for_each(|x| out.extend_from_slice(&x.to_le_bytes()));
                count += 1;
            }
            if count == 0 {
                out.truncate(begin);
                continue;
            }
            // At most `MAX_REMEMBERED`.
            out[place..place + 4].copy_from_slice(&(count as u32).to_le_bytes());
        }
        Some(out)
    }

    /// Remembers what [`EmbeddingCache::write`] has written of embeddings of `width` numbers, as far as there is room.
    ///
    /// # Errors
    /// `ArgumentInvalid`: `bytes` are damaged, or of a model with another width. Then nothing has changed.
    pub(super) fn read(&mut self, bytes: &[u8], width: usize) -> Result<()> {
        let shelves = Reader(bytes).shelves(width).ok_or_else(|| {
            Error::new(ErrorKind::ArgumentInvalid, "The embeddings kept from an earlier visit are damaged.")
        })?;
        let capacity = capacity(width);
        for (templates, read) in shelves {
            let shelf = self.shelves.entry(templates).or_default();
            for (text, embedding) in read {
                if self.len >= capacity {
                    return Ok(());
                }
                self.len += usize::from(shelf.insert(text, embedding).is_none());
            }
        }
        Ok(())
    }
}

fn put_count(out: &mut Vec<u8>, count: usize) {
    // Texts, templates and their numbers are bounded far below.
    out.extend_from_slice(&(count as u32).to_le_bytes());
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put_count(out, text.len());
    out.extend_from_slice(text.as_bytes());
}

/// Reads what [`EmbeddingCache::write`] has written, believing nothing; `None` is damage.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn shelves(mut self, width: usize) -> Option<Vec<(Templates, TemplateEntries)>> {
        if self.take(MAGIC.len())? != MAGIC || self.count()? != width {
            return None;
        }
        let mut shelves = Vec::new();
        while !self.0.is_empty() {
            // Nothing is allocated for a count before what it counts has been read.
            let mut templates = Vec::new();
            for _ in 0..self.count()? {
                templates.push(self.text()?);
            }
            let templates = Templates::parse(&templates).ok()?;
            let mut shelf = TemplateEntries::new();
            for _ in 0..self.count()? {
                let text = self.text()?.to_owned();
                shelf.insert(text, self.embedding(width)?);
            }
            shelves.push((templates, shelf));
        }
        Some(shelves)
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn count(&mut self) -> Option<usize> {
        usize::try_from(u32::from_le_bytes(self.take(4)?.try_into().ok()?)).ok()
    }

    fn text(&mut self) -> Option<&'a str> {
        let length = self.count()?;
        std::str::from_utf8(self.take(length)?).ok()
    }

    fn embedding(&mut self, width: usize) -> Option<Arc<[f32]>> {
        let (numbers, _) = self.take(width.checked_mul(4)?)?.as_chunks::<4>();
        let embedding: Arc<[f32]> = numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        let length = embedding.iter().map(|x| x * x).sum::<f32>().sqrt();
        // What is not a number is not near to 1 either.
        ((length - 1.0).abs() <= LENGTH_BOUND).then_some(embedding)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::tasks::labels::Label;

    fn templates() -> Templates {
        Templates::parse(&["a {}.", "the {}"]).unwrap()
    }

    fn set(templates: Templates) -> LabelSet {
        LabelSet::new(&[Label::from("x")], templates).unwrap()
    }

    fn entry(text: &str, angle: f32) -> (String, Arc<[f32]>) {
        (text.to_owned(), [angle.cos(), angle.sin()].into())
    }

    fn filled() -> EmbeddingCache {
        let mut memory = EmbeddingCache::default();
        memory.add(&set(templates()), vec![entry("x", 0.5), entry("é, a letter", 1.0)]);
        memory.add(&set(Templates::bare()), vec![entry("private", 2.0)]);
        memory
    }

    #[test]
    fn what_is_written_is_read_again_and_bare_texts_are_not_written() {
        let mut memory = filled();
        let bytes = memory.write(usize::MAX).unwrap();
        assert!(memory.write(usize::MAX).is_none(), "nothing is new");
        let mut again = EmbeddingCache::default();
        again.read(&bytes, 2).unwrap();
        assert_eq!(again.shelf(&templates()), memory.shelf(&templates()));
        assert_eq!((again.len, again.shelves.len()), (2, 1));
        assert!(again.write(usize::MAX).is_none(), "what was read is written");
        memory.add(&set(Templates::bare()), vec![entry("more", 2.0)]);
        assert!(memory.write(usize::MAX).is_none(), "bare texts alone are no reason");
        memory.add(&set(templates()), vec![entry("y", 2.0)]);
        assert!(memory.write(usize::MAX).unwrap().len() > bytes.len());
    }

    #[test]
    fn a_limit_leaves_labels_out() {
        let whole = filled().write(usize::MAX).unwrap();
        let mut found = Vec::new();
        for limit in 0..=whole.len() {
            let bytes = filled().write(limit).unwrap();
            assert!(bytes.len() <= limit.max(12));
            let mut memory = EmbeddingCache::default();
            memory.read(&bytes, 2).unwrap();
            found.push(memory.len);
        }
        assert!(found.is_sorted() && found[0] == 0 && found[whole.len()] == 2, "{found:?}");
    }

    #[test]
    fn damage_is_an_error_and_changes_nothing() {
        let bytes = filled().write(usize::MAX).unwrap();
        let refuses = |bytes: &[u8], width| {
            let mut memory = EmbeddingCache::default();
            let kind = memory.read(bytes, width).unwrap_err().kind();
            (kind, memory.len) == (ErrorKind::ArgumentInvalid, 0)
        };
        assert!(refuses(&bytes, 3), "another width");
        for length in (0..bytes.len()).filter(|&length| length != 12) {
            assert!(refuses(&bytes[..length], 2), "cut to {length}");
        }
        for place in 0..bytes.len() {
            // Every bit of a length, of a template's braces and of an exponent matters; letters may change.
            let mut changed = bytes.clone();
            changed[place] ^= 0x80;
            let _ = EmbeddingCache::default().read(&changed, 2);
        }
        let number = bytes.len() - 4;
        for wrong in [f32::NAN, f32::INFINITY, 2.0] {
            let mut changed = bytes.clone();
            changed[number..].copy_from_slice(&wrong.to_le_bytes());
            assert!(refuses(&changed, 2), "{wrong}");
        }
        let huge = [&MAGIC[..], &2u32.to_le_bytes(), &u32::MAX.to_le_bytes()].concat();
        assert!(refuses(&huge, 2), "a count that is a lie");
    }

    #[test]
    fn a_full_memory_keeps_what_the_last_set_uses() {
        let mut memory = filled();
        let many = (0..MAX_REMEMBERED).map(|i| entry(&format!("label {i}"), 0.1)).collect();
        let own = Templates::parse(&["{}"]).unwrap();
        memory.add(&set(own.clone()), many);
        assert!(memory.shelf(&templates()).is_none());
        assert_eq!(memory.shelf(&own).map(HashMap::len), Some(MAX_REMEMBERED));
        let bytes = filled().write(usize::MAX).unwrap();
        memory.read(&bytes, 2).unwrap();
        assert_eq!(memory.len, MAX_REMEMBERED, "no room");
    }

    #[test]
    fn long_embeddings_are_fewer() {
        assert_eq!([1, 256, 1024].map(capacity), [MAX_REMEMBERED; 3]);
        assert_eq!([2048, 16_384].map(capacity), [8192, 1024]);
        assert!((1..=16_384).all(|width| capacity(width) * width <= MAX_NUMBERS));
        // The longest that a configuration can ask for, in a set that there is no room for.
        let texts: Vec<String> = (0..1100).map(|i| format!("label {i}")).collect();
        let labels: Vec<Label<'_>> = texts.iter().map(|text| text.as_str().into()).collect();
        let mut set = LabelSet::new(&labels, Templates::parse(&["a {}."]).unwrap()).unwrap();
        let mut memory = EmbeddingCache::default();
        while set.pending() > 0 {
            let rows = vec![vec![1.0 / 128.0; 16_384]; set.next_prompts(None, 64).len()];
            let fresh = set.take(rows);
            memory.add(&set, fresh);
            assert!(memory.len <= 1024, "{}", memory.len);
        }
        assert!(memory.len >= 960, "{} are remembered", memory.len);
        let bytes = memory.write(usize::MAX).unwrap();
        let mut again = EmbeddingCache::default();
        again.read(&bytes, 16_384).unwrap();
        assert_eq!(again.len, memory.len);
    }
}
