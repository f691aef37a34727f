/**
 * Fills in the embeddings of labels and texts, batch by batch.
 *
 * @typedef {import('../handles.js').LabelSetHandle} LabelSetHandle
 * @typedef {import('../handles.js').TaggerHandle} TaggerHandle
 * @typedef {import('../../shared/protocol.js').Progress} Progress
 */

import { progress } from './meter.js';
import { AdaptiveBatch } from './adaptive-batch.js';

export class Encoder {
  #handle;
  #pace = new AdaptiveBatch();

  /** @param {TaggerHandle} handle */
  constructor(handle) {
    this.#handle = handle;
  }

  /**
   * Encodes what is pending of a set, and of a background before it, of which nothing is told. The wasm remembers
   * what it has met, also where the call that brought it was aborted.
   *
   * @param {LabelSetHandle} set
   * @param {'labels' | 'texts'} phase what the set holds
   * @param {LabelSetHandle | null} [background]
   * @returns {Generator<{ progress: Progress }, void, void>}
   */
  *encode(set, phase, background = null) {
    const { length, prompts } = set;
    for (const each of background ? [background, set] : [set]) {
      let { pending } = each;
      while (pending > 0) {
        const done = prompts - set.pending;
        yield progress(phase, null, Math.floor((length * done) / prompts), length);
        pending = this.#pace.run((limit) => this.#handle.encodeLabels(each, limit));
      }
    }
    yield progress(phase, null, length, length);
  }
}
