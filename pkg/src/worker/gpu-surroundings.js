/**
 * What the worker finds of a GPU around it.
 *
 * @typedef {import('./accelerator.js').Surroundings} Surroundings
 */

import { readTuning, writeTuning } from '../cache/tuning.js';
import { loadGpu } from '../gpu-files.js';

/** @returns {Surroundings} */
export function gpuSurroundings() {
  return { gpu: globalThis.navigator?.gpu, load: loadGpu, readTuning, writeTuning };
}
