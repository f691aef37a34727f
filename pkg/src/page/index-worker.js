/**
 * The worker of an index, and what was last heard of it. What is in its memory goes with it: where it fails, the index is as it
 * was saved.
 *
 * @typedef {import('../shared/protocol.js').IndexArguments} IndexArguments
 * @typedef {import('../shared/protocol.js').IndexState} IndexState
 * @typedef {import('../shared/protocol.js').Operations} Operations
 * @typedef {import('../shared/protocol.js').Progress} Progress
 * @typedef {import('../shared/types.js').Runtime} Runtime
 * @typedef {import('../shared/types.js').WorkerLike} WorkerLike
 *
 * @typedef {object} AskOptions
 * @property {AbortSignal | null | undefined} [signal]
 * @property {((progress: Progress) => void) | undefined} [onProgress]
 * @property {Transferable[]} [transfer]
 */

import { codeOf, WorkerError } from '../shared/errors.js';
import { Connection } from './connection.js';
import { startWorker } from './module-worker.js';

/** An index in a worker of its own. */
export class IndexWorker {
  #connection;
  /** @type {{ runtime: Runtime, state: IndexState } | null} */
  #opened = null;
  #disposed = false;
  /** @type {{ ids: string[], version: number } | null} */
  #rows = null;

  /** @param {() => WorkerLike} start */
  constructor(start) {
    this.#connection = new Connection(start(), () => {}, { startThread: start });
  }

  /**
   * @param {IndexArguments} params
   * @param {AskOptions & { worker?: (() => WorkerLike) | undefined }} options
   * @returns {Promise<IndexWorker>}
   */
  static async open(params, { worker = startWorker, ...options }) {
    const index = new IndexWorker(worker);
    try {
      index.#opened = await index.#call('openIndex', params, options);
      return index;
    } catch (error) {
      index.dispose();
      throw error;
    }
  }

  /** @returns {IndexState} */
  get state() {
    return this.#known.state;
  }

  /** @returns {Runtime} */
  get runtime() {
    return this.#known.runtime;
  }

  get #known() {
    if (!this.#opened) throw new WorkerError('disposed', 'The index is not open.');
    return this.#opened;
  }

  /**
   * @template {keyof Operations} V
   * @param {V} operation
   * @param {Operations[V]['params']} params
   * @param {AskOptions} [options]
   * @returns {Promise<Operations[V]['answer']>}
   */
  async ask(operation, params, options = {}) {
    this.assertOpen();
    return this.#call(operation, params, options);
  }

  /** @throws {WorkerError} `disposed` */
  assertOpen() {
    if (this.#disposed) throw disposedError();
  }

  /**
   * Has a model read something for the index. Where the index was disposed of, and the model with it, the index is what is gone.
   *
   * @template T
   * @param {() => Promise<T>} read
   * @returns {Promise<T>}
   */
  async reading(read) {
    this.assertOpen();
    try {
      return await read();
    } catch (error) {
      throw this.#disposed && codeOf(error) === 'disposed' ? disposedError() : error;
    }
  }

  /** Takes over what a call says of the index. @param {IndexState} state */
  hear(state) {
    if (this.#opened) this.#opened = { ...this.#opened, state };
    if (this.#rows?.version !== state.version) this.#rows = null;
  }

  /** The ids of all rows, and which version of them. @returns {Promise<{ ids: string[], version: number }>} */
  async rows() {
    this.#rows ??= await this.ask('ids', {});
    return this.#rows;
  }

  /**
   * Asks what depends on the rows as they are; again where they changed meanwhile.
   *
   * @template T
   * @param {(rows: { ids: string[], version: number }) => Promise<T | null>} ask gives null where the rows are others
   * @returns {Promise<T>}
   */
  async withRows(ask) {
    for (;;) {
      const answer = await ask(await this.rows());
      if (answer !== null) return answer;
      this.#rows = null;
    }
  }

  dispose() {
    this.#disposed = true;
    this.#connection.close(disposedError());
  }

  /**
   * @template {keyof Operations} V
   * @param {V} operation
   * @param {Operations[V]['params']} params
   * @param {AskOptions} options
   * @returns {Promise<Operations[V]['answer']>}
   */
  async #call(operation, params, { signal, onProgress, transfer }) {
    try {
      return await this.#connection.call(operation, params, {
        task: 'index',
        signal,
        ...(transfer && { transfer }),
        onStep: (step) => 'progress' in step && onProgress?.(step.progress),
      });
    } catch (error) {
      if (!(error instanceof WorkerError) || error.code !== 'worker-failed' || !this.#opened) throw error;
      const sentence =
        'The index stopped unexpectedly, as it does when memory runs out. What was saved of it can be opened again.';
      throw new WorkerError('worker-failed', sentence, { cause: error });
    }
  }
}

function disposedError() {
  return new WorkerError('disposed', 'The index was disposed of.');
}
