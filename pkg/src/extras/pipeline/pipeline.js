/**
 * The function `pipeline` of transformers.js over ocelli's models: a page moves over by changing one import.
 *
 * @typedef {import('./env.js').PipelineEnv} PipelineEnv
 * @typedef {import('./generation.js').GenerationOptions} GenerationOptions
 * @typedef {import('./images.js').PipelineImage} PipelineImage
 * @typedef {import('./images.js').PipelineImages} PipelineImages
 * @typedef {import('./images.js').RawImageLike} RawImageLike
 * @typedef {import('./load-options.js').DataType} DataType
 * @typedef {import('./load-options.js').Device} Device
 * @typedef {import('./load-options.js').PipelineOptions} PipelineOptions
 * @typedef {import('./progress.js').ProgressInfo} ProgressInfo
 * @typedef {import('./tasks.js').GeneratedText} GeneratedText
 * @typedef {import('./tasks.js').LabelScore} LabelScore
 * @typedef {import('./tensor.js').Tensor} FloatTensor
 * @typedef {import('./tensor.js').Tensor<'int8'> | import('./tensor.js').Tensor<'uint8'>} ByteTensor
 * @typedef {import('../../page/model.js').ModelSource} ModelSource
 *
 * @typedef {object} ZeroShotOptions
 * @property {string} [hypothesis_template] the sentence around each label; `{}`, which comes once, stands for the label.
 *   "This is a photo of {}" by default
 * @property {AbortSignal | null} [signal] of ocelli
 *
 * @typedef {object} ClassificationOptions
 * @property {number | null} [top_k] how many classes; 5 by default, null for all
 * @property {AbortSignal | null} [signal] of ocelli
 *
 * @typedef {object} ImageFeatureOptions
 * @property {boolean | null} [pool] whether SigLIP and DINOv2 give what they pool of a picture, one vector, and not the states
 *   of its tokens
 * @property {AbortSignal | null} [signal] of ocelli
 *
 * @typedef {object} FeatureOptions
 * @property {'none'} [pooling] a text has one vector here
 * @property {boolean} [normalize] whether vectors have length 1; false by default
 * @property {boolean} [quantize] whether signs are given, as bits
 * @property {'binary' | 'ubinary'} [precision] as bytes with a sign or without
 * @property {AbortSignal | null} [signal] of ocelli
 *
 * @typedef {object} PipelineMembers
 * @property {PipelineTask} task
 * @property {() => Promise<void>} dispose gives the model up: what is called then rejects with the code `disposed`
 */

/**
 * @template T
 * @template A
 * @typedef {T extends PipelineImages ? A[] : A} OfEach an answer, or of several pictures an array of them
 */

/**
 * @typedef {PipelineMembers & (<T extends PipelineImage | PipelineImages>(images: T, candidate_labels: readonly string[],
 *   options?: ZeroShotOptions) => Promise<OfEach<T, LabelScore[]>>)} ZeroShotImageClassificationPipeline The labels, best first.
 * @typedef {PipelineMembers & (<T extends PipelineImage | PipelineImages>(images: T, options?: ClassificationOptions)
 *   => Promise<OfEach<T, LabelScore[]>>)} ImageClassificationPipeline The classes, best first.
 * @typedef {PipelineMembers & ((images: PipelineImage | PipelineImages, options?: ImageFeatureOptions) => Promise<FloatTensor>)}
 *   ImageFeatureExtractionPipeline `(pictures, width)`, or of tokens' states `(pictures, tokens, width)`.
 * @typedef {PipelineMembers & (<T extends PipelineImage | PipelineImages>(images: T, options?: GenerationOptions)
 *   => Promise<OfEach<T, GeneratedText[]>>)} ImageToTextPipeline One caption, or as many as `num_return_sequences` says.
 * @typedef {PipelineMembers & (<O extends FeatureOptions>(texts: string | readonly string[], options?: O)
 *   => Promise<O extends { quantize: true } ? ByteTensor : FloatTensor>)} FeatureExtractionPipeline `(texts, width)`.
 *
 * @typedef {object} Pipelines The pipelines by their tasks.
 * @property {ZeroShotImageClassificationPipeline} zero-shot-image-classification
 * @property {ImageClassificationPipeline} image-classification
 * @property {ImageFeatureExtractionPipeline} image-feature-extraction
 * @property {ImageToTextPipeline} image-to-text
 * @property {FeatureExtractionPipeline} feature-extraction
 * @property {FeatureExtractionPipeline} embeddings
 *
 * @typedef {Exclude<keyof Pipelines, 'embeddings'>} PipelineTask
 */

