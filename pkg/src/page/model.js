/**
 * What all loaded models have in common: each lives in a worker, so that `dispose` really frees memory (wasm memory never
 * shrinks). Those that were loaded from one folder which serves them all share theirs, and it ends with the last of them.
 *
 * @typedef {import('../shared/types.js').WorkerLike} WorkerLike
 * @typedef {import('../shared/protocol.js').Progress} Progress
 * @typedef {import('../shared/protocol.js').Task} Task
 * @typedef {import('../shared/types.js').Runtime} Runtime
 * @typedef {import('./catalogue.js').ModelId} ModelId
 * @typedef {import('./hub.js').ModelAddresses} ModelAddresses
 * @typedef {import('./sharing.js').Opened} Opened
 *
 * @typedef {ModelId | (string & {}) | URL | ModelAddresses} ModelSource Where a model is: a built-in model's name,
 *   `organisation/name` on the hub, the address of a folder with the model's files, or the address of each file
 *
 * @typedef {object} LoadOptions
 * @property {string | URL} [hubUrl] where the model hub is; the public one by default
 * @property {string | URL} [base] deprecated: `hubUrl`
 * @property {string} [revision] the hub revision of all files; each model's own by default
 * @property {string} [weights] the name of the weights' file: safetensors, GGUF or a PyTorch file. By default
 *   `model.safetensors`, and where there is none, `model.safetensors.index.json` with the files that it names,
 *   `pytorch_model.bin` or its index, `model.gguf`, `open_clip_model.safetensors` or `open_clip_pytorch_model.bin`. It may lie
 *   in a folder: `onnx/model.onnx`
 * @property {Record<string, string>} [headers] of each request for the model's files, such as `{ authorization: 'Bearer …' }`
 * @property {RequestCredentials} [credentials] whether cookies go along with those requests; `omit` by default
 * @property {Record<string, string>} [integrity] what files of the model have to be, by their names: `sha256-` and the SHA-256
 *   in Base64, as for scripts of a page. They are checked while they are downloaded
 * @property {'int8' | 'f16' | 'f32'} [dtype] how the matrices are stored in memory, whatever the file has: `int8` (the
 *   default) takes a quarter of `f32` and is the fastest; `f32` is exact
 * @property {'auto' | number} [threads] how many threads compute. `auto`, the default, takes one for each core, at
 *   most 8, where the page is cross-origin isolated; elsewhere there is one
 * @property {import('../shared/types.js').Device} [device] what computes the layers of vision transformers: `auto`, the
 *   default, takes the GPU where a test at loading shows that it computes the same as WebAssembly and faster; `webgpu` takes it
 *   where it computes the same; `wasm` leaves it alone. Wherever the GPU fails, WebAssembly goes on, and `runtime` says why
 * @property {import('../shared/types.js').VariantName} [variant] for tests and reports of faults: the build of the wasm that
 *   runs
 * @property {string | URL} [wasmUrl] where the `.wasm` files are: a folder that has them by their names in the package, or
 *   one file, which `variant` then names. By default they are found beside the package's scripts
 * @property {boolean} [cache] whether the model is kept in this browser between visits, ready to run: the next load
 *   needs no network. By default models of the hub are, and folders are not: what is at their address may change
 * @property {boolean} [keep] deprecated: `cache`
 * @property {AbortSignal | null} [signal]
 * @property {(progress: Progress) => void} [onProgress] also told when the model is loaded again, after its
 *   worker failed
 * @property {() => WorkerLike} [worker] makes the worker, where the package's own way does not suit; called once more for
 *   each further thread
 *
 * @typedef {object} RequestOptions
 * @property {AbortSignal | null | undefined} [signal]
 * @property {Transferable[]} [transfer]
 * @property {((progress: Progress) => void) | undefined} [onProgress]
 * @property {((piece: string) => void) | undefined} [onPiece]
 * @property {((found: import('../shared/protocol.js').FoundPrompt) => void) | undefined} [onPrompt]
 */

import { linkedController, throwIfAborted, unlessAborted } from '../shared/abort.js';
import { codeOf, OcelliError } from '../shared/errors.js';
import { accessOf, withAccess } from '../shared/model-files.js';
import { TASKS } from '../shared/tasks.js';
import { checkModel } from './arguments.js';
import { find } from './catalogue.js';
import { absolute, idOf, isHubId, locate } from './hub.js';
import { CALL, readOptions } from './options.js';
import { disposedError } from './shared-model.js';
import { openShared } from './sharing.js';

/** The options of every load. */
export const LOAD = [
  ...['hubUrl', 'revision', 'weights', 'headers', 'credentials', 'integrity'],
  ...['dtype', 'threads', 'device', 'variant', 'wasmUrl', 'cache', 'worker'],
  ...CALL,
];

/** Gives models `[Symbol.dispose]` in the types too, of languages that know it. */
const Disposable =
  /** @type {new () => typeof Symbol extends { readonly dispose: infer K extends symbol } ? { [P in K]: () => void } : {}} */ (
    /** @type {unknown} */ (class {})
  );

/** A model that lives in a worker. */
export class LoadedModel extends Disposable {
  /** @type {import('./shared-model.js').SharedModel} */
  #model;
  /** @type {Task} */
  #task;
  /** @type {((progress: Progress) => void) | undefined} */
  #onProgress;
  #identity;
  #disposed = false;
  /** @type {((error: unknown) => void) | null} ends the opening under way */
  #refuse = null;
  /** @type {Set<AbortController>} calls in flight */
  #calls = new Set();

