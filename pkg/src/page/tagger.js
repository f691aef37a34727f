/**
 * Zero-shot tagging with CLIP.
 *
 * @typedef {import('./image-input.js').ImageInput} ImageInput
 * @typedef {import('./image-input.js').ImageInputs} ImageInputs
 * @typedef {import('../shared/protocol.js').Progress} Progress
 * @typedef {import('../shared/types.js').PatchMap} PatchMap
 * @typedef {import('./examples.js').Examples} Examples
 * @typedef {import('./inside.js').InsideOptions} InsideOptions
 * @typedef {import('./model.js').LoadOptions} LoadOptions
 * @typedef {import('./model.js').ModelSource} ModelSource
 *
 * @typedef {import('../shared/protocol.js').Calibration} Calibration
 *
 * @typedef {string | { readonly label: string, readonly hint?: string }} Label a label; `hint` is the sense that is meant
 *   where the word has several, as it follows the label in a sentence: "a photo of a bat, a type of animal."
 *
 * @typedef {object} PrepareOptions
 * @property {string | readonly string[]} [template] as for `tag`
 * @property {AbortSignal | null} [signal]
 * @property {(progress: Progress) => void} [onProgress] the phase `labels`
 *
 * @typedef {object} TagOptions
 * @property {string | readonly string[]} [template] the sentence around each label; `{}` stands for the label. Of several
 *   sentences (at most 100) the average is taken; see `templates`
 * @property {'softmax' | 'independent'} [scores] `softmax`, the default: one label is right, and all scores sum to 1.
 *   `independent`: any number of labels may be right, and each is compared with pictures of nothing in particular
 * @property {number} [threshold] the least score that is returned, from 0 to 1; 0 by default
 * @property {number} [topK] how many of the best tags to return; all by default
 * @property {boolean} [none] whether "none of these" is among the tags, with `null` as its label and -1 as its index
 * @property {Teacher} [teacher] what examples have taught of some of the labels: see `teach`
 * @property {number} [noneOffset] how much is to be added to what "none of these" is computed from; by default what the
 *   model's `config.json` has as `ocelli.none_offset`, or else 0
 * @property {AbortSignal | null} [signal]
 * @property {(progress: Progress) => void} [onProgress] the phases `labels`, where they were not
 *   known yet, and `image`
 */

/**
 * @typedef {object} TeachOptions
 * @property {readonly Label[]} [also] labels without examples, which are to be told from those with
 * @property {string | readonly string[]} [template] as for `tag`
 * @property {AbortSignal | null} [signal]
 * @property {(progress: Progress) => void} [onProgress] the phases `image` (layers computed so far, of all pictures),
 *   `labels` and `fits`
 */

/**
 * @template {string | null} [L=string]
 * @typedef {object} Tag
 * @property {L} label
 * @property {number} score its probability among the labels given, or for itself where scores are independent
 * @property {number} index its place among the labels given
 */

import { throwIfAborted } from '../shared/abort.js';
import { concatenated } from '../shared/vectors.js';
import { checkLabels, checkOrder, checkText, listOf } from './arguments.js';
import { AskedLabels } from './asked-labels.js';
import { CALL, readOptions } from './options.js';
import {
  embeddingsOf,
  isEmbedding,
  readExamples,
  refuseContradictions,
  refuseRepetitions,
} from './examples.js';
import { readImage } from './image-input.js';
import { inTurn } from './in-turn.js';
import { templates } from './templates.js';
import { Embedder } from './embedder.js';
import { readInside } from './inside.js';
import { parseKnownLabels } from './known-labels.js';
import { LoadedModel } from './model.js';
import { Teacher } from './teacher.js';

const TAG = ['template', 'scores', 'threshold', 'topK', 'none', 'noneOffset', 'teacher', ...CALL];

/**
 * A CLIP model: says how well each of your labels fits a picture.
 *
 * @example
 * const tagger = await Tagger.load('ocelli');
 * const [best] = await tagger.tag('cat.jpg', ['cat', 'dog', 'bicycle']);
 */
export class Tagger extends Embedder {
  #labels = new AskedLabels();

  /**
   * Downloads a model and builds it in a worker.
   *
   * @param {ModelSource} model a built-in model's name, `organisation/name` on the hub, the address of a folder with the
   *   model's files, or the address of each
   * @param {LoadOptions} [options]
   * @returns {Promise<Tagger>}
   * @throws {ModelError} what is wrong with the model's files: `config-invalid`, `weights-invalid`, `not-a-model` and the like
   * @throws {NetworkError} `network`, `http-status`, `not-found`
   * @throws {AbortError} `aborted`
   * @throws {WorkerError} `unsupported-browser`, `worker-failed`
   * @throws {OcelliError} `argument-invalid`
   */
  static async load(model, options = {}) {
    return LoadedModel.open('tag', model, options, (opened) => new Tagger(opened));
  }

  /**
   * How the model's scores are to be read: a best tag with a score below `sureThreshold` is more of a guess than an
   * answer.
   *
   * @returns {Readonly<Calibration>}
   */
  get calibration() {
    return this.info.calibration ?? { temperature: 1, sureThreshold: null, noneOffset: 0 };
  }

