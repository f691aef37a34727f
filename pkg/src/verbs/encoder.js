/**
 * Fills in the embeddings of labels and texts, batch by batch.
 *
 * @typedef {import('../handles.js').LabelSetHandle} LabelSetHandle
 * @typedef {import('../handles.js').TaggerHandle} TaggerHandle
 * @typedef {import('../protocol.js').ProgressEvent} ProgressEvent
 */

import { progress } from './load.js';

/** A batch of prompts should take about this long, in milliseconds: an abort waits for it. */
const BATCH_TIME = 100;
const FIRST_BATCH = 4;
/** More are not taken at once, however fast they are. */
const LARGEST_BATCH = 64;

export class Encoder {
  #handle;
  #batch = FIRST_BATCH;

  /** @param {TaggerHandle} handle */
  constructor(handle) {
    this.#handle = handle;
  }

  /**
   * Encodes what is pending of a set, and of a background before it, of which nothing is told. The wasm remembers
   * what it has met, also where the call that brought it was aborted.
   *
   * @param {LabelSetHandle} set
   * @param {LabelSetHandle | null} [background]
   * @returns {Generator<{ progress: ProgressEvent }, void, void>}
   */
  *encode(set, background = null) {
    const { length, prompts } = set;
    for (const each of background ? [background, set] : [set]) {
      let { pending } = each;
      while (pending > 0) {
        const done = prompts - set.pending;
        yield progress('labels', null, Math.floor((length * done) / prompts), length);
        const start = performance.now();
        pending = this.#handle.encodeLabels(each, this.#batch);
        const took = performance.now() - start;
        if (took < BATCH_TIME / 2) this.#batch = Math.min(this.#batch * 2, LARGEST_BATCH);
        else if (took > BATCH_TIME * 2) this.#batch = Math.max(this.#batch >> 1, 1);
      }
    }
    yield progress('labels', null, length, length);
  }
}
