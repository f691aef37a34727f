/** Lines of results, and what an earlier run has written of them. */

import { readFile } from 'node:fs/promises';
import { unwritable } from './destination.js';
import { usage } from './failure.js';

/**
 * @typedef {object} Earlier
 * @property {Map<string, Record<string, unknown>>} known answers, by the hash of their picture
 * @property {Map<string, string>} written the hashes of pictures, by their paths
 * @property {number} size bytes of whole lines
 */

/** @returns {Earlier} */
export const nothing = () => ({ known: new Map(), written: new Map(), size: 0 });

/** @param {string} file */
export const foreign = (file) =>
  usage(`${file} is not of this command, or was made with other settings: give --force to begin anew.`);

/**
 * What an earlier run has written. A file of anything else is refused.
 *
 * @param {string} file
 * @param {'json' | 'csv'} form
 * @param {string[]} columns of CSV
 * @param {string} settings
 * @returns {Promise<Earlier>}
 */
export async function readEarlier(file, form, columns, settings) {
  const bytes = await readFile(file).catch((error) => {
    if (error.code === 'ENOENT') return Buffer.alloc(0);
    throw unwritable(file, error);
  });
  const lines = linesOfResults(bytes.toString('utf8'), form);
  const earlier = nothing();
  earlier.size = lines.reduce((sum, line) => sum + Buffer.byteLength(line), 0);
  const header = csvLine(['path', 'sha256', 'settings', ...columns]);
  if (lines.length === 0 && bytes.length > 0) {
    // A first line that was cut off is ours where it begins as ours do.
    const start = form === 'csv' ? header : '{"path":"';
    const length = Math.min(start.length, bytes.length);
    if (bytes.toString('utf8', 0, length) !== start.slice(0, length)) throw foreign(file);
  }
  if (form === 'csv' && lines.length > 0 && lines.shift() !== header) throw foreign(file);
  for (const line of lines) {
    const { path, sha256, settings: made, answer } = parseLine(line, form);
    if (made !== settings) throw foreign(file);
    earlier.written.set(path, sha256);
    if (answer) earlier.known.set(sha256, answer);
  }
  return earlier;
}

/**
 * The whole lines of a text, each with its end. Cells of CSV may hold line ends themselves.
 *
 * @param {string} text
 * @param {'text' | 'json' | 'csv'} form
 * @returns {string[]}
 */
export function linesOfResults(text, form) {
  return text.match(form === 'csv' ? /(?:[^"\n]|"[^"]*")*\n/gy : /[^\n]*\n/gy) ?? [];
}

/**
 * A line of results: of JSON with the whole answer, of CSV without. One that is damaged has no settings.
 *
 * @param {string} line
 * @param {'text' | 'json' | 'csv'} form
 * @returns {{ path: string, sha256: string, settings?: string, answer?: Record<string, unknown> }}
 */
export function parseLine(line, form) {
  if (form === 'json') {
    try {
      const { path, sha256, settings, ...answer } = JSON.parse(line);
      return { path, sha256, settings, answer };
    } catch {
      return { path: '', sha256: '' };
    }
  }
  const cells = line.trimEnd().matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g);
  const [path = '', sha256 = '', settings] = [...cells].map(
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '',
  );
  return { path, sha256, ...(settings !== undefined && { settings }) };
}

/** A line as RFC 4180 has it. @param {unknown[]} cells */
export function csvLine(cells) {
  const quoted = cells.map((cell) => {
    const text = String(cell ?? '');
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  });
  return `${quoted.join(',')}\n`;
}