  /**
   * The labels of the package's vocabulary that the model can know, where it has a list of them (`labels.json` in its
   * folder); null for every other model. See `vocabulary.labelsFor`.
   *
   * @param {{ signal?: AbortSignal | null }} [options]
   * @returns {Promise<string[] | null>}
   * @throws {import('../shared/errors.js').ModelError} `config-invalid`: the list is none
   * @throws {import('../shared/errors.js').AbortError} `aborted`
   */
  async knownLabels(options = {}) {
    const { signal } = readOptions(options, ['signal']);
    const { knownLabels } = this.info;
    throwIfAborted(signal);
    return knownLabels && parseKnownLabels(knownLabels);
  }

  /**
   * Encodes labels before the first picture comes, which then need not wait for them.
   *
   * @param {readonly Label[]} labels
   * @param {PrepareOptions} [options]
   * @returns {Promise<void>}
   * @throws {LabelError} `labels-empty`, `labels-too-many`, `label-empty`, `label-too-long`, `template-invalid`
   * @throws {AbortError} `aborted`
   * @throws {WorkerError} `disposed`, `worker-failed`
   * @throws {OcelliError} `argument-invalid`
   */
  async prepare(labels, options = {}) {
    const read = readOptions(options, ['template', ...CALL]);
    const { template = templates.simple, signal, onProgress } = read;
    const given = { labels: this.#labels.read(labels).text, templates: [template].flat() };
    await this.request('prepare', given, { signal, onProgress });
  }

  // Several pictures come before one: without a browser's types, as in Node, everything is an `ImageInput`.
  /**
   * Of each of several pictures, in their order, the labels, best first, each with its score.
   *
   * @overload
   * @param {ImageInputs | readonly Float32Array[]} images pictures, or their embeddings
   * @param {readonly Label[]} labels
   * @param {TagOptions & { none?: false }} [options] with `onProgress`, the phase `image` counts the layers of all pictures
   * @returns {Promise<Tag[][]>}
   */
  /**
   * Of each of several pictures, in their order, the labels and "none of these".
   *
   * @overload
   * @param {ImageInputs | readonly Float32Array[]} images pictures, or their embeddings
   * @param {readonly Label[]} labels
   * @param {TagOptions} options
   * @returns {Promise<Tag<string | null>[][]>}
   */
  /**
   * The labels, best first, each with its score.
   *
   * @overload
   * @param {ImageInput | Float32Array} image a picture, or its embedding
   * @param {readonly Label[]} labels
   * @param {TagOptions & { none?: false }} [options]
   * @returns {Promise<Tag[]>}
   */
  /**
   * The labels and "none of these", best first, each with its score.
   *
   * @overload
   * @param {ImageInput | Float32Array} image a picture, or its embedding
   * @param {readonly Label[]} labels
   * @param {TagOptions} options
   * @returns {Promise<Tag<string | null>[]>}
   */
  /**
   * @param {ImageInput | ImageInputs | Float32Array | readonly Float32Array[]} image a picture, or its embedding, as `embedImages` of the
   *   same model gives it: then it is answered at once
   * @param {readonly Label[]} labels
   * @param {TagOptions} [options]
   * @returns {Promise<any>}
   * @throws {ImageError} `image-empty`, `image-unsupported`, `image-damaged`, `image-too-large`, `image-unreadable`
   * @throws {LabelError} `labels-empty`, `labels-too-many`, `label-empty`, `label-too-long`, `template-invalid`
   * @throws {AbortError} `aborted`
   * @throws {WorkerError} `disposed`, `worker-failed`
   * @throws {OcelliError} `argument-invalid`
   */
  async tag(image, labels, options = {}) {
    const read = readOptions(options, TAG);
    checkOrder(image, labels, 'the labels in an array: tag(image, labels)', { several: true });
    const several = listOf(image);
    if (several === null) return this.#tagOne(/** @type {ImageInput | Float32Array} */ (image), labels, read);
    if (several.length > 0 && several.every(isEmbedding)) return this.#tagEmbeddings(several, labels, read);
    return inTurn(several, read.onProgress, (one, onProgress) =>
      this.#tagOne(one, labels, { ...read, onProgress }),
    );
  }

  /**
   * @param {ImageInput | Float32Array} image
   * @param {readonly Label[]} labels
   * @param {TagOptions} read checked
   * @returns {Promise<Tag<any>[]>}
   */
  async #tagOne(image, labels, read) {
    if (isEmbedding(image)) return (await this.#tagEmbeddings([image], labels, read))[0] ?? [];
    const { signal, onProgress } = read;
    const { copy, asked } = askedFor(this.#labels.read(labels), read);
    const { source, transfer } = await readImage(image, { signal });
    const found = await this.request('tag', { image: source, ...asked }, { signal, transfer, onProgress });
    return ranked(found, copy, read);
  }

  /**
   * @param {readonly Float32Array[]} embeddings
   * @param {readonly Label[]} labels
   * @param {TagOptions} read checked
   * @returns {Promise<Tag<any>[][]>}
   */
  async #tagEmbeddings(embeddings, labels, read) {
    const { signal, onProgress } = read;
    const { copy, asked } = askedFor(this.#labels.read(labels), read);
    const given = { embeddings: embeddings.map((one) => one.slice()), ...asked };
    const found = await this.request('tagEmbeddings', given, { signal, onProgress });
    return found.map((one) => ranked(one, copy, read));
  }

  /**
   * Teaches labels by a few pictures of each, without changing the model: softmax regression on the pictures' embeddings,
   * beside what the model knows of the labels by their words. How far the examples count is chosen by cross-validation
   * among them; where they tell nothing better, nothing changes. One picture a label is a beginning, 4 to 16 are good.
   *
   * @param {Examples} examples pictures of each label, such as `{ 'my cat': [one, two], 'another cat': [three] }`; a `Map`
   *   where labels have hints. A label alone is told from "none of these"
   * @param {TeachOptions} [options]
   * @returns {Promise<Teacher>}
   * @throws {ImageError} `image-empty`, `image-unsupported`, `image-damaged`, `image-too-large`, `image-unreadable`
   * @throws {LabelError} `labels-empty`, `labels-too-many`, `label-empty`, `label-too-long`, `template-invalid`
   * @throws {AbortError} `aborted`
   * @throws {WorkerError} `disposed`, `worker-failed`
   * @throws {OcelliError} `argument-invalid`: also where one picture is an example of two labels
   */
  async teach(examples, options = {}) {
    const read = readOptions(options, ['also', 'template', ...CALL]);
    const { also = [], template = templates.simple, signal, onProgress } = read;
    const { labels: taught, examples: all, places } = readExamples(examples);
    const labels = checkLabels([...taught, ...also]);
    refuseRepetitions(labels);
    await this.prepare(labels, { template, signal });
    const embeddings = await embeddingsOf(all, (images) => this.embedImages(images, { signal, onProgress }));
    refuseContradictions(embeddings, places, labels);
    const sentences = [template].flat();
    const given = {
      labels,
      templates: sentences,
      embeddings: concatenated(embeddings),
      places: Uint32Array.from(places),
    };
    const found = await this.request('teach', given, { signal, onProgress });
    const counts = labels.map((_, place) => places.filter((one) => one === place).length);
    return new Teacher(this, { labels, templates: sentences, examples: counts, ...found });
  }

  /**
   * Which parts of the picture its embedding is made of, whatever it is tagged with: attention rollout (Abnar and Zuidema
   * 2020). Convolutional towers, as the built-in model's, have no attention and refuse.
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

  /**
   * Which parts of the picture make it fit a text, which is taken as it is, in no template: for the logit of picture and
   * text the relevance of Chefer, Gur and Wolf (2021) in transformers, Grad-CAM (Selvaraju et al. 2017) in convolutional
   * towers.
   *
   * @param {ImageInput} image
   * @param {string} text
   * @param {InsideOptions} [options]
   * @returns {Promise<PatchMap>}
   * @throws {ImageError} `image-empty`, `image-unsupported`, `image-damaged`, `image-too-large`, `image-unreadable`
   * @throws {LabelError} `label-empty`, `label-too-long`
   * @throws {AbortError} `aborted`
   * @throws {WorkerError} `disposed`, `worker-failed`
   * @throws {OcelliError} `argument-invalid`
   */
  async explain(image, text, options = {}) {
    checkOrder(image, text, 'the text: explain(image, text)');
    checkText(text);
    const { source, asked } = await readInside(image, options);
    return this.request('explain', { image: source, text }, asked);
  }
}

/**
 * What is asked of the worker about every picture, and a copy of the labels.
 *
 * @param {import('./asked-labels.js').ReadLabels} read
 * @param {TagOptions} options checked
 */
function askedFor(
  { labels: copy, text },
  { template, scores = 'softmax', none = false, teacher, noneOffset },
) {
  const sentences = [template ?? teacher?.templates ?? templates.simple].flat();
  const taught = teacher?.rowsFor(copy);
  const asked = { labels: text, templates: sentences, scores, none, noneOffset, taught };
  return { copy, asked };
}

/**
 * Labels with their scores, best first.
 *
 * @param {import('../shared/protocol.js').TagAnswer} found
 * @param {readonly Label[]} labels
 * @param {TagOptions} read checked
 * @returns {Tag<string | null>[]}
 */
function ranked(found, labels, { threshold = 0, topK }) {
  /** @type {Tag<string | null>[]} */
  const tags = [];
  labels.forEach((label, index) => {
    const score = found.labels[index] ?? 0;
    // Of thousands of pictures and labels, most are not worth an object.
    if (score >= threshold) {
      tags.push({ label: typeof label === 'string' ? label : label.label, score, index });
    }
  });
  if (found.none !== null && found.none >= threshold) {
    tags.push({ label: null, score: found.none, index: -1 });
  }
  return tags.sort((a, b) => b.score - a.score || a.index - b.index).slice(0, topK);
}
