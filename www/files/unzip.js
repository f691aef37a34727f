/**
 * Some files of a zip archive. It comes from anywhere: what it claims is bounded before anything is unpacked, and what is unpacked
 * is never longer than it claims. That is why fflate's own `unzip`, which trusts the claim, is not used for it.
 */

import { isAt, viewOf } from './bytes.js';
import { Trouble } from './trouble.js';

/** Bytes of an archive, and of all that is wanted of it. */
const MOST_BYTES = 200_000_000;
const MOST_ENTRIES = 100_000;
/** How much is unpacked between two looks at what has come of it: at most a thousand times as much. */
const STEP = 16_384;
/** Files after which others may have the thread. */
const TURN = 200;

const END = 'PK\x05\x06';
const ENTRY = 'PK\x01\x02';
const LOCAL = 'PK\x03\x04';

/** @typedef {{ name: string, method: number, packed: number, size: number, at: number }} Entry */

/**
 * @param {Blob} archive
 * @param {(name: string) => boolean} wanted
 * @returns {AsyncGenerator<{ name: string, bytes: Uint8Array }>}
 * @throws {Trouble} `answers-damaged`, `answers-too-large`
 */
export async function* unzipped(archive, wanted) {
  if (archive.size > MOST_BYTES) throw tooLarge();
  const bytes = new Uint8Array(await archive.arrayBuffer());
  const entries = directoryOf(bytes).filter(({ name }) => wanted(name));
  if (entries.reduce((sum, { size }) => sum + size, 0) > MOST_BYTES) throw tooLarge();
  const { Inflate } = await import('fflate');
  for (const [i, entry] of entries.entries()) {
    if (i % TURN === TURN - 1) await new Promise((resolve) => setTimeout(resolve));
    const packed = packedOf(bytes, entry);
    if (entry.method === 0) yield { name: entry.name, bytes: packed };
    else if (entry.method === 8) yield { name: entry.name, bytes: inflated(Inflate, packed, entry.size) };
    else throw damaged();
  }
}

/** @param {Uint8Array} bytes @returns {Entry[]} */
function directoryOf(bytes) {
  const view = viewOf(bytes);
  let end = bytes.length - 22;
  // A comment may follow.
  const first = Math.max(0, end - 65_535);
  while (end >= first && !isAt(bytes, end, END)) end -= 1;
  if (end < first) throw damaged();
  const count = view.getUint16(end + 10, true);
  let at = view.getUint32(end + 16, true);
  // So many are written in another form, which nobody needs for keywords.
  if (count === 0xffff || at === 0xffffffff || count > MOST_ENTRIES) throw tooLarge();
  /** @type {Entry[]} */
  const entries = [];
  for (let i = 0; i < count; i++) {
    if (at + 46 > end || !isAt(bytes, at, ENTRY)) throw damaged();
    const flags = view.getUint16(at + 8, true);
    const length = view.getUint16(at + 28, true);
    const next = at + 46 + length + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
    if (next > end) throw damaged();
    const method = view.getUint16(at + 10, true);
    entries.push({
      name: nameOf(bytes.subarray(at + 46, at + 46 + length)),
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

/** @param {Uint8Array} bytes @param {Entry} entry @returns {Uint8Array} what is packed of it */
function packedOf(bytes, { at, packed, method, size }) {
  if (at + 30 > bytes.length || !isAt(bytes, at, LOCAL)) throw damaged();
  const view = viewOf(bytes);
  const start = at + 30 + view.getUint16(at + 26, true) + view.getUint16(at + 28, true);
  if (start + packed > bytes.length || (method === 0 && packed !== size)) throw damaged();
  return bytes.subarray(start, start + packed);
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
  return new Trouble('answers-too-large', 'This archive is larger than keywords ever are.');
}
