//! The first directory of a TIFF file, which EXIF is too; and below, what decoders of TIFF leave aside.

mod fax;
mod lab;
pub(super) mod samples;
pub(super) mod unpack;

/// Tags of a directory.
///
/// Source: TIFF 6.0, appendix A.
pub(super) mod tag {
    pub(in super::super) const WIDTH: u64 = 256;
    pub(in super::super) const HEIGHT: u64 = 257;
    pub(in super::super) const BITS: u64 = 258;
    pub(in super::super) const COMPRESSION: u64 = 259;
    pub(in super::super) const PHOTOMETRIC: u64 = 262;
    pub(in super::super) const FILL_ORDER: u64 = 266;
    pub(in super::super) const STRIP_OFFSETS: u64 = 273;
    pub(in super::super) const ORIENTATION: u64 = 274;
    pub(in super::super) const SAMPLES: u64 = 277;
    pub(in super::super) const ROWS_PER_STRIP: u64 = 278;
    pub(in super::super) const STRIP_BYTES: u64 = 279;
    pub(in super::super) const PLANAR: u64 = 284;
    pub(in super::super) const T4_OPTIONS: u64 = 292;
    pub(in super::super) const PREDICTOR: u64 = 317;
    pub(in super::super) const COLOR_MAP: u64 = 320;
    pub(in super::super) const EXTRA_SAMPLES: u64 = 338;
    pub(in super::super) const SAMPLE_FORMAT: u64 = 339;
    pub(in super::super) const CHROMA_SUBSAMPLING: u64 = 530;
    pub(in super::super) const XMP: u64 = 700;
}

/// A TIFF file, or what EXIF has of one: a directory of entries, each of a tag, a type, a count, and the values or their
/// place. BigTIFF is the same with wider counts and places.
pub(super) struct Tiff<'a> {
    bytes: &'a [u8],
    little: bool,
    /// Bytes of a place, and of the values that an entry itself has room for: 4, or 8 in BigTIFF.
    wide: usize,
    directory: usize,
}

/// An entry of the directory.
pub(super) struct Entry<'a> {
    kind: u32,
    count: usize,
    /// All of its values.
    pub(super) values: &'a [u8],
}

impl<'a> Tiff<'a> {
    /// The file, where its header is one.
    pub(super) fn new(bytes: &'a [u8]) -> Option<Self> {
        let (little, wide) = match bytes.get(..4)? {
            b"II*\0" => (true, 4),
            b"MM\0*" => (false, 4),
            b"II+\0" => (true, 8),
            b"MM\0+" => (false, 8),
            _ => return None,
        };
        let mut file = Self { bytes, little, wide, directory: 0 };
        file.directory = file.place(wide)?;
        Some(file)
    }

    /// The unsigned number that some bytes are.
    fn unsigned(&self, bytes: &[u8]) -> u64 {
        let push = |number, &byte: &u8| number << 8 | u64::from(byte);
        if self.little { bytes.iter().rev().fold(0, push) } else { bytes.iter().fold(0, push) }
    }

    fn read(&self, at: usize, size: usize) -> Option<u64> {
        Some(self.unsigned(self.bytes.get(at..)?.get(..size)?))
    }

    /// A count or a place, as wide as this file has them.
    fn place(&self, at: usize) -> Option<usize> {
        self.read(at, self.wide)?.try_into().ok()
    }

    /// The entry of a tag, where there is a whole one.
    pub(super) fn entry(&self, tag: u64) -> Option<Entry<'a>> {
        let (head, size) = if self.wide == 8 { (8, 20) } else { (2, 12) };
        let count: usize = self.read(self.directory, head)?.try_into().ok()?;
        let entries = self.bytes.get(self.directory..)?.get(head..)?.chunks_exact(size).take(count);
        let entry = entries.into_iter().find(|entry| self.unsigned(&entry[..2]) == tag)?;
        let kind = self.unsigned(&entry[2..4]) as u32;
        let (count, own) = entry[4..].split_at(self.wide);
        let count: usize = self.unsigned(count).try_into().ok()?;
        let length = count.checked_mul(size_of_kind(kind)?)?;
        let values = if length <= self.wide {
            own.get(..length)?
        } else {
            let at: usize = self.unsigned(own).try_into().ok()?;
            self.bytes.get(at..)?.get(..length)?
        };
        Some(Entry { kind, count, values })
    }

    /// Where the value of a tag lies that the entry itself has room for.
    fn place_of(&self, tag: u64) -> Option<usize> {
        let Entry { values, .. } = self.entry(tag).filter(|entry| entry.values.len() <= self.wide)?;
        Some(values.as_ptr().addr() - self.bytes.as_ptr().addr())
    }

    /// The whole numbers of a tag, as counts and places are written.
    fn whole_numbers(&self, tag: u64) -> Option<impl Iterator<Item = usize>> {
        let Entry { kind, values, .. } = self.entry(tag)?;
        let size = size_of_kind(kind).filter(|_| matches!(kind, 3 | 4 | 13 | 16 | 18))?;
        Some(
            values
                .chunks_exact(size)
                .map(|value| usize::try_from(self.unsigned(value)).unwrap_or(usize::MAX)),
        )
    }

    /// The first number of a tag, of any type of number. (A byte is no number: PIL has it as a string of bytes.)
    pub(super) fn number(&self, tag: u64) -> Option<f64> {
        let Entry { kind, values, .. } = self.entry(tag)?;
        let (first, second) = values.split_at_checked(4).unwrap_or((values, &[]));
        Some(match kind {
            3 => self.unsigned(values.get(..2)?) as f64,
            8 => f64::from(self.unsigned(values.get(..2)?) as i16),
            4 => self.unsigned(first) as f64,
            9 => f64::from(self.unsigned(first) as i32),
            6 => f64::from(*values.first()? as i8),
            11 => f64::from(f32::from_bits(self.unsigned(first) as u32)),
            5 => self.unsigned(first) as f64 / self.unsigned(second.get(..4)?) as f64,
            10 => {
                let signed = |bytes| f64::from(self.unsigned(bytes) as i32);
                signed(first) / signed(second.get(..4)?)
            }
            12 => f64::from_bits(self.unsigned(values.get(..8)?)),
            16 => self.unsigned(values.get(..8)?) as f64,
            _ => return None,
        })
    }
}

/// Bytes of a value of a type.
fn size_of_kind(kind: u32) -> Option<usize> {
    match kind {
        1 | 2 | 6 | 7 => Some(1),
        3 | 8 => Some(2),
        4 | 9 | 11 | 13 => Some(4),
        5 | 10 | 12 | 16..=18 => Some(8),
        _ => None,
    }
}
