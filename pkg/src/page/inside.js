/**
 * What calls that look inside a model have in common.
 *
 * @typedef {import('./image-input.js').ImageInput} ImageInput
 * @typedef {import('../shared/protocol.js').Progress} Progress
 * @typedef {import('../shared/types.js').PatchMap} PatchMap
 *
 * @typedef {object} InsideOptions
 * @property {AbortSignal | null} [signal]
 * @property {(progress: Progress) => void} [onProgress] the phase `image`: layers computed so far, there and back
 */

import { CALL, readOptions } from './options.js';
import { readImage } from './image-input.js';

/**
 * The picture and the options, as `ask` of a loaded model takes them.
 *
 * @param {ImageInput} image
 * @param {InsideOptions} options
 */
export async function readInside(image, options) {
  const { signal, onProgress } = readOptions(options, CALL);
  const { source, transfer } = await readImage(image, { signal });
  return { source, asked: { signal, transfer, onProgress } };
}
