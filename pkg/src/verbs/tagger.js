/**
 * What a loaded tagger can be asked.
 *
 * @typedef {import('../handles.js').LabelSetHandle} LabelSetHandle
 * @typedef {import('../handles.js').LookHandle} LookHandle
 * @typedef {import('../handles.js').TaggerHandle} TaggerHandle
 * @typedef {import('../handles.js').Wasm} Wasm
 * @typedef {import('../protocol.js').ExplainArguments} ExplainArguments
 * @typedef {import('../protocol.js').RolloutArguments} RolloutArguments
 * @typedef {import('../protocol.js').Step} Step
 * @typedef {import('../protocol.js').TagAnswer} TagAnswer
 * @typedef {import('../protocol.js').TagArguments} TagArguments
 */

import { BACKGROUND } from '../background.js';
import { EmbedderVerbs } from './embedder.js';
import { Encoder } from './encoder.js';
import { KeptEmbeddings } from './kept-embeddings.js';
import { mapOf, rolloutOf } from './inside.js';
import { openLook, see } from './picture.js';
import { release } from './release.js';

/** A CLIP model. */
export class TaggerVerbs extends EmbedderVerbs {
  #wasm;
  #handle;
  #encoder;
  #kept;

  /**
   * @param {Wasm} wasm
   * @param {TaggerHandle} handle
   * @param {import('./load.js').Place | null} place where the model itself is kept, if it is
   */
  constructor(wasm, handle, place) {
    super(wasm, handle);
    this.#wasm = wasm;
    this.#handle = handle;
    this.#encoder = new Encoder(handle);
    this.#kept = place && new KeptEmbeddings(place, handle);
  }

  /**
   * @param {TagArguments} given
   * @returns {AsyncGenerator<Step, TagAnswer, void>}
   */
  async *tag({ image, labels, templates, ...how }) {
    const set = this.#handle.labels(labels, templates);
    /** @type {LabelSetHandle | null} */
    let background = null;
    try {
      const look = await openLook(this.#wasm, this.#handle, image);
      try {
        if (how.none || how.scores === 'independent') {
          background = this.#handle.labels([...BACKGROUND], ['{}']);
        }
        await this.#kept?.read();
        yield* this.#encoder.encode(set, background);
        await this.#kept?.write();
        yield* see(this.#handle, look);
        return this.#score(look, set, background, how);
      } finally {
        release(look);
      }
    } finally {
      release(set);
      if (background) release(background);
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
   * @param {LookHandle} look
   * @param {LabelSetHandle} set
   * @param {LabelSetHandle | null} background
   * @param {Pick<TagArguments, 'scores' | 'none' | 'noneOffset'>} how
   * @returns {TagAnswer}
   */
  #score(look, set, background, { scores, none, noneOffset }) {
    if (!background) return { labels: this.#handle.tag(look, set), none: null };
    const all = this.#handle.score(look, set, background, scores === 'independent', noneOffset);
    const last = all.length - 1;
    return { labels: all.slice(0, last), none: none ? Number(all[last]) : null };
  }
}
