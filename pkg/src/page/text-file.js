/** Files of text that users name by address: a vocabulary, lists of terms. */

import { codeOf, OcelliError } from '../shared/errors.js';
import { openFile, readSmallFile } from '../shared/loader.js';
import { absolute } from './hub.js';

/**
 * Fetches a text.
 *
 * @param {string | URL} address
 * @param {{ what: string, limit: number, signal?: AbortSignal | null | undefined }} options `what` it is, in messages;
 *   `limit`: how many bytes it may have
 * @returns {Promise<string>}
 * @throws {NetworkError} `network`, `http-status`, `not-found`
 * @throws {AbortError} `aborted`
 * @throws {OcelliError} `argument-invalid`: too large, a web page, or no UTF-8
 */
export async function fetchText(address, { what, limit, signal: given }) {
  const url = absolute(String(address), what);
  const signal = given ?? undefined;
  const file = { name: url.pathname.split('/').at(-1) || `The ${what}`, url: url.href };
  /** @type {Uint8Array} */
  let bytes;
  try {
    const open = await openFile(file, { signal });
    bytes = await readSmallFile(open, { signal, limit });
  } catch (cause) {
    if (codeOf(cause) !== 'not-a-model') throw cause;
    // The loader speaks of models; its own sentence, the cause, says which of the two it was.
    const sentence = `The ${what} at ${file.url} is a web page, or larger than ${limit >> 20} MB.`;
    throw new OcelliError('argument-invalid', sentence, { cause });
  }
  return decodeText(bytes, `The ${what} at ${file.url}`);
}

/**
 * @param {Uint8Array | ArrayBuffer} bytes
 * @param {string} name what they are, at the beginning of a sentence
 * @throws {OcelliError} `argument-invalid`: no UTF-8
 */
export function decodeText(bytes, name) {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new OcelliError('argument-invalid', `${name} is no UTF-8 text.`, { cause });
  }
}
