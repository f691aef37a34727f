/**
 * Numbers in rows and columns, as transformers.js hands out features: as much of its `Tensor` as pages use of features.
 *
 * @typedef {{ float32: Float32Array, int8: Int8Array, uint8: Uint8Array }} TensorArrays
 * @typedef {keyof TensorArrays} TensorType
 */

import { wrong } from '../../page/arguments.js';

/** Gives tensors places in their types. */
const Indexed = /** @type {new () => { readonly [index: number]: any }} */ (
  /** @type {unknown} */ (class {})
);

/**
 * A tensor. `tensor[i]` and `for (const row of tensor)` give what lies in its first dimension: a tensor with one dimension less,
 * over the same memory, or of one dimension its numbers.
 *
 * @template {TensorType} [T='float32']
 */
export class Tensor extends Indexed {
  /**
   * @param {T} type of its numbers
   * @param {TensorArrays[T]} data row by row
   * @param {readonly number[]} dims how long each dimension is
   * @throws {OcelliError} `argument-invalid`: there are not as many numbers as the dimensions say
   */
  constructor(type, data, dims) {
    super();
    const size = dims.reduce((product, length) => product * length, 1);
    if (size !== data.length) {
      throw wrong(`A tensor of ${dims.join(' x ')} has ${size} numbers, and not ${data.length}.`);
    }
    /** @readonly */
    this.type = type;
    /** @readonly */
    this.data = data;
    /** @readonly @type {readonly number[]} */
    this.dims = [...dims];
    /** @readonly */
    this.size = data.length;
    for (let index = 0; index < (this.dims[0] ?? 0); index += 1) {
      Object.defineProperty(this, index, { get: () => this.#at(index) });
    }
  }

  /** @param {number} index @returns {Tensor<T> | number} */
  #at(index) {
    const [, ...rest] = this.dims;
    if (rest.length === 0) return /** @type {number} */ (this.data[index]);
    const length = rest.reduce((product, one) => product * one, 1);
    const part = this.data.subarray(index * length, (index + 1) * length);
    return new Tensor(this.type, /** @type {TensorArrays[T]} */ (part), rest);
  }

  /** @returns {Generator<Tensor<T> | number, void, void>} */
  *[Symbol.iterator]() {
    for (let index = 0; index < (this.dims[0] ?? 0); index += 1) yield this.#at(index);
  }

  /**
   * The numbers as nested arrays, one level for each dimension.
   *
   * @returns {any[]}
   */
  tolist() {
    return [...this].map((part) => (part instanceof Tensor ? part.tolist() : part));
  }
}

/**
 * A tensor whose last dimension has length 1 (L2); zeros stay zeros.
 *
 * @param {Tensor} tensor
 * @returns {Tensor}
 */
export function normalised({ type, data, dims }) {
  const width = dims.at(-1) ?? 1;
  const scaled = data.slice();
  for (let begin = 0; begin < scaled.length; begin += width) {
    const row = scaled.subarray(begin, begin + width);
    const norm = Math.sqrt(row.reduce((sum, number) => sum + number * number, 0));
    if (norm > 0) row.forEach((number, i) => (row[i] = number / norm));
  }
  return new Tensor(type, scaled, dims);
}

/**
 * The signs of a tensor's numbers as bits, eight to a byte, the first the highest: 1 where the number is above zero.
 *
 * @template {'binary' | 'ubinary'} P
 * @param {Tensor} tensor of two dimensions
 * @param {P} precision `ubinary` bytes from 0 to 255, or `binary`: the same less 128
 * @returns {Tensor<'int8'> | Tensor<'uint8'>}
 * @throws {OcelliError} `argument-invalid`: a row is no number of whole bytes
 */
export function quantised({ data, dims: [rows = 0, width = 0] }, precision) {
  if (width % 8 !== 0) throw wrong(`Features of ${width} numbers make no whole bytes, as quantize needs.`);
  const bytes = new Uint8Array(data.length / 8);
  data.forEach((number, i) => {
    if (number > 0) bytes[i >> 3] = /** @type {number} */ (bytes[i >> 3]) | (0x80 >> (i & 7));
  });
  const dims = [rows, width / 8];
  if (precision === 'ubinary') return new Tensor('uint8', bytes, dims);
  return new Tensor(
    'int8',
    Int8Array.from(bytes, (byte) => byte - 128),
    dims,
  );
}
