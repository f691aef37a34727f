/**
 * What a loaded classifier can be asked.
 *
 * @typedef {import('../handles.js').ClassifierHandle} ClassifierHandle
 * @typedef {import('../handles.js').Wasm} Wasm
 * @typedef {import('../protocol.js').ClassifyArguments} ClassifyArguments
 * @typedef {import('../protocol.js').RolloutArguments} RolloutArguments
 * @typedef {import('../protocol.js').Step} Step
 *
 * @typedef {object} Classification
 * @property {string} label what the model calls the class
 * @property {number} score its probability
 * @property {number} index the id of the class
 */

import { rolloutOf } from './inside.js';
import { openLook, see } from './picture.js';
import { release } from './release.js';

/** A ViT classifier. */
export class ClassifierVerbs {
  #wasm;
  #handle;
  #labels;

  /** @param {Wasm} wasm @param {ClassifierHandle} handle */
  constructor(wasm, handle) {
    this.#wasm = wasm;
    this.#handle = handle;
    this.#labels = handle.labels();
  }

  /**
   * @param {ClassifyArguments} given
   * @returns {AsyncGenerator<Step, Classification[], void>}
   */
  async *classify({ image, topK }) {
    const look = await openLook(this.#wasm, this.#handle, image);
    try {
      yield* see(this.#handle, look);
      const scores = this.#handle.classify(look);
      return this.#labels
        .map((label, index) => ({ label, score: /** @type {number} */ (scores[index]), index }))
        .sort((a, b) => b.score - a.score || a.index - b.index)
        .slice(0, topK);
    } finally {
      release(look);
    }
  }

  /** @param {RolloutArguments} given */
  rollout({ image }) {
    return rolloutOf(this.#wasm, this.#handle, image);
  }
}
