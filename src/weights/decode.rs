//! Bytes of a file into numbers.

use half::f16;

use super::plan::Encoding;

/// Numbers that are handed on at once. A multiple of every block.
const RUN: usize = 4096;
/// Bytes of the largest block.
const MAX_BLOCK: usize = 210;

/// Turns the bytes of one tensor, in chunks of any size, into runs of f32.
#[derive(Debug)]
pub(super) struct Decoder {
    /// The bytes of the block that a chunk boundary cut in two.
    part: [u8; MAX_BLOCK],
    part_len: usize,
}

impl Default for Decoder {
    fn default() -> Self {
        Self { part: [0; MAX_BLOCK], part_len: 0 }
    }
}

impl Decoder {
    /// Hands on the numbers that `bytes` completes, in order.
    pub(super) fn push(&mut self, encoding: Encoding, mut bytes: &[u8], sink: &mut dyn FnMut(&[f32])) {
        let (elements, size) = encoding.block();
        let mut run = [0.0; RUN];
        if self.part_len > 0 {
            let (now, later) = bytes.split_at((size - self.part_len).min(bytes.len()));
            self.part[self.part_len..self.part_len + now.len()].copy_from_slice(now);
            self.part_len += now.len();
            bytes = later;
            if self.part_len < size {
                return;
            }
            decode(encoding, &self.part[..size], &mut run[..elements]);
            sink(&run[..elements]);
            self.part_len = 0;
        }
        let (whole, rest) = bytes.split_at(bytes.len() / size * size);
        for blocks in whole.chunks(RUN / elements * size) {
            let run = &mut run[..blocks.len() / size * elements];
            decode(encoding, blocks, run);
            sink(run);
        }
        self.part[..rest.len()].copy_from_slice(rest);
        self.part_len = rest.len();
    }
}

/// Whole blocks into exactly as many numbers as they hold.
fn decode(encoding: Encoding, bytes: &[u8], to: &mut [f32]) {
    match encoding {
        Encoding::F64 => each(bytes, to, |bytes, [to]| *to = f64::from_le_bytes(*bytes) as f32),
        Encoding::F32 => each(bytes, to, |bytes, [to]| *to = f32::from_le_bytes(*bytes)),
        Encoding::F16 => each(bytes, to, |bytes, [to]| *to = widen(u16::from_le_bytes(*bytes))),
        Encoding::Bf16 => {
            each(bytes, to, |&[low, high], [to]| *to = f32::from_le_bytes([0, 0, low, high]));
        }
        Encoding::Q8_0 => each(bytes, to, q8_0),
        Encoding::Q4_0 => each(bytes, to, q4_0),
        Encoding::Q4K => each(bytes, to, q4_k),
        Encoding::Q6K => each(bytes, to, q6_k),
        Encoding::I8 => each(bytes, to, |&[byte], [to]| *to = f32::from(byte as i8)),
        // Only skipped spans have another encoding: see `Span::new`.
        Encoding::Other(..) => {}
    }
}

/// Each block of `B` bytes into its `E` numbers.
fn each<const B: usize, const E: usize>(
    bytes: &[u8],
    to: &mut [f32],
    block: impl Fn(&[u8; B], &mut [f32; E]),
) {
    for (bytes, to) in bytes.as_chunks().0.iter().zip(to.as_chunks_mut().0) {
        block(bytes, to);
    }
}

/// The f32 of a binary16, exactly. Without a branch, so that a loop over it becomes vector code.
fn widen(bits: u16) -> f32 {
    // Exponent and mantissa, at their place in an f32, name a number that is 2^-112 of the true one, because
    // the two formats count exponents from 15 and from 127; subnormal numbers come out right as well.
    let small = f32::from_bits(u32::from(bits & 0x7FFF) << 13);
    let scaled = (small * f32::from_bits((127 + 112) << 23)).to_bits();
    // Only infinities and NaN have the largest exponent in binary16, and must have it in the f32.
    let largest = if bits & 0x7C00 == 0x7C00 { 0xFF << 23 } else { 0 };
    f32::from_bits(u32::from(bits & 0x8000) << 16 | scaled | largest)
}

/// The block scale in the two bytes at `at`.
fn scale(bytes: &[u8], at: usize) -> f32 {
    f16::from_le_bytes([bytes[at], bytes[at + 1]]).to_f32()
}

