/**
 * Vectors for programs that hold millions of them.
 *
 * @typedef {object} ParquetWriter `parquetWriteBuffer` of npm's `hyparquet-writer`
 * @property {(table: any) => ArrayBuffer} parquetWriteBuffer
 */

import { wrong } from './arguments.js';

/** How many rows of Parquet lie together. */
const ROW_GROUP = 10_000;

/**
 * @typedef {object} Table
 * @property {readonly string[]} ids
 * @property {readonly Float32Array[]} parts the vectors in the order of the ids, several in each
 * @property {number} width
 * @property {Record<string, string>} metadata
 *
 * @param {Table} table
 * @param {'safetensors' | 'npy' | 'parquet'} format
 * @param {ParquetWriter | undefined} writer
 * @returns {Blob}
 * @throws {import('../shared/errors.js').OcelliError} `argument-invalid`
 */
export function exported({ ids, parts, width, metadata }, format, writer) {
  switch (format) {
    case 'npy':
      return new Blob([npyHead(ids.length, width), ...parts.map(bytesOf)]);
    case 'safetensors':
      return new Blob([safetensorsHead(ids, width, metadata), ...parts.map(bytesOf)]);
    case 'parquet': {
      if (typeof writer?.parquetWriteBuffer !== 'function') {
        throw wrong(
          "Parquet is written with a library: `import * as writer from 'hyparquet-writer'`, and give { writer }.",
        );
      }
      const vectors = parts.flatMap((part) =>
        Array.from({ length: part.length / width }, (_, row) =>
          part.subarray(row * width, (row + 1) * width),
        ),
      );
      return new Blob([writer.parquetWriteBuffer(parquetTable(ids, vectors, metadata))]);
    }
    default:
      throw wrong('The format must be "safetensors", "npy" or "parquet".');
  }
}

/**
 * The head of an array of float32 with a row for each vector, in NumPy's format.
 *
 * Source: NumPy, "A Simple File Format for NumPy Arrays" (NEP 1), version 1.0.
 *
 * @param {number} rows
 * @param {number} width
 * @returns {Uint8Array<ArrayBuffer>}
 */
function npyHead(rows, width) {
  const about = `{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${width}), }`;
  const length = Math.ceil((10 + about.length + 1) / 64) * 64;
  const bytes = new Uint8Array(length);
  bytes.set([0x93, ...new TextEncoder().encode('NUMPY'), 1, 0]);
  new DataView(bytes.buffer).setUint16(8, length - 10, true);
  bytes.set(new TextEncoder().encode(`${about.padEnd(length - 11)}\n`), 10);
  return bytes;
}

/**
 * The head of a safetensors file with one tensor, `embeddings`, and with the ids as JSON among its metadata.
 *
 * @param {readonly string[]} ids
 * @param {number} width
 * @param {Record<string, string>} metadata
 * @returns {Uint8Array<ArrayBuffer>}
 */
function safetensorsHead(ids, width, metadata) {
  const shape = [ids.length, width];
  const header = JSON.stringify({
    __metadata__: { ...metadata, ids: JSON.stringify(ids) },
    embeddings: { dtype: 'F32', shape, data_offsets: [0, 4 * ids.length * width] },
  });
  const text = new TextEncoder().encode(header);
  // The data begin at a multiple of eight.
  const padded = Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(8 + padded).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(padded), true);
  bytes.set(text, 8);
  return bytes;
}

/**
 * What `parquetWrite` of `hyparquet-writer` takes for a table of ids and vectors.
 *
 * @param {readonly string[]} ids
 * @param {readonly Float32Array[]} vectors
 * @param {Record<string, string>} metadata
 */
function parquetTable(ids, vectors, metadata) {
  return {
    createdBy: 'ocelli',
    rowGroupSize: ROW_GROUP,
    kvMetadata: Object.entries(metadata).map(([key, value]) => ({ key: `ocelli.${key}`, value })),
    columnData: [
      { name: 'id', data: [...ids], nullable: false },
      { name: 'embedding', data: vectors.map((vector) => [...vector]) },
    ],
    schema: [
      { name: 'root', num_children: 2 },
      {
        name: 'id',
        type: /** @type {const} */ ('BYTE_ARRAY'),
        converted_type: /** @type {const} */ ('UTF8'),
        repetition_type: /** @type {const} */ ('REQUIRED'),
      },
      {
        name: 'embedding',
        repetition_type: /** @type {const} */ ('REQUIRED'),
        num_children: 1,
        converted_type: /** @type {const} */ ('LIST'),
      },
      { name: 'list', repetition_type: /** @type {const} */ ('REPEATED'), num_children: 1 },
      {
        name: 'element',
        type: /** @type {const} */ ('FLOAT'),
        repetition_type: /** @type {const} */ ('REQUIRED'),
      },
    ],
  };
}

/**
 * Numbers as files have them: little-endian, as on every machine that runs this.
 *
 * @param {Float32Array} numbers
 * @returns {Uint8Array<ArrayBuffer>}
 */
function bytesOf(numbers) {
  return new Uint8Array(/** @type {ArrayBuffer} */ (numbers.buffer), numbers.byteOffset, numbers.byteLength);
}
