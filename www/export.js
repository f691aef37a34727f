/**
 * What was found out about the pictures, as files: for photo programs, for spreadsheets, for programs, and for those who train
 * models.
 *
 * @typedef {object} Row one picture
 * @property {string} path its name, with its folders where it came with them
 * @property {string[]} tags best first
 * @property {string[]} hierarchy the same below what they imply: `animal|pet|dog`
 * @property {string} caption empty where there is none
 *
 * @typedef {'xmp' | 'csv' | 'json' | 'txt'} Format
 */

import { xmpPacket } from 'ocelli';

/**
 * The file of a format.
 *
 * @param {readonly Row[]} rows
 * @param {Format} format
 * @returns {Promise<{ name: string, blob: Blob }>}
 */
export async function fileOf(rows, format) {
  switch (format) {
    case 'csv':
      return { name: 'ocelli.csv', blob: new Blob([csv(rows)], { type: 'text/csv' }) };
    case 'json':
      return { name: 'ocelli.json', blob: new Blob([json(rows)], { type: 'application/json' }) };
    case 'txt':
      return { name: 'ocelli-texts.zip', blob: await zipped(texts(rows)) };
    case 'xmp':
      return { name: 'ocelli-sidecars.zip', blob: await zipped(sidecars(rows)) };
  }
}

/** A table as RFC 4180 has it, which spreadsheets know for UTF-8 by its mark. @param {readonly Row[]} rows */
export function csv(rows) {
  const lines = rows.map(({ path, tags, caption }) => [path, tags.join('; '), caption].map(cell).join(','));
  return `\ufeff${['picture,tags,caption', ...lines].join('\r\n')}\r\n`;
}

/** @param {string} text */
function cell(text) {
  // A spreadsheet computes what begins so: a name is no formula.
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** @param {readonly Row[]} rows */
export function json(rows) {
  return `${JSON.stringify(
    rows.map(({ path, tags, caption }) => ({ picture: path, tags, ...(caption && { caption }) })),
    null,
    1,
  )}\n`;
}

/** `photo.jpg.xmp` for each picture. @param {readonly Row[]} rows @returns {Map<string, string>} */
export function sidecars(rows) {
  return named(
    rows,
    (path) => `${path}.xmp`,
    ({ tags, hierarchy, caption }) =>
      xmpPacket({
        subjects: tags,
        hierarchicalSubjects: hierarchy.filter((one) => one.includes('|')),
        ...(caption && { description: caption }),
      }),
  );
}

/** `photo.txt` for each picture: its caption, then its tags. @param {readonly Row[]} rows @returns {Map<string, string>} */
export function texts(rows) {
  const words = (/** @type {Row} */ { tags, caption }) => [caption, ...tags].filter(Boolean).join(', ');
  return named(rows, (path) => `${path.replace(/\.[^./]+$/, '')}.txt`, words);
}

/**
 * @param {readonly Row[]} rows
 * @param {(path: string) => string} rename
 * @param {(row: Row) => string} write
 * @returns {Map<string, string>} texts by the names of their files, no two alike
 */
function named(rows, rename, write) {
  /** @type {Map<string, string>} */
  const files = new Map();
  for (const row of rows) {
    // Within the archive, whatever the picture is called.
    const path = row.path
      .split('/')
      .filter((part) => !['', '.', '..'].includes(part))
      .join('/');
    let name = rename(path);
    for (let number = 2; files.has(name); number++) {
      name = rename(path.replace(/(\.[^./]+)?$/, ` (${number})$1`));
    }
    files.set(name, write(row));
  }
  return files;
}

/** @param {Map<string, string>} files @returns {Promise<Blob>} */
async function zipped(files) {
  // In this thread: the library's workers are made of text, which the page's policy forbids.
  const { strToU8, zipSync } = await import('fflate');
  const entries = [...files].map(([name, text]) => /** @type {const} */ ([name, strToU8(text)]));
  const bytes = zipSync(Object.fromEntries(entries), { level: 1 });
  return new Blob([/** @type {BlobPart} */ (bytes)], { type: 'application/zip' });
}
