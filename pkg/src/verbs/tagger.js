/**
 * What a loaded tagger can be asked.
 *
 * @typedef {import('../handles.js').LabelSetHandle} LabelSetHandle
 * @typedef {import('../handles.js').TaggerHandle} TaggerHandle
 * @typedef {import('../handles.js').Wasm} Wasm
 * @typedef {import('../protocol.js').Step} Step
 * @typedef {import('../protocol.js').TagArguments} TagArguments
 */

import { progress } from './load.js';
import { openPicture } from './picture.js';

/** Label sets whose embeddings are kept for the next pictures. */
const SETS_KEPT = 4;
/** A batch of labels should take about this long, in milliseconds: an abort waits for it. */
const BATCH_TIME = 100;
const FIRST_BATCH = 4;
const LARGEST_BATCH = 256;

/** A CLIP model and the label sets it has met. */
export class TaggerVerbs {
  #wasm;
  #handle;
  /** @type {Map<string, LabelSetHandle>} least recently used first */
  #sets = new Map();
  #batch = FIRST_BATCH;

  /** @param {Wasm} wasm @param {TaggerHandle} handle */
  constructor(wasm, handle) {
    this.#wasm = wasm;
    this.#handle = handle;
  }

  /**
   * @param {TagArguments} given
   * @returns {AsyncGenerator<Step, Float32Array, void>}
   */
  async *tag({ image, labels, template }) {
    const set = this.#set(labels, template);
    const picture = await openPicture(this.#wasm, image);
    try {
      yield* this.#encode(set);
      return this.#handle.tag(picture, set);
    } finally {
      picture.free();
    }
  }

  /** @param {string[]} labels @param {string} template */
  #set(labels, template) {
    const key = JSON.stringify([template, ...labels]);
    const set = this.#sets.get(key) ?? this.#handle.labels(labels, template);
    this.#sets.delete(key);
    this.#sets.set(key, set);
    for (const [oldKey, old] of this.#sets) {
      if (this.#sets.size <= SETS_KEPT) break;
      this.#sets.delete(oldKey);
      old.free();
    }
    return set;
  }

  /**
   * Fills in what embeddings are missing, batch by batch. A set whose encoding was aborted keeps what it has.
   *
   * @param {LabelSetHandle} set
   */
  *#encode(set) {
    let { pending } = set;
    while (pending > 0) {
      yield progress('labels', null, set.length - pending, set.length);
      const start = performance.now();
      pending = this.#handle.encodeLabels(set, this.#batch);
      const took = performance.now() - start;
      if (took < BATCH_TIME / 2) this.#batch = Math.min(this.#batch * 2, LARGEST_BATCH);
      else if (took > BATCH_TIME * 2) this.#batch = Math.max(this.#batch >> 1, 1);
      if (pending === 0) yield progress('labels', null, set.length, set.length);
    }
  }
}
