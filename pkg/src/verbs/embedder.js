/**
 * What a loaded embedder can be asked.
 *
 * @typedef {import('../handles.js').TaggerHandle} TaggerHandle
 * @typedef {import('../handles.js').Wasm} Wasm
 * @typedef {import('../image-input.js').ImageSource} ImageSource
 * @typedef {import('../protocol.js').SimilarityAnswer} SimilarityAnswer
 * @typedef {import('../protocol.js').Step} Step
 */

import { Encoder } from './encoder.js';
import { openLook, see } from './picture.js';
import { release } from './release.js';

/** A CLIP model, or one of its towers. */
export class EmbedderVerbs {
  #wasm;
  #handle;
  #encoder;

  /** @param {Wasm} wasm @param {TaggerHandle} handle */
  constructor(wasm, handle) {
    this.#wasm = wasm;
    this.#handle = handle;
    this.#encoder = new Encoder(handle);
  }

  /**
   * @param {{ image: ImageSource }} given
   * @returns {AsyncGenerator<Step, Float32Array, void>}
   */
  async *embedImage({ image }) {
    const look = await openLook(this.#wasm, this.#handle, image);
    try {
      yield* see(this.#handle, look);
      return this.#handle.embeddingOf(look);
    } finally {
      release(look);
    }
  }

  /**
   * @param {{ texts: string[] }} given
   * @returns {AsyncGenerator<Step, Float32Array, void>}
   */
  async *embedTexts({ texts }) {
    const set = this.#handle.texts(texts);
    try {
      yield* this.#encoder.encode(set);
      return set.embeddings();
    } finally {
      release(set);
    }
  }

  /**
   * @param {{ image: ImageSource, texts: string[] }} given
   * @returns {AsyncGenerator<Step, SimilarityAnswer, void>}
   */
  async *similarity({ image, texts }) {
    const set = this.#handle.texts(texts);
    try {
      const look = await openLook(this.#wasm, this.#handle, image);
      try {
        yield* this.#encoder.encode(set);
        yield* see(this.#handle, look);
        const cosine = this.#handle.similarity(look, set);
        const { logitScale } = this.#handle;
        return { cosine, logits: cosine.map((number) => number * logitScale) };
      } finally {
        release(look);
      }
    } finally {
      release(set);
    }
  }
}
