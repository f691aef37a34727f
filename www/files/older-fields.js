/**
 * What programs wrote into JPEGs before there was XMP, and still read: IPTC records (IIM 4.2, in Photoshop's resources), the EXIF
 * description and Windows' fields. Where they say what somebody has taken away or written anew, they would contradict the packet.
 *
 * @typedef {object} Stale
 * @property {readonly string[]} keywords that the picture has not
 * @property {string} caption that was there, as `readCaption` has it; empty where it stays
 * @property {string} instead what takes its place
 */

import { readCaption } from '../corrections.js';
import { isAt, joined, latin, textIn, viewOf } from './bytes.js';
import { keyOf } from './filed.js';
import { segmentsOf } from './xmp-jpeg.js';

const APP1 = 0xe1;
const APP2 = 0xe2;
const APP13 = 0xed;
const EXIF = 'Exif\0\0';
const PHOTOSHOP = 'Photoshop 3.0\0';
/** Resources of Photoshop: the records, and the digest of them, by which programs see whether they are newer than XMP. */
const RECORDS = 0x404;
const DIGEST = 0x425;
/** Records that are about the picture, and their keywords and captions. */
const APPLICATION = 2;
const KEYWORD = 25;
const CAPTION = 120;
/** Bytes of a caption, at most. */
const MOST_OF_CAPTION = 2000;
/** Tags of EXIF: the description, and Windows' title, comment and keywords, whose letters have two bytes. */
const DESCRIPTION = 0x10e;
const WIDE_TEXTS = [0x9c9b, 0x9c9c];
const WIDE_KEYWORDS = 0x9c9e;
/** The bytes that a value of each TIFF type has. */
const WIDTHS = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8];

/**
 * @param {Uint8Array<ArrayBuffer>} bytes of a JPEG
 * @param {Stale} stale
 * @returns {Uint8Array<ArrayBuffer>} the same where nothing is to be changed, or nobody knows how
 */
export function withoutStale(bytes, stale) {
  const segments = segmentsOf(bytes);
  if (!segments || (stale.keywords.length === 0 && stale.caption === '')) return bytes;
  // An index of several pictures in one file counts its bytes.
  const isCounted = segments.some(({ marker, data }) => marker === APP2 && isAt(bytes, data, 'MPF\0'));
  /** @type {Uint8Array[]} */
  const parts = [];
  let done = 0;
  for (const { marker, start, data, end } of segments) {
    const body = bytes.subarray(data, end);
    const fresh =
      marker === APP13 && isAt(body, 0, PHOTOSHOP)
        ? resources(body, stale)
        : marker === APP1 && isAt(body, 0, EXIF)
          ? exif(body, stale)
          : null;
    if (!fresh || fresh.length + 2 > 0xffff || (isCounted && fresh.length !== body.length)) continue;
    parts.push(bytes.subarray(done, start), Uint8Array.of(0xff, marker, 0, 0), fresh);
    const head = /** @type {Uint8Array} */ (parts.at(-2));
    viewOf(head).setUint16(2, fresh.length + 2);
    done = end;
  }
  return done === 0 ? bytes : joined([...parts, bytes.subarray(done)]);
}

/** @param {Uint8Array} body of a segment @param {Stale} stale @returns {Uint8Array | null} null where it stays as it is */
function resources(body, stale) {
  const view = viewOf(body);
  const parts = [body.subarray(0, PHOTOSHOP.length)];
  let isChanged = false;
  for (let at = PHOTOSHOP.length; at < body.length;) {
    if (!isAt(body, at, '8BIM') || at + 12 > body.length) return null;
    const id = view.getUint16(at + 4);
    const name = 1 + (body[at + 6] ?? 0);
    const data = at + 6 + name + (name % 2) + 4;
    const size = data <= body.length ? view.getUint32(data - 4) : Infinity;
    if (data + size > body.length) return null;
    const end = Math.min(body.length, data + size + (size % 2));
    const fresh = id === RECORDS ? records(body.subarray(data, data + size), stale) : null;
    if (fresh) {
      isChanged = true;
      const head = body.slice(at, data);
      viewOf(head).setUint32(head.length - 4, fresh.length);
      parts.push(head, fresh, new Uint8Array(fresh.length % 2));
    } else if (id !== DIGEST) parts.push(body.subarray(at, end));
    at = end;
  }
  return isChanged ? joined(parts) : null;
}

