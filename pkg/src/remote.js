/**
 * One model in one worker, for as long as the user wants it: where the worker fails, the next call starts a
 * fresh one, which loads the model again.
 *
 * @typedef {import('./connection.js').CallOptions} CallOptions
 * @typedef {import('./connection.js').WorkerLike} WorkerLike
 * @typedef {import('./protocol.js').LoadArguments} LoadArguments
 * @typedef {import('./runtime.js').Runtime} Runtime
 * @typedef {import('./protocol.js').ProgressEvent} ProgressEvent
 */

import { abortError, throwIfAborted, unlessAborted } from './abort.js';
import { Connection } from './connection.js';
import { WorkerError } from './errors.js';

/** @returns {WorkerLike} */
function startWorker() {
  if (typeof Worker === 'undefined') {
    throw new WorkerError('unsupported-browser', 'ocelli needs a browser with module workers.');
  }
  return new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
}

/** A model that lives in a worker. */
export class RemoteModel {
  #given;
  #onProgress;
  #start;
  /** @type {Connection | null} the worker that is alive, loaded or not */
  #connection = null;
  /** @type {Promise<Connection> | null} the same, once its model is loaded */
  #loaded = null;
  #disposed = false;
  /** @type {Runtime | null} what the loaded model runs on */
  #runtime = null;

  /**
   * @param {LoadArguments} given
   * @param {{ onProgress?: ((event: ProgressEvent) => void) | undefined, worker?: (() => WorkerLike) | undefined }} options
   */
  constructor(given, { onProgress, worker = startWorker }) {
    this.#given = given;
    this.#onProgress = onProgress;
    this.#start = worker;
  }

  /**
   * Loads the model. On failure or abort nothing is left behind.
   *
   * @param {AbortSignal | null | undefined} signal
   */
  async open(signal) {
    throwIfAborted(signal);
    // Terminating is the fastest abort: a model in the making is of no use, even to the next attempt.
    const abort = () => this.#connection?.close(abortError(signal));
    signal?.addEventListener('abort', abort, { once: true });
    try {
      await this.#ready();
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  /** What the model runs on. Known as soon as `open` has resolved. @returns {Runtime} */
  get runtime() {
    if (!this.#runtime) throw new WorkerError('disposed', 'The model is not loaded.');
    return this.#runtime;
  }

  /**
   * @template {import('./protocol.js').Verb} V
   * @param {V} verb
   * @param {import('./protocol.js').Verbs[V]['given']} given
   * @param {CallOptions} options
   * @returns {Promise<import('./protocol.js').Verbs[V]['answer']>}
   */
  async call(verb, given, options) {
    throwIfAborted(options.signal);
    // Loading again serves all calls that wait for it: an abort ends the wait of its own call alone.
    const connection = await unlessAborted(this.#ready(), options.signal);
    return connection.call(verb, given, options);
  }

  /** Ends the worker and frees its memory. Calls in flight are rejected. */
  dispose() {
    this.#disposed = true;
    this.#connection?.close(disposedError());
  }

  /** @returns {Promise<Connection>} */
  #ready() {
    if (this.#disposed) return Promise.reject(disposedError());
    if (!this.#loaded) {
      const loaded = this.#load();
      this.#loaded = loaded;
      // A failure is told to those who wait for it, and not remembered.
      loaded.catch(() => {
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
      this.#runtime = await connection.call('load', this.#given, {
        onStep: (step) => 'progress' in step && this.#onProgress?.(step.progress),
      });
    } catch (error) {
      connection.close(/** @type {Error} */ (error));
      throw error;
    }
    return connection;
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

function disposedError() {
  return new WorkerError('disposed', 'The model was disposed of.');
}
