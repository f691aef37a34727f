/**
 * What a loaded captioner can be asked.
 *
 * @typedef {import('../handles.js').CaptionerHandle} CaptionerHandle
 * @typedef {import('../handles.js').Wasm} Wasm
 * @typedef {import('../protocol.js').CaptionArguments} CaptionArguments
 * @typedef {import('../protocol.js').Step} Step
 */

import { openPicture } from './picture.js';
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
    const picture = await openPicture(this.#wasm, image);
    let run;
    try {
      run = this.#handle.start(picture, given);
    } finally {
      release(picture);
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
}
