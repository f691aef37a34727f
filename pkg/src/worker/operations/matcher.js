/**
 * What a loaded matcher can be asked.
 *
 * @typedef {import('../handles.js').MatcherHandle} MatcherHandle
 * @typedef {import('../handles.js').MatchRunHandle} MatchRunHandle
 * @typedef {import('./image-encodings.js').ImageEncodings} ImageEncodings
 * @typedef {import('../../shared/protocol.js').ExplainArguments} ExplainArguments
 * @typedef {import('../../shared/protocol.js').MatchArguments} MatchArguments
 * @typedef {import('../../shared/protocol.js').Matches} Matches
 * @typedef {import('../../shared/protocol.js').Step} Step
 * @typedef {import('../../shared/types.js').PatchMap} PatchMap
 */

import { readMap } from './inside.js';
import { progress } from './meter.js';
import { AdaptiveBatch } from './adaptive-batch.js';
import { release } from './release.js';

/** A BLIP matching model. */
export class MatcherOperations {
  #encodings;
  #handle;
  #pace = new AdaptiveBatch();

  /** @param {ImageEncodings} encodings @param {MatcherHandle} handle */
  constructor(encodings, handle) {
    this.#encodings = encodings;
    this.#handle = handle;
  }

  /**
   * @param {MatchArguments} given
   * @returns {AsyncGenerator<Step, Matches, void>}
   */
  async *match(given) {
    const run = yield* this.#begin(given);
    try {
      const { total } = run;
      for (let left = total; left > 0;) {
        yield progress('texts', null, total - left, total);
        left = this.#pace.run((limit) => this.#handle.step(run, limit));
      }
      yield progress('texts', null, total, total);
      return {
        ranking: run.ranking(),
        similarities: run.similarities(),
        probabilities: run.probabilities(),
      };
    } finally {
      release(run);
    }
  }

  /**
   * @param {ExplainArguments} given
   * @returns {AsyncGenerator<Step, PatchMap, void>}
   */
  async *explain({ image, text }) {
    const checked = this.#handle.texts([text]);
    try {
      const encoding = await this.#encodings.open(image);
      try {
        yield* encoding.encode();
        yield progress('texts', null, 0, 1);
        const map = readMap(this.#handle.explain(encoding.handle, checked, 0));
        yield progress('texts', null, 1, 1);
        return map;
      } finally {
        this.#encodings.close(encoding);
      }
    } finally {
      release(checked);
    }
  }

  /**
   * Looks at the picture and begins to compare.
   *
   * @param {MatchArguments} given
   * @returns {AsyncGenerator<Step, MatchRunHandle, void>} to be freed
   */
  async *#begin({ image, texts, rerank }) {
    const checked = this.#handle.texts(texts);
    try {
      const encoding = await this.#encodings.open(image);
      try {
        yield* encoding.encode();
        return this.#handle.compare(encoding.handle, checked, rerank);
      } finally {
        this.#encodings.close(encoding);
      }
    } finally {
      release(checked);
    }
  }
}
