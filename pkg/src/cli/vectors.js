/** Files of vectors: NumPy's arrays, and Parquet. */

import { writeFile } from 'node:fs/promises';
import { ByteWriter, parquetWrite } from 'hyparquet-writer';

/**
 * @typedef {object} Row
 * @property {Record<string, string>} about what the vector is of: of pictures `path` and `sha256`, of texts `text`
 * @property {Float32Array} embedding
 */

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
 * A table with a column for each entry of what the vectors are of, and with the vectors as lists of floats.
 *
 * @param {readonly Row[]} rows with the same entries each
 * @returns {Uint8Array}
 */
export function parquet(rows) {
  const writer = new ByteWriter();
  const names = Object.keys(rows[0]?.about ?? {});
  parquetWrite({
    writer,
    createdBy: 'ocelli',
    columnData: [
      ...names.map((name) => ({ name, data: rows.map(({ about }) => about[name]), nullable: false })),
      { name: 'embedding', data: rows.map(({ embedding }) => [...embedding]) },
    ],
    schema: [
      { name: 'root', num_children: names.length + 1 },
      ...names.map((name) => ({
        name,
        type: /** @type {const} */ ('BYTE_ARRAY'),
        converted_type: /** @type {const} */ ('UTF8'),
        repetition_type: /** @type {const} */ ('REQUIRED'),
      })),
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
 * @param {readonly Row[]} rows
 */
export async function writeVectors(file, format, rows) {
  if (format === 'parquet') return writeFile(file, parquet(rows));
  await writeFile(file, npy(rows.map(({ embedding }) => embedding)));
  await writeFile(`${file}.names.txt`, rows.map(({ about }) => `${Object.values(about)[0]}\n`).join(''));
}
