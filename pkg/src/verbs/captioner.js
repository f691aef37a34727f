/**
 * What a loaded captioner can be asked.
 *
 * @typedef {import('../handles.js').CaptionerHandle} CaptionerHandle
 * @typedef {import('../handles.js').Wasm} Wasm
 * @typedef {import('../handles.js').CaptionRunHandle} CaptionRunHandle
 * @typedef {import('../protocol.js').AttentionArguments} AttentionArguments
 * @typedef {import('../protocol.js').CaptionArguments} CaptionArguments
 * @typedef {import('../protocol.js').ScoredCaption} ScoredCaption
 * @typedef {import('../protocol.js').RolloutArguments} RolloutArguments
 * @typedef {import('../protocol.js').Step} Step
 */

import { attentionOf, rolloutOf } from './inside.js';
import { openLook, see } from './picture.js';
import { release } from './release.js';

/** A BLIP captioning model. */
export class CaptionerVerbs {
  #wasm;
  #handle;

  /** @param {Wasm} wasm @param {CaptionerHandle} handle */
  constructor(wasm, handle) {
    this.#wasm = wasm;
    this.#handle = handle;
  }

  /**
   * @param {CaptionArguments} given
   * @returns {AsyncGenerator<Step, string, void>}
   */
  async *caption(given) {
    const run = yield* this.#begin(given);
    try {
      let caption = '';
      for (let piece = run.next(); piece !== undefined; piece = run.next()) {
        caption += piece;
        yield { piece };
      }
      return caption;
    } finally {
      release(run);
    }
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
      const look = await openLook(this.#wasm, this.#handle, image);
      try {
        yield* see(this.#handle, look);
        return this.#handle.write(look, plan);
      } finally {
        release(look);
      }
    } finally {
      release(plan);
    }
  }

  /** @param {AttentionArguments} given */
  attention(given) {
    return attentionOf(this.#wasm, this.#handle, given);
  }

  /** @param {RolloutArguments} given */
  rollout({ image }) {
    return rolloutOf(this.#wasm, this.#handle, image);
  }
}
