/**
 * How long a safetensors file is, by its own header. Of a file that a server compresses on its way nothing else tells.
 *
 * Source: the format's description: eight bytes of the header's length, little-endian; the header, in JSON, where each tensor
 * has its `data_offsets`; the data.
 */

import { joined } from '../../shared/loader.js';

/** Headers are some hundred kilobytes at most: what is longer is not waited for. */
const MAX_HEADER = 16 << 20;
const LENGTH_BYTES = 8;

export class StatedLength {
  /** @type {Uint8Array<ArrayBuffer> | null} the beginning of the file; null once all is known that will be */
  #head = new Uint8Array();

  /**
   * @param {Uint8Array} chunk the next of the file, which is not kept
   * @returns {number | null} the length in bytes, once, when it is known; else null
   */
  add(chunk) {
    if (this.#head === null) return null;
    const bytes = joined([this.#head, chunk]);
    this.#head = bytes;
    if (bytes.length < LENGTH_BYTES) return null;
    const header = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    const begin = LENGTH_BYTES + header;
    if (header <= MAX_HEADER && bytes.length < begin) return null;
    this.#head = null;
    if (header > MAX_HEADER) return null;
    const data = lengthOfData(new TextDecoder().decode(bytes.subarray(LENGTH_BYTES, begin)));
    return data === null ? null : begin + data;
  }
}

/** @param {string} header @returns {number | null} where the last tensor ends; null where the header is none */
function lengthOfData(header) {
  try {
    const ends = Object.values(JSON.parse(header)).map((tensor) => Number(tensor?.data_offsets?.[1] ?? 0));
    const end = ends.reduce((most, one) => Math.max(most, one), 0);
    return Number.isSafeInteger(end) ? end : null;
  } catch {
    return null;
  }
}
