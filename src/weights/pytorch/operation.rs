//! The steps of a pickle, [as `pickletools` documents them](https://github.com/python/cpython/blob/main/Lib/pickletools.py).

use super::super::fields::{Fields, Stop};
use super::super::plan::invalid;
use super::pickle::{Value, malformed};
use crate::Result;

/// Bytes that a name may have.
const MAX_NAME: u64 = 4096;
/// Bytes of a text or the like that is no name, such as the settings of a trainer.
const MAX_BYTES: u64 = 64 << 20;

/// One step of the program.
#[derive(Debug)]
pub(super) enum Operation {
    /// A version, or the length of a frame.
    Nothing,
    Push(Value),
    Mark,
    /// The place in the memo, or the next one.
    Memorise(Option<u32>),
    Recall(u32),
    /// How many values, or all since the mark.
    Tuple(Option<usize>),
    SetItem,
    SetItems,
    Append,
    Appends,
    /// Takes the topmost value away.
    Drop,
    /// Makes something that is not known here, of so many values or of all since the mark.
    Make(Option<usize>),
    Global(String, String),
    StackGlobal,
    Persistent,
    Reduce,
    Build,
    Stop,
}

/// The next step.
pub(super) fn operation(fields: &mut Fields<'_>) -> Result<Operation, Stop> {
    let code = fields.u8()?;
    Ok(match code {
        // PROTO
        0x80 => {
            let version = fields.u8()?;
            if version > 5 {
                let message = format!("The PyTorch file has a pickle of the unknown version {version}.");
                return Err(invalid(message).into());
            }
            Operation::Nothing
        }
        // FRAME
        0x95 => {
            fields.u64()?;
            Operation::Nothing
        }
        b'.' => Operation::Stop,
        b'(' => Operation::Mark,
        b'}' => Operation::Push(Value::Dictionary(Vec::new())),
        b']' => Operation::Push(Value::List),
        b')' => Operation::Push(Value::Tuple(Vec::new())),
        b'N' => Operation::Push(Value::None),
        // NEWTRUE, NEWFALSE
        0x88 => Operation::Push(Value::Number(1)),
        0x89 => Operation::Push(Value::Number(0)),
        // BININT, BININT1, BININT2, LONG1
        b'J' => Operation::Push(Value::Number(i64::from(fields.u32()?.cast_signed()))),
        b'K' => Operation::Push(Value::Number(i64::from(fields.u8()?))),
        b'M' => Operation::Push(Value::Number(i64::from(fields.u16()?))),
        0x8A => Operation::Push(long(fields)?),
        // BINFLOAT
        b'G' => {
            fields.u64()?;
            Operation::Push(Value::Other)
        }
        // BINUNICODE, SHORT_BINUNICODE, BINUNICODE8
        b'X' => {
            let length = fields.u32()?;
            Operation::Push(text(fields, u64::from(length))?)
        }
        0x8C => {
            let length = fields.u8()?;
            Operation::Push(text(fields, u64::from(length))?)
        }
        0x8D => {
            let length = fields.u64()?;
            Operation::Push(text(fields, length)?)
        }
        // SHORT_BINBYTES, SHORT_BINSTRING, BINBYTES, BINSTRING, BINBYTES8, BYTEARRAY8, LONG4
        b'C' | b'U' => {
            let length = fields.u8()?;
            Operation::Push(passed_over(fields, u64::from(length))?)
        }
        b'B' | b'T' | 0x8B => {
            let length = fields.u32()?;
            Operation::Push(passed_over(fields, u64::from(length))?)
        }
        0x8E | 0x96 => {
            let length = fields.u64()?;
            Operation::Push(passed_over(fields, length)?)
        }
        // EMPTY_SET
        0x8F => Operation::Push(Value::Other),
        // ADDITEMS, FROZENSET, NEWOBJ, NEWOBJ_EX, POP
        0x90 => Operation::Appends,
        0x91 => Operation::Make(None),
        0x81 => Operation::Make(Some(2)),
        0x92 => Operation::Make(Some(3)),
        b'0' => Operation::Drop,
        // BINPUT, LONG_BINPUT, MEMOIZE, BINGET, LONG_BINGET
        b'q' => Operation::Memorise(Some(u32::from(fields.u8()?))),
        b'r' => Operation::Memorise(Some(fields.u32()?)),
        0x94 => Operation::Memorise(None),
        b'h' => Operation::Recall(u32::from(fields.u8()?)),
        b'j' => Operation::Recall(fields.u32()?),
        b't' => Operation::Tuple(None),
        // TUPLE1, TUPLE2, TUPLE3
        0x85 => Operation::Tuple(Some(1)),
        0x86 => Operation::Tuple(Some(2)),
        0x87 => Operation::Tuple(Some(3)),
        b's' => Operation::SetItem,
        b'u' => Operation::SetItems,
        b'a' => Operation::Append,
        b'e' => Operation::Appends,
        b'c' => Operation::Global(line(fields)?, line(fields)?),
        0x93 => Operation::StackGlobal,
        b'Q' => Operation::Persistent,
        b'R' => Operation::Reduce,
        b'b' => Operation::Build,
        _ => {
            let message =
                format!("The PyTorch file's pickle does something ({code:#04x}) that no tensor needs.");
            return Err(invalid(message).into());
        }
    })
}

/// A whole number of up to eight bytes.
fn long(fields: &mut Fields<'_>) -> Result<Value, Stop> {
    let length = fields.u8()?;
    let bytes = fields.take(usize::from(length))?;
    if bytes.len() > 8 {
        return Ok(Value::Other);
    }
    let negative = bytes.last().is_some_and(|&byte| byte >= 0x80);
    let mut raw = [if negative { 0xFF } else { 0 }; 8];
    raw[..bytes.len()].copy_from_slice(bytes);
    Ok(Value::Number(i64::from_le_bytes(raw)))
}

/// A text. Of long ones, which are no names, nothing is kept.
fn text(fields: &mut Fields<'_>, length: u64) -> Result<Value, Stop> {
    if length > MAX_NAME {
        return passed_over(fields, length);
    }
    // At most 4096, so it fits.
    let bytes = fields.take(length as usize)?;
    Ok(Value::Text(std::str::from_utf8(bytes).map_err(|_| malformed())?.to_owned()))
}

/// Bytes of which nothing is kept.
fn passed_over(fields: &mut Fields<'_>, length: u64) -> Result<Value, Stop> {
    if length > MAX_BYTES {
        return Err(invalid(format!("The PyTorch file has a text of {length} bytes.")).into());
    }
    // At most 64 MiB, so it fits.
    fields.take(length as usize)?;
    Ok(Value::Other)
}

/// Text up to the end of a line.
fn line(fields: &mut Fields<'_>) -> Result<String, Stop> {
    let mut line = Vec::new();
    loop {
        match fields.u8()? {
            b'\n' => break,
            byte => line.push(byte),
        }
        if line.len() as u64 > MAX_NAME {
            return Err(malformed().into());
        }
    }
    Ok(String::from_utf8(line).map_err(|_| malformed())?)
}
