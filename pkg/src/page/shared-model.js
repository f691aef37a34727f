/**
 * One model in one worker, and those who use it: it lives as long as there is a user. Where the worker fails, the next call
 * of any of them starts a fresh one, which loads the model again.
 *
 * @typedef {import('./connection.js').CallOptions} CallOptions
 * @typedef {import('./connection.js').WorkerLike} WorkerLike
 * @typedef {import('../shared/protocol.js').LoadArguments} LoadArguments
 * @typedef {import('../shared/protocol.js').LoadedModelInfo} LoadedModelInfo
 * @typedef {import('../shared/protocol.js').ProgressEvent} ProgressEvent
 * @typedef {import('../shared/protocol.js').Step} Step
 * @typedef {import('../shared/protocol.js').Task} Task
 *
 * @typedef {(event: ProgressEvent) => void} OnProgress
 */

import { linkedController, throwIfAborted, unlessAborted } from '../shared/abort.js';
import { Connection } from './connection.js';
import { startModuleWorker } from '../shared/module-worker.js';
import { codeOf, WorkerError } from '../shared/errors.js';

/** @returns {WorkerLike} */
export function startWorker() {
  if (typeof Worker === 'undefined') {
    throw new WorkerError('unsupported-browser', 'ocelli needs a browser with module workers.');
  }
  return startModuleWorker(
    () => new Worker(new URL('../worker/worker.js', import.meta.url), { type: 'module' }),
    new URL(/* webpackIgnore: true */ /* @vite-ignore */ '../worker/worker.js', import.meta.url).href,
  );
}

