/**
 * A model in a worker, and those who use it: it lives as long as there is a user. Where the worker fails, the next call of
 * any of them starts a fresh one, which loads the model again.
 *
 * @typedef {import('../shared/types.js').WorkerLike} WorkerLike
 * @typedef {import('../shared/protocol.js').LoadArguments} LoadArguments
 * @typedef {import('../shared/protocol.js').LoadedModelInfo} LoadedModelInfo
 * @typedef {import('../shared/protocol.js').Progress} Progress
 * @typedef {import('../shared/protocol.js').Step} Step
 * @typedef {import('../shared/protocol.js').Task} Task
 * @typedef {import('../shared/types.js').Runtime} Runtime
 *
 * @typedef {object} User
 * @property {(progress: Progress) => void} report is told how far a load has come
 */

import { Connection } from './connection.js';
import { WorkerError } from '../shared/errors.js';

/** A model that lives in a worker. */
export class SharedModel {
  #params;
  #start;
  #onEnd;
  /** @type {Set<User>} */
  #users = new Set();
  /** @type {Connection | null} the worker that is alive, loaded or not */
  #connection = null;
  /** @type {Promise<Connection> | null} the same, once its model is loaded */
  #loaded = null;
  /** @type {LoadedModelInfo | null} */
  #info = null;
  /** @type {Progress | null} */
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
   * @param {() => WorkerLike} start makes the worker, and those of its threads
   * @param {() => void} [onEnd] called when nobody uses it any more
   */
  constructor(params, start, onEnd = () => {}) {
    this.#params = params;
    this.#start = start;
    this.#onEnd = onEnd;
  }

  /** One user more. The model is not loaded before the first asks for `ready`. @param {User} user */
  join(user) {
    this.#users.add(user);
  }

  /** One user less; with the last the worker ends. @param {User} user */
  leave(user) {
    if (!this.#users.delete(user) || this.#users.size > 0) return;
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

  /** How far the load was when it was last heard of. @returns {Progress | null} */
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
    const onClosed = () => {
      this.#connection = null;
      this.#loaded = null;
    };
    const onRuntime = (/** @type {Runtime} */ runtime) => {
      if (this.#info) this.#info = { ...this.#info, runtime };
    };
    const connection = new Connection(this.#startWorker(), onClosed, { startThread: this.#start, onRuntime });
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
    for (const user of [...this.#users]) user.report(step.progress);
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

export function disposedError() {
  return new WorkerError('disposed', 'The model was disposed of.');
}
