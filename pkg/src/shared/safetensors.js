/**
 * Files of tensors.
 *
 * @typedef {object} Tensor
 * @property {readonly number[]} shape
 * @property {Float32Array | BigInt64Array} values row by row
 */

/** What the header of a file begins and ends at multiples of, in bytes, so that tensors can be read in place. */
const ALIGNMENT = 8;

/**
 * A safetensors file: the length of a header in 8 bytes, the header in JSON, and the numbers, little-endian.
 *
 * Source: the description of the format beside its library, "Format".
 *
 * @param {Readonly<Record<string, Tensor>>} tensors by their names
 * @param {Readonly<Record<string, string>>} [metadata]
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function writeSafetensors(tensors, metadata) {
  // The longer numbers first: then each tensor begins at a multiple of its own.
  const sorted = Object.entries(tensors).sort(
    ([, { values: a }], [, { values: b }]) => b.BYTES_PER_ELEMENT - a.BYTES_PER_ELEMENT,
  );
  let end = 0;
  const entries = sorted.map(([name, { shape, values }]) => {
    const begin = end;
    end += values.byteLength;
    const dtype = values instanceof Float32Array ? 'F32' : 'I64';
    return [name, { dtype, shape, data_offsets: [begin, end] }];
  });
  const header = JSON.stringify(
    Object.fromEntries([...(metadata ? [['__metadata__', metadata]] : []), ...entries]),
  );
  const text = new TextEncoder().encode(header);
  const length = Math.ceil(text.length / ALIGNMENT) * ALIGNMENT;
  const bytes = new Uint8Array(8 + length + end);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.fill(' '.charCodeAt(0), 8, 8 + length);
  bytes.set(text, 8);
  let at = 8 + length;
  for (const [, { values }] of sorted) {
    // WebAssembly runs on no machine with another order of bytes.
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), at);
    at += values.byteLength;
  }
  return bytes;
}
