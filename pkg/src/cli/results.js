/**
 * Results as they are written: for people, as JSON lines or as CSV, to standard output or to a file that a later run goes on
 * with.
 *
 * @typedef {object} Result
 * @property {string} path
 * @property {string} sha256 of the picture's bytes, in hexadecimal
 * @property {Record<string, unknown>} answer
 *
 * @typedef {object} Shape how a command's answers are written
 * @property {(answer: any) => string} text one line
 * @property {string[]} columns of CSV, besides `path` and `sha256`
 * @property {(answer: any) => unknown[][]} rows a row of CSV for each part of an answer
 */

import { createWriteStream } from 'node:fs';
import { open, readFile, truncate } from 'node:fs/promises';
import { once } from 'node:events';
import { finished } from 'node:stream/promises';
import { destinationOf, replaceFile, unwritable } from './destination.js';
import { csvLine, linesOfResults, nothing, parseLine, readEarlier } from './earlier.js';
import { EXIT, usage } from './failure.js';
import { printable } from './terminal.js';

/**
 * Labels with their scores, as a line of percents, and as a row for each.
 *
 * @param {string} key under which answers have them
 * @returns {Shape}
 */
export function listOfScores(key) {
  return {
    text: (answer) =>
      answer[key]
        .map((/** @type {any} */ { label, score }) => `${label} ${Math.round(100 * score)} %`)
        .join(', ') || '-',
    columns: ['label', 'score'],
    rows: (answer) => answer[key].map((/** @type {any} */ { label, score }) => [label, score]),
  };
}

/**
 * A label with its score to six digits, as much as f32 tells.
 *
 * @param {{ label: string | null, score: number }} scored
 */
export function roundedScore({ label, score }) {
  return { label, score: Number(score.toPrecision(6)) };
}

/** Where results go, and what is there already. */
export class Results {
  #stream;
  #form;
  #shape;
  #settings;
  /** @type {Map<string, Record<string, unknown>>} answers of an earlier run, by the hash of their picture */
  known;
  /** The hashes of its pictures, by their paths. @type {Map<string, string>} */
  #written;
  /** Where results go, if that is a file. @type {string | null} */
  #file;
  /** Pictures of the earlier run that have changed since, by their keys then. @type {Set<string>} */
  #outdated = new Set();
  /** Why nothing can be written any more. @type {Error | null} */
  #failure = null;

  /**
   * @private
   * @param {NodeJS.WritableStream} stream
   * @param {'text' | 'json' | 'csv'} form
   * @param {Shape} shape
   * @param {{ file: string, settings: string, earlier: import('./earlier.js').Earlier } | null} kept where results go to a
   *   file, which a later run can go on with
   */
  constructor(stream, form, shape, kept) {
    this.#stream = stream;
    this.#form = form;
    this.#shape = shape;
    this.#settings = kept ? [kept.settings] : [];
    const { known, written } = kept?.earlier ?? nothing();
    this.known = known;
    this.#written = written;
    this.#file = kept?.file ?? null;
  }

  /**
   * @param {{ json?: boolean, csv?: boolean, out?: string, force?: boolean }} options
   * @param {Shape} shape
   * @param {string} settings all that answers depend on besides the picture
   */
  static async open({ json, csv, out, force = false }, shape, settings) {
    if (json && csv) throw usage('--json and --csv exclude each other.');
    const form =
      json || (out?.endsWith('.jsonl') && !csv) ? 'json' : csv || out?.endsWith('.csv') ? 'csv' : 'text';
    const { kind } = await destinationOf(out);
    if (out === undefined || kind === 'stdout') {
      const results = new Results(process.stdout, form, shape, null);
      await results.#begin();
      return results;
    }
    if (kind === 'stream') {
      const results = new Results(await openStream(out, 'w'), form, shape, null);
      results.#watch(out);
      await results.#begin();
      return results;
    }
    if (form === 'text') throw usage('--out ends with .jsonl or .csv, or goes with --json or --csv.');
    const earlier = force ? nothing() : await readEarlier(out, form, shape.columns, settings);
    try {
      await (await open(out, force ? 'w' : 'a')).close();
      // A line that was cut off when the run was stopped.
      await truncate(out, earlier.size);
    } catch (error) {
      throw unwritable(out, error);
    }
    const results = new Results(await openStream(out, 'a'), form, shape, { file: out, settings, earlier });
    results.#watch(out);
    if (earlier.size === 0) await results.#begin();
    return results;
  }

  /** Writes what comes before the first result. */
  async #begin() {
    const settings = this.#file === null ? [] : ['settings'];
    if (this.#form === 'csv') {
      await this.#write(csvLine(['path', 'sha256', ...settings, ...this.#shape.columns]));
    }
  }

  /** Notices when nothing can be written any more. @param {string} out */
  #watch(out) {
    this.#stream.on('error', (/** @type {NodeJS.ErrnoException} */ error) => {
      // Whoever reads from a pipe may have enough of it.
      if (error.code === 'EPIPE') process.exit(EXIT.done);
      this.#failure = unwritable(out, error);
    });
  }

  /** Whether an earlier run has written of a picture as it is. @param {{ path: string, sha256: string }} picture */
  isWritten({ path, sha256 }) {
    return this.#written.get(path) === sha256;
  }

  /** Whether a person reads the results as they come. */
  get onTerminal() {
    return this.#stream === process.stdout && process.stdout.isTTY === true;
  }

  /** @param {Result} result */
  async add({ path, sha256, answer }) {
    const earlier = this.#written.get(path);
    if (earlier !== undefined) this.#outdated.add(keyOf(path, earlier));
    if (this.#form === 'text') return this.#write(`${printable(`${path}: ${this.#shape.text(answer)}`)}\n`);
    const [settings] = this.#settings;
    if (this.#form === 'json') {
      const about = { path, sha256, ...(settings !== undefined && { settings }) };
      return this.#write(`${JSON.stringify({ ...about, ...answer })}\n`);
    }
    const rows = this.#shape.rows(answer).map((row) => csvLine([path, sha256, ...this.#settings, ...row]));
    return this.#write(rows.join(''));
  }

  /** @param {string} text */
  async #write(text) {
    if (this.#failure) throw this.#failure;
    if (!this.#stream.write(text)) {
      await once(this.#stream, 'drain').catch((error) => Promise.reject(this.#failure ?? error));
    }
  }

  async close() {
    if (this.#stream === process.stdout) return;
    this.#stream.end();
    await finished(this.#stream).catch((error) => Promise.reject(this.#failure ?? error));
    if (this.#file !== null && this.#outdated.size > 0) await this.#dropOutdated(this.#file);
  }

  /** Takes out what was written of pictures before they changed. @param {string} file */
  async #dropOutdated(file) {
    const lines = linesOfResults(await readFile(file, 'utf8'), this.#form);
    const kept = lines.filter((line) => {
      const { path, sha256 } = parseLine(line, this.#form);
      return !this.#outdated.has(keyOf(path, sha256));
    });
    await replaceFile(file, kept.join(''));
  }
}

/** @param {string} path @param {string} sha256 */
const keyOf = (path, sha256) => `${sha256} ${path}`;

/** @param {string} out @param {'a' | 'w'} flags */
async function openStream(out, flags) {
  const stream = createWriteStream(out, { flags });
  await once(stream, 'open').catch((error) => Promise.reject(unwritable(out, error)));
  return stream;
}
