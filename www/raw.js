/**
 * Raw files of cameras: each has a JPEG in it, as the camera would have made it, and that is what is looked at. TIFF-like ones (CR2, NEF,
 * ARW, DNG, ORF, RW2, PEF, SRW) are read by their directories (TIFF 6.0, TIFF/EP), Fuji's RAF and Canon's CR3 by their headers.
 */

/** What raw files are called. */
const RAW = /\.(cr2|cr3|nef|nrw|arw|sr2|dng|orf|rw2|pef|srw|raf)$/i;

/** Directories of a file, entries of one, and bytes of a preview, at most. */
const MOST_DIRECTORIES = 32;
const MOST_ENTRIES = 512;
const LONGEST = 64 << 20;
/** Where Canon's preview begins at the latest. */
const CR3_HEAD = 2 << 20;

/** Tags: of TIFF 6.0, of TIFF/EP, and Panasonic's. */
const TAG = {
  compression: 0x103,
  stripOffsets: 0x111,
  orientation: 0x112,
  stripByteCounts: 0x117,
  subIfds: 0x14a,
  jpeg: 0x201,
  jpegLength: 0x202,
  jpegFromRaw: 0x2e,
};

/** @typedef {{ at: number, length: number }} Place */

/** @param {{ name: string }} file */
export function isRaw({ name }) {
  return RAW.test(name);
}

/**
 * The largest JPEG of a raw file.
 * @param {Blob} file
 * @returns {Promise<Blob | null>} null where there is none
 */
export async function previewOf(file) {
  const head = await view(file, 0, 96);
  if (!head) return null;
  const text = ascii(head, 0, 15);
  if (text === 'FUJIFILMCCD-RAW') {
    return jpegAt(file, { at: head.getUint32(84), length: head.getUint32(88) }, 1);
  }
  if (ascii(head, 4, 4) === 'ftyp') return cr3Preview(file);
  const order = ascii(head, 0, 2);
  return order === 'II' || order === 'MM' ? tiffPreview(file, head, order === 'II') : null;
}

/** @param {Blob} file @param {DataView} head @param {boolean} little */
async function tiffPreview(file, head, little) {
  /** @type {Place[]} */
  const found = [];
  const waiting = [head.getUint32(4, little)];
  const seen = new Set();
  let orientation = 1;
  while (waiting.length > 0 && seen.size < MOST_DIRECTORIES) {
    const at = waiting.shift() ?? 0;
    if (at === 0 || seen.has(at)) continue;
    const directory = await readDirectory(file, at, little);
    if (!directory) continue;
    const first = (/** @type {number} */ tag) => directory.tags.get(tag)?.values[0];
    if (seen.size === 0) orientation = first(TAG.orientation) ?? 1;
    seen.add(at);
    waiting.push(...(directory.tags.get(TAG.subIfds)?.values ?? []), directory.next);
    const raw = directory.tags.get(TAG.jpegFromRaw);
    if (raw) found.push({ at: raw.at, length: raw.count });
    const [jpeg, length] = [first(TAG.jpeg), first(TAG.jpegLength)];
    if (jpeg !== undefined && length !== undefined) found.push({ at: jpeg, length });
    const [strip, count] = [first(TAG.stripOffsets), first(TAG.stripByteCounts)];
    const isJpeg = [6, 7].includes(first(TAG.compression) ?? 0);
    if (isJpeg && strip !== undefined && count !== undefined) found.push({ at: strip, length: count });
  }
  for (const place of found.sort((a, b) => b.length - a.length)) {
    const jpeg = await jpegAt(file, place, orientation);
    if (jpeg) return jpeg;
  }
  return null;
}

/**
 * One directory: the values of its entries of numbers.
 * @param {Blob} file
 * @param {number} at
 * @param {boolean} little
 * @returns {Promise<{ tags: Map<number, { at: number, count: number, values: number[] }>, next: number } | null>}
 */
