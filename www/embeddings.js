/**
 * What a tagger knows of each picture, by which it tags it, compares it and finds it again: computed once for a model.
 *
 * @typedef {import('ocelli').Tagger} Tagger
 * @typedef {import('./session.js').Picture} Picture
 */

export class Embeddings {
  /** @type {WeakMap<Tagger, WeakMap<Picture, Float32Array>>} */
  #known = new WeakMap();

  /** @param {Tagger} tagger @param {Picture} picture whether nothing is left to compute */
  has(tagger, picture) {
    return this.#known.get(tagger)?.has(picture) ?? false;
  }

  /**
   * @param {Tagger} tagger
   * @param {Picture} picture
   * @param {AbortSignal} signal
   * @returns {Promise<Float32Array>}
   */
  async of(tagger, picture, signal) {
    const known = this.#known.get(tagger) ?? new WeakMap();
    this.#known.set(tagger, known);
    const found = known.get(picture);
    if (found) return found;
    const [embedding] = await tagger.embedImages([picture.file], { signal });
    if (!embedding) throw new Error('a picture has an embedding');
    known.set(picture, embedding);
    return embedding;
  }
}
