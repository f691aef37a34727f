/** Files of vectors: NumPy's arrays, and Parquet. */

import { readFile } from 'node:fs/promises';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { ByteWriter, parquetWrite } from 'hyparquet-writer';
import { replaceFile } from './destination.js';

/**
 * @typedef {object} Row
 * @property {Record<string, string>} about what the vector is of: of pictures `path` and `sha256`, of texts `text`
 * @property {Float32Array} embedding
 */

/** Under which key Parquet files have the settings that their vectors were made with. */
const SETTINGS = 'ocelli.settings';

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
 * The vectors of an array that `npy` has made; null where another program has.
 *
 * @param {Buffer} bytes
 * @returns {Float32Array[] | null}
 */
export function readNpy(bytes) {
  const start = bytes.length < 10 ? 0 : 10 + bytes.readUInt16LE(8);
  const shape = /'<f4', 'fortran_order': False, 'shape': \((\d+), (\d+)\)/.exec(
    bytes.toString('latin1', 10, start),
  );
  const [rows = 0, width = 0] = shape?.slice(1).map(Number) ?? [];
  if (!shape || bytes.length !== start + 4 * rows * width) return null;
  const at = (/** @type {number} */ row) => start + 4 * width * row;
  return Array.from({ length: rows }, (_, row) =>
    Float32Array.from({ length: width }, (_, column) => bytes.readFloatLE(at(row) + 4 * column)),
  );
}

/**
 * A table with a column for each entry of what the vectors are of, and with the vectors as lists of floats.
 *
 * @param {readonly Row[]} rows with the same entries each
 * @param {string} [settings] that the vectors were made with
 * @returns {Uint8Array}
 */
export function parquet(rows, settings) {
  const writer = new ByteWriter();
  const names = Object.keys(rows[0]?.about ?? {});
  parquetWrite({
    writer,
    createdBy: 'ocelli',
    ...(settings !== undefined && { kvMetadata: [{ key: SETTINGS, value: settings }] }),
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

/** The files of a table: those of NumPy have no room for names. @param {string} file @param {'npy' | 'parquet'} format */
export function filesOfTable(file, format) {
  return format === 'npy' ? [file, `${file}.names.jsonl`] : [file];
}

/**
 * @param {string} file
 * @param {'npy' | 'parquet'} format
 * @param {readonly Row[]} rows
 * @param {string} [settings] that the vectors were made with, for a later run that goes on with them
 */
export async function writeVectors(file, format, rows, settings) {
  if (format === 'parquet') return replaceFile(file, parquet(rows, settings));
  const [array = file, names = file] = filesOfTable(file, format);
  const lines = rows.map(({ about }) => `${JSON.stringify({ ...about, settings })}\n`);
  await replaceFile(array, npy(rows.map(({ embedding }) => embedding)));
  await replaceFile(names, lines.join(''));
}

/**
 * What an earlier run has written of pictures; null where it was another command, or had other settings.
 *
 * @param {string} file
 * @param {'npy' | 'parquet'} format
 * @param {string} settings
 * @returns {Promise<Row[] | null>}
 */
export async function readVectors(file, format, settings) {
  try {
    return format === 'npy' ? await readArray(file, settings) : await readTable(file, settings);
  } catch {
    return null;
  }
}

/** @param {string} file @param {string} settings @returns {Promise<Row[] | null>} */
async function readArray(file, settings) {
  const [array = file, names = file] = filesOfTable(file, 'npy');
  const vectors = readNpy(await readFile(array));
  const lines = (await readFile(names, 'utf8')).split('\n').filter(Boolean);
  if (vectors?.length !== lines.length) return null;
  const rows = lines.map((line, row) => {
    const { settings: made, path, sha256 } = JSON.parse(line);
    const embedding = vectors[row] ?? new Float32Array();
    return { made, about: { path, sha256 }, embedding };
  });
  return rows.every(({ made }) => made === settings) ? rows : null;
}

/** @param {string} file @param {string} settings @returns {Promise<Row[] | null>} */
async function readTable(file, settings) {
  const { buffer } = Uint8Array.from(await readFile(file));
  const made = parquetMetadata(buffer).key_value_metadata?.find(({ key }) => key === SETTINGS)?.value;
  if (made !== settings) return null;
  const rows = await parquetReadObjects({ file: buffer });
  return rows.map(({ path, sha256, embedding }) => ({
    about: { path, sha256 },
    embedding: Float32Array.from(embedding),
  }));
}
