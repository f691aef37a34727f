/**
 * What a model gives of pictures and texts before anything is scaled: what other libraries call features.
 *
 * @typedef {import('../shared/protocol.js').Features} Features
 * @typedef {import('./embedder.js').EmbedderOptions} EmbedderOptions
 * @typedef {import('./embedder.js').EmbedOptions} EmbedOptions
 * @typedef {import('./image-input.js').ImageInput} ImageInput
 * @typedef {import('./model.js').ModelSource} ModelSource
 */

import { checkTexts } from './arguments.js';
import { readImage } from './image-input.js';
import { inTurn } from './in-turn.js';
import { LoadedModel } from './model.js';

/** A model that an `Embedder` can be made of, or one of its towers. */
export class FeatureExtractor extends LoadedModel {
  /**
   * @param {ModelSource} model
   * @param {EmbedderOptions} options
   * @returns {Promise<FeatureExtractor>}
   */
  static async load(model, { tower = 'both', ...options }) {
    return LoadedModel.open('embed', model, options, (opened) => new FeatureExtractor(opened), { tower });
  }

  /**
   * The features of each picture, in their order.
   *
   * @param {readonly ImageInput[]} images
   * @param {EmbedOptions & { pool: boolean }} options `pool`: one vector, also of a model that gives one for each token
   * @returns {Promise<Features[]>}
   */
  async imageFeatures(images, { pool, signal, onProgress }) {
    return inTurn(images, onProgress, async (image, tell) => {
      const { source, transfer } = await readImage(image, { signal });
      return this.request('imageFeatures', { image: source, pool }, { signal, transfer, onProgress: tell });
    });
  }

  /**
   * The features of texts, a row for each, in their order.
   *
   * @param {readonly string[]} texts
   * @param {EmbedOptions} options
   * @returns {Promise<Features>}
   */
  async textFeatures(texts, { signal, onProgress }) {
    return this.request('textFeatures', { texts: checkTexts(texts) }, { signal, onProgress });
  }
}
