/**
 * What a loaded classifier can be asked.
 *
 * @typedef {import('../handles.js').ClassifierHandle} ClassifierHandle
 * @typedef {import('./image-encodings.js').ImageEncodings} ImageEncodings
 * @typedef {import('../../shared/protocol.js').ClassifyArguments} ClassifyArguments
 * @typedef {import('../../shared/protocol.js').RolloutArguments} RolloutArguments
 * @typedef {import('../../shared/protocol.js').Step} Step
 * @typedef {import('../../shared/types.js').Classification} Classification
 */

import { rolloutOf } from './inside.js';

/** A ViT classifier. */
export class ClassifierOperations {
  #encodings;
  #handle;
  #labels;
  #kinds;

  /** @param {ImageEncodings} encodings @param {ClassifierHandle} handle */
  constructor(encodings, handle) {
    this.#encodings = encodings;
    this.#handle = handle;
    this.#labels = handle.labels();
    this.#kinds = handle.kinds();
  }

  /**
   * @param {ClassifyArguments} given
   * @returns {AsyncGenerator<Step, Classification[], void>}
   */
  async *classify({ image, topK, threshold = 0, thresholds = {} }) {
    const encoding = await this.#encodings.open(image);
    try {
      yield* encoding.encode();
      const scores = this.#handle.classify(encoding.handle);
      return this.#labels
        .map((label, index) => {
          const score = /** @type {number} */ (scores[index]);
          const kind = this.#kinds?.[index];
          return { label, score, index, ...(kind !== undefined && { kind }) };
        })
        .filter(({ score, kind }) => score >= Math.max(threshold, thresholds[kind ?? ''] ?? 0))
        .sort((a, b) => b.score - a.score || a.index - b.index)
        .slice(0, topK);
    } finally {
      this.#encodings.close(encoding);
    }
  }

  /** @param {RolloutArguments} given */
  rollout({ image }) {
    return rolloutOf(this.#encodings, this.#handle, image);
  }
}
