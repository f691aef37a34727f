/**
 * What a loaded embedder can be asked.
 *
 * @typedef {import('../handles.js').TaggerHandle} TaggerHandle
 * @typedef {import('./image-encodings.js').ImageEncodings} ImageEncodings
 * @typedef {import('../../shared/types.js').ImageSource} ImageSource
 * @typedef {import('../../shared/protocol.js').DecodedImage} DecodedImage
 * @typedef {import('../../shared/protocol.js').FeatureArguments} FeatureArguments
 * @typedef {import('../../shared/protocol.js').Features} Features
 * @typedef {import('../../shared/protocol.js').SimilarityAnswer} SimilarityAnswer
 * @typedef {import('../../shared/protocol.js').InterrogateArguments} InterrogateArguments
 * @typedef {import('../../shared/protocol.js').Step} Step
 * @typedef {import('../../shared/protocol.js').TermTexts} TermTexts
 */

import { errorFor, ofPicture } from '../../shared/errors.js';
import { concatenated } from '../../shared/vectors.js';
import { AdaptiveBatch } from './adaptive-batch.js';
import { Encoder } from './encoder.js';
import { ImageEncoding } from './image-encodings.js';
import { progress } from './meter.js';
import { Interrogations } from './interrogations.js';
import { release } from './release.js';

/** A CLIP model, or one of its towers. */
export class EmbedderOperations {
  #encodings;
  #handle;
  #encoder;
  #pace = new AdaptiveBatch();
  #interrogations;

  /**
   * @param {ImageEncodings} encodings
   * @param {TaggerHandle} handle
   * @param {import('./kept-embeddings.js').KeptEmbeddings | null} [kept] where the model itself is kept
   * @param {import('../text-accelerator.js').TextAccelerator | null} [accelerator] what takes many texts in the wasm's place
   */
  constructor(encodings, handle, kept = null, accelerator = null) {
    this.#encodings = encodings;
    this.#handle = handle;
    this.#encoder = new Encoder(handle, accelerator);
    this.#interrogations = new Interrogations(encodings, handle, kept, accelerator);
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
   * Of several pictures at once, which a GPU is faster at. All of them are in memory, prepared for the model.
   *
   * @param {{ images: ImageSource[] }} given
   * @returns {AsyncGenerator<Step, Float32Array[], void>}
   * @throws {ImageError} of the first picture that cannot be read, with its place
   */
  async *embedImages({ images }) {
    /** @type {ImageEncoding[]} */
    const encodings = [];
    try {
      for (const [index, image] of images.entries()) {
        try {
          encodings.push(await this.#encodings.open(image, { keep: false }));
        } catch (error) {
          throw ofPicture(error, index);
        }
        yield progress('image', null, 0, null);
      }
      yield* ImageEncoding.encodeAll(encodings);
      return encodings.map(({ handle }) => this.#handle.embeddingOf(handle));
    } finally {
      for (const encoding of encodings) this.#encodings.close(encoding);
    }
  }

  /**
   * A picture's pixels, which are looked at by people alone.
   *
   * @param {{ image: ImageSource, longestEdge: number | undefined }} given
   * @returns {AsyncGenerator<Step, DecodedImage, void>}
   */
  async *decodeImage({ image, longestEdge }) {
    const whole = await this.#encodings.picture(image);
    try {
      const { width: naturalWidth, height: naturalHeight } = whole;
      yield progress('image', null, 0, null);
      const small = longestEdge === undefined ? null : whole.thumbnail(longestEdge);
      try {
        const { width, height } = small ?? whole;
        const { buffer } = (small ?? whole).rgba();
        return { data: new Uint8ClampedArray(buffer), width, height, naturalWidth, naturalHeight };
      } finally {
        if (small) release(small);
      }
    } finally {
      release(whole);
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
   * What the reference's image model gives: of one with a projection, as CLIP, its embedding, and of any other, as SigLIP
   * and DINOv2, the states of all tokens, or what is pooled of them.
   *
   * @param {FeatureArguments} given
   * @returns {AsyncGenerator<Step, Features, void>}
   */
  async *imageFeatures({ image, pool }) {
    const { projectsImages } = this.#handle;
    if (pool && projectsImages) {
      const sentence = 'This model gives the embedding of a picture, which is pooled already.';
      throw errorFor('argument-invalid', sentence);
    }
    const encoding = await this.#encodings.open(image);
    try {
      if (!pool && !projectsImages) encoding.handle.whole();
      yield* encoding.encode();
      const pooled = this.#handle.featuresOf(encoding.handle);
      if (pool || projectsImages) return { data: pooled, dims: [pooled.length] };
      const data = this.#handle.statesOf(encoding.handle);
      return { data, dims: [data.length / pooled.length, pooled.length] };
    } finally {
      this.#encodings.close(encoding);
    }
  }

  /**
   * @param {{ texts: string[] }} given
   * @returns {AsyncGenerator<Step, Features, void>}
   */
  async *textFeatures({ texts }) {
    // Checks them. Embeddings that are remembered have length 1, so these are computed beside the set.
    release(this.#handle.texts(texts));
    /** @type {Float32Array[]} */
    const rows = [];
    for (let done = 0; done < texts.length;) {
      yield progress('texts', null, done, texts.length);
      done += this.#pace.run((limit) => {
        const batch = texts.slice(done, done + limit);
        rows.push(this.#handle.textFeatures(batch));
        return batch.length;
      });
    }
    yield progress('texts', null, texts.length, texts.length);
    const data = concatenated(rows);
    return { data, dims: [texts.length, data.length / texts.length] };
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