// The block formats are those of ggml (`ggml-common.h` for the layouts, `ggml-quants.c` for their meaning).

/// 32 numbers: a scale (f16), then signed bytes.
fn q8_0(bytes: &[u8; 34], to: &mut [f32; 32]) {
    let d = scale(bytes, 0);
    for (to, &q) in to.iter_mut().zip(&bytes[2..]) {
        *to = d * f32::from(q as i8);
    }
}

/// 32 numbers: a scale (f16), then 16 bytes. Byte i holds number i in its low half and number 16 + i in its
/// high half, each from 0 to 15 and standing for 8 less.
fn q4_0(bytes: &[u8; 18], to: &mut [f32; 32]) {
    let d = scale(bytes, 0);
    let (low, high) = to.split_at_mut(16);
    for ((low, high), &q) in low.iter_mut().zip(high).zip(&bytes[2..]) {
        *low = d * (f32::from(q & 15) - 8.0);
        *high = d * (f32::from(q >> 4) - 8.0);
    }
}

/// 256 numbers in eight groups of 32, each with a scale and a minimum of six bits: the scale of these scales
/// and that of the minima (f16 each), 12 bytes of scales and minima (see [`scale_and_min`]), then 128 bytes.
/// Each 32 bytes of those are two groups, one in the low halves and one in the high ones. A number is
/// `scale * q - min`.
fn q4_k(bytes: &[u8; 144], to: &mut [f32; 256]) {
    let (d, dmin) = (scale(bytes, 0), scale(bytes, 2));
    let (packed, qs) = bytes[4..].split_at(12);
    let groups = qs.chunks_exact(32).flat_map(|pair| [(pair, 0), (pair, 4)]);
    for (i, (to, (pair, shift))) in to.chunks_exact_mut(32).zip(groups).enumerate() {
        let (scale, min) = scale_and_min(packed, i);
        let (scale, min) = (d * f32::from(scale), dmin * f32::from(min));
        for (to, &q) in to.iter_mut().zip(pair) {
            *to = scale * f32::from(q >> shift & 15) - min;
        }
    }
}

/// Scale and minimum of group `i`. Those of the first four groups are the low six bits of bytes `i` and
/// `4 + i`. Of the last four, byte `4 + i` has the low four bits of both, and the two high bits are those
/// that the first four leave free in bytes `i - 4` and `i`.
fn scale_and_min(packed: &[u8], i: usize) -> (u8, u8) {
    if i < 4 {
        (packed[i] & 63, packed[4 + i] & 63)
    } else {
        let low = packed[4 + i];
        (low & 15 | packed[i - 4] >> 6 << 4, low >> 4 | packed[i] >> 6 << 4)
    }
}