/** @param {Uint8Array} data @param {Stale} stale @returns {Uint8Array | null} null where they stay as they are */
function records(data, { keywords, caption, instead }) {
  const view = viewOf(data);
  const gone = new Set(keywords.map(keyOf));
  /** @type {Uint8Array[]} */
  const parts = [];
  let isChanged = false;
  for (let at = 0; at < data.length;) {
    if (data[at] !== 0x1c || at + 5 > data.length) return null;
    const [kind, length] = [data[at + 2], view.getUint16(at + 3)];
    const end = at + 5 + length;
    // Longer ones than any text are told otherwise.
    if (length > 0x7fff || end > data.length) return null;
    const [head, value] = [data.slice(at, at + 5), data.subarray(at + 5, end)];
    const { text, encode } = read(value);
    const isAbout = data[at + 1] === APPLICATION;
    const isGone = isAbout && kind === KEYWORD && gone.has(keyOf(text));
    const isOld = isAbout && kind === CAPTION && caption !== '' && readCaption(text) === caption;
    isChanged ||= isGone || isOld;
    if (isOld) {
      const fresh = upTo(encode(instead), MOST_OF_CAPTION);
      viewOf(head).setUint16(3, fresh.length);
      parts.push(head, fresh);
    } else if (!isGone) parts.push(data.subarray(at, end));
    at = end;
  }
  return isChanged ? joined(parts) : null;
}

/** @param {Uint8Array} body of a segment @param {Stale} stale @returns {Uint8Array | null} null where it stays as it is */
function exif(body, { keywords, caption, instead }) {
  const whole = body.slice();
  const tiff = whole.subarray(EXIF.length);
  const isLittle = isAt(tiff, 0, 'II');
  if (tiff.length < 8 || !(isLittle || isAt(tiff, 0, 'MM'))) return null;
  const view = viewOf(tiff);
  const first = view.getUint32(4, isLittle);
  if (first + 2 > tiff.length) return null;
  const count = view.getUint16(first, isLittle);
  const gone = new Set(keywords.map(keyOf));
  let isChanged = false;
  /** Puts a value where one was: in less room, or none where there is too little. @param {Uint8Array} room @param {Uint8Array} value */
  const put = (room, value) => {
    room.fill(0);
    if (value.length <= room.length) room.set(value);
    isChanged = true;
  };
  for (let i = 0; i < count; i++) {
    const entry = first + 2 + 12 * i;
    if (entry + 12 > tiff.length) return null;
    const [tag, type] = [view.getUint16(entry, isLittle), view.getUint16(entry + 2, isLittle)];
    const length = view.getUint32(entry + 4, isLittle) * (WIDTHS[type] ?? 0);
    const at = length <= 4 ? entry + 8 : view.getUint32(entry + 8, isLittle);
    if (at + length > tiff.length) continue;
    const room = tiff.subarray(at, at + length);
    const isOld = (/** @type {string} */ text) => caption !== '' && readCaption(text) === caption;
    if (tag === DESCRIPTION) {
      const { text, encode } = read(room);
      if (isOld(text.replaceAll('\0', ''))) put(room, encode(instead));
    } else if (WIDE_TEXTS.includes(tag)) {
      if (isOld(wide(room))) put(room, wideBytes(instead));
    } else if (tag === WIDE_KEYWORDS) {
      const words = wide(room).split(';');
      const left = words.filter((word) => !gone.has(keyOf(word)));
      if (left.length < words.length) put(room, wideBytes(left.join(';')));
    }
  }
  return isChanged ? whole : null;
}

/** @param {Uint8Array} bytes of a text @param {number} most @returns {Uint8Array} so many of them, and no part of a letter */
function upTo(bytes, most) {
  let end = Math.min(bytes.length, most);
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.subarray(0, end);
}

/**
 * A text, and how others are written as it is.
 * @param {Uint8Array} bytes
 * @returns {{ text: string, encode: (text: string) => Uint8Array }}
 */
function read(bytes) {
  const { text, isUtf8 } = textIn(bytes);
  const isLatin = (/** @type {string} */ one) => !/[\u{100}-\u{10ffff}]/u.test(one);
  const encode = (/** @type {string} */ one) =>
    !isUtf8 && isLatin(one) ? latin(one) : new TextEncoder().encode(one);
  return { text, encode };
}

/** @param {Uint8Array} bytes */
function wide(bytes) {
  return new TextDecoder('utf-16le').decode(bytes).replaceAll('\0', '');
}

/** @param {string} text */
function wideBytes(text) {
  const bytes = new Uint8Array(2 * text.length);
  const view = viewOf(bytes);
  for (let i = 0; i < text.length; i++) view.setUint16(2 * i, text.charCodeAt(i), true);
  return bytes;
}