  /**
   * @protected
   * @param {Opened} opened
   */
  constructor(opened) {
    super();
    if (!opened?.model) {
      const example = "`await Tagger.load('ocelli')`";
      throw new OcelliError('argument-invalid', `A model comes from its class's load, as in ${example}.`);
    }
    const { model, task, onProgress, identity } = opened;
    this.#identity = identity;
    this.#model = model;
    this.#task = task;
    this.#onProgress = onProgress;
    model.join(this);
  }

  /**
   * Which model it is: what was given to `load`, the revision asked for, and the dtype.
   *
   * @returns {Readonly<import('./saved-teacher.js').ModelIdentity>}
   */
  get identity() {
    return { ...this.#identity };
  }

  /**
   * What the model runs on: the device, the variant of the wasm, the number of threads, and why. It changes where a GPU fails.
   *
   * @returns {Runtime}
   */
  get runtime() {
    return this.info.runtime;
  }

  /**
   * Gives the model up: calls in flight reject with the code `disposed`. The worker ends, and the memory is free, when all
   * who share it have done so. `using tagger = await Tagger.load('ocelli')` calls it at the end of the block.
   */
  dispose() {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#model.leave(this);
    for (const controller of this.#calls) controller.abort();
  }

  /**
   * What was learnt of the model while it was loaded.
   *
   * @protected
   */
  get info() {
    return this.#model.info;
  }

  /**
   * Waits until the model is loaded. On failure or abort nothing is left behind: terminating the worker is the fastest
   * abort, where nobody else uses it.
   *
   * @protected
   * @param {AbortSignal | null | undefined} signal
   * @returns {Promise<this>}
   */
  async opened(signal) {
    try {
      throwIfAborted(signal);
      const refused = new Promise((_, reject) => (this.#refuse = reject));
      if (this.#model.lastReported) this.report(this.#model.lastReported);
      await unlessAborted(Promise.race([this.#model.ready(), refused]), signal);
      return this;
    } catch (error) {
      this.dispose();
      throw error;
    } finally {
      this.#refuse = null;
    }
  }

  /**
   * @protected
   * @template {import('../shared/protocol.js').OperationName} V
   * @param {V} operation
   * @param {import('../shared/protocol.js').Operations[V]['params']} params
   * @param {RequestOptions} options
   * @returns {Promise<import('../shared/protocol.js').Operations[V]['answer']>}
   */
  async request(operation, params, { signal, transfer, onProgress, onPiece, onPrompt }) {
    throwIfAborted(signal);
    if (this.#disposed) throw disposedError();
    const { controller, unlink } = linkedController(signal);
    this.#calls.add(controller);
    try {
      // Loading again serves all calls that wait for it: an abort ends the wait of its own call alone.
      const connection = await unlessAborted(this.#model.ready(), controller.signal);
      return await connection.call(operation, params, {
        task: this.#task,
        signal: controller.signal,
        ...(transfer && { transfer }),
        // Steps that tell nothing are told as well: the worker notices between two of them that it is to stop.
        onStep: (step) => {
          if ('progress' in step) onProgress?.(step.progress);
          else if ('piece' in step && step.piece !== '') onPiece?.(step.piece);
          else if ('prompt' in step) onPrompt?.(step.prompt);
        },
      });
    } catch (error) {
      throw this.#disposed && codeOf(error) === 'aborted' && !signal?.aborted ? disposedError() : error;
    } finally {
      unlink();
      this.#calls.delete(controller);
    }
  }

  /**
   * Passes on how far the load is. A callback that throws while the user waits for the model ends the waiting, and nobody
   * else's.
   *
   * @internal
   * @param {Progress} progress
   */
  report(progress) {
    try {
      this.#onProgress?.(progress);
    } catch (error) {
      if (!this.#refuse) throw error;
      this.#refuse(error);
    }
  }

  /**
   * Downloads a model and builds it in a worker.
   *
   * @protected
   * @template {LoadedModel} M
   * @param {Task} task
   * @param {ModelSource} model
   * @param {LoadOptions} options
   * @param {(opened: Opened) => M} make
   * @param {{ tower?: import('../shared/protocol.js').Tower }} [part] where not all of the model is wanted
   * @returns {Promise<M>}
   */
  static async open(task, model, options, make, part = {}) {
    checkModel(model);
    const {
      hubUrl,
      revision,
      weights,
      headers,
      credentials,
      integrity,
      signal,
      onProgress,
      worker,
      ...read
    } = readOptions(options, LOAD);
    const { dtype = 'int8', threads = 'auto', device = 'auto' } = read;
    const { variant, wasmUrl, cache = isHubId(model) } = read;
    const id = idOf(model);
    refuseOtherTask(task, id);
    const located = locate(model, { hubUrl, revision, weights, task });
    const access = accessOf({ headers, credentials, integrity });
    const files = access ? withAccess(located, access) : located;
    const params = {
      task,
      files,
      dtype,
      threads,
      device,
      cache: cache ? { id, revision: revision ?? null } : null,
      ...part,
      ...(variant && { variant }),
      ...(wasmUrl && { wasmUrl: absolute(String(wasmUrl), 'option wasmUrl').href }),
    };
    const identity = { model: id, revision: revision ?? null, dtype };
    const made = await openShared(params, { signal, worker }, (joined) =>
      make({ ...joined, onProgress, identity }),
    );
    return made.opened(signal);
  }
}

// What `using` calls, where the language knows it.
const { dispose } = /** @type {{ dispose?: symbol }} */ (/** @type {unknown} */ (Symbol));
if (dispose) {
  /** @this {LoadedModel} */
  const value = function () {
    this.dispose();
  };
  Object.defineProperty(LoadedModel.prototype, dispose, { value, configurable: true, writable: true });
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
  const right = known.tasks.map((one) => TASKS[one].className).join(' or ');
  throw new OcelliError('argument-invalid', `The model "${model}" is for the class ${right}.`);
}
