/** Files of vectors: NumPy's arrays, and Parquet. */

import { writeFile } from 'node:fs/promises';
import { ByteWriter, parquetWrite } from 'hyparquet-writer';

/**
 * An array of float32 with a row for each vector.
 *
 * Source: NumPy, "A Simple File Format for NumPy Arrays" (NEP 1), version 1.0.
 *
 * @param {readonly Float32Array[]} vectors of one length
 * @returns {Uint8Array}
 */
export function npy(vectors) {
  const width = vectors[0]?.length ?? 0;
  const about = `{'descr': '<f4', 'fortran_order': False, 'shape': (${vectors.length}, ${width}), }`;
  const start = Math.ceil((10 + about.length + 1) / 64) * 64;
  const bytes = new Uint8Array(start + 4 * width * vectors.length);
  const view = new DataView(bytes.buffer);
  bytes.set([0x93, ...new TextEncoder().encode('NUMPY'), 1, 0]);
  view.setUint16(8, start - 10, true);
  bytes.set(new TextEncoder().encode(`${about.padEnd(start - 11)}\n`), 10);
  vectors.forEach((vector, row) =>
    vector.forEach((value, column) => view.setFloat32(start + 4 * (row * width + column), value, true)),
  );
  return bytes;
}

/**
 * A table of names, hashes and vectors, each vector a list of floats.
 *
 * @param {readonly { path: string, sha256: string, embedding: Float32Array }[]} rows
 * @returns {Uint8Array}
 */
export function parquet(rows) {
  const writer = new ByteWriter();
  parquetWrite({
    writer,
    createdBy: 'ocelli',
    columnData: [
      { name: 'path', data: rows.map(({ path }) => path), nullable: false },
      { name: 'sha256', data: rows.map(({ sha256 }) => sha256), nullable: false },
      { name: 'embedding', data: rows.map(({ embedding }) => [...embedding]) },
    ],
    schema: [
      { name: 'root', num_children: 3 },
      { name: 'path', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'REQUIRED' },
      { name: 'sha256', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'REQUIRED' },
      { name: 'embedding', repetition_type: 'REQUIRED', num_children: 1, converted_type: 'LIST' },
      { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
      { name: 'element', type: 'FLOAT', repetition_type: 'REQUIRED' },
    ],
  });
  return new Uint8Array(writer.getBuffer());
}

/**
 * @param {string} file
 * @param {'npy' | 'parquet'} format
 * @param {readonly { path: string, sha256: string, embedding: Float32Array }[]} rows
 */
export async function writeVectors(file, format, rows) {
  if (format === 'parquet') return writeFile(file, parquet(rows));
  await writeFile(file, npy(rows.map(({ embedding }) => embedding)));
  await writeFile(`${file}.names.txt`, rows.map(({ path }) => `${path}\n`).join(''));
}
