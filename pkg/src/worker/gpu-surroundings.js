/**
 * What the worker finds of a GPU around it.
 *
 * @typedef {import('./accelerator.js').Surroundings} Surroundings
 */

import { readRefusals, readTuning, writeRefusals, writeTuning } from '../cache/tuning.js';
import { loadGpu } from '../gpu-files.js';

/** @returns {Surroundings} */
export function gpuSurroundings() {
  const { gpu, userAgent: browser = '' } = globalThis.navigator ?? {};
  return { gpu, browser, load: loadGpu, readTuning, writeTuning, readRefusals, writeRefusals };
}
