/**
 * What a loaded tagger can be asked.
 *
 * @typedef {import('../handles.js').LabelSetHandle} LabelSetHandle
 * @typedef {import('../handles.js').TaggerHandle} TaggerHandle
 * @typedef {import('./image-encodings.js').ImageEncodings} ImageEncodings
 * @typedef {import('../../shared/protocol.js').ExplainArguments} ExplainArguments
 * @typedef {import('../../shared/protocol.js').RolloutArguments} RolloutArguments
 * @typedef {import('../../shared/protocol.js').Step} Step
 * @typedef {import('../../shared/protocol.js').TagAnswer} TagAnswer
 * @typedef {import('../../shared/protocol.js').TagArguments} TagArguments
 * @typedef {import('../../shared/protocol.js').TagEmbeddingsArguments} TagEmbeddingsArguments
 * @typedef {Omit<TagArguments, 'image'>} Asked
 *
 * @typedef {object} Among what a picture is compared with
 * @property {import('./kept-labels.js').OpenLabels} labels
 * @property {boolean} isRead whether they are encoded
 * @property {LabelSetHandle | null} background prompts that name nothing, where "none of these" counts
 * @typedef {import('../../shared/protocol.js').TeachAnswer} TeachAnswer
 * @typedef {import('../../shared/protocol.js').TeachArguments} TeachArguments
 */

import { BACKGROUND } from '../background.js';
import { EmbedderOperations } from './embedder.js';
import { Encoder } from './encoder.js';
import { mapOf, rolloutOf } from './inside.js';
import { KeptLabels } from './kept-labels.js';
import { progress } from './meter.js';
import { release } from './release.js';

/** Embeddings that are scored between two looks at whether somebody has cancelled. */
const ROUND = 64;

/** A CLIP model. */
export class TaggerOperations extends EmbedderOperations {
  #encodings;
  #handle;
  #encoder;
  #kept;
  #labels;

  /**
   * @param {ImageEncodings} encodings
   * @param {TaggerHandle} handle
   * @param {import('./kept-embeddings.js').KeptEmbeddings | null} kept where the model itself is kept
   * @param {import('../text-accelerator.js').TextAccelerator | null} [accelerator] what takes many texts in the wasm's place
   */
  constructor(encodings, handle, kept, accelerator = null) {
    super(encodings, handle, kept, accelerator);
    this.#encodings = encodings;
    this.#handle = handle;
    this.#encoder = new Encoder(handle, accelerator);
    this.#kept = kept;
    this.#labels = new KeptLabels(handle);
  }

  /**
   * @param {TagArguments} given
   * @returns {AsyncGenerator<Step, TagAnswer, void>}
   */
  async *tag({ image, ...how }) {
    const among = this.#open(how);
    try {
      const encoding = await this.#encodings.open(image);
      try {
        yield* this.#read(among);
        yield* encoding.encode();
        return this.#score(this.#handle.embeddingOf(encoding.handle), among, how);
      } finally {
        this.#encodings.close(encoding);
      }
    } finally {
      this.#close(among);
    }
  }

  /**
   * Of pictures that are known by their embeddings, of which nothing is encoded.
   *
   * @param {TagEmbeddingsArguments} given
   * @returns {AsyncGenerator<Step, TagAnswer[], void>}
   */
  async *tagEmbeddings({ embeddings, ...how }) {
    const among = this.#open(how);
    try {
      yield* this.#read(among);
      const answers = [];
      for (const [i, embedding] of embeddings.entries()) {
        answers.push(this.#score(embedding, among, how));
        if (i % ROUND === ROUND - 1) yield progress('image', null, i + 1, embeddings.length);
      }
      return answers;
    } finally {
      this.#close(among);
    }
  }

  /** @param {Asked} how @returns {Among} to be closed */
  #open({ labels, templates, none, taught, scores }) {
    const open = this.#labels.open(labels, templates);
    const compared = none || taught || scores === 'independent';
    const background = compared ? this.#handle.labels([...BACKGROUND], ['{}']) : null;
    return { labels: open, isRead: false, background };
  }

  /** Encodes what is not known yet. @param {Among} among @returns {AsyncGenerator<Step, void, void>} */
  async *#read(among) {
    await this.#kept?.read();
    yield* this.#encoder.encode(among.labels.set, 'labels', among.background);
    await this.#kept?.write();
    among.isRead = true;
  }

  /** @param {Among} among */
  #close({ labels, isRead, background }) {
    if (isRead) this.#labels.keep(labels);
    else release(labels.set);
    if (background) release(background);
  }

  /**
   * Encodes labels before any picture comes.
   *
   * @param {{ labels: string, templates: string[] }} given
   * @returns {AsyncGenerator<Step, void, void>}
   */
  async *prepare({ labels, templates }) {
    const among = this.#open({ labels, templates, none: false, scores: 'softmax', noneOffset: undefined });
    try {
      yield* this.#read(among);
    } finally {
      this.#close(among);
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
   * @param {Float32Array} embedding of a picture
   * @param {Among} among
   * @param {Asked} asked
   * @returns {TagAnswer}
   */
  #score(embedding, { labels: { set }, background }, { scores, none, noneOffset, taught }) {
    if (!background) return { labels: this.#handle.tag(embedding, set), none: null };
    const how = /** @type {const} */ ([embedding, set, background, scores === 'independent', noneOffset]);
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
