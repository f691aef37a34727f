/**
 * The list of labels that a model can know, which lies in its folder: `labels.json`, an array of strings.
 *
 * @typedef {import('../shared/types.js').ModelFile} ModelFile
 */

import { errorFor } from '../shared/errors.js';
import { openOptional, readSmallFile } from '../shared/loader.js';

/** The largest list accepted. That of the built-in model has some 20 kB. */
const MAX_BYTES = 1 << 20;

/**
 * @param {ModelFile} file
 * @param {AbortSignal | undefined} signal
 * @returns {Promise<string[] | null>} null where there is no list
 */
export async function readKnownLabels(file, signal) {
  const open = await openOptional(file, { signal });
  if (open === null) return null;
  const labels = parse(await readSmallFile(open, { signal, limit: MAX_BYTES }));
  if (Array.isArray(labels) && labels.every((label) => typeof label === 'string')) return labels;
  throw errorFor('config-invalid', `${file.name} at ${file.url} is not a list of labels.`);
}

/** @param {Uint8Array} bytes @returns {unknown} */
function parse(bytes) {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return null;
  }
}
