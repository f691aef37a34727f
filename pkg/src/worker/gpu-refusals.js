/**
 * GPUs that an earlier visit refused after a test, so that not each load uploads a tower to find the same.
 *
 * Browser, device, kernels and tower are the key: where one of them is another, the GPU is tried again.
 *
 * @typedef {import('./accelerator.js').Surroundings} Surroundings
 * @typedef {import('./handles.js').VisionTowerHandle} VisionTowerHandle
 */

import { release } from './operations/release.js';
import { KERNELS } from './gpu/version.js';

/** The newest that are kept. */
const MOST = 100;

export class GpuRefusals {
  #surroundings;
  #key;

  /** @param {Surroundings} surroundings @param {string} device its name @param {VisionTowerHandle} tower */
  constructor(surroundings, device, tower) {
    this.#surroundings = surroundings;
    const key = [KERNELS, surroundings.browser, device, dtypeOf(tower), tower.description()];
    this.#key = key.join(' ');
  }

  /** Why the GPU was refused before, as it follows "because"; undefined where it was not. */
  async before() {
    return (await this.#surroundings.readRefusals())[this.#key];
  }

  /** @param {string} reason as it follows "because" */
  async keep(reason) {
    const all = { ...(await this.#surroundings.readRefusals()), [this.#key]: reason };
    await this.#surroundings.writeRefusals(Object.fromEntries(Object.entries(all).slice(-MOST)));
  }
}

/** What most of a tower is. @param {VisionTowerHandle} tower */
function dtypeOf(tower) {
  const tensor = tower.parameter('layers.0.out');
  if (!tensor) return '';
  try {
    return tensor.dtype;
  } finally {
    release(tensor);
  }
}
