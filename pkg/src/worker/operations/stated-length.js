/**
 * How long a safetensors file is, by its own header. Of a file that a server compresses on its way nothing else tells.
 *
 * Source: the format's description: eight bytes of the header's length, little-endian; the header, in JSON, where each tensor
 * has its `data_offsets`; the data.
 */

/** Headers are some hundred kilobytes at most: what is longer is not waited for. */
const MAX_HEADER = 16 << 20;
const LENGTH_BYTES = 8;

export class StatedLength {
  /** @type {Uint8Array[] | null} the chunks so far; null once all is known that will be */
  #chunks = [];
  #received = 0;

  /**
   * @param {Uint8Array} chunk the next of the file, which is not kept
   * @returns {number | null} the length in bytes, once, when it is known; else null
   */
  add(chunk) {
    if (this.#chunks === null) return null;
    this.#chunks.push(chunk.slice());
    this.#received += chunk.length;
    if (this.#received < LENGTH_BYTES) return null;
    const bytes = concatenated(this.#chunks, this.#received);
    this.#chunks = [bytes];
    const header = new DataView(bytes.buffer).getBigUint64(0, true);
    if (header > MAX_HEADER) this.#chunks = null;
    const begin = LENGTH_BYTES + Number(header);
    if (header > MAX_HEADER || bytes.length < begin) return null;
    this.#chunks = null;
    const data = lengthOfData(new TextDecoder().decode(bytes.subarray(LENGTH_BYTES, begin)));
    return data === null ? null : begin + data;
  }
}

/** @param {Uint8Array[]} chunks @param {number} length */
function concatenated(chunks, length) {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
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
