/**
 * The XMP packet of a PNG: an international text before the pixels, not compressed (XMP specification, part 3).
 *
 * @typedef {{ start: number, data: number, end: number, type: string }} Chunk `end` is behind its check sum
 */

import { isAt, joined, latin, viewOf } from './bytes.js';

const SIGNATURE = '\x89PNG\r\n\x1a\n';
const KEYWORD = 'XML:com.adobe.xmp\0';
/** Behind the keyword: not compressed, by no method, in no language, not translated. */
const PLAIN = '\0\0\0\0';

/** @param {Uint8Array} bytes */
export function isPng(bytes) {
  return isAt(bytes, 0, SIGNATURE);
}

/** @param {Uint8Array} bytes @returns {Uint8Array | null} the packet; null where there is none that can be read */
export function xmpOfPng(bytes) {
  const chunk = chunksOf(bytes)?.find((one) => isXmp(bytes, one));
  return chunk ? textOf(bytes, chunk) : null;
}

/** @param {Uint8Array<ArrayBuffer>} bytes @returns {Uint8Array<ArrayBuffer> | null} its chunks of pixels; null where the file is damaged */
export function pixelsOfPng(bytes) {
  const chunks = chunksOf(bytes)?.filter(({ type }) => /^IDAT$/.test(type));
  const [first, last] = [chunks?.[0], chunks?.at(-1)];
  return first && last ? bytes.subarray(first.start, last.end) : null;
}

/** @param {Uint8Array} bytes @param {Uint8Array} packet @returns {Uint8Array<ArrayBuffer> | null} null where that cannot be */
export function withXmpInPng(bytes, packet) {
  const chunks = chunksOf(bytes);
  const pixels = chunks?.find(({ type }) => type === 'IDAT');
  if (!chunks || !pixels) return null;
  const old = chunks.find((one) => isXmp(bytes, one));
  // What cannot be read would be lost.
  if (old && !textOf(bytes, old)) return null;
  const body = joined([latin(`iTXt${KEYWORD}${PLAIN}`), packet]);
  const frame = new DataView(new ArrayBuffer(8));
  frame.setUint32(0, body.length - 4);
  frame.setUint32(4, crc32(body));
  const [length, sum] = [new Uint8Array(frame.buffer, 0, 4), new Uint8Array(frame.buffer, 4)];
  const start = old?.start ?? pixels.start;
  return joined([bytes.subarray(0, start), length, body, sum, bytes.subarray(old?.end ?? start)]);
}

/** @param {Uint8Array} bytes @returns {Chunk[] | null} null where the file is damaged */
function chunksOf(bytes) {
  const view = viewOf(bytes);
  /** @type {Chunk[]} */
  const chunks = [];
  let start = SIGNATURE.length;
  while (start + 12 <= bytes.length) {
    const end = start + 12 + view.getUint32(start);
    if (end > bytes.length) return null;
    const type = String.fromCharCode(...bytes.subarray(start + 4, start + 8));
    chunks.push({ start, data: start + 8, end, type });
    if (type === 'IEND') return chunks;
    start = end;
  }
  return null;
}

/** @param {Uint8Array} bytes @param {Chunk} chunk */
function isXmp(bytes, { type, data, end }) {
  return type === 'iTXt' && isAt(bytes.subarray(0, end - 4), data, KEYWORD);
}

/** @param {Uint8Array} bytes @param {Chunk} chunk of XMP @returns {Uint8Array | null} null where it is compressed or damaged */
function textOf(bytes, { data, end }) {
  const text = bytes.subarray(data + KEYWORD.length, end - 4);
  if (text[0] !== 0) return null;
  const language = text.indexOf(0, 2);
  const translation = language < 0 ? -1 : text.indexOf(0, language + 1);
  return translation < 0 ? null : text.subarray(translation + 1);
}

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  return crc;
});

/** @param {Uint8Array} bytes @returns {number} the check sum of PNG's chunks */
function crc32(bytes) {
  let crc = ~0;
  for (const byte of bytes) crc = (crc >>> 8) ^ (TABLE[(crc ^ byte) & 255] ?? 0);
  return ~crc >>> 0;
}
