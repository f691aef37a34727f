/** Texts that a command line names: labels, and what is to be embedded. */

import { readFile } from 'node:fs/promises';
import { usage } from './failure.js';
import { readAll } from './inputs.js';

/** The largest file of texts. */
const MAX_BYTES = 64 << 20;
/** Codes of a name that no file has, or can have. */
const ABSENT = ['ENOENT', 'ENOTDIR', 'ENAMETOOLONG'];

/**
 * The text of a file, or of standard input.
 *
 * @param {string} name `-` of standard input
 * @returns {Promise<string | null>} null where there is no such file
 */
export async function readText(name) {
  const bytes = name === '-' ? await readAll(process.stdin, MAX_BYTES) : await readBytes(name);
  return bytes && decode(bytes, name === '-' ? 'Standard input' : name);
}

/** @param {string} name */
async function readBytes(name) {
  try {
    return await readFile(name);
  } catch (error) {
    const { code, message } = /** @type {NodeJS.ErrnoException} */ (error);
    if (ABSENT.includes(code ?? '')) return null;
    throw usage(
      code === 'EISDIR' ? `${name} is a folder, and no file.` : `${name} cannot be read: ${message}.`,
    );
  }
}

/** @param {Uint8Array} bytes @param {string} name */
function decode(bytes, name) {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    // As UTF-16 has them.
    if (!text.includes('\0')) return text;
  } catch {
    // Told below.
  }
  throw usage(`${name} is not UTF-8 text.`);
}
