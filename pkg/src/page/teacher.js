/**
 * Labels that were taught by examples: made by `tagger.teach`.
 *
 * @typedef {import('./image-input.js').ImageInput} ImageInput
 * @typedef {import('./image-input.js').ImageInputs} ImageInputs
 * @typedef {import('./saved-teacher.js').ModelIdentity} ModelIdentity
 * @typedef {import('./saved-teacher.js').SavedTeacher} SavedTeacher
 * @typedef {import('./saved-teacher.js').Taught} Taught
 * @typedef {import('./tagger.js').Label} Label
 * @typedef {import('./tagger.js').TagOptions} TagOptions
 * @typedef {import('../shared/protocol.js').TaughtRows} TaughtRows
 *
 * @typedef {object} Teachable what a teacher asks of a tagger
 * @property {Readonly<ModelIdentity>} identity
 * @property {(image: any, labels: readonly Label[], options: any) => Promise<any>} tag
 */

import { wrong } from './arguments.js';
import { keyOf } from './examples.js';
import { identityOf } from './model-identity.js';
import { read, write } from './saved-teacher.js';

/**
 * What a tagger has learnt of its labels from examples. It belongs to that model; the model itself stays as it is.
 *
 * @example
 * const tagger = await Tagger.load('ocelli');
 * const teacher = await tagger.teach({ 'my cat': ['tom-1.jpg', 'tom-2.jpg'], 'another cat': ['stray.jpg'] });
 * const [best] = await teacher.tag('new.jpg');
 * localStorage.setItem('cats', JSON.stringify(teacher.save()));
 */
export class Teacher {
  #tagger;
  #taught;

  /**
   * @param {Teachable} tagger
   * @param {Taught} taught
   */
  constructor(tagger, taught) {
    if (typeof tagger?.tag !== 'function' || !taught?.labels) {
      throw wrong('A teacher comes from `await tagger.teach(examples)` or `Teacher.load(saved, tagger)`.');
    }
    this.#tagger = tagger;
    this.#taught = taught;
  }

  /**
   * What `save` gave, for the model that it was taught to.
   *
   * @param {SavedTeacher | string} saved what `save` gave, or JSON of it
   * @param {Teachable} tagger the same model, of the same revision and dtype
   * @returns {Teacher}
   * @throws {OcelliError} `argument-invalid`: it is damaged, or was taught to another model
   */
  static load(saved, tagger) {
    if (typeof tagger?.tag !== 'function') {
      throw wrong('A teacher is loaded for a tagger: Teacher.load(saved, tagger).');
    }
    return new Teacher(tagger, read(saved, savedIdentityOf(tagger)));
  }

  /** The labels, in the order in which they were given; those without examples come last. @returns {Label[]} */
  get labels() {
    return structuredClone(this.#taught.labels);
  }

  /** How many examples each of them had. @returns {number[]} */
  get examples() {
    return [...this.#taught.examples];
  }

  /**
   * How much of what the labels' words say to the model is kept, from 0 to 1: all where they serve, little where they mislead.
   *
   * @returns {number}
   */
  get kept() {
    return this.#taught.kept;
  }

  /**
   * How strongly the penalty drew to what the model knew before, as cross-validation chose it: the smaller, the more was
   * learnt. Null where nothing that the examples taught told left-out examples better than before, and so nothing changed.
   *
   * @returns {number | null}
   */
  get strength() {
    return this.#taught.strength;
  }

  /**
   * The labels, best first, each with its score: `tagger.tag` with what was taught.
   *
   * @param {ImageInput | ImageInputs} image a picture, or several
   * @param {Omit<TagOptions, 'template' | 'teacher'>} [options]
   * @returns {Promise<any>} as `tagger.tag` gives them
   * @throws {ImageError} `image-empty`, `image-unsupported`, `image-damaged`, `image-too-large`, `image-unreadable`
   * @throws {AbortError} `aborted`
   * @throws {WorkerError} `disposed`, `worker-failed`
   * @throws {OcelliError} `argument-invalid`
   */
  tag(image, options = {}) {
    return this.#tagger.tag(image, this.labels, { ...options, teacher: this });
  }

  /**
   * Everything that `Teacher.load` needs, good for `JSON.stringify` and `structuredClone`. It has no picture in it, but what
   * was learnt from them: whoever has it and the model can tell whether a picture is like yours.
   *
   * @returns {SavedTeacher}
   */
  save() {
    return write(savedIdentityOf(this.#tagger), this.#taught);
  }

  /** The sentences that labels were taught in. @internal @returns {string[]} */
  get templates() {
    return [...this.#taught.templates];
  }

  /**
   * What was learnt, for some labels.
   *
   * @internal
   * @param {readonly Label[]} labels
   * @returns {TaughtRows}
   */
  rowsFor(labels) {
    const { labels: own, weights, kept, temperature } = this.#taught;
    const width = weights.length / own.length;
    const rowOf = new Map(own.map((label, row) => [keyOf(label), row]));
    const found = labels.flatMap((label, place) => {
      const row = rowOf.get(keyOf(label));
      return row === undefined ? [] : [{ place, row }];
    });
    const rows = new Float32Array(found.length * width);
    found.forEach(({ row }, at) => rows.set(weights.subarray(row * width, (row + 1) * width), at * width));
    return { places: Uint32Array.from(found, ({ place }) => place), weights: rows, kept, temperature };
  }
}

/**
 * Which model a file is for: of the built-in one the revision changes with its weights.
 *
 * @param {Teachable} tagger
 * @returns {ModelIdentity}
 */
function savedIdentityOf(tagger) {
  const { id, revision, dtype } = identityOf(tagger.identity);
  return { model: id, revision, dtype: dtype || tagger.identity.dtype };
}
