//! Bytes into tensors, as they arrive.

use std::borrow::Cow;
use std::collections::HashMap;

use super::decode::Decoder;
use super::named::{Parameter, Weights};
use super::names::{canonical, within};
use super::plan::{Encoding, Plan, Span, invalid, is_of, shorten};
use super::store::Store;
use crate::kernels::Dtype;
use crate::{Error, ErrorKind, Result};

/// Takes the bytes of a data section in chunks of any size and builds the tensors of its [`Plan`]. A file may
/// have several sections, one after the other, each with its own plan.
///
/// At any time it holds the finished tensors, the one being filled with one of its rows, and at most one
/// incomplete block of numbers: never a byte twice.
#[derive(Debug)]
pub(super) struct Filler {
    plan: Plan,
    /// Index into the plan's spans of the tensor being filled.
    current: usize,
    /// Bytes of the data section taken so far.
    taken: u64,
    decoder: Decoder,
    store: Store,
    /// Beginnings of the names of tensors that are passed over.
    unused: Vec<String>,
    /// Tensors keep the names that the file has.
    as_published: bool,
    /// The tower that the file is of, where it is of one alone.
    tower: Option<&'static str>,
    /// Tensors of types that no model computes with, and their types.
    unusable: HashMap<String, &'static str>,
}

impl Filler {
    /// A filler before its first plan. See [`Store::new`].
    pub(super) fn new(dtype: Dtype, keep: bool) -> Self {
        let store = Store::new(dtype, keep);
        Self {
            plan: Plan::default(),
            current: 0,
            taken: 0,
            decoder: Decoder::default(),
            store,
            unused: Vec::new(),
            as_published: false,
            tower: None,
            unusable: HashMap::new(),
        }
    }

    /// Passes over the tensors whose names begin with one of `unused`, with or without the model's own prefix.
    /// Comes before the first plan.
    pub(super) fn pass_over(&mut self, unused: &[&str]) {
        self.unused = unused.iter().map(|&name| name.to_owned()).collect();
    }

    /// Leaves the names of tensors as the file has them. Comes before the first plan.
    pub(super) fn keep_names(&mut self) {
        self.as_published = true;
    }

    /// Takes names that do not say which tower they are of for those of `tower`. Comes before the first plan.
    pub(super) fn of_tower(&mut self, tower: &'static str) {
        self.tower = Some(tower);
    }

    /// What the tensor `span` is called here.
    fn name<'a>(&self, span: &'a Span) -> Cow<'a, str> {
        if self.as_published {
            return Cow::Borrowed(&span.name);
        }
        match within(&span.name, self.tower) {
            Cow::Borrowed(name) => canonical(name, &span.shape),
            Cow::Owned(name) => Cow::Owned(canonical(&name, &span.shape).into_owned()),
        }
    }

    /// Whether the tensor `span` is passed over.
    fn skips(&self, span: &Span) -> bool {
        span.skipped || is_of(&self.unused, &self.name(span))
    }

    /// Begins the data section that `plan` describes. The one before must be complete.
    pub(super) fn begin(&mut self, mut plan: Plan) -> Result<()> {
        for i in 0..plan.spans.len() {
            plan.spans[i].skipped = self.skips(&plan.spans[i]);
            plan.spans[i].name = self.name(&plan.spans[i]).into_owned();
            if let (Encoding::Other(kind, _), name) = (plan.spans[i].encoding, &plan.spans[i].name) {
                self.unusable.insert(name.clone(), kind);
            }
        }
        (self.plan, self.current, self.taken) = (plan, 0, 0);
        // Tensors without elements at the very beginning wait for no byte.
        self.settle()
    }

    /// Takes the next bytes. More bytes than the plan has are an error.
    pub(super) fn push(&mut self, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            let Some(span) = self.plan.spans.get(self.current) else {
                return Err(invalid("The weights go on after their last tensor."));
            };
            let in_gap = self.taken < span.begin;
            let missing = if in_gap { span.begin } else { span.end } - self.taken;
            let (now, later) =
                bytes.split_at(usize::try_from(missing).unwrap_or(usize::MAX).min(bytes.len()));
            if !in_gap && !span.skipped {
                if self.taken == span.begin {
                    self.decoder = Decoder::default();
                    self.store.begin(span)?;
                }
                let store = &mut self.store;
                self.decoder.push(span.encoding, now, &mut |run| store.push(run));
            }
            self.taken += now.len() as u64;
            bytes = later;
            self.settle()?;
        }
        Ok(())
    }

    /// Turns every tensor whose bytes are complete into a [`Tensor`].
    fn settle(&mut self) -> Result<()> {
        while let Some(span) = self.plan.spans.get(self.current) {
            if span.end > self.taken {
                break;
            }
            if !span.skipped {
                if span.begin == span.end {
                    self.store.begin(span)?;
                }
                self.store.end(span)?;
            }
            self.current += 1;
        }
        Ok(())
    }

    /// Bytes that the current data section still needs.
    pub(super) fn missing(&self) -> u64 {
        self.plan.bytes - self.taken
    }

    /// The tensors that are complete, and are then no longer here.
    pub(super) fn take_finished(&mut self) -> HashMap<String, Parameter> {
        self.store.take_finished()
    }

    /// Bytes of the packed form made since the last call.
    pub(super) fn take_packed(&mut self) -> Vec<u8> {
        self.store.take_packed()
    }

    /// Checks that every byte of the plan has come.
    pub(super) fn check_complete(&self) -> Result<()> {
        match self.plan.spans.get(self.current) {
            None => Ok(()),
            Some(span) => Err(Error::new(
                ErrorKind::WeightsTruncated,
                format!(
                    "The weights end too early, within the tensor {}: {} of {} bytes came.",
                    shorten(&span.name),
                    self.taken,
                    self.plan.bytes
                ),
            )),
        }
    }

    /// The tensors, if every byte has come.
    pub(super) fn finish(self) -> Result<Weights> {
        self.check_complete()?;
        Ok(Weights::from_parameters(self.store.finish()).beside(self.unusable))
    }
}
