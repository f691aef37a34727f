/**
 * What a loaded tagger can be asked.
 *
 * @typedef {import('../handles.js').LabelSetHandle} LabelSetHandle
 * @typedef {import('../handles.js').TaggerHandle} TaggerHandle
 * @typedef {import('../handles.js').Wasm} Wasm
 * @typedef {import('../protocol.js').ExplainArguments} ExplainArguments
 * @typedef {import('../protocol.js').RolloutArguments} RolloutArguments
 * @typedef {import('../protocol.js').Step} Step
 * @typedef {import('../protocol.js').TagArguments} TagArguments
 */

import { mapOf, rolloutOf } from './inside.js';
import { progress } from './load.js';
import { openLook, see } from './picture.js';
import { release } from './release.js';

/** A batch of labels should take about this long, in milliseconds: an abort waits for it. */
const BATCH_TIME = 100;
const FIRST_BATCH = 4;
/** More are not taken at once, however fast they are. */
const LARGEST_BATCH = 64;

/** A CLIP model. */
export class TaggerVerbs {
  #wasm;
  #handle;
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
    const set = this.#handle.labels(labels, template);
    try {
      const look = await openLook(this.#wasm, this.#handle, image);
      try {
        yield* this.#encode(set);
        yield* see(this.#handle, look);
        return this.#handle.tag(look, set);
      } finally {
        release(look);
      }
    } finally {
      release(set);
    }
  }

  /** @param {RolloutArguments} given */
  rollout({ image }) {
    return rolloutOf(this.#wasm, this.#handle, image);
  }

  /** @param {ExplainArguments} given */
  explain({ image, text }) {
    return mapOf(this.#wasm, this.#handle, image, (look) => this.#handle.beginExplanation(look, text));
  }

  /**
   * Fills in the labels' embeddings, batch by batch. The wasm remembers those it has met, also where the
   * call that brought them was aborted.
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
    }
    yield progress('labels', null, set.length, set.length);
  }
}
