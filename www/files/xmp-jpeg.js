/**
 * The XMP packet of a JPEG: an APP1 segment of its own before the scan (XMP specification, part 3). What goes beyond one segment,
 * "extended XMP", lies in others, which are left alone.
 *
 * @typedef {object} Segment
 * @property {number} marker its second byte
 * @property {number} start where it begins
 * @property {number} data where its content begins, behind marker and length
 * @property {number} end where it ends
 */

import { isAt, joined, latin, viewOf } from './bytes.js';

const NAME = 'http://ns.adobe.com/xap/1.0/\0';
/** What the specification leaves for a packet of the 65,535 bytes that a segment may count. */
const MOST = 65_502;

const APP0 = 0xe0;
const APP1 = 0xe1;
const APP2 = 0xe2;
const SCAN = 0xda;

/** @param {Uint8Array} bytes */
export function isJpeg(bytes) {
  return isAt(bytes, 0, '\xff\xd8\xff');
}

/** @param {Uint8Array} bytes @returns {Uint8Array | null} the packet; null where there is none, or the file is damaged */
export function xmpOfJpeg(bytes) {
  const segment = segmentsOf(bytes)?.find((one) => isXmp(bytes, one));
  return segment ? bytes.subarray(segment.data + NAME.length, segment.end) : null;
}

/** @param {Uint8Array<ArrayBuffer>} bytes @returns {Uint8Array<ArrayBuffer> | null} all from the scan on; null where the file is damaged */
export function pixelsOfJpeg(bytes) {
  const segments = segmentsOf(bytes);
  return segments && bytes.subarray(segments.at(-1)?.end ?? 2);
}

/** @param {Uint8Array} bytes @param {Uint8Array} packet @returns {Uint8Array<ArrayBuffer> | null} null where that cannot be */
export function withXmpInJpeg(bytes, packet) {
  const segments = segmentsOf(bytes);
  if (!segments || packet.length > MOST) return null;
  const old = segments.find((one) => isXmp(bytes, one));
  // Behind what some programs want to come first.
  const start = old?.start ?? segments.filter((one) => comesFirst(bytes, one)).at(-1)?.end ?? 2;
  const length = NAME.length + packet.length + 2;
  const fresh = [Uint8Array.of(0xff, APP1, length >> 8, length & 255), latin(NAME), packet];
  const whole = joined([bytes.subarray(0, start), ...fresh, bytes.subarray(old?.end ?? start)]);
  const index = segments.find(({ marker, data }) => marker === APP2 && isAt(bytes, data, 'MPF\0'));
  const grown = whole.length - bytes.length;
  if (index && !(index.start >= start && growFirst(whole, index, grown))) return null;
  return whole;
}

/**
 * What lies between the start of the picture and its scan.
 * @param {Uint8Array} bytes
 * @returns {Segment[] | null} null where that is damaged
 */
export function segmentsOf(bytes) {
  /** @type {Segment[]} */
  const segments = [];
  let at = 2;
  for (;;) {
    const start = at;
    if (bytes[at] !== 0xff) return null;
    while (bytes[at] === 0xff) at += 1;
    const marker = bytes[at] ?? 0;
    if (marker === SCAN) return segments;
    // Those have no length, and no place before the scan.
    const isBare = marker <= 0x01 || (marker >= 0xd0 && marker <= 0xd9);
    if (isBare || at + 3 > bytes.length) return null;
    const length = viewOf(bytes).getUint16(at + 1);
    const end = at + 1 + length;
    if (length < 2 || end > bytes.length) return null;
    segments.push({ marker, start, data: at + 3, end });
    at = end;
  }
}

/** @param {Uint8Array} bytes @param {Segment} segment */
function isXmp(bytes, { marker, data, end }) {
  return marker === APP1 && isAt(bytes.subarray(0, end), data, NAME);
}

/** @param {Uint8Array} bytes @param {Segment} segment */
function comesFirst(bytes, { marker, data, end }) {
  return marker === APP0 || (marker === APP1 && isAt(bytes.subarray(0, end), data, 'Exif\0'));
}

/**
 * Tells an index of several pictures in one file (CIPA DC-007, as phones write them) how long the first has become. Where the
 * others are is counted from the index, which moves with them.
 *
 * @param {Uint8Array} whole the new file
 * @param {Segment} index where it was in the old one
 * @param {number} grown
 * @returns {boolean} whether the index was understood
 */
function growFirst(whole, { data, end }, grown) {
  const view = viewOf(whole.subarray(data + grown + 4, end + grown));
  if (view.byteLength < 8) return false;
  const little = view.getUint8(0) === 0x49;
  let at = view.getUint32(4, little);
  if (at + 2 > view.byteLength) return false;
  const fields = view.getUint16(at, little);
  at += 2;
  for (let i = 0; i < fields && at + 12 <= view.byteLength; i++, at += 12) {
    if (view.getUint16(at, little) !== 0xb002) continue;
    const first = view.getUint32(at + 8, little);
    if (first + 16 > view.byteLength) return false;
    view.setUint32(first + 4, view.getUint32(first + 4, little) + grown, little);
    return true;
  }
  return false;
}
