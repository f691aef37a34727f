//! Rows of bits as fax machines send them, with the code tables of the crate `fax`.
//!
//! Source: ITU-T T.4 (group 3, in one dimension and in two), T.6 (group 4); TIFF 6.0, section 10 (compression 2).

use std::convert::Infallible;

use fax::maps::{Mode, black, mode, white};
use fax::{BitReader, ByteReader, Color};

/// How rows are coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    /// Run lengths, each row from a byte of its own on (compression 2).
    RunLengths,
    /// Rows behind end-of-line codes; with `two_dimensions` each says how it is coded (compression 3).
    Group3 { two_dimensions: bool },
    /// Rows that tell how they differ from the one before (compression 4).
    Group4,
}

/// Adds up to `rows` rows of a strip to `samples`, eight pixels a byte, each row in whole bytes; white is 0. None where what
/// is coded ends before.
pub(super) fn unpack(
    coding: Coding,
    strip: &[u8],
    width: usize,
    rows: usize,
    samples: &mut Vec<u8>,
) -> Option<()> {
    let width = u16::try_from(width).ok()?;
    if coding == Coding::Group4 {
        let rows = u16::try_from(rows).unwrap_or(u16::MAX);
        return fax::decoder::decode_g4(strip.iter().copied(), width, Some(rows), |line| {
            push_line(line, width, samples);
        });
    }
    // Codes are looked up by more bits than the last one may have.
    let padded = strip.iter().copied().chain([0; 2]);
    let mut reader = ByteReader::new(padded.map(Ok::<u8, Infallible>)).ok()?;
    let mut line = Vec::new();
    for _ in 0..rows {
        line = match coding {
            Coding::Group3 { two_dimensions } => {
                skip_end_of_line(&mut reader)?;
                if two_dimensions && !bit(&mut reader)? {
                    against(&line, &mut reader, width)?
                } else {
                    alone(&mut reader, width)?
                }
            }
            _ => {
                let line = alone(&mut reader, width)?;
                reader.consume(reader.bits_to_byte_boundary()).ok()?;
                line
            }
        };
        push_line(&line, width, samples);
    }
    Some(())
}

/// Zeros, eleven of them or more, and a one.
fn skip_end_of_line(reader: &mut impl BitReader) -> Option<()> {
    while !bit(reader)? {}
    Some(())
}

fn bit(reader: &mut impl BitReader) -> Option<bool> {
    let bit = reader.peek(1)? == 1;
    reader.consume(1).ok()?;
    Some(bit)
}

/// The length of a run: any number of codes of 64 pixels and more, and one of fewer.
fn run(color: Color, reader: &mut impl BitReader) -> Option<u16> {
    let mut sum = 0u16;
    loop {
        let part = if color == Color::White { white::decode(reader) } else { black::decode(reader) }?;
        sum = sum.checked_add(part)?;
        if part < 64 {
            return Some(sum);
        }
    }
}

/// The places where the colour changes in a row of run lengths, white first.
fn alone(reader: &mut impl BitReader, width: u16) -> Option<Vec<u16>> {
    let (mut line, mut at, mut color) = (Vec::new(), 0u16, Color::White);
    while at < width {
        at = at.checked_add(run(color, reader)?)?;
        line.push(at);
        color = !color;
    }
    Some(line)
}

/// The places where the colour changes in a row that tells how it differs from the one before (T.4, 4.2).
fn against(before: &[u16], reader: &mut impl BitReader, width: u16) -> Option<Vec<u16>> {
    let (mut line, mut color) = (Vec::new(), Color::White);
    // Before the first pixel, so that a change at 0 lies behind it.
    let mut at: i32 = -1;
    // The first change before which all lie behind: neither it nor `at` ever goes back.
    let mut first = 0;
    while at < i32::from(width) {
        while before.get(first).is_some_and(|&change| i32::from(change) <= at) {
            first += 1;
        }
        // Changes to black have even places in the list, and come next where the colour is white.
        let next = first + (first + usize::from(color == Color::Black)) % 2;
        let [b1, b2] = [next, next + 1].map(|i| before.get(i).map_or(width, |&change| change.min(width)));
        match mode::decode(reader)? {
            Mode::Pass => at = b2.into(),
            Mode::Horizontal => {
                for color in [color, !color] {
                    at = at.max(0) + i32::from(run(color, reader)?);
                    line.push(u16::try_from(at).ok()?);
                }
            }
            Mode::Vertical(shift) => {
                let a1 = i32::from(b1) + i32::from(shift);
                if a1 < at.max(0) {
                    return None;
                }
                at = a1;
                line.push(u16::try_from(at).ok()?);
                color = !color;
            }
            Mode::Extension | Mode::EOF => return None,
        }
    }
    Some(line)
}

/// A row of bits from the places where its colour changes; white, which comes first, is 0.
fn push_line(line: &[u16], width: u16, samples: &mut Vec<u8>) {
    let mut pels = fax::decoder::pels(line, width).map(|pel| u8::from(pel == Color::Black));
    for _ in 0..width.div_ceil(8) {
        let byte = (0..8).fold(0, |byte, _| byte << 1 | pels.next().unwrap_or(0));
        samples.push(byte);
    }
}
