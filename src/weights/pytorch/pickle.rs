//! The table of contents of a PyTorch file: a pickle, read without running any of it.
//!
//! A pickle is a program for a machine with a stack, [documented in
//! `pickletools`](https://github.com/python/cpython/blob/main/Lib/pickletools.py), and may call whatever it
//! names. Nothing is ever called here, values are only noted down: this machine knows the few names that a dictionary of
//! tensors needs, and what any other would make is as good as nothing. Names that no honest file has are refused.

use std::collections::HashMap;
use std::mem;

use super::super::fields::Items;
use super::super::plan::{Encoding, invalid};
use super::globals::{Global, global};
use super::operation::{Operation, operation};
use crate::{Error, Result};

/// Values that a pickle may make. Each tensor takes about thirty.
const MAX_VALUES: usize = 8_000_000;

/// Numbers that lie side by side in the file under a key, and that tensors are views of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Storage {
    pub(super) key: String,
    pub(super) encoding: Encoding,
    /// How many numbers.
    pub(super) elements: u64,
}

/// A tensor as PyTorch describes it. Nothing about it is checked yet.
#[derive(Debug, Clone)]
pub(super) struct View {
    pub(super) storage: Storage,
    /// The first number, counted from the beginning of the storage; strides are counted in numbers as well.
    pub(super) offset: u64,
    pub(super) shape: Vec<u64>,
    pub(super) strides: Vec<u64>,
}

#[derive(Debug, Clone)]
pub(super) enum Value {
    None,
    /// A number, or whether something is true. Of floating point numbers nothing is kept: no tensor needs them.
    Number(i64),
    /// Anything else, of which nothing is kept: what trainers note down, and what names that are not known here would make.
    Other,
    Text(String),
    /// Of handles, as everything else that can be shared or put into something.
    Tuple(Vec<Handle>),
    List,
    Dictionary(Vec<(Handle, Handle)>),
    Global(Global),
    Storage(Storage),
    Tensor(View),
}

/// Where trainers keep the tensors of a model in what they save: Lightning, timm and others.
const NESTED: [&str; 6] = ["state_dict", "model_state_dict", "state_dict_ema", "model", "module", "params"];
/// How deep they are at most.
const MAX_NESTING: usize = 3;

/// What a pickle tells.
#[derive(Debug)]
pub(super) struct Contents {
    /// The tensors by name.
    pub(super) views: Vec<(String, View)>,
    /// All storages of the file, those of no tensor by name included.
    pub(super) storages: Vec<Storage>,
}

/// The place of a value among all that the pickle made.
type Handle = usize;

/// Runs the pickle, pushed in chunks of any size.
#[derive(Debug, Default)]
pub(super) struct Unpickler {
    items: Items,
    values: Vec<Value>,
    stack: Vec<Handle>,
    /// Where the stack was at each mark.
    marks: Vec<usize>,
    memo: HashMap<u32, Handle>,
    /// Bytes taken.
    taken: u64,
}

impl Unpickler {
    /// Takes bytes up to the end of the pickle. Returns what it tells once that is reached.
    pub(super) fn push(&mut self, bytes: &mut &[u8]) -> Result<Option<Contents>> {
        loop {
            let before = bytes.len();
            let next = self.items.next(bytes, operation)?;
            self.taken += (before - bytes.len()) as u64;
            match next {
                None => return Ok(None),
                Some(Operation::Stop) => return self.finish().map(Some),
                Some(operation) => self.run(operation)?,
            }
            if self.values.len() > MAX_VALUES || self.marks.len() > MAX_VALUES {
                return Err(invalid("The table of contents of the PyTorch file is too long."));
            }
        }
    }

    /// Bytes taken so far.
    pub(super) fn taken(&self) -> u64 {
        self.taken
    }

