/**
 * Pictures and texts as vectors that can be compared, with CLIP.
 *
 * @typedef {import('./image-input.js').ImageInput} ImageInput
 * @typedef {import('./image-input.js').ImageInputs} ImageInputs
 * @typedef {import('../shared/protocol.js').DecodedImage} DecodedImage
 * @typedef {import('../shared/protocol.js').Progress} Progress
 * @typedef {import('./model.js').LoadOptions} LoadOptions
 * @typedef {import('./model.js').ModelSource} ModelSource
 *
 * @typedef {LoadOptions & { tower?: 'image' | 'text' | 'both' }} EmbedderOptions `tower`: which half of the model is
 *   built, `both` by default. One alone takes only its own memory, and what needs the other is refused
 *
 * @typedef {object} EmbedOptions
 * @property {AbortSignal | null} [signal]
 * @property {(progress: Progress) => void} [onProgress] the phases `texts` (texts encoded so far) and `image` (layers
 *   computed so far, of all pictures)
 *
 * @typedef {object} Similarity a row for each picture, in it a number for each text
 * @property {Float32Array[]} cosine from -1 to 1
 * @property {Float32Array[]} logits the cosines times the model's own scale: the reference's `logits_per_image`
 */

import { checkImages, checkOrder, checkTexts } from './arguments.js';
import { CALL, readOptions } from './options.js';
import { readImage, readImages } from './image-input.js';
import { inShares, inTurn } from './in-turn.js';
import { LOAD, LoadedModel } from './model.js';

/** Pictures that a GPU takes at once. */
export const TOGETHER = 32;

/**
 * A CLIP model: makes vectors of unit length out of pictures and texts; the more alike, the larger their product. Empty
 * lists give empty answers.
 *
 * @example
 * const embedder = await Embedder.load('ocelli');
 * const { cosine } = await embedder.similarity(['one.jpg', 'two.jpg'], ['a bat at night']);
 */
export class Embedder extends LoadedModel {
  /**
   * Downloads a model and builds it in a worker.
   *
   * @param {ModelSource} model a built-in model's name, `organisation/name` on the hub, the address of a folder with the
   *   model's files, or the address of each
   * @param {EmbedderOptions} [options]
   * @returns {Promise<Embedder>}
   * @throws {ModelError} what is wrong with the model's files: `config-invalid`, `weights-invalid`, `not-a-model` and the like
   * @throws {NetworkError} `network`, `http-status`, `not-found`
   * @throws {AbortError} `aborted`
   * @throws {WorkerError} `unsupported-browser`, `worker-failed`
   * @throws {OcelliError} `argument-invalid`
   */
  static async load(model, options = {}) {
    const { tower = 'both', ...rest } = readOptions(options, ['tower', ...LOAD]);
    return LoadedModel.open('embed', model, rest, (opened) => new Embedder(opened), { tower });
  }

  /**
   * One vector of unit length for each picture, in their order.
   *
   * @param {ImageInputs} images
   * @param {EmbedOptions} [options]
   * @returns {Promise<Float32Array[]>}
   * @throws {ImageError} `image-empty`, `image-unsupported`, `image-damaged`, `image-too-large`, `image-unreadable`
   * @throws {AbortError} `aborted`
   * @throws {WorkerError} `disposed`, `worker-failed`
   * @throws {OcelliError} `argument-invalid`
   */
  async embedImages(images, options = {}) {
    const copy = checkImages(images);
    if (copy.length < 2 || this.runtime.device !== 'webgpu') {
      return this.#each('embedImage', copy, {}, options);
    }
    const { signal, onProgress } = readOptions(options, CALL);
    return inShares(copy, TOGETHER, onProgress, async (share, tell) => {
      const { sources, transfer } = await readImages(share, { signal });
      return this.request('embedImages', { images: sources }, { signal, transfer, onProgress: tell });
    });
  }

