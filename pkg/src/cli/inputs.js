/** The pictures that a command line names. */

import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { glob, isDynamicPattern } from 'tinyglobby';
import { MAX_IMAGE_BYTES } from '../shared/limits.js';
import { usage } from './failure.js';

/** What files of a folder are taken for pictures. A file that is named is read whatever it is called. */
const PICTURES = '**/*.{jpg,jpeg,jpe,png,apng,webp,gif,bmp,tif,tiff}';

/**
 * @typedef {object} Picture
 * @property {string} path as it was named, or below the folder that was; `-` of standard input
 * @property {Uint8Array} [bytes] where they came with the command line
 */

/**
 * @param {string[]} names
 * @param {NodeJS.ReadableStream} stdin
 * @returns {Promise<Picture[]>} each once, in the order of the names, those of a folder by their paths
 */
export async function findPictures(names, stdin) {
  /** @type {Map<string, Picture>} */
  const found = new Map();
  const add = (/** @type {Picture} */ picture) => found.has(picture.path) || found.set(picture.path, picture);
  for (const name of names) {
    if (name === '-') for (const picture of await fromStandardInput(stdin)) add(picture);
    else for (const file of await expand(name)) add({ path: file });
  }
  if (found.size === 0) throw usage(`There is no picture in ${names.join(', ')}.`);
  return [...found.values()];
}

/** @param {string} name @returns {Promise<string[]>} */
async function expand(name) {
  const about = await stat(name).catch(() => null);
  if (about?.isDirectory()) {
    const files = await glob(PICTURES, { cwd: name, caseSensitiveMatch: false, dot: false });
    return files.sort().map((file) => path.join(name, file));
  }
  if (about === null && isDynamicPattern(name)) {
    return (await glob(name, { expandDirectories: false })).sort();
  }
  // What is not there is told when its turn comes, and costs the others nothing.
  return [name];
}

/** @param {NodeJS.ReadableStream} stdin @returns {Promise<Picture[]>} */
async function fromStandardInput(stdin) {
  const bytes = await readAll(stdin, MAX_IMAGE_BYTES);
  if (bytes.length === 0) throw usage('There is nothing on standard input.');
  // Names of files are text, and no picture is.
  if (!isText(bytes)) return [{ path: '-', bytes }];
  const names = linesOf(new TextDecoder().decode(bytes));
  return (await Promise.all(names.map(expand))).flat().map((file) => ({ path: file }));
}

/**
 * The lines of a text that are not blank.
 *
 * @param {string} text
 */
export function linesOf(text) {
  return text.split(/\r?\n/).filter((line) => line.trim() !== '');
}

/** @param {Uint8Array} bytes */
function isText(bytes) {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return !bytes.includes(0);
  } catch {
    return false;
  }
}

/**
 * All that comes, up to a limit.
 *
 * @param {NodeJS.ReadableStream} stream
 * @param {number} limit in bytes
 * @returns {Promise<Uint8Array>}
 */
export async function readAll(stream, limit) {
  /** @type {Buffer[]} */
  const parts = [];
  let length = 0;
  for await (const part of stream) {
    const bytes = Buffer.from(part);
    length += bytes.length;
    if (length > limit) throw usage(`There is more than ${limit >> 20} MB.`);
    parts.push(bytes);
  }
  return Buffer.concat(parts);
}

/**
 * A picture's bytes and their hash.
 *
 * @param {Picture} picture
 * @returns {Promise<{ bytes: Uint8Array, sha256: string }>}
 */
export async function readPicture({ path: file, bytes = undefined }) {
  if (bytes === undefined) {
    const { size } = await stat(file);
    if (size > MAX_IMAGE_BYTES) throw new Error(`It has more than ${MAX_IMAGE_BYTES >> 20} MB.`);
  }
  const read = bytes ?? (await readFile(file));
  return { bytes: read, sha256: createHash('sha256').update(read).digest('hex') };
}
