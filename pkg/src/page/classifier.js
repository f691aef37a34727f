/**
 * Classification with ViT.
 *
 * @typedef {import('./image-input.js').ImageInput} ImageInput
 * @typedef {import('../shared/protocol.js').Progress} Progress
 * @typedef {import('../shared/types.js').Classification} Classification
 * @typedef {import('../shared/types.js').PatchMap} PatchMap
 * @typedef {import('./inside.js').InsideOptions} InsideOptions
 * @typedef {import('./model.js').LoadOptions} LoadOptions
 * @typedef {import('./model.js').ModelSource} ModelSource
 *
 * @typedef {object} ClassifyOptions
 * @property {number} [topK] how many of the best classes to return; all by default
 * @property {number} [threshold] the least score that is returned, from 0 to 1; 0 by default
 * @property {Record<string, number>} [thresholds] the same for kinds of tags: `{ general: 0.35, character: 0.75 }`
 * @property {AbortSignal | null} [signal]
 * @property {(progress: Progress) => void} [onProgress] the phase `image`: layers computed so far
 */

import { CALL, readOptions } from './options.js';
import { readImage } from './image-input.js';
import { readInside } from './inside.js';
import { LoadedModel } from './model.js';

/**
 * A ViT model: says which of its own classes a picture is of, or, where several can be true at once, which are.
 *
 * @example
 * const classifier = await Classifier.load('google/vit-base-patch16-224');
 * const classes = await classifier.classify('cat.jpg', { topK: 3 });
 */
export class Classifier extends LoadedModel {
  /**
   * Downloads a model and builds it in a worker.
   *
   * @param {ModelSource} model a built-in model's name, `organisation/name` on the hub, the address of a folder with the
   *   model's files, or the address of each
   * @param {LoadOptions} [options]
   * @returns {Promise<Classifier>}
   * @throws {ModelError} what is wrong with the model's files: `config-invalid`, `weights-invalid`, `not-a-model` and the like
   * @throws {NetworkError} `network`, `http-status`, `not-found`
   * @throws {AbortError} `aborted`
   * @throws {WorkerError} `unsupported-browser`, `worker-failed`
   * @throws {OcelliError} `argument-invalid`
   */
  static async load(model, options = {}) {
    return LoadedModel.open('classify', model, options, (opened) => new Classifier(opened));
  }

  /**
   * The classes, best first, each with its probability. They sum to 1, except where the model was trained for classes
   * of which several can be true.
   *
   * @param {ImageInput} image
   * @param {ClassifyOptions} [options]
   * @returns {Promise<Classification[]>}
   * @throws {ImageError} `image-empty`, `image-unsupported`, `image-damaged`, `image-too-large`, `image-unreadable`
   * @throws {AbortError} `aborted`
   * @throws {WorkerError} `disposed`, `worker-failed`
   * @throws {OcelliError} `argument-invalid`
   */
  async classify(image, options = {}) {
    const read = readOptions(options, ['topK', 'threshold', 'thresholds', ...CALL]);
    const { topK, threshold, thresholds, signal, onProgress } = read;
    const { source, transfer } = await readImage(image, { signal });
    return this.request(
      'classify',
      { image: source, topK, threshold, thresholds },
      { signal, transfer, onProgress },
    );
  }

  /**
   * Which parts of the picture the answer is made of: attention rollout (Abnar and Zuidema 2020).
   *
   * @param {ImageInput} image
   * @param {InsideOptions} [options]
   * @returns {Promise<PatchMap>}
   * @throws {ImageError} `image-empty`, `image-unsupported`, `image-damaged`, `image-too-large`, `image-unreadable`
   * @throws {AbortError} `aborted`
   * @throws {WorkerError} `disposed`, `worker-failed`
   * @throws {OcelliError} `argument-invalid`
   */
  async rollout(image, options = {}) {
    const { source, asked } = await readInside(image, options);
    return this.request('rollout', { image: source }, asked);
  }
}