    fn run(&mut self, operation: Operation) -> Result<()> {
        match operation {
            Operation::Nothing => {}
            Operation::Push(value) => self.put(value),
            Operation::Mark => self.marks.push(self.stack.len()),
            Operation::Memorise(place) => {
                let place = match place {
                    Some(place) => place,
                    None => u32::try_from(self.memo.len()).map_err(|_| malformed())?,
                };
                let top = *self.stack.last().ok_or_else(malformed)?;
                self.memo.insert(place, top);
            }
            Operation::Recall(place) => {
                let value = *self.memo.get(&place).ok_or_else(malformed)?;
                self.stack.push(value);
            }
            Operation::Tuple(count) => {
                let items = match count {
                    Some(count) => self.pop(count)?,
                    None => self.pop_to_mark()?,
                };
                self.put(Value::Tuple(items));
            }
            Operation::SetItem => {
                let items = self.pop(2)?;
                self.set(&items)?;
            }
            Operation::SetItems => {
                let items = self.pop_to_mark()?;
                self.set(&items)?;
            }
            Operation::Append => {
                self.pop(1)?;
                self.expect_list()?;
            }
            Operation::Appends => {
                self.pop_to_mark()?;
                self.expect_list()?;
            }
            Operation::Drop => {
                self.pop(1)?;
            }
            Operation::Make(count) => {
                match count {
                    Some(count) => self.pop(count)?,
                    None => self.pop_to_mark()?,
                };
                self.put(Value::Other);
            }
            Operation::Global(module, name) => {
                let value = global(&module, &name)?;
                self.put(value);
            }
            Operation::StackGlobal => {
                let [module, name] = self.pop_array()?;
                let (Value::Text(module), Value::Text(name)) = (&self.values[module], &self.values[name])
                else {
                    return Err(malformed());
                };
                let value = global(module, name)?;
                self.put(value);
            }
            Operation::Persistent => {
                let [id] = self.pop_array()?;
                let storage = self.storage(id)?;
                self.put(Value::Storage(storage));
            }
            Operation::Reduce => {
                let [function, arguments] = self.pop_array()?;
                let value = self.call(function, arguments)?;
                self.put(value);
            }
            Operation::Build => {
                // The attributes of a dictionary: versions of layers, which say nothing about numbers.
                let [object, _] = self.pop_array()?;
                self.stack.push(object);
            }
            // Ends the pickle: see `push`.
            Operation::Stop => {}
        }
        Ok(())
    }

    fn put(&mut self, value: Value) {
        self.stack.push(self.values.len());
        self.values.push(value);
    }

    /// The topmost values of the stack, the lowest first. None of them is below a mark.
    fn pop(&mut self, count: usize) -> Result<Vec<Handle>> {
        let floor = self.marks.last().copied().unwrap_or(0);
        let at = self.stack.len().checked_sub(count).filter(|&at| at >= floor).ok_or_else(malformed)?;
        Ok(self.stack.split_off(at))
    }

    fn pop_array<const N: usize>(&mut self) -> Result<[Handle; N]> {
        self.pop(N)?.try_into().map_err(|_| malformed())
    }

    fn pop_to_mark(&mut self) -> Result<Vec<Handle>> {
        let mark = self.marks.pop().ok_or_else(malformed)?;
        Ok(self.stack.split_off(mark))
    }

    /// Puts keys and values, in turns, into the dictionary on the stack.
    fn set(&mut self, items: &[Handle]) -> Result<()> {
        let target = *self.stack.last().ok_or_else(malformed)?;
        let (pairs, rest) = items.as_chunks::<2>();
        match &mut self.values[target] {
            Value::Dictionary(entries) if rest.is_empty() => {
                entries.extend(pairs.iter().map(|&[key, value]| (key, value)));
                Ok(())
            }
            Value::Other if rest.is_empty() => Ok(()),
            _ => Err(malformed()),
        }
    }

    fn expect_list(&self) -> Result<()> {
        let target = *self.stack.last().ok_or_else(malformed)?;
        if matches!(self.values[target], Value::List | Value::Other) { Ok(()) } else { Err(malformed()) }
    }

    /// The storage that a persistent id stands for: `("storage", type, key, device, elements)`.
    fn storage(&self, id: Handle) -> Result<Storage> {
        let Value::Tuple(parts) = &self.values[id] else { return Err(malformed()) };
        let [_, kind, key, _, elements] = parts.as_slice() else { return Err(malformed()) };
        match (&self.values[*kind], &self.values[*key]) {
            (Value::Global(Global::Storage(encoding)), Value::Text(key)) => {
                Ok(Storage { key: key.clone(), encoding: *encoding, elements: self.number(*elements)? })
            }
            (Value::Other, _) => Err(invalid("The PyTorch file has a storage of an unknown kind.")),
            _ => Err(malformed()),
        }
    }

