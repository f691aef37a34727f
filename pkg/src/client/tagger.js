/**
 * Zero-shot tagging with CLIP.
 *
 * @typedef {import('../image-input.js').ImageInput} ImageInput
 * @typedef {import('../protocol.js').ProgressEvent} ProgressEvent
 * @typedef {import('../verbs/inside.js').PatchMap} PatchMap
 * @typedef {import('./inside.js').InsideOptions} InsideOptions
 * @typedef {import('./model.js').LoadOptions} LoadOptions
 *
 * @typedef {object} TagOptions
 * @property {string} [template] the sentence around each label; `{}` stands for the label
 * @property {number} [topK] how many of the best tags to return; all by default
 * @property {AbortSignal | null} [signal]
 * @property {(event: ProgressEvent) => void} [onProgress] the phases `labels`, where they were not
 *   known yet, and `image`
 *
 * @typedef {object} Tag
 * @property {string} label
 * @property {number} score its probability among the labels given
 * @property {number} index its place among the labels given
 */

import {
  checkCount,
  checkFunction,
  checkLabels,
  checkOptions,
  checkSignal,
  checkString,
  checkText,
} from '../arguments.js';
import { readImage } from '../image-input.js';
import { readInside } from './inside.js';
import { LoadedModel, openModel } from './model.js';

const DEFAULT_TEMPLATE = 'a photo of a {}.';

/** A CLIP model: says how well each of your labels fits a picture. */
export class Tagger extends LoadedModel {
  /**
   * Downloads a model and builds it in a worker.
   *
   * @param {string | URL} model `organisation/name` on the hub, a built-in model's name, or the address of a
   *   folder with the model's files
   * @param {LoadOptions} [options]
   * @returns {Promise<Tagger>}
   */
  static async load(model, options = {}) {
    return new Tagger(await openModel('tag', model, options));
  }

  /**
   * The labels, best first, each with its probability among them.
   *
   * @param {ImageInput} image
   * @param {readonly string[]} labels
   * @param {TagOptions} [options]
   * @returns {Promise<Tag[]>}
   */
  async tag(image, labels, options = {}) {
    checkOptions(options);
    const { template = DEFAULT_TEMPLATE, topK, signal, onProgress } = options;
    const copy = checkLabels(labels);
    checkString(template, 'template');
    checkCount(topK, 'topK');
    checkSignal(signal);
    checkFunction(onProgress, 'onProgress');
    const { source, transfer } = await readImage(image, { signal });
    const given = { image: source, labels: copy, template };
    const scores = await this.ask('tag', given, { signal, transfer, onProgress });
    return copy
      .map((label, index) => ({ label, score: scores[index], index }))
      .sort((a, b) => b.score - a.score || a.index - b.index)
      .slice(0, topK);
  }

  /**
   * Which parts of the picture its embedding is made of, whatever it is tagged with: attention rollout (Abnar and Zuidema
   * 2020).
   *
   * @param {ImageInput} image
   * @param {InsideOptions} [options]
   * @returns {Promise<PatchMap>}
   */
  async rollout(image, options = {}) {
    const { source, asked } = await readInside(image, options);
    return this.ask('rollout', { image: source }, asked);
  }

  /**
   * Which parts of the picture make it fit a text, which is taken as it is, in no template: the relevance of Chefer, Gur
   * and Wolf (2021), for the logit of picture and text.
   *
   * @param {ImageInput} image
   * @param {string} text
   * @param {InsideOptions} [options]
   * @returns {Promise<PatchMap>}
   */
  async explain(image, text, options = {}) {
    checkText(text);
    const { source, asked } = await readInside(image, options);
    return this.ask('explain', { image: source, text }, asked);
  }
}
