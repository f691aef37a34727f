/**
 * Fills in the embeddings of labels and texts, batch by batch.
 *
 * @typedef {import('../handles.js').LabelSetHandle} LabelSetHandle
 * @typedef {import('../handles.js').TaggerHandle} TaggerHandle
 * @typedef {import('../text-accelerator.js').TextAccelerator} TextAccelerator
 * @typedef {import('../../shared/protocol.js').Progress} Progress
 */

import { progress } from './meter.js';
import { AdaptiveBatch } from './adaptive-batch.js';

export class Encoder {
  #handle;
  #accelerator;
  #pace = new AdaptiveBatch();

  /** @param {TaggerHandle} handle @param {TextAccelerator | null} [accelerator] what takes many texts in the wasm's place */
  constructor(handle, accelerator = null) {
    this.#handle = handle;
    this.#accelerator = accelerator;
  }

  /**
   * Encodes what is pending of a set, and of a background before it, of which nothing is told. The wasm remembers
   * what it has met, also where the call that brought it was aborted.
   *
   * @param {LabelSetHandle} set
   * @param {'labels' | 'texts'} phase what the set holds
   * @param {LabelSetHandle | null} [background]
   * @returns {AsyncGenerator<{ progress: Progress }, void, void>}
   */
  async *encode(set, phase, background = null) {
    const { length, prompts } = set;
    for (const each of background ? [background, set] : [set]) {
      let { pending } = each;
      const accelerator = this.#accelerator?.takes(each) ? this.#accelerator : null;
      while (pending > 0) {
        const done = prompts - set.pending;
        yield progress(phase, null, Math.floor((length * done) / prompts), length);
        const left = accelerator ? await accelerator.encode(each) : null;
        pending = left ?? this.#pace.run((limit) => this.#handle.encodeLabels(each, limit));
      }
    }
    yield progress(phase, null, length, length);
  }
}