  /**
   * A picture's pixels, decoded as they are for the model: to show what a browser does not, such as TIFF.
   *
   * @example
   * const { data, width, height } = await embedder.decodeImage(file, { longestEdge: 1024 });
   * context.putImageData(new ImageData(data, width, height), 0, 0);
   * @param {ImageInput} image
   * @param {{ longestEdge?: number, signal?: AbortSignal | null }} [options] `longestEdge`: pixels that the longer edge has at
   *   most; a larger picture is made smaller, as PIL's `Image.thumbnail` does
   * @returns {Promise<DecodedImage>}
   * @throws {ImageError} `image-empty`, `image-unsupported`, `image-damaged`, `image-too-large`, `image-unreadable`
   * @throws {AbortError} `aborted`
   * @throws {WorkerError} `disposed`, `worker-failed`
   * @throws {OcelliError} `argument-invalid`
   */
  async decodeImage(image, options = {}) {
    const { longestEdge, signal } = readOptions(options, ['longestEdge', 'signal']);
    const { source, transfer } = await readImage(image, { signal });
    return this.request('decodeImage', { image: source, longestEdge }, { signal, transfer });
  }

  /**
   * One vector of unit length for each text, in their order.
   *
   * @param {readonly string[]} texts
   * @param {EmbedOptions} [options]
   * @returns {Promise<Float32Array[]>}
   * @throws {LabelError} `labels-too-many`, `label-empty`, `label-too-long`
   * @throws {AbortError} `aborted`
   * @throws {WorkerError} `disposed`, `worker-failed`
   * @throws {OcelliError} `argument-invalid`
   */
  async embedTexts(texts, options = {}) {
    const copy = checkTexts(texts);
    const { signal, onProgress } = readOptions(options, CALL);
    if (copy.length === 0) return [];
    const all = await this.request('embedTexts', { texts: copy }, { signal, onProgress });
    const width = all.length / copy.length;
    return copy.map((_, index) => all.slice(index * width, (index + 1) * width));
  }

  /**
   * How alike each picture and each text are.
   *
   * @param {ImageInputs} images
   * @param {readonly string[]} texts
   * @param {EmbedOptions} [options]
   * @returns {Promise<Similarity>}
   * @throws {ImageError} `image-empty`, `image-unsupported`, `image-damaged`, `image-too-large`, `image-unreadable`
   * @throws {LabelError} `labels-too-many`, `label-empty`, `label-too-long`
   * @throws {AbortError} `aborted`
   * @throws {WorkerError} `disposed`, `worker-failed`
   * @throws {OcelliError} `argument-invalid`
   */
  async similarity(images, texts, options = {}) {
    checkOrder(images, texts, 'the texts in an array: similarity(images, texts)', { several: true });
    const copy = checkTexts(texts);
    if (copy.length === 0) {
      readOptions(options, CALL);
      const cosine = checkImages(images).map(() => new Float32Array());
      return { cosine, logits: cosine.map((row) => row.slice()) };
    }
    const rows = await this.#each('similarity', images, { texts: copy }, options);
    return { cosine: rows.map(({ cosine }) => cosine), logits: rows.map(({ logits }) => logits) };
  }

  /**
   * Encodes the terms that prompts are made of.
   *
   * @internal
   * @param {import('../shared/protocol.js').TermTexts} terms
   * @param {import('./model.js').RequestOptions} options
   * @returns {Promise<void>}
   */
  prepareTerms(terms, options) {
    return this.request('prepareTerms', { terms }, options);
  }

  /**
   * What a picture could have been made with: see `Interrogator`.
   *
   * @internal
   * @param {import('../shared/protocol.js').InterrogateArguments} given
   * @param {import('./model.js').RequestOptions} options
   * @returns {Promise<import('../shared/protocol.js').FoundPrompt>}
   */
  findPrompt(given, options) {
    return this.request('interrogate', given, options);
  }

  /**
   * Asks about one picture after the other.
   *
   * @template {'embedImage' | 'similarity'} V
   * @param {V} operation
   * @param {ImageInputs} images
   * @param {Omit<import('../shared/protocol.js').Operations[V]['params'], 'image'>} given
   * @param {EmbedOptions} options
   * @returns {Promise<import('../shared/protocol.js').Operations[V]['answer'][]>}
   */
  async #each(operation, images, given, options) {
    const copy = checkImages(images);
    const { signal, onProgress } = readOptions(options, CALL);
    return inTurn(copy, onProgress, async (image, tell) => {
      const { source, transfer } = await readImage(image, { signal });
      const one = /** @type {import('../shared/protocol.js').Operations[V]['params']} */ ({
        ...given,
        image: source,
      });
      return this.request(operation, one, { signal, transfer, onProgress: tell });
    });
  }
}
