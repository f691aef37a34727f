/**
 * What a loaded answerer can be asked.
 *
 * @typedef {import('../handles.js').AnswererHandle} AnswererHandle
 * @typedef {import('../handles.js').ImageEncodingHandle} ImageEncodingHandle
 * @typedef {import('./image-encodings.js').ImageEncodings} ImageEncodings
 * @typedef {import('../../shared/types.js').ImageSource} ImageSource
 * @typedef {import('../../shared/protocol.js').AnswerArguments} AnswerArguments
 * @typedef {import('../../shared/protocol.js').ChoiceArguments} ChoiceArguments
 * @typedef {import('../../shared/protocol.js').Step} Step
 * @typedef {import('../../shared/protocol.js').WeighedChoices} WeighedChoices
 */

import { progress } from './meter.js';
import { AdaptiveBatch } from './adaptive-batch.js';
import { release } from './release.js';

/** A BLIP model that answers questions. */
export class AnswererOperations {
  #encodings;
  #handle;
  #pace = new AdaptiveBatch();

  /** @param {ImageEncodings} encodings @param {AnswererHandle} handle */
  constructor(encodings, handle) {
    this.#encodings = encodings;
    this.#handle = handle;
  }

  /**
   * @param {AnswerArguments} given
   * @returns {AsyncGenerator<Step, string, void>}
   */
  async *answer({ image, question, ...options }) {
    const plan = this.#handle.plan(question, options);
    const run = yield* this.#begin(image, plan, (look) => this.#handle.write(look, plan));
    try {
      // Until it has ended there is nothing to tell, but between two tokens the call may be aborted.
      while (run.step()) yield { piece: '' };
      return run.answer();
    } finally {
      release(run);
    }
  }

  /**
   * @param {ChoiceArguments} given
   * @returns {AsyncGenerator<Step, WeighedChoices, void>}
   */
  async *choose({ image, question, answers }) {
    const choices = this.#handle.choices(question, answers);
    const run = yield* this.#begin(image, choices, (look) => this.#handle.weigh(look, choices));
    try {
      const total = answers.length;
      for (let left = total; left > 0;) {
        yield progress('answers', null, total - left, total);
        left = this.#pace.run((limit) => run.step(limit));
      }
      yield progress('answers', null, total, total);
      return { logLikelihoods: run.scores(), probabilities: run.probabilities() };
    } finally {
      release(run);
    }
  }

  /**
   * Looks at the picture and begins what is to be done about it.
   *
   * @template Run
   * @param {ImageSource} image
   * @param {{ free: () => void }} checked what was asked, no longer needed afterwards
   * @param {(look: ImageEncodingHandle) => Run} begin
   * @returns {AsyncGenerator<Step, Run, void>} to be freed
   */
  async *#begin(image, checked, begin) {
    try {
      const encoding = await this.#encodings.open(image);
      try {
        yield* encoding.encode();
        return begin(encoding.handle);
      } finally {
        this.#encodings.close(encoding);
      }
    } finally {
      release(checked);
    }
  }
}
