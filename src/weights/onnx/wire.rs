//! Fields of protocol buffers, [as their encoding has them](https://protobuf.dev/programming-guides/encoding/).

use super::super::fields::{Fields, Stop};
use super::super::plan::invalid;
use crate::{Error, Result};

/// A field's number, and what there is of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Field<V> {
    pub(super) number: u32,
    pub(super) value: V,
}

/// What follows the key of a field in a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Head {
    /// The whole value.
    Number(u64),
    /// A value of this many bytes.
    Length(u64),
}

/// The value of a field in a message that is here as a whole.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// A whole number of up to 64 bits, seven in each byte, lowest first.
pub(super) fn varint(fields: &mut Fields<'_>) -> Result<u64, Stop> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let byte = fields.u8()?;
        number |= u64::from(byte & 0x7F) << shift;
        if byte < 0x80 {
            return Ok(number);
        }
    }
    Err(damaged().into())
}

/// The key of the next field, with its value where that is a number.
pub(super) fn head(fields: &mut Fields<'_>) -> Result<Field<Head>, Stop> {
    let key = varint(fields)?;
    let number = u32::try_from(key >> 3).map_err(|_| damaged())?;
    let value = match key & 7 {
        0 => Head::Number(varint(fields)?),
        1 => Head::Number(fields.u64()?),
        2 => Head::Length(varint(fields)?),
        5 => Head::Number(u64::from(fields.u32()?)),
        // Groups, which are no longer written, and nothing else.
        _ => return Err(damaged().into()),
    };
    Ok(Field { number, value })
}

/// The fields of a message.
pub(super) fn fields(message: &[u8]) -> impl Iterator<Item = Result<Field<Value<'_>>>> {
    let mut rest = Fields::new(message);
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let field = head(&mut rest).and_then(|Field { number, value }| {
            let value = match value {
                Head::Number(value) => Value::Number(value),
                Head::Length(length) => {
                    Value::Bytes(rest.take(usize::try_from(length).unwrap_or(usize::MAX))?)
                }
            };
            Ok(Field { number, value })
        });
        if field.is_err() {
            // Nothing after it can be told from anything else.
            rest = Fields::new(&[]);
        }
        Some(field.map_err(|stop| match stop {
            Stop::Short(_) => damaged(),
            Stop::Wrong(error) => error,
        }))
    })
}

/// The numbers of a packed field.
pub(super) fn packed(bytes: &[u8]) -> Result<Vec<u64>> {
    let (mut rest, mut numbers) = (Fields::new(bytes), Vec::new());
    while !rest.is_empty() {
        numbers.push(varint(&mut rest).map_err(|_| damaged())?);
    }
    Ok(numbers)
}

/// A text of a message.
pub(super) fn text(bytes: &[u8]) -> Result<String> {
    String::from_utf8(bytes.to_vec()).map_err(|_| damaged())
}

pub(super) fn damaged() -> Error {
    invalid("The ONNX file is damaged.")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_and_what_is_cut_is_damaged() {
        // Field 1 with the number 300, field 2 with three bytes, field 3 with four bytes.
        let message = [0x08, 0xAC, 0x02, 0x12, 3, 1, 2, 3, 0x1D, 7, 0, 0, 0];
        let read: Vec<_> = fields(&message).map(Result::unwrap).collect();
        assert!(matches!(read[0], Field { number: 1, value: Value::Number(300) }));
        assert!(matches!(read[1], Field { number: 2, value: Value::Bytes(&[1, 2, 3]) }));
        assert!(matches!(read[2], Field { number: 3, value: Value::Number(7) }));
        assert_eq!(read.len(), 3);
        for cut in [1, 2, 4, 5, 7, 9, 12] {
            assert!(fields(&message[..cut]).any(|field| field.is_err()), "{cut}");
        }
        assert!(fields(&[0xFF; 11]).any(|field| field.is_err()), "a number without an end");
        assert_eq!(packed(&[1, 0xAC, 2]).unwrap(), [1, 300]);
        assert!(packed(&[0x80]).is_err());
    }
}
