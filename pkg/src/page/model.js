/**
 * What all loaded models have in common: each lives in a worker, so that `dispose` really frees memory (wasm memory never
 * shrinks). Those that were loaded from one folder which serves them all share theirs, and it ends with the last of them.
 *
 * @typedef {import('./connection.js').WorkerLike} WorkerLike
 * @typedef {import('../shared/protocol.js').ProgressEvent} ProgressEvent
 * @typedef {import('../shared/protocol.js').Task} Task
 * @typedef {import('../shared/types.js').Runtime} Runtime
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
 * @property {import('../shared/types.js').VariantName} [variant] for tests and reports of faults: the build of the wasm that
 *   runs
 * @property {boolean} [keep] whether the model is kept in this browser between visits, ready to run: the next load
 *   needs no network. By default models of the hub are, and folders are not: what is at their address may change
 * @property {AbortSignal | null} [signal]
 * @property {(event: ProgressEvent) => void} [onProgress] also told when the model is loaded again, after its
 *   worker failed
 * @property {() => WorkerLike} [worker] makes the worker, where the package's own way does not suit
 *
 * @typedef {object} AskOptions
 * @property {AbortSignal | null | undefined} [signal]
 * @property {Transferable[]} [transfer]
 * @property {((event: ProgressEvent) => void) | undefined} [onProgress]
 * @property {((piece: string) => void) | undefined} [onPiece]
 */

import { checkModel } from './arguments.js';
import { CALL, readOptions } from './options.js';
import { OcelliError } from '../shared/errors.js';
import { find } from './catalogue.js';
import { ModelUse } from './remote.js';
import { openShared } from './sharing.js';
import { isHubId, locate } from './hub.js';

/** The class for each task. @type {Readonly<Record<Task, string>>} */
const CLASSES = {
  tag: 'Tagger',
  embed: 'Embedder',
  caption: 'Captioner',
  match: 'Matcher',
  answer: 'Answerer',
  classify: 'Classifier',
};

/** The options of every load. */
export const LOAD = [
  ...['base', 'revision', 'weights', 'dtype', 'threads', 'variant', 'keep', 'worker'],
  ...CALL,
];

/** A model that lives in a worker. */
export class LoadedModel {
  #use;

  /**
   * @protected
   * @param {ModelUse} use
   */
  constructor(use) {
    if (!(use instanceof ModelUse)) {
      const example = "`await Tagger.load('ocelli')`";
      throw new OcelliError('argument-invalid', `A model comes from its class's load, as in ${example}.`);
    }
    this.#use = use;
  }

  /**
   * What the model runs on: the variant of the wasm, the number of threads, and why.
   *
   * @returns {Runtime}
   */
  get runtime() {
    return this.#use.info.runtime;
  }

  /**
   * Gives the model up: calls in flight reject with the code `disposed`. The worker ends, and the memory is free, when all
   * who share it have done so.
   */
  dispose() {
    this.#use.dispose();
  }

  /**
   * What was learnt of the model while it was loaded.
   *
   * @protected
   */
  get info() {
    return this.#use.info;
  }

  /**
   * @protected
   * @template {import('../shared/protocol.js').Verb} V
   * @param {V} verb
   * @param {import('../shared/protocol.js').Verbs[V]['given']} given
   * @param {AskOptions} options
   * @returns {Promise<import('../shared/protocol.js').Verbs[V]['answer']>}
   */
  ask(verb, given, { signal, transfer, onProgress, onPiece }) {
    return this.#use.call(verb, given, {
      signal,
      ...(transfer && { transfer }),
      // Steps that tell nothing are told as well: the worker notices between two of them that it is to stop.
      onStep: (step) => {
        if ('progress' in step) onProgress?.(step.progress);
        else if ('piece' in step && step.piece !== '') onPiece?.(step.piece);
      },
    });
  }
}

/**
 * Downloads a model and builds it in a worker.
 *
 * @param {Task} task
 * @param {string | URL} model
 * @param {LoadOptions} options
 * @param {{ tower?: import('../shared/protocol.js').Tower }} [part] where not all of the model is wanted
 * @returns {Promise<ModelUse>}
 */
export async function openModel(task, model, options, part = {}) {
  checkModel(model);
  const { base, revision, weights, signal, onProgress, worker, ...read } = readOptions(options, LOAD);
  const { dtype = 'int8', threads = 'auto', variant, keep = isHubId(model) } = read;
  refuseOtherTask(task, String(model));
  const files = locate(model, { base, revision, weights, task });
  const kept = keep ? { id: String(model), revision: revision ?? null } : null;
  const given = { task, files, dtype, threads, keep: kept, ...part, ...(variant && { variant }) };
  return openShared(given, { signal, onProgress, worker });
}

/**
 * A model known for another task would only be refused when all of it has been downloaded.
 *
 * @param {Task} task
 * @param {string} model
 */
function refuseOtherTask(task, model) {
  const known = find(model);
  if (known === undefined || known.tasks.includes(task)) return;
  const right = known.tasks.map((one) => CLASSES[one]).join(' or ');
  throw new OcelliError('argument-invalid', `The model "${model}" is for the class ${right}.`);
}
