//! Storages into tensors.

use std::collections::{BTreeMap, HashSet};
use std::mem;

use super::super::fill::Filler;
use super::super::plan::{Gaps, MAX_ELEMENTS, MAX_TENSORS, Plan, Span, check_shape, invalid, shorten};
use super::pickle::{Contents, Storage, View};
use crate::Result;

/// Bytes that are handed on at once.
const RUN: usize = 1 << 16;

/// All storages of a file with the tensors that are views of them.
#[derive(Debug, Default)]
pub(super) struct Storages {
    waiting: BTreeMap<String, Entry>,
}

#[derive(Debug)]
struct Entry {
    storage: Storage,
    views: Vec<(Span, View)>,
}

impl Storages {
    /// Checks the tensors.
    pub(super) fn new(Contents { views, storages }: Contents) -> Result<Self> {
        if views.is_empty() {
            return Err(invalid("The weights hold no tensors."));
        }
        if views.len() > MAX_TENSORS {
            return Err(invalid("The weights hold too many tensors."));
        }
        let (mut names, mut elements) = (HashSet::with_capacity(views.len()), 0u64);
        let mut waiting: BTreeMap<String, Entry> = BTreeMap::new();
        for (name, view) in views {
            if !names.insert(name.clone()) {
                return Err(invalid(format!("The tensor {} is listed twice.", shorten(&name))));
            }
            check_view(&name, &view)?;
            let size = view.storage.encoding.block().1 as u64;
            let span = Span::starting(name, view.storage.encoding, &view.shape, view.offset * size)?;
            elements = elements.saturating_add(span.elements as u64);
            let entry = waiting
                .entry(view.storage.key.clone())
                .or_insert_with(|| Entry { storage: view.storage.clone(), views: Vec::new() });
            if entry.storage != view.storage {
                let key = shorten(&view.storage.key);
                return Err(invalid(format!("The PyTorch file describes its storage {key} in two ways.")));
            }
            entry.views.push((span, view));
        }
        if elements > MAX_ELEMENTS {
            return Err(invalid("The weights hold more numbers than a browser can address."));
        }
        // Of the others it must be known how long they are.
        for storage in storages {
            if storage.elements > MAX_ELEMENTS {
                let key = shorten(&storage.key);
                return Err(invalid(format!("The storage {key} of the PyTorch file is too large.")));
            }
            waiting.entry(storage.key.clone()).or_insert(Entry { storage, views: Vec::new() });
        }
        Ok(Self { waiting })
    }

    /// Begins the storage `key`, unless no tensor is in it.
    pub(super) fn begin(&mut self, key: &str, filler: &mut Filler) -> Result<Option<Reading>> {
        let Some(Entry { storage, views }) = self.waiting.remove(key) else { return Ok(None) };
        // The bound on elements keeps this far below what 64 bits hold.
        let bytes = storage.elements * storage.encoding.block().1 as u64;
        let to = if views.is_empty() {
            To::Nowhere
        } else if in_order(&views) {
            let spans: Vec<Span> = views.into_iter().map(|(span, _)| span).collect();
            filler.begin(Plan::new(spans, Gaps::Any)?)?;
            To::Filler
        } else {
            To::Memory { bytes: Vec::new(), views }
        };
        Ok(Some(Reading { left: bytes, to }))
    }

    /// The key of a storage that has not come.
    pub(super) fn missing(&self) -> Option<&str> {
        let mut wanted = self.waiting.iter().filter(|(_, entry)| !entry.views.is_empty());
        wanted.next().map(|(key, _)| key.as_str())
    }
}

/// Checks that `view` stays within its storage.
fn check_view(name: &str, view: &View) -> Result<()> {
    let shown = shorten(name);
    let outside = || invalid(format!("The tensor {shown} reaches beyond its storage."));
    if view.shape.len() != view.strides.len() {
        return Err(invalid(format!("The tensor {shown} has a stride too many or too few.")));
    }
    let (_, elements) = check_shape(name, &view.shape)?;
    let mut end = view.offset;
    if elements > 0 {
        for (&size, &stride) in view.shape.iter().zip(&view.strides) {
            end = (size - 1).checked_mul(stride).and_then(|n| end.checked_add(n)).ok_or_else(outside)?;
        }
        end = end.checked_add(1).ok_or_else(outside)?;
    }
    if end > view.storage.elements || view.storage.elements > MAX_ELEMENTS {
        return Err(outside());
    }
    Ok(())
}

