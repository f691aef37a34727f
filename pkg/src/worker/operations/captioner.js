/**
 * What a loaded captioner can be asked.
 *
 * @typedef {import('../handles.js').CaptionerHandle} CaptionerHandle
 * @typedef {import('./image-encodings.js').ImageEncodings} ImageEncodings
 * @typedef {import('../handles.js').CaptionRunHandle} CaptionRunHandle
 * @typedef {import('../../shared/protocol.js').AttentionArguments} AttentionArguments
 * @typedef {import('../../shared/protocol.js').CaptionArguments} CaptionArguments
 * @typedef {import('../../shared/protocol.js').ScoredCaption} ScoredCaption
 * @typedef {import('../../shared/protocol.js').RolloutArguments} RolloutArguments
 * @typedef {import('../../shared/protocol.js').Step} Step
 */

import { attentionOf, rolloutOf, written } from './inside.js';
import { progress } from './meter.js';
import { AdaptiveBatch } from './adaptive-batch.js';
import { release } from './release.js';

/** A captioning model: BLIP's, or one that is prompted with the words that the tagger of its folder is sure of. */
export class CaptionerOperations {
  #encodings;
  #handle;
  #kept;
  #pace = new AdaptiveBatch();

  /**
   * @param {ImageEncodings} encodings
   * @param {CaptionerHandle} handle
   * @param {import('./kept-embeddings.js').KeptEmbeddings | null} [kept] embeddings that the words share with labels
   */
  constructor(encodings, handle, kept = null) {
    this.#encodings = encodings;
    this.#handle = handle;
    this.#kept = kept;
  }

  /**
   * Makes ready what captions need besides a picture.
   *
   * @returns {AsyncGenerator<Step, void, void>}
   */
  async *prepare() {
    yield* this.#encodeWords();
  }

  /**
   * @param {CaptionArguments} given
   * @returns {AsyncGenerator<Step, string, void>}
   */
  async *caption(given) {
    return yield* written(yield* this.#begin(given));
  }

  /**
   * @param {CaptionArguments} given
   * @returns {AsyncGenerator<Step, ScoredCaption[], void>}
   */
  async *captions(given) {
    const run = yield* this.#begin(given);
    try {
      // Until all have ended there is nothing to tell, but between two tokens the call may be aborted.
      while (run.next() !== undefined) yield { piece: '' };
      const scores = run.scores();
      return run.captions().map((caption, i) => ({ caption, score: scores[i] }));
    } finally {
      release(run);
    }
  }

  /**
   * Looks at the picture and begins to write.
   *
   * @param {CaptionArguments} given
   * @returns {AsyncGenerator<Step, CaptionRunHandle, void>} to be freed
   */
  async *#begin({ image, ...given }) {
    const plan = this.#handle.plan(given);
    try {
      const encoding = await this.#encodings.open(image);
      try {
        if (given.prompt === undefined) yield* this.#encodeWords();
        yield* encoding.encode();
        return this.#handle.write(encoding.handle, plan);
      } finally {
        this.#encodings.close(encoding);
      }
    } finally {
      release(plan);
    }
  }

  /**
   * The words that captions may be prompted with, as the text tower encodes them: once for each model.
   *
   * @returns {AsyncGenerator<Step, void, void>}
   */
  async *#encodeWords() {
    if (this.#handle.wordsPending === 0) return;
    await this.#kept?.read();
    const total = this.#handle.wordsTotal;
    for (let left = this.#handle.wordsPending; left > 0;) {
      yield progress('words', null, total - left, total);
      left = this.#pace.run((limit) => this.#handle.encodeWords(limit));
    }
    yield progress('words', null, total, total);
    await this.#kept?.write();
  }

  /** @param {AttentionArguments} given */
  async *attention(given) {
    if (given.caption === undefined && given.prompt === undefined) yield* this.#encodeWords();
    return yield* attentionOf(this.#encodings, this.#handle, given);
  }

  /** @param {RolloutArguments} given */
  rollout({ image }) {
    return rolloutOf(this.#encodings, this.#handle, image);
  }
}
