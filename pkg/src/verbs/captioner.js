/**
 * What a loaded captioner can be asked.
 *
 * @typedef {import('../handles.js').CaptionerHandle} CaptionerHandle
 * @typedef {import('../handles.js').Wasm} Wasm
 * @typedef {import('../protocol.js').AttentionArguments} AttentionArguments
 * @typedef {import('../protocol.js').CaptionArguments} CaptionArguments
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
  async *caption({ image, ...given }) {
    const plan = this.#handle.plan(given);
    let run;
    try {
      const look = await openLook(this.#wasm, this.#handle, image);
      try {
        yield* see(this.#handle, look);
        run = this.#handle.write(look, plan);
      } finally {
        release(look);
      }
    } finally {
      release(plan);
    }
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

  /** @param {AttentionArguments} given */
  attention(given) {
    return attentionOf(this.#wasm, this.#handle, given);
  }

  /** @param {RolloutArguments} given */
  rollout({ image }) {
    return rolloutOf(this.#wasm, this.#handle, image);
  }
}
