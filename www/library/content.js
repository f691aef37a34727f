/**
 * What tells pictures from each other: what is in their files. Digests are made by the browser, beside the page's thread, and no more
 * of a file is in memory than a piece.
 */

import { joined } from '../files/bytes.js';
import { turnOf } from '../files/told.js';
import { pixelsIn } from '../files/xmp-embed.js';

/** Bytes of a piece: files up to that long have the plain SHA-256 as their digest, longer ones that of their pieces' digests. */
const PIECE = 16 << 20;
/** Bytes of each of the places that a sample is made of. */
const PLACE = 8 << 10;

/** Whether the browser makes digests here: only pages that came over a safe way get any. */
export const canDigest = globalThis.crypto?.subtle !== undefined;

/** @param {Blob} file @returns {Promise<string>} its digest */
export async function contentOf(file) {
  if (file.size <= PIECE) return hex(await digest(file));
  /** @type {ArrayBuffer[]} */
  const pieces = [];
  for (let at = 0; at < file.size; at += PIECE) pieces.push(await digest(file.slice(at, at + PIECE)));
  return hex(await digest(new Blob(pieces)));
}

/**
 * The digest of a few places of a file: enough to see that one of the same name, length and date is another.
 * @param {Blob} file
 * @returns {Promise<string>}
 */
export async function sampleOf(file) {
  return hex(await digest(new Blob(startsOf(file.size).map((at) => file.slice(at, at + PLACE)))));
}

/**
 * Both, of a file that is read once where it is short enough: browsers take a while for each part of a file that they are asked for.
 * `pixels` is that of its pixels as they are in the file, the same whatever some program has written into that about the picture, and how
 * they are turned when they are shown; null where nobody knows them, or the file is too long.
 * @param {Blob} file
 * @returns {Promise<{ content: string, sample: string, pixels: string | null }>}
 */
export async function digestsOf(file) {
  if (file.size > PIECE) {
    return { content: await contentOf(file), sample: await sampleOf(file), pixels: null };
  }
  const bytes = new Uint8Array(await file.arrayBuffer());
  const places = joined(startsOf(bytes.length).map((at) => bytes.subarray(at, at + PLACE)));
  const [content, sample] = [bytes, places].map((one) => crypto.subtle.digest('SHA-256', one));
  return { content: hex(await content), sample: hex(await sample), pixels: await pixelDigest(bytes) };
}

/** @param {Uint8Array<ArrayBuffer>} bytes of a file */
async function pixelDigest(bytes) {
  const pixels = pixelsIn(bytes);
  if (!pixels) return null;
  const turn = await turnOf(bytes);
  return `${hex(await crypto.subtle.digest('SHA-256', pixels))}${turn === 1 ? '' : `/${turn}`}`;
}

/** @param {string} pixels @returns {string} that of the pixels alone, however they are turned */
export function unturned(pixels) {
  return pixels.replace(/\/\d$/, '');
}

/** @param {number} size @returns {number[]} where the places of a sample begin */
function startsOf(size) {
  return [0, Math.floor(size / 2), Math.max(0, size - PLACE)];
}

/** @param {Blob} piece */
async function digest(piece) {
  return crypto.subtle.digest('SHA-256', await piece.arrayBuffer());
}

/** @param {ArrayBuffer} bytes */
function hex(bytes) {
  return [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