/** A model that lives in a worker. */
export class RemoteModel {
  #params;
  #start;
  #onEnd;
  /** @type {Set<ModelUse>} */
  #users = new Set();
  /** @type {Connection | null} the worker that is alive, loaded or not */
  #connection = null;
  /** @type {Promise<Connection> | null} the same, once its model is loaded */
  #loaded = null;
  /** @type {LoadedModelInfo | null} */
  #info = null;
  /** @type {ProgressEvent | null} */
  #lastReported = null;
  /** @type {(tasks: readonly Task[] | null) => void} */
  #tellTasks = () => {};
  /** Whether it has ended for good. */
  ended = false;
  /**
   * What the model can be asked for: known as soon as its configuration is read, long before its weights are. Null where
   * the load ended before.
   *
   * @type {Promise<readonly Task[] | null>}
   */
  tasks = new Promise((resolve) => (this.#tellTasks = resolve));

  /**
   * @param {LoadArguments} params
   * @param {() => WorkerLike} start makes the worker
   * @param {() => void} [onEnd] called when nobody uses it any more
   */
  constructor(params, start, onEnd = () => {}) {
    this.#params = params;
    this.#start = start;
    this.#onEnd = onEnd;
  }

  /**
   * One user more. The model is not loaded before `open` of the first.
   *
   * @param {Task} task what for
   * @param {OnProgress | undefined} onProgress
   * @returns {ModelUse}
   */
  join(task, onProgress) {
    const use = new ModelUse(this, task, onProgress);
    this.#users.add(use);
    return use;
  }

  /**
   * One user less; with the last the worker ends.
   *
   * @param {ModelUse} use
   */
  leave(use) {
    if (!this.#users.delete(use) || this.#users.size > 0) return;
    this.ended = true;
    this.#tellTasks(null);
    this.#onEnd();
    this.#connection?.close(disposedError());
  }

  /** What is known of the loaded model. Known as soon as `ready` has resolved. @returns {LoadedModelInfo} */
  get info() {
    if (!this.#info) throw disposedError();
    return this.#info;
  }

  /** How far the load was when it was last heard of. @returns {ProgressEvent | null} */
  get lastReported() {
    return this.#lastReported;
  }

  /** The worker, once its model is loaded; it is started where there is none. @returns {Promise<Connection>} */
  ready() {
    if (this.ended) return Promise.reject(disposedError());
    if (!this.#loaded) {
      const loaded = this.#load();
      this.#loaded = loaded;
      // A failure is told to those who wait for it, and not remembered.
      loaded.catch(() => {
        this.#tellTasks(null);
        if (this.#loaded === loaded) this.#loaded = null;
      });
    }
    return this.#loaded;
  }

  async #load() {
    const connection = new Connection(this.#startWorker(), () => {
      this.#connection = null;
      this.#loaded = null;
    });
    this.#connection = connection;
    try {
      const onStep = (/** @type {Step} */ step) => this.#hear(step);
      this.#info = await connection.call('load', this.#params, { task: this.#params.task, onStep });
    } catch (error) {
      connection.close(/** @type {Error} */ (error));
      throw error;
    }
    return connection;
  }

  /** @param {Step} step of a load */
  #hear(step) {
    if ('tasks' in step) this.#tellTasks(step.tasks);
    if (!('progress' in step)) return;
    this.#lastReported = step.progress;
    for (const use of [...this.#users]) use.report(step.progress);
  }

  #startWorker() {
    try {
      return this.#start();
    } catch (cause) {
      if (cause instanceof WorkerError) throw cause;
      throw new WorkerError('worker-failed', 'The worker could not be started.', { cause });
    }
  }
}

/** One user's share of a model: what a `Tagger` or a `Captioner` has of it. */
export class ModelUse {
  #model;
  #task;
  #onProgress;
  #disposed = false;
  /** @type {((error: unknown) => void) | null} ends the opening under way */
  #refuse = null;
  /** @type {Set<AbortController>} calls in flight */
  #calls = new Set();

  /** @param {RemoteModel} model @param {Task} task @param {OnProgress | undefined} onProgress */
  constructor(model, task, onProgress) {
    this.#model = model;
    this.#task = task;
    this.#onProgress = onProgress;
  }

  /**
   * Waits until the model is loaded. On failure or abort nothing is left behind: terminating the worker is the fastest
   * abort, where nobody else uses it.
   *
   * @param {AbortSignal | null | undefined} signal
   */
  async open(signal) {
    try {
      throwIfAborted(signal);
      const refused = new Promise((_, reject) => (this.#refuse = reject));
      if (this.#model.lastReported) this.report(this.#model.lastReported);
      await unlessAborted(Promise.race([this.#model.ready(), refused]), signal);
    } catch (error) {
      this.dispose();
      throw error;
    } finally {
      this.#refuse = null;
    }
  }

  /** What is known of the loaded model. @returns {LoadedModelInfo} */
  get info() {
    return this.#model.info;
  }

  /**
   * @template {import('../shared/protocol.js').Verb} V
   * @param {V} verb
   * @param {import('../shared/protocol.js').Verbs[V]['given']} params
   * @param {Omit<CallOptions, 'task'>} options
   * @returns {Promise<import('../shared/protocol.js').Verbs[V]['answer']>}
   */
  async call(verb, params, { signal, ...options }) {
    throwIfAborted(signal);
    if (this.#disposed) throw disposedError();
    const { controller, unlink } = linkedController(signal);
    this.#calls.add(controller);
    const inner = { ...options, task: this.#task, signal: controller.signal };
    try {
      // Loading again serves all calls that wait for it: an abort ends the wait of its own call alone.
      const connection = await unlessAborted(this.#model.ready(), controller.signal);
      return await connection.call(verb, params, inner);
    } catch (error) {
      throw this.#disposed && codeOf(error) === 'aborted' && !signal?.aborted ? disposedError() : error;
    } finally {
      unlink();
      this.#calls.delete(controller);
    }
  }

  /** Gives the model up. Calls in flight are rejected; the worker ends with its last user. */
  dispose() {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#model.leave(this);
    for (const controller of this.#calls) controller.abort();
  }

  /**
   * @param {ProgressEvent} event of the load. A callback that throws while the user waits for the model ends the waiting,
   *   and nobody else's
   */
  report(event) {
    try {
      this.#onProgress?.(event);
    } catch (error) {
      if (!this.#refuse) throw error;
      this.#refuse(error);
    }
  }
}

function disposedError() {
  return new WorkerError('disposed', 'The model was disposed of.');
}
