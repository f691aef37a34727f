/**
 * The list of labels that a model can know, which lies in its folder: `labels.json`, an array of strings.
 */

import { errorFor } from '../shared/errors.js';

/** The largest list accepted. That of the built-in model has some 20 kB. */
const MAX_BYTES = 1 << 20;

/**
 * @param {Uint8Array} bytes
 * @returns {string[]}
 */
export function parseKnownLabels(bytes) {
  const labels = bytes.length <= MAX_BYTES ? parse(bytes) : null;
  if (Array.isArray(labels) && labels.every((label) => typeof label === 'string')) return labels;
  throw errorFor('config-invalid', 'labels.json is not a list of labels.');
}

/** @param {Uint8Array} bytes @returns {unknown} */
function parse(bytes) {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return null;
  }
}
