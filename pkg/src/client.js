/**
 * The classes that users call: asynchronous, each owning a model in a worker of its own, so that `dispose`
 * really frees memory (wasm memory never shrinks).
 *
 * @typedef {import('./connection.js').WorkerLike} WorkerLike
 * @typedef {import('./image-input.js').ImageInput} ImageInput
 * @typedef {import('./protocol.js').ProgressEvent} ProgressEvent
 * @typedef {import('./protocol.js').Step} Step
 * @typedef {import('./protocol.js').Task} Task
 *
 * @typedef {object} LoadOptions
 * @property {string | URL} [base] where the model hub is; the public one by default
 * @property {string} [revision] the hub revision of all files; each model's own by default
 * @property {string} [weights] the name of the weights' file: safetensors, GGUF or a PyTorch file. By default
 *   `model.safetensors`, and where there is none, `pytorch_model.bin` or `model.gguf`
 * @property {'int8' | 'f16' | 'f32'} [dtype] how the matrices are stored in memory, whatever the file has: `int8` (the
 *   default) takes a quarter of `f32` and is the fastest; `f32` is exact
 * @property {'auto' | number} [threads] how many threads compute. `auto`, the default, takes one for each core, at
 *   most 8, where the page is cross-origin isolated; elsewhere there is one
 * @property {import('./runtime.js').VariantName} [variant] for tests and reports of faults: the build of the wasm that
 *   runs
 * @property {boolean} [keep] whether the model is kept in this browser between visits, ready to run: the next load
 *   needs no network. By default models of the hub are, and folders are not: what is at their address may change
 * @property {AbortSignal | null} [signal]
 * @property {(event: ProgressEvent) => void} [onProgress] also told when the model is loaded again, after its
 *   worker failed
 * @property {() => WorkerLike} [worker] makes the worker, where the package's own way does not suit
 *
 * @typedef {object} TagOptions
 * @property {string} [template] the sentence around each label; `{}` stands for the label
 * @property {number} [topK] how many of the best tags to return; all by default
 * @property {AbortSignal | null} [signal]
 * @property {(event: ProgressEvent) => void} [onProgress] labels encoded so far, where they were not known yet
 *
 * @typedef {object} Tag
 * @property {string} label
 * @property {number} score its probability among the labels given
 * @property {number} index its place among the labels given
 *
 * @typedef {object} StreamOptions
 * @property {string} [prompt] the caption's beginning
 * @property {number} [maxTokens] where to stop at the latest; 30 by default, or fewer where the model has no room
 * @property {number} [minTokens] new tokens before which the caption does not end
 * @property {number} [numBeams] how many captions are tried side by side, at most 64, of which the most probable is
 *   kept: better captions in more time, and all of the text at the end. 1 by default
 * @property {number} [lengthPenalty] with beams, the power of its length that a caption's log-probability is divided by:
 *   more makes captions longer. 1 by default
 * @property {boolean} [earlyStopping] with beams, whether to stop as soon as that many captions have ended
 * @property {AbortSignal | null} [signal]
 *
 * @typedef {StreamOptions & { onPiece?: (piece: string) => void }} CaptionOptions
 */

import { linkedController } from './abort.js';
import {
  checkBase,
  checkCount,
  checkDtype,
  checkFlag,
  checkFunction,
  checkLabels,
  checkModel,
  checkNumber,
  checkOptions,
  checkSignal,
  checkString,
} from './arguments.js';
import { OcelliError } from './errors.js';
import { readImage } from './image-input.js';
import { find } from './models.js';
import { RemoteModel } from './remote.js';
import { checkThreads, checkVariant } from './runtime.js';
import { isHubId, locate } from './source.js';

const DEFAULT_TEMPLATE = 'a photo of a {}.';

/**
 * @param {Task} task
 * @param {string | URL} model
 * @param {LoadOptions} options
 * @returns {Promise<RemoteModel>}
 */
async function openModel(task, model, options) {
  checkModel(model);
  checkOptions(options);
  const { base, revision, weights, signal, onProgress, worker } = options;
  const { dtype = 'int8', threads = 'auto', variant, keep = isHubId(model) } = options;
  checkBase(base);
  checkString(revision, 'revision');
  checkString(weights, 'weights');
  checkSignal(signal);
  checkFunction(onProgress, 'onProgress');
  checkFunction(worker, 'worker');
  checkDtype(dtype);
  checkThreads(threads);
  checkVariant(variant);
  checkFlag(keep, 'keep');
  refuseOtherTask(task, String(model));
  const files = locate(model, { base, revision, weights });
  const kept = keep ? { id: String(model), revision: revision ?? null } : null;
  const given = { task, files, dtype, threads, keep: kept, ...(variant && { variant }) };
  const remote = new RemoteModel(given, { onProgress, worker });
  await remote.open(signal);
  return remote;
}

