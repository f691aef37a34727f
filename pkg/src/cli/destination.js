/** Where results are written: to standard output, to a file, or to a pipe or a device, which can only be written to. */

import { stat, rename, writeFile } from 'node:fs/promises';
import { Failure, usage } from './failure.js';

/** Names of standard output. It may be a socket, which cannot be opened by its name. */
const STANDARD_OUTPUT = ['-', '/dev/stdout', '/dev/fd/1', '/proc/self/fd/1'];

/**
 * @typedef {object} Destination
 * @property {'stdout' | 'stream' | 'file'} kind `stream`: a pipe or a device
 * @property {boolean} exists
 *
 * @param {string | undefined} out
 * @returns {Promise<Destination>}
 */
export async function destinationOf(out) {
  if (out === undefined || STANDARD_OUTPUT.includes(out)) return { kind: 'stdout', exists: true };
  try {
    const about = await stat(out);
    if (about.isDirectory()) throw usage(`${out} is a folder: --out takes a file.`);
    return { kind: about.isFile() ? 'file' : 'stream', exists: true };
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT') {
      return { kind: 'file', exists: false };
    }
    throw error instanceof Failure ? error : unwritable(out, error);
  }
}

/** @param {string} file @param {unknown} error */
export function unwritable(file, error) {
  return new Failure(`${file} cannot be written: ${/** @type {Error} */ (error).message}.`);
}

/**
 * Refuses to replace a file unless that was asked for.
 *
 * @param {string[]} files
 * @param {boolean} force
 */
export async function refuseToReplace(files, force) {
  if (force) return;
  for (const file of files) {
    if (await stat(file).catch(() => null)) {
      throw usage(`${file} is there already: give --force to replace it.`);
    }
  }
}

/**
 * A file as a whole, in place of what was there: whoever reads it meanwhile sees the one or the other.
 *
 * @param {string} file
 * @param {string | Uint8Array} content
 */
export async function replaceFile(file, content) {
  const part = `${file}.part-${process.pid}`;
  await writeFile(part, content);
  await rename(part, file);
}
