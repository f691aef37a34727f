/**
 * A table of vectors, as NumPy and Parquet have it: written as a whole. What it is made of is kept beside it, as lines, until
 * then, for a run that is stopped; of a table that is there already, the lines are made anew.
 */

import { readFile, rm, stat } from 'node:fs/promises';
import { replaceFile, unwritable } from './destination.js';
import { foreign } from './earlier.js';
import { filesOfTable, readVectors, writeVectors } from './vectors.js';

export class Table {
  #file;
  #format;
  #settings;

  /** @param {string} file @param {'npy' | 'parquet'} format @param {string} settings that the vectors are made with */
  constructor(file, format, settings) {
    this.#file = file;
    this.#format = format;
    this.#settings = settings;
    /** Where the lines are. */
    this.lines = `${file}.part.jsonl`;
  }

  /** Lays the lines of an earlier run beside its table. One that is not of this command is refused. */
  async goOn() {
    // A run that was stopped was let in already.
    if (await exists(this.lines)) return;
    const files = filesOfTable(this.#file, this.#format);
    const there = await Promise.all(files.map(exists));
    const taken = files.find((_, i) => there[i]);
    if (taken === undefined) return;
    const rows = await readVectors(this.#file, this.#format, this.#settings);
    if (!rows) throw foreign(taken);
    const lines = rows.map(({ about, embedding }) => {
      const line = { ...about, settings: this.#settings, embedding: [...embedding] };
      return `${JSON.stringify(line)}\n`;
    });
    await replaceFile(this.lines, lines.join('')).catch((error) => refuse(this.lines, error));
  }

  /** Writes the table of all lines. */
  async write() {
    const lines = (await readFile(this.lines, 'utf8')).split('\n').filter(Boolean);
    const rows = lines.map((line) => {
      const { path, sha256, embedding } = JSON.parse(line);
      return { about: { path, sha256 }, embedding: Float32Array.from(embedding) };
    });
    if (rows.length > 0) {
      await writeVectors(this.#file, this.#format, rows, this.#settings).catch((error) =>
        refuse(this.#file, error),
      );
    }
    await rm(this.lines);
  }
}

/** @param {string} file */
function exists(file) {
  return stat(file).then(
    () => true,
    () => false,
  );
}

/** @param {string} file @param {unknown} error @returns {never} */
function refuse(file, error) {
  throw unwritable(file, error);
}