    fn call(&self, function: Handle, arguments: Handle) -> Result<Value> {
        let (function, arguments) = match (&self.values[function], &self.values[arguments]) {
            (Value::Global(function), Value::Tuple(arguments)) => (function, arguments),
            (Value::Other, _) => return Ok(Value::Other),
            _ => return Err(malformed()),
        };
        match (function, arguments.as_slice()) {
            // One with a default has what makes that.
            (Global::Dictionary, [] | [_]) => Ok(Value::Dictionary(Vec::new())),
            (Global::Typed, &[function, _, arguments, _]) if !self.is_typed(function) => {
                self.call(function, arguments)
            }
            // Whether a gradient is wanted, and hooks, come after the four.
            (Global::Tensor, [storage, offset, shape, strides, _, _, ..]) => {
                let Value::Storage(storage) = &self.values[*storage] else { return Err(malformed()) };
                Ok(Value::Tensor(View {
                    storage: storage.clone(),
                    offset: self.number(*offset)?,
                    shape: self.numbers(*shape)?,
                    strides: self.numbers(*strides)?,
                }))
            }
            (Global::Parameter, [tensor, _, _]) => match &self.values[*tensor] {
                Value::Tensor(view) => Ok(Value::Tensor(view.clone())),
                _ => Err(malformed()),
            },
            _ => Err(malformed()),
        }
    }

    /// Whether a function calls another: it would never end if that were itself.
    fn is_typed(&self, function: Handle) -> bool {
        matches!(self.values[function], Value::Global(Global::Typed))
    }

    fn number(&self, handle: Handle) -> Result<u64> {
        match &self.values[handle] {
            Value::Number(number) => u64::try_from(*number).map_err(|_| malformed()),
            _ => Err(malformed()),
        }
    }

    fn numbers(&self, handle: Handle) -> Result<Vec<u64>> {
        match &self.values[handle] {
            Value::Tuple(parts) => parts.iter().map(|&part| self.number(part)).collect(),
            _ => Err(malformed()),
        }
    }

    /// The tensors of the dictionary that the pickle leaves, or of the one within it that trainers keep them in.
    fn finish(&mut self) -> Result<Contents> {
        let [mut root] = self.pop_array()?;
        let mut views = self.tensors(root)?;
        for _ in 0..MAX_NESTING {
            let Some(inner) = self.within(root) else { break };
            root = inner;
            let within = self.tensors(root)?;
            if !within.is_empty() {
                // What was beside them is the trainer's.
                views = within;
            }
        }
        if views.is_empty() {
            let places = NESTED.join(", ");
            let message = format!(
                "The PyTorch file holds no tensors by their names, neither at its top nor under one of {places}."
            );
            return Err(invalid(message));
        }
        let storages = mem::take(&mut self.values).into_iter().filter_map(|value| match value {
            Value::Storage(storage) => Some(storage),
            _ => None,
        });
        Ok(Contents { views, storages: storages.collect() })
    }

    /// The tensors of a dictionary, and of nothing else that is beside them. As in Python, the last of equal keys counts.
    fn tensors(&self, dictionary: Handle) -> Result<Vec<(String, View)>> {
        let Value::Dictionary(entries) = &self.values[dictionary] else {
            return Err(invalid("The PyTorch file holds something else than a dictionary of tensors."));
        };
        let tensor = |&(key, value): &(Handle, Handle)| match (&self.values[key], &self.values[value]) {
            (Value::Text(name), Value::Tensor(view)) => Some((name.clone(), view.clone())),
            _ => None,
        };
        Ok(entries.iter().filter_map(tensor).collect())
    }

    /// The dictionary of tensors that is one level down.
    fn within(&self, dictionary: Handle) -> Option<Handle> {
        let Value::Dictionary(entries) = &self.values[dictionary] else { return None };
        NESTED.iter().find_map(|&name| {
            let named = |&&(key, value): &&(Handle, Handle)| {
                matches!(&self.values[key], Value::Text(key) if key == name)
                    && matches!(self.values[value], Value::Dictionary(_))
            };
            entries.iter().rev().find(named).map(|&(_, value)| value)
        })
    }
}

pub(super) fn malformed() -> Error {
    invalid("The table of contents of the PyTorch file is malformed.")
}
