/**
 * The tasks of transformers.js that ocelli has models for: what each loads, and what it makes of a call.
 *
 * @typedef {import('../../page/image-input.js').ImageInput} ImageInput
 * @typedef {import('../../page/model.js').LoadOptions} LoadOptions
 * @typedef {import('../../page/model.js').ModelSource} ModelSource
 * @typedef {import('../../page/model.js').LoadedModel} LoadedModel
 * @typedef {import('../../shared/protocol.js').Features} Features
 *
 * @typedef {object} LabelScore
 * @property {string} label
 * @property {number} score its probability
 *
 * @typedef {object} GeneratedText
 * @property {string} generated_text
 *
 * @typedef {object} TaskRow
 * @property {string} model what is taken where no model is named
 * @property {(model: ModelSource, options: LoadOptions) => Promise<LoadedModel>} load
 * @property {(model: any, given: any[]) => Promise<unknown>} run answers a call with these arguments
 */

import { wrong } from '../../page/arguments.js';
import { Captioner } from '../../page/captioner.js';
import { Classifier } from '../../page/classifier.js';
import { FeatureExtractor } from '../../page/features.js';
import { inTurn } from '../../page/in-turn.js';
import { Tagger } from '../../page/tagger.js';
import { readGeneration } from './generation.js';
import { readImages } from './images.js';
import { COUNT, FLAG, oneOf, PASSED, readNamed, TEXT } from './options.js';
import { normalised, quantised, Tensor } from './tensor.js';

/** The built-in model. */
const BUILT_IN = 'ocelli';
/** What transformers.js writes labels into. */
const HYPOTHESIS = 'This is a photo of {}';
/** How many classes transformers.js gives. */
const TOP_CLASSES = 5;

/** Of a model with one vector for a text. @type {import('./options.js').NamedOption} */
const POOLING = {
  valid: (value) => value === 'none',
  must: 'be "none": a text has one vector here, pooled at its end token as the model was trained',
};

const ZERO_SHOT = { hypothesis_template: TEXT, signal: PASSED };
const CLASSES = { top_k: COUNT, signal: PASSED };
const IMAGE_FEATURES = { pool: FLAG, signal: PASSED };
const TEXT_FEATURES = {
  pooling: POOLING,
  normalize: FLAG,
  quantize: FLAG,
  precision: oneOf(['binary', 'ubinary']),
  signal: PASSED,
};

/** @type {Readonly<Record<string, TaskRow>>} */
export const TASKS = {
  'zero-shot-image-classification': {
    model: BUILT_IN,
    load: (model, options) => Tagger.load(model, options),
    async run(/** @type {Tagger} */ tagger, [given, labels, options = {}]) {
      const { hypothesis_template: template = HYPOTHESIS, signal } = readNamed(options, ZERO_SHOT);
      const { images, several } = readImages(given);
      const answers = await tagger.tag(images, labels, { template, signal });
      return batch(answers.map(withoutPlaces), several);
    },
  },
  'image-classification': {
    model: 'google/vit-base-patch16-224',
    load: (model, options) => Classifier.load(model, options),
    async run(/** @type {Classifier} */ classifier, [given, options = {}]) {
      const { top_k: topK, signal } = readNamed(options, CLASSES);
      // `null` is for all of them, and not as good as nothing.
      const most = options.top_k === null ? undefined : (topK ?? TOP_CLASSES);
      const { images, several } = readImages(given);
      const answers = await inTurn(images, undefined, (image) =>
        classifier.classify(image, { topK: most, signal }),
      );
      return batch(answers.map(withoutPlaces), several);
    },
  },
  'image-feature-extraction': {
    model: BUILT_IN,
    load: (model, options) => FeatureExtractor.load(model, { ...options, tower: 'image' }),
    async run(/** @type {FeatureExtractor} */ extractor, [given, options = {}]) {
      const { pool = false, signal } = readNamed(options, IMAGE_FEATURES);
      const { images } = readImages(given);
      if (images.length === 0) throw wrong('There are no pictures: give at least one.');
      return stacked(await extractor.imageFeatures(images, { pool, signal }));
    },
  },
  'image-to-text': {
    model: BUILT_IN,
    load: (model, options) => Captioner.load(model, options),
    async run(/** @type {Captioner} */ captioner, [given, options = {}]) {
      const read = readGeneration(options);
      const { images, several } = readImages(given);
      const answers = await inTurn(images, undefined, async (image) =>
        (await captioner.captions(image, read)).map(({ caption }) => ({ generated_text: caption.trim() })),
      );
      return batch(answers, several);
    },
  },
  'feature-extraction': {
    model: BUILT_IN,
    load: (model, options) => FeatureExtractor.load(model, { ...options, tower: 'text' }),
    async run(/** @type {FeatureExtractor} */ extractor, [given, options = {}]) {
      const { normalize, quantize, precision = 'binary', signal } = readNamed(options, TEXT_FEATURES);
      const texts = typeof given === 'string' ? [given] : given;
      const { data, dims } = await extractor.textFeatures(texts, { signal });
      const features = new Tensor('float32', data, dims);
      const scaled = normalize ? normalised(features) : features;
      return quantize ? quantised(scaled, precision) : scaled;
    },
  },
};

/** Other names of tasks. @type {Readonly<Record<string, string>>} */
export const TASK_ALIASES = { embeddings: 'feature-extraction' };

/** @template A @param {A[]} answers @param {boolean} several @returns {A[] | A | undefined} */
function batch(answers, several) {
  return several ? answers : answers[0];
}

/** @param {readonly LabelScore[]} answers @returns {LabelScore[]} */
function withoutPlaces(answers) {
  return answers.map(({ label, score }) => ({ label, score }));
}

/**
 * Features of several pictures as one tensor; all pictures have as many.
 *
 * @param {readonly Features[]} features at least one
 * @returns {Tensor}
 */
function stacked(features) {
  const [first] = features;
  const {
    data: { length },
    dims,
  } = /** @type {Features} */ (first);
  const all = new Float32Array(features.length * length);
  features.forEach(({ data }, index) => all.set(data, index * length));
  return new Tensor('float32', all, [features.length, ...dims]);
}
