/**
 * What a loaded embedder can be asked.
 *
 * @typedef {import('../handles.js').TaggerHandle} TaggerHandle
 * @typedef {import('./image-encodings.js').ImageEncodings} ImageEncodings
 * @typedef {import('../../shared/types.js').ImageSource} ImageSource
 * @typedef {import('../../shared/protocol.js').SimilarityAnswer} SimilarityAnswer
 * @typedef {import('../../shared/protocol.js').InterrogateArguments} InterrogateArguments
 * @typedef {import('../../shared/protocol.js').Step} Step
 * @typedef {import('../../shared/protocol.js').TermTexts} TermTexts
 */

import { Encoder } from './encoder.js';
import { Interrogations } from './interrogations.js';
import { release } from './release.js';

/** A CLIP model, or one of its towers. */
export class EmbedderOperations {
  #encodings;
  #handle;
  #encoder;
  #interrogations;

  /**
   * @param {ImageEncodings} encodings
   * @param {TaggerHandle} handle
   * @param {import('./kept-embeddings.js').KeptEmbeddings | null} [kept] where the model itself is kept
   */
  constructor(encodings, handle, kept = null) {
    this.#encodings = encodings;
    this.#handle = handle;
    this.#encoder = new Encoder(handle);
    this.#interrogations = new Interrogations(encodings, handle, kept);
  }

  /**
   * @param {{ image: ImageSource }} given
   * @returns {AsyncGenerator<Step, Float32Array, void>}
   */
  async *embedImage({ image }) {
    const encoding = await this.#encodings.open(image);
    try {
      yield* encoding.encode();
      return this.#handle.embeddingOf(encoding.handle);
    } finally {
      this.#encodings.close(encoding);
    }
  }

  /**
   * @param {{ texts: string[] }} given
   * @returns {AsyncGenerator<Step, Float32Array, void>}
   */
  async *embedTexts({ texts }) {
    const set = this.#handle.texts(texts);
    try {
      yield* this.#encoder.encode(set, 'texts');
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
    const set = this.#handle.queries(texts);
    try {
      const encoding = await this.#encodings.open(image);
      try {
        yield* this.#encoder.encode(set, 'texts');
        yield* encoding.encode();
        const cosine = this.#handle.similarity(encoding.handle, set);
        const { logitScale, logitBias = 0 } = this.#handle;
        return { cosine, logits: cosine.map((number) => number * logitScale + logitBias) };
      } finally {
        this.#encodings.close(encoding);
      }
    } finally {
      release(set);
    }
  }

  /** @param {{ terms: TermTexts }} given */
  prepareTerms({ terms }) {
    return this.#interrogations.prepare(terms);
  }

  /** @param {InterrogateArguments} given */
  interrogate(given) {
    return this.#interrogations.interrogate(given);
  }
}