/// Whether the numbers of each tensor lie side by side in its own order, and no tensor overlaps another: then
/// they can be read as they come.
fn in_order(views: &[(Span, View)]) -> bool {
    let mut spans: Vec<(u64, u64)> = views.iter().map(|(span, _)| (span.begin, span.end)).collect();
    spans.sort_unstable();
    let overlap = spans.windows(2).any(|pair| pair[1].0 < pair[0].1);
    !overlap && views.iter().all(|(_, view)| is_contiguous(view))
}

fn is_contiguous(view: &View) -> bool {
    let mut expected = 1;
    view.shape.iter().zip(&view.strides).rev().all(|(&size, &stride)| {
        let fits = size <= 1 || stride == expected;
        expected *= size.max(1);
        fits
    })
}

/// A storage whose bytes are arriving.
#[derive(Debug)]
pub(super) struct Reading {
    /// Bytes still to come.
    left: u64,
    to: To,
}

#[derive(Debug)]
enum To {
    /// No tensor is in it.
    Nowhere,
    /// Straight into the tensors.
    Filler,
    /// Held until all have come: tensors share numbers, or have them in another order.
    Memory { bytes: Vec<u8>, views: Vec<(Span, View)> },
}

impl Reading {
    /// Takes bytes up to the end of the storage.
    pub(super) fn push(&mut self, bytes: &mut &[u8], filler: &mut Filler) -> Result<()> {
        let (now, later) = bytes.split_at(usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len()));
        *bytes = later;
        self.left -= now.len() as u64;
        match &mut self.to {
            To::Nowhere => {}
            To::Filler => {
                let wanted = usize::try_from(filler.missing()).unwrap_or(usize::MAX).min(now.len());
                filler.push(&now[..wanted])?;
            }
            To::Memory { bytes, .. } => {
                bytes.try_reserve(now.len()).map_err(|error| {
                    invalid("There is not enough memory for tensors that share their numbers.")
                        .with_source(error)
                })?;
                bytes.extend_from_slice(now);
            }
        }
        if self.left == 0
            && let To::Memory { bytes, views } = mem::replace(&mut self.to, To::Filler)
        {
            for (span, view) in views {
                gather(&bytes, span, &view, filler)?;
            }
        }
        Ok(())
    }

    /// Bytes still to come.
    pub(super) fn left(&self) -> u64 {
        self.left
    }
}

/// Hands the numbers of `view` on in row-major order.
fn gather(bytes: &[u8], mut span: Span, view: &View, filler: &mut Filler) -> Result<()> {
    let size = view.storage.encoding.block().1;
    (span.begin, span.end) = (0, span.end - span.begin);
    filler.begin(Plan::new(vec![span], Gaps::Any)?)?;
    if view.shape.contains(&0) {
        return Ok(());
    }
    let mut run = Vec::with_capacity(RUN + size);
    let mut index = vec![0; view.shape.len()];
    // Everything below is less than the elements of the storage, which are all in memory: see `check_view`.
    let mut at = view.offset as usize;
    loop {
        run.extend_from_slice(&bytes[at * size..(at + 1) * size]);
        if run.len() >= RUN {
            filler.push(&run)?;
            run.clear();
        }
        // To the next number: the last dimension counts fastest.
        let mut dimension = view.shape.len();
        loop {
            if dimension == 0 {
                return filler.push(&run);
            }
            dimension -= 1;
            let stride = view.strides[dimension] as usize;
            index[dimension] += 1;
            if index[dimension] < view.shape[dimension] {
                at += stride;
                break;
            }
            at -= (view.shape[dimension] - 1) as usize * stride;
            index[dimension] = 0;
        }
    }
}
