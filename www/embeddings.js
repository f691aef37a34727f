/**
 * What a tagger knows of each picture, by which it tags it, compares it and finds it again: computed once for a model.
 *
 * @typedef {import('ocelli').Tagger} Tagger
 * @typedef {import('./session.js').Picture} Picture
 *
 * @typedef {object} Probe by what a tagger is known again
 * @property {string} id
 * @property {Float32Array} answer its embedding of a text that is always the same
 */

import { dot } from './vectors.js';

/** What every tagger is asked, to know it again. */
const PROBE = 'a photo of a cat and a dog';
/** The least cosine of two answers of one model: those of its builds differ by less. */
const SAME_MODEL = 0.99;

export class Embeddings {
  /** @type {WeakMap<Tagger, WeakMap<Picture, Float32Array>>} */
  #known = new WeakMap();
  /** Pictures of the same content. @type {WeakMap<Picture, Picture>} */
  #twins = new WeakMap();
  /** What is known from earlier visits, and what has known it. @type {{ probe: Probe, all: Map<Picture, Float32Array> } | null} */
  #kept = null;
  /** Milliseconds of the quickest picture of each. @type {WeakMap<Tagger, number>} */
  #paces = new WeakMap();
  /** The tagger that was recognised last. @type {Probe | null} */
  probe = null;
  /** @type {Tagger | null} */
  #last = null;

  /** @param {Probe} probe @param {Map<Picture, Float32Array>} all what is known from earlier visits */
  adopt(probe, all) {
    this.#kept = { probe, all };
  }

  /**
   * Gives a tagger what it, or another build of its model, has known on earlier visits.
   * @param {Tagger} tagger
   * @param {AbortSignal} signal
   */
  async recognise(tagger, signal) {
    // Without an answer nothing is known again, and everything else goes on.
    const [answer] = await tagger.embedTexts([PROBE], { signal }).catch(() => []);
    if (!answer) return;
    const isAs = (/** @type {Float32Array | undefined} */ before) =>
      before?.length === answer.length && dot(answer, before) >= SAME_MODEL;
    const last = this.#last && this.#known.get(this.#last);
    this.#last = tagger;
    if (this.probe && last && isAs(this.probe.answer)) {
      // It was loaded again.
      this.#known.set(tagger, last);
      return;
    }
    if (!this.#kept || !isAs(this.#kept.probe.answer)) {
      this.probe = { id: `${Date.now()}-${Math.random()}`, answer };
      return;
    }
    this.probe = { id: this.#kept.probe.id, answer };
    const known = new WeakMap();
    for (const [picture, embedding] of this.#kept.all) known.set(picture, embedding);
    this.#known.set(tagger, known);
  }

  /** What is known of one picture is known of the other. @param {Picture} picture @param {Picture} twin of the same content */
  link(picture, twin) {
    this.#twins.set(picture, twin);
  }

  /** @param {Picture} picture that looks otherwise now */
  forget(picture) {
    this.#twins.delete(picture);
    this.#kept?.all.delete(picture);
    if (this.#last) this.#known.get(this.#last)?.delete(picture);
  }

  /** @param {Tagger} tagger @param {Picture} picture @returns {Float32Array | undefined} */
  known(tagger, picture) {
    const found = this.#known.get(tagger)?.get(picture);
    const twin = found ? undefined : this.#twins.get(picture);
    return twin ? this.known(tagger, twin) : found;
  }

  /** @param {Tagger} tagger @param {Picture} picture whether nothing is left to compute */
  has(tagger, picture) {
    return this.known(tagger, picture) !== undefined;
  }

  /**
   * @param {Tagger} tagger
   * @param {Picture} picture
   * @param {AbortSignal} signal
   * @returns {Promise<Float32Array>}
   */
  async of(tagger, picture, signal) {
    const [embedding] = await this.ofAll(tagger, [picture], signal);
    return /** @type {Float32Array} */ (embedding);
  }

  /**
   * Those that nobody knows yet are computed together.
   * @param {Tagger} tagger
   * @param {readonly Picture[]} pictures
   * @param {AbortSignal} signal
   * @returns {Promise<Float32Array[]>}
   */
  async ofAll(tagger, pictures, signal) {
    const unknown = pictures.filter((picture) => !this.has(tagger, picture));
    const known = this.#known.get(tagger) ?? new WeakMap();
    this.#known.set(tagger, known);
    const files = unknown.map(({ file }) => file);
    const begun = performance.now();
    const fresh = files.length > 0 ? await tagger.embedImages(files, { signal }) : [];
    if (files.length > 0) this.#keepPace(tagger, (performance.now() - begun) / files.length);
    for (const [i, picture] of unknown.entries()) {
      known.set(picture, /** @type {Float32Array} */ (fresh[i]));
    }
    return pictures.map((picture) => /** @type {Float32Array} */ (this.known(tagger, picture)));
  }

  /** @param {Tagger} tagger @param {number} milliseconds */
  #keepPace(tagger, milliseconds) {
    this.#paces.set(tagger, Math.min(milliseconds, this.#paces.get(tagger) ?? Infinity));
  }

  /** @param {Tagger | null} tagger @returns {number | null} milliseconds that its quickest picture took, reading the file included */
  pace(tagger) {
    return (tagger && this.#paces.get(tagger)) ?? null;
  }
}