import { checkModel, wrong } from '../../page/arguments.js';
import { idOf } from '../../page/hub.js';
import { nearest } from '../../shared/nearest.js';
import { env } from './env.js';
import { readLoadOptions } from './load-options.js';
import { loadFirst, placesOf } from './places.js';
import { LoadProgress } from './progress.js';
import { TASK_ALIASES, TASKS } from './tasks.js';

/** From this level on, `env.logLevel` leaves warnings out. */
const ERRORS_ONLY = 40;

/**
 * Loads a model for a task.
 *
 * @template {keyof Pipelines} T
 * @param {T} task
 * @param {ModelSource | null} [model] its name on the hub, the name of the built-in one, or the address of its folder; by default
 *   the built-in model, `ocelli`, or for classes `google/vit-base-patch16-224`: the console says which
 * @param {PipelineOptions} [options]
 * @returns {Promise<Pipelines[T]>}
 * @throws {ModelError} what is wrong with the model's files: `config-invalid`, `weights-invalid`, `not-a-model` and the like
 * @throws {NetworkError} `network`, `http-status`, `not-found`
 * @throws {AbortError} `aborted`
 * @throws {WorkerError} `unsupported-browser`, `worker-failed`
 * @throws {OcelliError} `argument-invalid`: also for a task without models here, and for an option that would change answers and
 *   is not heeded
 * @example
 * const classify = await pipeline('zero-shot-image-classification', 'openai/clip-vit-base-patch32');
 * const [best] = await classify('cat.jpg', ['cat', 'dog', 'bicycle']);
 */
export async function pipeline(task, model = null, options = {}) {
  const name = taskOf(task);
  const row = /** @type {import('./tasks.js').TaskRow} */ (TASKS[name]);
  const { load, tell, localOnly, revision } = readLoadOptions(options);
  const source = model ?? row.model;
  checkModel(source);
  const shown = idOf(source);
  if (model === null) sayDefault(name, shown);
  const loaded = await loadFirst(placesOf(source, { localOnly, revision }), (place) => {
    const progress = tell && new LoadProgress(shown, tell);
    const { model: there, ...hub } = place;
    return row.load(there, { ...hub, ...load(source), ...(progress && { onProgress: progress.report }) });
  });
  tell?.({ status: 'ready', task: name, model: shown });
  const call = async (/** @type {any[]} */ ...given) => row.run(loaded, given);
  const dispose = async () => loaded.dispose();
  return /** @type {any} */ (Object.assign(call, { task: name, dispose }));
}

/** @param {unknown} task @returns {PipelineTask} */
function taskOf(task) {
  const given = String(task);
  const name = Object.hasOwn(TASK_ALIASES, given) ? TASK_ALIASES[given] : given;
  if (name !== undefined && Object.hasOwn(TASKS, name)) return /** @type {PipelineTask} */ (name);
  const names = Object.keys(TASKS);
  const meant = nearest(given, names);
  const rest = meant ? `; did you mean ${meant}?` : `; there are ${names.join(', ')}.`;
  throw wrong(`There is no task "${given}" here${rest}`);
}

/** @param {string} task @param {string} model */
function sayDefault(task, model) {
  if (env.logLevel >= ERRORS_ONLY) return;
  // As transformers.js does, which has no other way to say it.
  // eslint-disable-next-line no-console
  console.warn(`No model was given for ${task}: this is "${model}".`);
}
