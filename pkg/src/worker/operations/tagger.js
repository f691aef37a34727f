/**
 * What a loaded tagger can be asked.
 *
 * @typedef {import('../handles.js').LabelSetHandle} LabelSetHandle
 * @typedef {import('../handles.js').ImageEncodingHandle} ImageEncodingHandle
 * @typedef {import('../handles.js').TaggerHandle} TaggerHandle
 * @typedef {import('./image-encodings.js').ImageEncodings} ImageEncodings
 * @typedef {import('../../shared/protocol.js').ExplainArguments} ExplainArguments
 * @typedef {import('../../shared/protocol.js').RolloutArguments} RolloutArguments
 * @typedef {import('../../shared/protocol.js').Step} Step
 * @typedef {import('../../shared/protocol.js').TagAnswer} TagAnswer
 * @typedef {import('../../shared/protocol.js').TagArguments} TagArguments
 * @typedef {import('../../shared/protocol.js').TeachAnswer} TeachAnswer
 * @typedef {import('../../shared/protocol.js').TeachArguments} TeachArguments
 */

import { BACKGROUND } from '../background.js';
import { EmbedderOperations } from './embedder.js';
import { Encoder } from './encoder.js';
import { mapOf, rolloutOf } from './inside.js';
import { progress } from './meter.js';
import { release } from './release.js';

/** A CLIP model. */
export class TaggerOperations extends EmbedderOperations {
  #encodings;
  #handle;
  #encoder;
  #kept;

  /**
   * @param {ImageEncodings} encodings
   * @param {TaggerHandle} handle
   * @param {import('./kept-embeddings.js').KeptEmbeddings | null} kept where the model itself is kept
   */
  constructor(encodings, handle, kept) {
    super(encodings, handle, kept);
    this.#encodings = encodings;
    this.#handle = handle;
    this.#encoder = new Encoder(handle);
    this.#kept = kept;
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
      const encoding = await this.#encodings.open(image);
      try {
        if (how.none || how.taught || how.scores === 'independent') {
          background = this.#handle.labels([...BACKGROUND], ['{}']);
        }
        await this.#kept?.read();
        yield* this.#encoder.encode(set, 'labels', background);
        await this.#kept?.write();
        yield* encoding.encode();
        return this.#score(encoding.handle, set, background, how);
      } finally {
        this.#encodings.close(encoding);
      }
    } finally {
      release(set);
      if (background) release(background);
    }
  }

  /**
   * Encodes labels before any picture comes.
   *
   * @param {{ labels: import('../../shared/types.js').Label[], templates: string[] }} given
   * @returns {AsyncGenerator<Step, void, void>}
   */
  async *prepare({ labels, templates }) {
    const set = this.#handle.labels(labels, templates);
    try {
      await this.#kept?.read();
      yield* this.#encoder.encode(set, 'labels');
      await this.#kept?.write();
    } finally {
      release(set);
    }
  }

  /**
   * @param {TeachArguments} given
   * @returns {AsyncGenerator<Step, TeachAnswer, void>}
   */
  async *teach({ labels, templates, embeddings, places }) {
    const set = this.#handle.labels(labels, templates);
    const background = this.#handle.labels([...BACKGROUND], ['{}']);
    try {
      await this.#kept?.read();
      yield* this.#encoder.encode(set, 'labels', background);
      await this.#kept?.write();
      const run = this.#handle.teach(set, background, embeddings, places);
      try {
        const { total } = run;
        for (let left = total; left > 0; left = run.step()) yield progress('fits', null, total - left, total);
        yield progress('fits', null, total, total);
        const { kept, strength = null, temperature } = run;
        return {
          weights: run.weights(),
          kept: decimal(kept),
          strength: strength && decimal(strength),
          temperature: decimal(temperature),
        };
      } finally {
        release(run);
      }
    } finally {
      release(set);
      release(background);
    }
  }

  /** @param {RolloutArguments} given */
  rollout({ image }) {
    return rolloutOf(this.#encodings, this.#handle, image);
  }

  /** @param {ExplainArguments} given */
  explain({ image, text }) {
    return mapOf(this.#encodings, this.#handle, image, (look) => this.#handle.beginExplanation(look, text));
  }

  /**
   * @param {ImageEncodingHandle} look
   * @param {LabelSetHandle} set
   * @param {LabelSetHandle | null} background
   * @param {Pick<TagArguments, 'scores' | 'none' | 'noneOffset' | 'taught'>} how
   * @returns {TagAnswer}
   */
  #score(look, set, background, { scores, none, noneOffset, taught }) {
    if (!background) return { labels: this.#handle.tag(look, set), none: null };
    const how = /** @type {const} */ ([look, set, background, scores === 'independent', noneOffset]);
    const all = taught
      ? this.#handle.scoreTaught(
          ...how,
          !none,
          taught.weights,
          taught.places,
          taught.kept,
          taught.temperature,
        )
      : this.#handle.score(...how);
    const last = all.length - 1;
    return { labels: all.slice(0, last), none: none ? Number(all[last]) : null };
  }
}

/** A number of single precision as it was meant: 0.1, not 0.10000000149. @param {number} number */
function decimal(number) {
  return Number(number.toPrecision(6));
}
