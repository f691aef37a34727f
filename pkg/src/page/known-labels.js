/**
 * The list of labels that a model can know, which lies in its folder: `labels.json`, an array of strings.
 */

import { codeOf, errorFor } from '../shared/errors.js';
import { openFile, readSmallFile } from '../shared/loader.js';

/** The largest list accepted. That of the built-in model has some 20 kB. */
const MAX_BYTES = 1 << 20;

/**
 * @param {string} url
 * @param {AbortSignal | undefined} signal
 * @returns {Promise<string[] | null>} null where there is no list
 */
export async function readKnownLabels(url, signal) {
  /** @type {Uint8Array} */
  let bytes;
  try {
    const open = await openFile({ name: 'labels.json', url }, { signal });
    bytes = await readSmallFile(open, { signal, limit: MAX_BYTES });
  } catch (error) {
    if (codeOf(error) === 'not-found') return null;
    throw error;
  }
  const labels = parse(bytes);
  if (Array.isArray(labels) && labels.every((label) => typeof label === 'string')) return labels;
  throw errorFor('config-invalid', `labels.json at ${url} is not a list of labels.`);
}

/** @param {Uint8Array} bytes @returns {unknown} */
function parse(bytes) {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return null;
  }
}
