/**
 * Some files of a zip archive, of which no more is in memory than one of them. It comes from anywhere: what it claims is bounded before
 * anything is unpacked, and what is unpacked is never longer than it claims. That is why fflate's own `unzip`, which trusts the claim,
 * is not used for it.
 *
 * @typedef {object} Limits
 * @property {number} [most] bytes of all that is wanted
 * @property {number} [mostOfOne] bytes of one file
 */

import { isAt, viewOf } from './bytes.js';
import { Trouble } from './trouble.js';

/** Bytes of all that is wanted, where nothing else is said. */
const MOST_BYTES = 200_000_000;
const MOST_ENTRIES = 100_000;
/** Bytes of a list of so many files, with their names. */
const MOST_LIST = 64 << 20;
/** Bytes that are read at a time: small files lie side by side. */
const PIECE = 1 << 20;
/** How much is unpacked between two looks at what has come of it: at most a thousand times as much. */
const STEP = 16_384;
/** Files after which others may have the thread. */
const TURN = 200;

const END = 'PK\x05\x06';
const ENTRY = 'PK\x01\x02';
const LOCAL = 'PK\x03\x04';
/** Bytes of what begins with these, and of a comment behind the first. */
const END_LENGTH = 22;
const ENTRY_LENGTH = 46;
const LOCAL_LENGTH = 30;
const COMMENT = 65_535;

/** @typedef {{ name: string, method: number, packed: number, size: number, at: number }} Entry */

/**
 * @param {Blob} archive
 * @param {(name: string) => boolean} wanted
 * @param {Limits} [limits]
 * @returns {AsyncGenerator<{ name: string, bytes: Uint8Array<ArrayBuffer> }>}
 * @throws {Trouble} `answers-damaged`, `answers-too-large`
 */
export async function* unzipped(archive, wanted, { most = MOST_BYTES, mostOfOne = most } = {}) {
  const reader = new Reader(archive);
  const entries = (await directoryOf(archive, reader)).filter(({ name }) => wanted(name));
  const whole = entries.reduce((sum, { size }) => sum + size, 0);
  if (whole > most || entries.some(({ size }) => size > mostOfOne)) throw tooLarge();
  const { Inflate } = await import('fflate');
  for (const [i, entry] of entries.entries()) {
    if (i % TURN === TURN - 1) await new Promise((resolve) => setTimeout(resolve));
    const packed = await packedOf(reader, entry);
    if (entry.method === 0) yield { name: entry.name, bytes: packed };
    else if (entry.method === 8) yield { name: entry.name, bytes: inflated(Inflate, packed, entry.size) };
    else throw damaged();
  }
}

/** Reads a file here and there; what lies side by side is read at once. */
class Reader {
  #file;
  #at = 0;
  /** @type {Uint8Array<ArrayBuffer>} */
  #bytes = new Uint8Array(0);

  /** @param {Blob} file */
  constructor(file) {
    this.#file = file;
  }

  /** @param {number} at @param {number} length @returns {Promise<Uint8Array<ArrayBuffer>>} all of that @throws {Trouble} where the file ends before */
  async read(at, length) {
    const isHere = at >= this.#at && at + length <= this.#at + this.#bytes.length;
    if (!isHere) {
      if (at + length > this.#file.size) throw damaged();
      const piece = this.#file.slice(at, at + Math.max(length, PIECE));
      this.#bytes = new Uint8Array(await piece.arrayBuffer());
      this.#at = at;
    }
    return this.#bytes.subarray(at - this.#at, at - this.#at + length);
  }
}

/** @param {Blob} archive @param {Reader} reader @returns {Promise<Entry[]>} */
async function directoryOf(archive, reader) {
  const start = Math.max(0, archive.size - END_LENGTH - COMMENT);
  const tail = await reader.read(start, archive.size - start);
  let end = tail.length - END_LENGTH;
  // A comment may follow.
  while (end >= 0 && !isAt(tail, end, END)) end -= 1;
  if (end < 0) throw damaged();
  const view = viewOf(tail);
  const count = view.getUint16(end + 10, true);
  const from = view.getUint32(end + 16, true);
  const length = start + end - from;
  // So many are written in another form, which nobody needs for keywords.
  const isOther = count === 0xffff || from === 0xffffffff;
  if (isOther || count > MOST_ENTRIES || length > MOST_LIST) throw tooLarge();
  if (length < 0) throw damaged();
  return entriesOf(await reader.read(from, length), count);
}

/** @param {Uint8Array} bytes of the list @param {number} count @returns {Entry[]} */
function entriesOf(bytes, count) {
  const view = viewOf(bytes);
  /** @type {Entry[]} */
  const entries = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + ENTRY_LENGTH > bytes.length || !isAt(bytes, at, ENTRY)) throw damaged();
    const flags = view.getUint16(at + 8, true);
    const length = view.getUint16(at + 28, true);
    const extra = view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
    const next = at + ENTRY_LENGTH + length + extra;
    if (next > bytes.length) throw damaged();
    const method = view.getUint16(at + 10, true);
    entries.push({
      name: nameOf(bytes.subarray(at + ENTRY_LENGTH, at + ENTRY_LENGTH + length)),
      // Locked ones cannot be read.
      method: flags & 1 ? -1 : method,
      packed: view.getUint32(at + 20, true),
      size: view.getUint32(at + 24, true),
      at: view.getUint32(at + 42, true),
    });
    at = next;
  }
  return entries;
}

/** @param {Uint8Array} bytes UTF-8, as all programs of today write it, or in some old code page, whose letters are lost */
function nameOf(bytes) {
  return new TextDecoder().decode(bytes);
}

/** @param {Reader} reader @param {Entry} entry @returns {Promise<Uint8Array<ArrayBuffer>>} what is packed of it */
async function packedOf(reader, { at, packed, method, size }) {
  const head = await reader.read(at, LOCAL_LENGTH);
  if (!isAt(head, 0, LOCAL) || (method === 0 && packed !== size)) throw damaged();
  const view = viewOf(head);
  const length = LOCAL_LENGTH + view.getUint16(26, true) + view.getUint16(28, true);
  return reader.read(at + length, packed);
}

/**
 * @param {typeof import('fflate').Inflate} Inflate
 * @param {Uint8Array} packed
 * @param {number} size that it claims
 */
function inflated(Inflate, packed, size) {
  const whole = new Uint8Array(size);
  let length = 0;
  const stream = new Inflate((piece) => {
    if (length + piece.length > size) throw damaged();
    whole.set(piece, length);
    length += piece.length;
  });
  try {
    for (let at = 0; at < packed.length; at += STEP) {
      stream.push(packed.subarray(at, at + STEP), at + STEP >= packed.length);
    }
  } catch (cause) {
    throw damaged(cause);
  }
  if (length !== size) throw damaged();
  return whole;
}

/** @param {unknown} [cause] */
function damaged(cause) {
  return new Trouble('answers-damaged', 'This archive is damaged, or locked.', { cause });
}

function tooLarge() {
  return new Trouble('answers-too-large', 'This archive holds more than is read of one.');
}
