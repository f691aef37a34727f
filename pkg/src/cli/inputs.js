/** The pictures that a command line names. */

import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { glob, isDynamicPattern } from 'tinyglobby';
import { MAX_IMAGE_BYTES } from '../shared/limits.js';
import { Failure, usage } from './failure.js';

/** What files of a folder are taken for pictures. A file that is named is read whatever it is called. */
const PICTURES = 'jpg,jpeg,jpe,png,apng,webp,gif,bmp,tif,tiff';
/** Pictures too, in forms that only browsers decode. */
const UNDECODED = 'heic,heif,hif,avif,svg,svgz,jxl';
/** What stands for letters that are no UTF-8. */
const NO_LETTER = '\ufffd';

/**
 * @typedef {object} Picture
 * @property {string} path as it was named, or below the folder that was; `-` of standard input
 * @property {Uint8Array} [bytes] where they came with the command line
 *
 * @typedef {object} Found
 * @property {Picture[]} pictures each once, in the order of the names, those of a folder by their paths
 * @property {number} undecoded how many pictures of folders are in a form that is not decoded here
 */

/**
 * The pictures of a command that needs one.
 *
 * @param {string[]} names
 * @param {NodeJS.ReadableStream} stdin
 * @param {boolean} [nulls] whether a list on standard input has NULs between its names
 * @returns {Promise<Found>}
 */
export async function findPictures(names, stdin, nulls = false) {
  const found = await lookForPictures(names, stdin, nulls);
  if (found.pictures.length === 0) throw noPicture(names, found);
  return found;
}

/** @param {string[]} names @param {Found} found */
export function noPicture(names, { undecoded }) {
  const others = undecoded > 0 ? ` ${sentenceOfUndecoded(undecoded)}` : '';
  return usage(`There is no picture in ${names.join(', ')}.${others}`);
}

/**
 * The pictures that there are, which may be none.
 *
 * @param {string[]} names
 * @param {NodeJS.ReadableStream} stdin
 * @param {boolean} nulls
 * @returns {Promise<Found>}
 */
export async function lookForPictures(names, stdin, nulls) {
  /** @type {Map<string, Picture>} */
  const found = new Map();
  /** @type {Set<string>} */
  const undecoded = new Set();
  const add = (/** @type {Picture} */ picture) => found.has(picture.path) || found.set(picture.path, picture);
  const addFiles = async (/** @type {string} */ name) => {
    const files = await expand(name);
    for (const file of files.pictures) add({ path: file });
    for (const file of files.undecoded) undecoded.add(file);
  };
  for (const name of names) {
    if (name !== '-') {
      await addFiles(name);
      continue;
    }
    const given = await fromStandardInput(stdin, nulls);
    if (Array.isArray(given)) for (const one of given) await addFiles(one);
    else add({ path: '-', bytes: given });
  }
  return { pictures: [...found.values()], undecoded: undecoded.size };
}

/** @param {number} count of files */
export function sentenceOfUndecoded(count) {
  const [files, them] = count === 1 ? ['file is', 'it'] : ['files are', 'them'];
  return `${count} ${files} in HEIC, AVIF, SVG or JPEG XL form, which ocelli does not decode in Node: convert ${them} to JPEG.`;
}

/** Of a glob, the folder that all it finds lies below; any other name as it is. @param {string} name */
export function rootOf(name) {
  if (!isDynamicPattern(name)) return name;
  const parts = name.split('/');
  const root = parts
    .slice(
      0,
      parts.findIndex((part) => isDynamicPattern(part)),
    )
    .join('/');
  return root === '' && !name.startsWith('/') ? '.' : `${root}/`;
}

/** @param {string} name @returns {Promise<{ pictures: string[], undecoded: string[] }>} */
async function expand(name) {
  const about = await stat(name).catch(() => null);
  if (about?.isDirectory()) {
    const within = async (/** @type {string} */ endings) => {
      const options = { cwd: name, caseSensitiveMatch: false, dot: false };
      const files = await glob(`**/*.{${endings}}`, options);
      return files.sort().map((file) => path.join(name, file));
    };
    return { pictures: await within(PICTURES), undecoded: await within(UNDECODED) };
  }
  if (about === null && isDynamicPattern(name)) {
    return { pictures: (await glob(name, { expandDirectories: false })).sort(), undecoded: [] };
  }
  // What is not there is told when its turn comes, and costs the others nothing.
  return { pictures: [name], undecoded: [] };
}

/**
 * @param {NodeJS.ReadableStream} stdin
 * @param {boolean} nulls
 * @returns {Promise<string[] | Uint8Array>} names of files, or a picture
 */
async function fromStandardInput(stdin, nulls) {
  const bytes = await readAll(stdin, MAX_IMAGE_BYTES);
  if (bytes.length === 0) throw usage('There is nothing on standard input.');
  if (!nulls && !isList(bytes)) return bytes;
  const text = new TextDecoder().decode(bytes);
  if (nulls) return text.split('\0').filter((name) => name !== '');
  if (text.includes('\0')) {
    throw usage('The list on standard input has NULs in it: give -0 where they are between the names.');
  }
  return linesOf(text);
}

/**
 * The lines of a text that are not blank.
 *
 * @param {string} text
 */
export function linesOf(text) {
  return text.split(/\r?\n/).filter((line) => line.trim() !== '');
}

/**
 * Whether bytes are names of files, in whatever letters: no picture begins without a control character.
 *
 * @param {Uint8Array} bytes
 */
function isList(bytes) {
  const separators = [0, 9, 10, 13];
  return bytes.subarray(0, 4096).every((byte) => byte >= 32 || separators.includes(byte)) && bytes[0] !== 0;
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
  // A request that is given up can still be answered.
  const chunks = stream instanceof Readable ? stream.iterator({ destroyOnReturn: false }) : stream;
  for await (const part of chunks) {
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
  const read = bytes ?? (await readFileOf(file));
  return { bytes: read, sha256: createHash('sha256').update(read).digest('hex') };
}

/** @param {string} file */
async function readFileOf(file) {
  try {
    const { size } = await stat(file);
    if (size > MAX_IMAGE_BYTES) throw new Failure(`It has more than ${MAX_IMAGE_BYTES >> 20} MB.`);
    return await readFile(file);
  } catch (error) {
    const { code } = /** @type {NodeJS.ErrnoException} */ (error);
    if (code !== 'ENOENT' || !file.includes(NO_LETTER)) throw error;
    throw new Failure('Its name is not UTF-8: rename it.', undefined, { cause: error });
  }
}
