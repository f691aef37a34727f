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
import { open, readFile, rename, truncate, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { Failure, usage } from './failure.js';

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

  /**
   * @private
   * @param {NodeJS.WritableStream} stream
   * @param {'text' | 'json' | 'csv'} form
   * @param {Shape} shape
   * @param {string} settings
   * @param {{ known: Map<string, Record<string, unknown>>, written: Map<string, string> }} earlier
   * @param {string | null} file
   */
  constructor(stream, form, shape, settings, { known, written }, file) {
    this.#stream = stream;
    this.#form = form;
    this.#shape = shape;
    this.#settings = settings;
    this.known = known;
    this.#written = written;
    this.#file = file;
  }

  /**
   * @param {{ json?: boolean, csv?: boolean, out?: string, force?: boolean }} options
   * @param {Shape} shape
   * @param {string} settings all that answers depend on besides the picture
   */
  static async open({ json, csv, out, force }, shape, settings) {
    if (json && csv) throw usage('--json and --csv exclude each other.');
    const form =
      json || (out?.endsWith('.jsonl') && !csv) ? 'json' : csv || out?.endsWith('.csv') ? 'csv' : 'text';
    const none = { known: new Map(), written: new Map() };
    if (out === undefined) {
      const results = new Results(process.stdout, form, shape, settings, none, null);
      if (form === 'csv') await results.#write(csvLine(['path', 'sha256', ...shape.columns]));
      return results;
    }
    if (form === 'text') throw usage('--out ends with .jsonl or .csv, or goes with --json or --csv.');
    const earlier = force ? { ...none, size: 0 } : await readEarlier(out, form, shape, settings);
    try {
      await (await open(out, force ? 'w' : 'a')).close();
      // A line that was cut off when the run was stopped.
      await truncate(out, earlier.size);
    } catch (error) {
      throw new Failure(`${out} cannot be written: ${/** @type {Error} */ (error).message}.`);
    }
    const results = new Results(createWriteStream(out, { flags: 'a' }), form, shape, settings, earlier, out);
    if (form === 'csv' && earlier.size === 0) {
      await results.#write(csvLine(['path', 'sha256', 'settings', ...shape.columns]));
    }
    return results;
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
    const settings = this.#stream === process.stdout ? [] : [this.#settings];
    if (this.#form === 'text') return this.#write(`${path}: ${this.#shape.text(answer)}\n`);
    if (this.#form === 'json') {
      const about = settings.length > 0 ? { path, sha256, settings: this.#settings } : { path, sha256 };
      return this.#write(`${JSON.stringify({ ...about, ...answer })}\n`);
    }
    const rows = this.#shape.rows(answer).map((row) => csvLine([path, sha256, ...settings, ...row]));
    return this.#write(rows.join(''));
  }

  /** @param {string} text */
  async #write(text) {
    if (!this.#stream.write(text)) await once(this.#stream, 'drain');
  }

  async close() {
    if (this.#stream === process.stdout) return;
    this.#stream.end();
    await once(this.#stream, 'finish');
    if (this.#file !== null && this.#outdated.size > 0) await this.#dropOutdated(this.#file);
  }

  /** Takes out what was written of pictures before they changed. @param {string} file */
  async #dropOutdated(file) {
    const lines = (await readFile(file, 'utf8')).split('\n');
    const kept = lines.filter((line) => {
      const { path, sha256 } = parseLine(line, this.#form);
      return !this.#outdated.has(keyOf(path, sha256));
    });
    const part = `${file}.part-${process.pid}`;
    await writeFile(part, kept.join('\n'));
    await rename(part, file);
  }
}

/**
 * What an earlier run has written.
 *
 * @param {string} file
 * @param {'json' | 'csv'} form
 * @param {Shape} shape
 * @param {string} settings
 */
async function readEarlier(file, form, shape, settings) {
  const bytes = await readFile(file).catch(() => Buffer.alloc(0));
  const size = bytes.lastIndexOf(0x0a) + 1;
  const lines = bytes.subarray(0, size).toString('utf8').split('\n').slice(0, -1);
  /** @type {Map<string, Record<string, unknown>>} */
  const known = new Map();
  /** @type {Map<string, string>} */
  const written = new Map();
  const foreign = () =>
    usage(`${file} is not of this command, or was made with other settings: give --force to begin anew.`);
  if (form === 'csv' && lines.length > 0) {
    const header = csvLine(['path', 'sha256', 'settings', ...shape.columns]).trimEnd();
    if (lines.shift() !== header) throw foreign();
  }
  for (const line of lines) {
    const { path, sha256, settings: made, answer } = parseLine(line, form);
    if (made !== settings) throw foreign();
    written.set(path, sha256);
    if (answer) known.set(sha256, answer);
  }
  return { known, written, size };
}

/** @param {string} path @param {string} sha256 */
const keyOf = (path, sha256) => `${sha256} ${path}`;

/**
 * A line of results: of JSON with the whole answer, of CSV without. One that is damaged has no settings.
 *
 * @param {string} line
 * @param {'text' | 'json' | 'csv'} form
 * @returns {{ path: string, sha256: string, settings?: string, answer?: Record<string, unknown> }}
 */
function parseLine(line, form) {
  if (form === 'json') {
    try {
      const { path, sha256, settings, ...answer } = JSON.parse(line);
      return { path, sha256, settings, answer };
    } catch {
      return { path: '', sha256: '' };
    }
  }
  const [path = '', sha256 = '', settings] = [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '',
  );
  return { path, sha256, ...(settings !== undefined && { settings }) };
}

/** A line as RFC 4180 has it. @param {unknown[]} cells */
function csvLine(cells) {
  const quoted = cells.map((cell) => {
    const text = String(cell ?? '');
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  });
  return `${quoted.join(',')}\n`;
}