async function readDirectory(file, at, little) {
  const count = (await view(file, at, 2))?.getUint16(0, little) ?? 0;
  if (count === 0 || count > MOST_ENTRIES) return null;
  const entries = await view(file, at + 2, 12 * count + 4);
  if (!entries) return null;
  /** @type {Map<number, { at: number, count: number, values: number[] }>} */
  const tags = new Map();
  const wanted = new Set(Object.values(TAG));
  for (let i = 0; i < count; i++) {
    const tag = entries.getUint16(12 * i, little);
    if (!wanted.has(tag)) continue;
    const type = entries.getUint16(12 * i + 2, little);
    const number = entries.getUint32(12 * i + 4, little);
    const width = { 3: 2, 4: 4, 13: 4 }[type];
    const place = entries.getUint32(12 * i + 8, little);
    if (!width || number === 0 || number > MOST_DIRECTORIES) {
      tags.set(tag, { at: place, count: number, values: [] });
      continue;
    }
    const inside = width * number <= 4;
    const values = inside ? entries : await view(file, place, width * number);
    const start = inside ? 12 * i + 8 : 0;
    const list = values
      ? Array.from({ length: number }, (_, k) =>
          width === 2 ? values.getUint16(start + 2 * k, little) : values.getUint32(start + 4 * k, little),
        )
      : [];
    tags.set(tag, { at: place, count: number, values: list });
  }
  return { tags, next: entries.getUint32(12 * count, little) };
}

/** Canon's CR3: the box `PRVW` within the first of its boxes. @param {Blob} file */
async function cr3Preview(file) {
  const head = await view(file, 0, Math.min(file.size, CR3_HEAD));
  for (let at = 4; head && at + 20 < head.byteLength; at++) {
    if (head.getUint32(at) !== 0x50525657) continue;
    return jpegAt(file, { at: at + 20, length: head.getUint32(at + 16) }, 1);
  }
  return null;
}

/**
 * A JPEG within a file, if it is one that can be shown.
 * @param {Blob} file
 * @param {Place} place
 * @param {number} orientation as of EXIF, where the JPEG has none of its own
 * @returns {Promise<Blob | null>}
 */
async function jpegAt(file, { at, length }, orientation) {
  if (length < 4 || length > LONGEST || at + length > file.size) return null;
  const jpeg = file.slice(at, at + length);
  const bytes = await view(jpeg, 0, Math.min(length, 1 << 16));
  if (bytes?.getUint16(0) !== 0xffd8 || !isShown(bytes)) return null;
  const hasExif = bytes.getUint16(2) === 0xffe1 && ascii(bytes, 6, 4) === 'Exif';
  const turned = orientation > 1 && orientation <= 8 && !hasExif;
  const parts = turned ? [jpeg.slice(0, 2), exifOf(orientation), jpeg.slice(2)] : [jpeg];
  return new Blob(parts, { type: 'image/jpeg' });
}

/** Whether a JPEG is baseline or progressive: what a sensor has seen is kept without loss, which nothing shows. @param {DataView} bytes */
function isShown(bytes) {
  for (let at = 2; at + 4 <= bytes.byteLength;) {
    if (bytes.getUint8(at) !== 0xff) return false;
    const marker = bytes.getUint8(at + 1);
    if (marker >= 0xc0 && marker <= 0xc2) return true;
    if (marker === 0xc3 || marker === 0xda) return false;
    at += 2 + bytes.getUint16(at + 2);
  }
  return false;
}

/** The shortest segment that tells how a picture is turned. @param {number} orientation */
function exifOf(orientation) {
  // APP1, its length, "Exif", a big-endian TIFF with one entry: a short.
  return Uint8Array.of(
    ...[0xff, 0xe1, 0, 34, 0x45, 0x78, 0x69, 0x66, 0, 0, 0x4d, 0x4d, 0, 42, 0, 0, 0, 8],
    ...[0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0],
  );
}

/** @param {Blob} file @param {number} at @param {number} length @returns {Promise<DataView | null>} null where the file ends before */
async function view(file, at, length) {
  if (at + length > file.size) return null;
  return new DataView(await file.slice(at, at + length).arrayBuffer());
}

/** @param {DataView} bytes @param {number} at @param {number} length */
function ascii(bytes, at, length) {
  return String.fromCharCode(...new Uint8Array(bytes.buffer, bytes.byteOffset + at, length));
}