/// 256 numbers in 16 groups of 16, each with a signed scale of eight bits: 128 bytes of low halves, 64 bytes
/// of two high bits each, 16 scales, and the scale of the scales (f16). In each half of the block, numbers i,
/// 32 + i, 64 + i and 96 + i take their low bits from the low half of byte i, that of byte 32 + i, and the high
/// halves of the same two, and their high bits from byte i, lowest first. A number is `scale * (q - 32)`.
fn q6_k(bytes: &[u8; 210], to: &mut [f32; 256]) {
    let d = scale(bytes, 208);
    let halves = bytes[..128].chunks_exact(64).zip(bytes[128..192].chunks_exact(32));
    let halves = halves.zip(bytes[192..208].chunks_exact(8));
    for (to, ((low, high), scales)) in to.chunks_exact_mut(128).zip(halves) {
        for (i, to) in to.iter_mut().enumerate() {
            let quarter = i / 32;
            let low = low[i % 64] >> (quarter / 2 * 4) & 15;
            let high = high[i % 32] >> (quarter * 2) & 3;
            let scale = d * f32::from(scales[i / 16] as i8);
            *to = scale * (f32::from(low | high << 4) - 32.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENCODINGS: [Encoding; 7] = [
        Encoding::F32,
        Encoding::F16,
        Encoding::Bf16,
        Encoding::Q8_0,
        Encoding::Q4_0,
        Encoding::Q4K,
        Encoding::Q6K,
    ];

    #[test]
    fn every_binary16_widens_exactly() {
        for bits in 0..=u16::MAX {
            let (mine, theirs) = (widen(bits), f16::from_bits(bits).to_f32());
            assert_eq!(mine.is_nan(), theirs.is_nan(), "{bits:#x}");
            assert!(mine.is_nan() || mine.to_bits() == theirs.to_bits(), "{bits:#x}: {mine} is not {theirs}");
        }
    }

    #[test]
    fn chunks_of_every_size_give_the_same_numbers() {
        for encoding in ENCODINGS {
            let (elements, size) = encoding.block();
            let blocks = if size > 4 { 40 } else { 9000 };
            // Small exponents, so that no number is an infinity or a NaN.
            let bytes: Vec<u8> = (0..blocks * size).map(|i| (i * 37 + i / 7) as u8 & 0x3B).collect();
            let decode = |chunk: usize| {
                let (mut decoder, mut numbers) = (Decoder::default(), Vec::new());
                for chunk in bytes.chunks(chunk) {
                    decoder.push(encoding, chunk, &mut |run| numbers.extend_from_slice(run));
                }
                numbers
            };
            let whole = decode(bytes.len());
            assert_eq!(whole.len(), blocks * elements);
            for chunk in [1, 2, 3, 5, 7, 17, 33, 64, 209, 211, 1000, 4099] {
                assert!(decode(chunk) == whole, "{encoding:?} in chunks of {chunk}");
            }
        }
    }

    /// The block formats again, one number at a time, from the formulas alone.
    fn naive(encoding: Encoding, block: &[u8], i: usize) -> f32 {
        let d = |at: usize| f16::from_bits(u16::from(block[at]) + 256 * u16::from(block[at + 1])).to_f32();
        let bits = |from: usize, count: usize| {
            (0..count).map(|bit| usize::from(block[(from + bit) / 8] >> ((from + bit) % 8) & 1) << bit).sum()
        };
        match encoding {
            Encoding::Q8_0 => d(0) * f32::from(block[2 + i] as i8),
            Encoding::Q4_0 => {
                let q: usize = bits(8 * (2 + i % 16) + if i < 16 { 0 } else { 4 }, 4);
                d(0) * (q as f32 - 8.0)
            }
            Encoding::Q4K => {
                let (group, at) = (i / 32, 8 * 4);
                let six = |min: usize| -> usize {
                    match group {
                        0..4 => bits(at + 8 * (group + 4 * min), 6),
                        _ => {
                            let low: usize = bits(at + 8 * (group + 4) + 4 * min, 4);
                            let high: usize = bits(at + 8 * (group - 4 + 4 * min) + 6, 2);
                            low + 16 * high
                        }
                    }
                };
                let q: usize = bits(8 * (16 + group / 2 * 32 + i % 32) + group % 2 * 4, 4);
                d(0) * six(0) as f32 * q as f32 - d(2) * six(1) as f32
            }
            Encoding::Q6K => {
                let (half, within) = (i / 128, i % 128);
                let low: usize = bits(8 * (64 * half + within % 64) + within / 64 * 4, 4);
                let high: usize = bits(8 * (128 + 32 * half + within % 32) + within / 32 * 2, 2);
                let scale = f32::from(block[192 + i / 16] as i8);
                d(208) * scale * ((low + 16 * high) as f32 - 32.0)
            }
            _ => f32::NAN,
        }
    }

    #[test]
    fn blocks_decode_as_their_formulas_say() {
        let mut state = 0x2545_F491_4F6C_DD1Du64;
        for encoding in [Encoding::Q8_0, Encoding::Q4_0, Encoding::Q4K, Encoding::Q6K] {
            let (elements, size) = encoding.block();
            for round in 0..50 {
                let block: Vec<u8> = (0..size)
                    .map(|_| {
                        state ^= state << 13;
                        state ^= state >> 7;
                        state ^= state << 17;
                        // No exponent of all ones, which would make a scale infinite.
                        state as u8 & if round % 2 == 0 { 0xBF } else { 0x3F }
                    })
                    .collect();
                let mut numbers = Vec::new();
                Decoder::default().push(encoding, &block, &mut |run| numbers.extend_from_slice(run));
                for (i, &number) in numbers.iter().enumerate() {
                    let expected = naive(encoding, &block, i);
                    // The product is rounded in another order.
                    let bound = 1e-5 * expected.abs().max(1e-3);
                    assert!(
                        (number - expected).abs() <= bound,
                        "{encoding:?} {i}: {number} is not {expected}"
                    );
                }
                assert_eq!(numbers.len(), elements);
            }
        }
    }
}