/**
 * A model known for another task would only be refused when all of it has been downloaded.
 *
 * @param {Task} task
 * @param {string} model
 */
function refuseOtherTask(task, model) {
  const known = find(model);
  if (known === undefined || known.task === task) return;
  const right = known.task === 'tag' ? 'Tagger' : 'Captioner';
  throw new OcelliError('argument-invalid', `The model "${model}" is for the class ${right}.`);
}

/** A CLIP model: says how well each of your labels fits a picture. */
export class Tagger {
  #remote;

  /**
   * @private
   * @param {RemoteModel} remote
   */
  constructor(remote) {
    this.#remote = remote;
  }

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
    const scores = await this.#remote.call(
      'tag',
      { image: source, labels: copy, template },
      { signal, transfer, onStep: (step) => 'progress' in step && onProgress?.(step.progress) },
    );
    return copy
      .map((label, index) => ({ label, score: scores[index], index }))
      .sort((a, b) => b.score - a.score || a.index - b.index)
      .slice(0, topK);
  }

  /**
   * What the model runs on: the variant of the wasm, the number of threads, and why.
   *
   * @returns {import('./runtime.js').Runtime}
   */
  get runtime() {
    return this.#remote.runtime;
  }

  /** Ends the worker and frees the model's memory. Calls in flight reject with the code `disposed`. */
  dispose() {
    this.#remote.dispose();
  }
}

/** A BLIP model: describes a picture in a sentence. */
export class Captioner {
  #remote;

  /**
   * @private
   * @param {RemoteModel} remote
   */
  constructor(remote) {
    this.#remote = remote;
  }

  /**
   * Downloads a model and builds it in a worker.
   *
   * @param {string | URL} model `organisation/name` on the hub, a built-in model's name, or the address of a
   *   folder with the model's files
   * @param {LoadOptions} [options]
   * @returns {Promise<Captioner>}
   */
  static async load(model, options = {}) {
    return new Captioner(await openModel('caption', model, options));
  }

  /**
   * The picture's caption.
   *
   * @param {ImageInput} image
   * @param {CaptionOptions} [options]
   * @returns {Promise<string>}
   */
  async caption(image, options = {}) {
    checkOptions(options);
    const { prompt, maxTokens, minTokens, numBeams, lengthPenalty, earlyStopping, signal, onPiece } = options;
    checkString(prompt, 'prompt');
    checkCount(maxTokens, 'maxTokens');
    checkCount(minTokens, 'minTokens');
    checkCount(numBeams, 'numBeams');
    checkNumber(lengthPenalty, 'lengthPenalty');
    if (earlyStopping !== undefined) checkFlag(earlyStopping, 'earlyStopping');
    checkSignal(signal);
    checkFunction(onPiece, 'onPiece');
    const { source, transfer } = await readImage(image, { signal });
    return this.#remote.call(
      'caption',
      { image: source, prompt, maxTokens, minTokens, numBeams, lengthPenalty, earlyStopping },
      // Steps without a piece are told as well: the worker notices between two of them that it is to stop.
      { signal, transfer, onStep: (step) => 'piece' in step && step.piece !== '' && onPiece?.(step.piece) },
    );
  }

  /**
   * The caption piece by piece, as it is written; the pieces joined are the caption. Leaving the loop early
   * ends the writing.
   *
   * @param {ImageInput} image
   * @param {StreamOptions} [options]
   * @returns {AsyncGenerator<string, void, void>}
   */
  async *stream(image, options = {}) {
    checkOptions(options);
    checkSignal(options.signal);
    const { controller, unlink } = linkedController(options.signal);
    /** @type {string[]} */
    const pieces = [];
    let written = false;
    let wake = () => {};
    const onPiece = (/** @type {string} */ piece) => {
      pieces.push(piece);
      wake();
    };
    const caption = this.caption(image, { ...options, signal: controller.signal, onPiece }).finally(() => {
      written = true;
      wake();
    });
    // It is awaited below, but a loop that was left early never gets there.
    caption.catch(() => {});
    try {
      for (;;) {
        yield* pieces.splice(0);
        if (pieces.length > 0) continue;
        if (written) break;
        await new Promise((/** @type {(value: void) => void} */ resolve) => (wake = resolve));
      }
      await caption;
    } finally {
      unlink();
      controller.abort();
    }
  }

  /**
   * What the model runs on: the variant of the wasm, the number of threads, and why.
   *
   * @returns {import('./runtime.js').Runtime}
   */
  get runtime() {
    return this.#remote.runtime;
  }

  /** Ends the worker and frees the model's memory. Calls in flight reject with the code `disposed`. */
  dispose() {
    this.#remote.dispose();
  }
}
