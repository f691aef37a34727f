/**
 * `metadata.jsonl` beside pictures: a line for each, with its name and its text, as `datasets` and trainers of diffusion models read it.
 * Of the text it also says which part is the caption and which parts are tags, as nobody can tell from the text alone.
 *
 * @typedef {object} Described one picture
 * @property {string} path with its folders
 * @property {string} text
 * @property {string} caption that the text holds; empty where there is none
 * @property {readonly string[]} tags that it holds
 */

import { folderOf, isPicturePath } from './paths.js';
import { Trouble } from './trouble.js';

const NAME = 'metadata.jsonl';

/** @typedef {{ file_name: string } & Record<string, unknown>} Line */

/**
 * The files of that name, one in each folder, as trainers look for them.
 *
 * @param {readonly Described[]} all
 * @param {{ replace: boolean }} wishes `replace`: whether what a file says of a picture already gives way
 * @returns {import('./folder.js').Entry[]}
 */
export function metadataOf(all, { replace }) {
  /** @type {Map<string, Line[]>} */
  const folders = new Map();
  for (const { path, text, caption, tags } of all) {
    const folder = folderOf(path);
    const lines = folders.get(folder) ?? [];
    // Trainers take the first column after the name for what they learn.
    lines.push({ file_name: folder ? path.slice(folder.length + 1) : path, text, caption, tags });
    folders.set(folder, lines);
  }
  return [...folders].map(([folder, lines]) => ({
    name: folder ? `${folder}/${NAME}` : NAME,
    blob: new Blob([written(lines)]),
    onto: async (there) => new Blob([written(merged(linesOf(await there.text()), lines, replace))]),
  }));
}

/** @param {readonly Line[]} there @param {readonly Line[]} fresh @param {boolean} replace @returns {Line[]} each picture once */
function merged(there, fresh, replace) {
  const lines = new Map(there.map((line) => [line.file_name, line]));
  for (const line of fresh) {
    const before = lines.get(line.file_name);
    if (!before || replace) lines.set(line.file_name, { ...before, ...line });
  }
  return [...lines.values()];
}

/** @param {readonly Line[]} lines */
function written(lines) {
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}

/** @param {string} text @returns {Line[]} @throws {Trouble} `answers-damaged` */
function linesOf(text) {
  try {
    const lines = text.split('\n').filter((line) => line.trim() !== '');
    const all = lines.map((line) => JSON.parse(line));
    if (all.every((one) => typeof one?.file_name === 'string')) return all;
  } catch (cause) {
    throw new Trouble('answers-damaged', 'This file is no list in JSON Lines.', { cause });
  }
  throw new Trouble('answers-damaged', 'This file is no list of files.');
}

/**
 * @param {string} text
 * @param {string} path of the file
 * @returns {import('./import.js').Row[]}
 * @throws {Trouble} `answers-damaged`
 */
export function readMetadata(text, path) {
  const folder = folderOf(path);
  return linesOf(text).flatMap(({ file_name, text: whole, caption, tags }) => {
    const isTold = typeof caption === 'string' && Array.isArray(tags);
    // There are such lists of sounds and films, too.
    if (!isTold && !isPicturePath(file_name)) return [];
    return {
      path: folder ? `${folder}/${file_name}` : file_name,
      exact: true,
      hierarchy: [],
      tags: isTold ? tags.filter((tag) => typeof tag === 'string' && tag.trim() !== '') : [],
      caption: isTold ? caption : '',
      listed: isTold ? 'parts' : 'text',
      ...(typeof whole === 'string' && { text: whole }),
    };
  });
}
