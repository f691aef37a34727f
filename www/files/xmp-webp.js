/**
 * The XMP packet of a WebP: a chunk behind the pixels, announced in the extended header (WebP container specification). Files
 * without that header get one.
 *
 * @typedef {{ type: string, start: number, data: number, size: number, end: number }} Chunk `end` is behind its padding
 */

import { isAt, joined, latin, viewOf } from './bytes.js';

/** Flags of the extended header. */
const HAS_XMP = 0x04;
const HAS_ALPHA = 0x10;

/** @param {Uint8Array} bytes */
export function isWebp(bytes) {
  return isAt(bytes, 0, 'RIFF') && isAt(bytes, 8, 'WEBP');
}

/** @param {Uint8Array} bytes @returns {Uint8Array | null} the packet; null where there is none, or the file is damaged */
export function xmpOfWebp(bytes) {
  const chunk = chunksOf(bytes)?.find(({ type }) => type === 'XMP ');
  return chunk ? bytes.subarray(chunk.data, chunk.data + chunk.size) : null;
}

/** @param {Uint8Array<ArrayBuffer>} bytes @returns {Uint8Array<ArrayBuffer> | null} its chunks of pixels; null where the file is damaged */
export function pixelsOfWebp(bytes) {
  const chunks = chunksOf(bytes)?.filter(({ type }) => /^(ALPH|VP8[ L]|ANMF)$/.test(type));
  const [first, last] = [chunks?.[0], chunks?.at(-1)];
  return first && last ? bytes.subarray(first.start, last.end) : null;
}

/** @param {Uint8Array} bytes @param {Uint8Array} packet @returns {Uint8Array<ArrayBuffer> | null} null where that cannot be */
export function withXmpInWebp(bytes, packet) {
  const chunks = chunksOf(bytes);
  const first = chunks?.[0];
  const header = chunks && first && headerOf(bytes, first);
  if (!header) return null;
  header[8] = (header[8] ?? 0) | HAS_XMP;
  const old = chunks.find(({ type }) => type === 'XMP ');
  const start = old?.start ?? /** @type {Chunk} */ (chunks.at(-1)).end;
  const riffEnd = /** @type {Chunk} */ (chunks.at(-1)).end;
  const body = bytes.subarray(first.type === 'VP8X' ? first.end : first.start, start);
  const fresh = [sized('XMP ', packet.length), packet, new Uint8Array(packet.length % 2)];
  const content = joined([latin('WEBP'), header, body, ...fresh, bytes.subarray(old?.end ?? start, riffEnd)]);
  return joined([sized('RIFF', content.length), content, bytes.subarray(riffEnd)]);
}

/** @param {Uint8Array} bytes @returns {Chunk[] | null} null where the file is damaged */
function chunksOf(bytes) {
  if (bytes.length < 12) return null;
  const view = viewOf(bytes);
  const all = 8 + view.getUint32(4, true);
  if (all > bytes.length) return null;
  /** @type {Chunk[]} */
  const chunks = [];
  for (let start = 12; start < all;) {
    if (start + 8 > all) return null;
    const size = view.getUint32(start + 4, true);
    const end = start + 8 + size + (size % 2);
    if (end > all) return null;
    const type = String.fromCharCode(...bytes.subarray(start, start + 4));
    chunks.push({ type, start, data: start + 8, size, end });
    start = end;
  }
  return chunks;
}

/** @param {Uint8Array} bytes @param {Chunk} first @returns {Uint8Array | null} the extended header: a copy of it, or a fresh one */
function headerOf(bytes, { type, data, size, end, start }) {
  if (type === 'VP8X') return size === 10 ? bytes.slice(start, end) : null;
  const view = viewOf(bytes.subarray(data, data + size));
  let width;
  let height;
  let flags = 0;
  if (type === 'VP8 ' && size >= 10 && isAt(bytes, data + 3, '\x9d\x01\x2a')) {
    width = view.getUint16(6, true) & 0x3fff;
    height = view.getUint16(8, true) & 0x3fff;
  } else if (type === 'VP8L' && size >= 5 && bytes[data] === 0x2f) {
    const bits = view.getUint32(1, true);
    width = (bits & 0x3fff) + 1;
    height = ((bits >>> 14) & 0x3fff) + 1;
    if ((bits >>> 28) & 1) flags = HAS_ALPHA;
  }
  if (!width || !height) return null;
  const header = viewOf(joined([sized('VP8X', 10), new Uint8Array(10)]));
  header.setUint8(8, flags);
  // 24 bits each, of which 14 are in use.
  header.setUint16(12, width - 1, true);
  header.setUint16(15, height - 1, true);
  return new Uint8Array(header.buffer);
}

/** @param {string} name @param {number} size @returns {Uint8Array} the head of a chunk */
function sized(name, size) {
  const head = viewOf(joined([latin(name), new Uint8Array(4)]));
  head.setUint32(4, size, true);
  return new Uint8Array(head.buffer);
}
