/**
 * What the worker finds of a GPU around it.
 *
 * @typedef {import('./accelerator.js').Surroundings} Surroundings
 */

import { loadGpu } from '../gpu-files.js';

/** @returns {Surroundings} */
export function gpuSurroundings() {
  return { gpu: globalThis.navigator?.gpu, load: loadGpu };
}
