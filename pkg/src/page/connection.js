/**
 * The page's half of the protocol: one worker, from its start to its end. A connection that has closed
 * stays closed; `shared-model.js` opens the next one.
 *
 * @typedef {import('../shared/protocol.js').ClientMessage} ClientMessage
 * @typedef {import('../shared/protocol.js').Step} Step
 * @typedef {import('../shared/protocol.js').WorkerMessage} WorkerMessage
 *
 * @typedef {import('../shared/protocol.js').ThreadMessage} ThreadMessage
 * @typedef {import('../shared/types.js').Runtime} Runtime
 * @typedef {import('../shared/types.js').WorkerLike} WorkerLike
 *
 * @typedef {object} CallOptions
 * @property {AbortSignal | null | undefined} [signal]
 * @property {((step: Step) => void) | undefined} [onStep]
 * @property {Transferable[]} [transfer]
 * @property {import('../shared/protocol.js').Service} task what in the worker is asked
 *
 * @typedef {object} Pending
 * @property {(answer: any) => void} resolve
 * @property {(error: Error) => void} reject
 * @property {((step: Step) => void) | undefined} onStep
 */

import { abortError } from '../shared/abort.js';
import { revive, WorkerError } from '../shared/errors.js';
import { startFailure } from './start-failure.js';
import { startThreads } from './threads.js';

/** How long a worker may take until its first word, on the slowest of networks. */
const START_LIMIT = 60_000;

/** One worker with its threads, and the calls it has not answered. */
export class Connection {
  #worker;
  #onClosed;
  #startThread;
  #onRuntime;
  /** @type {WorkerLike[]} */
  #threads = [];
  #started = false;
  /** @type {Map<number, Pending>} */
  #pending = new Map();
  #lastId = 0;
  /** @type {Error | null} why it closed */
  #closed = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} until the worker's first word */
  #silence;

  /**
   * @param {WorkerLike} worker
   * @param {() => void} onClosed called once, however it ends
   * @param {{ limit?: number, startThread?: () => WorkerLike, onRuntime?: (runtime: Runtime) => void }} [options] `limit`: how
   *   long the worker may take to start, in milliseconds; `startThread` makes a worker for a thread of its pool; `onRuntime` is
   *   told when it runs on something else from now on
   */
  constructor(worker, onClosed, { limit = START_LIMIT, startThread, onRuntime } = {}) {
    this.#worker = worker;
    this.#onClosed = onClosed;
    this.#startThread = startThread;
    this.#onRuntime = onRuntime;
    this.#silence = setTimeout(() => {
      const seconds = Math.round(limit / 1000);
      const sentence = `The worker did not start within ${seconds} seconds: its script may be blocked.`;
      this.close(new WorkerError('worker-failed', sentence));
    }, limit);
    worker.addEventListener('message', ({ data }) => this.#receive(data));
    worker.addEventListener('messageerror', (event) =>
      this.#fail('A message of the worker could not be read.', event),
    );
    worker.addEventListener('error', (event) => {
      event.preventDefault?.();
      this.#fail('The worker failed or its script could not be loaded.', event);
    });
  }

  /**
   * @template {import('../shared/protocol.js').OperationName} V
   * @param {V} operation
   * @param {import('../shared/protocol.js').Operations[V]['params']} params
   * @param {CallOptions} options
   * @returns {Promise<import('../shared/protocol.js').Operations[V]['answer']>}
   */
  call(operation, params, { task, signal, onStep, transfer = [] }) {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(this.#closed);
      if (signal?.aborted) return reject(abortError(signal));
      this.#lastId += 1;
      const id = this.#lastId;
      const abort = () => {
        // The caller need not wait for the worker, which may be deep in a step: later answers find no id.
        this.#settle(id)?.reject(abortError(signal));
        this.#post({ type: 'abort', id });
      };
      const forget = () => signal?.removeEventListener('abort', abort);
      // In Node, a worker that is asked nothing lets the program end.
      if (this.#pending.size === 0) this.#worker.ref?.();
      this.#pending.set(id, {
        resolve: (answer) => (forget(), resolve(answer)),
        reject: (error) => (forget(), reject(error)),
        onStep,
      });
      signal?.addEventListener('abort', abort, { once: true });
      try {
        this.#post({ type: 'call', id, task, operation, params }, transfer);
      } catch (error) {
        this.#settle(id)?.reject(/** @type {Error} */ (error));
      }
    });
  }

  /**
   * Ends the worker at once, whatever it is doing, and frees its memory.
   *
   * @param {Error} reason what calls in flight are rejected with
   */
  close(reason) {
    if (this.#closed) return;
    clearTimeout(this.#silence);
    this.#closed = reason;
    this.#worker.terminate();
    this.#endThreads();
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    this.#onClosed();
    for (const { reject } of pending) reject(reason);
  }

  /** @param {ClientMessage} message @param {Transferable[]} [transfer] */
  #post(message, transfer = []) {
    if (!this.#closed) this.#worker.postMessage(message, transfer);
  }

  /** @param {WorkerMessage} message */
  #receive(message) {
    clearTimeout(this.#silence);
    this.#started = true;
    switch (message.type) {
      case 'start-threads':
        return void this.#startThreads(message.count, message.message);
      case 'end-threads':
        return this.#endThreads();
      case 'step':
        return this.#step(message.id, message.step);
      case 'done':
        return this.#settle(message.id)?.resolve(message.answer);
      case 'failed':
        return this.#settle(message.id)?.reject(revive(message.error));
      case 'fatal':
        return this.close(revive(message.error));
    }
  }

  /** @param {number} count @param {ThreadMessage} message */
  async #startThreads(count, message) {
    try {
      if (!this.#startThread) throw new Error('Nothing makes threads here.');
      const { workers, ready } = startThreads(this.#startThread, count, message);
      this.#threads = workers;
      await ready;
      for (const worker of workers) {
        worker.addEventListener('error', (event) => this.#fail('A thread of the worker failed.', event));
        worker.unref?.();
      }
      this.#post({ type: 'threads-started' });
    } catch (error) {
      this.#endThreads();
      this.#post({ type: 'threads-failed', reason: String(error) });
    }
  }

  #endThreads() {
    for (const thread of this.#threads) thread.terminate();
    this.#threads = [];
  }

  /** @param {number} id @param {Step} step */
  #step(id, step) {
    if ('runtime' in step) return this.#onRuntime?.(step.runtime);
    try {
      this.#pending.get(id)?.onStep?.(step);
    } catch (error) {
      // A callback of the user's has thrown: the call ends with that error, and the worker need not go on.
      this.#settle(id)?.reject(/** @type {Error} */ (error));
      this.#post({ type: 'abort', id });
    }
  }

  /** Takes a call out of the waiting ones. @param {number} id */
  #settle(id) {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (pending && this.#pending.size === 0) this.#worker.unref?.();
    return pending;
  }

  /** @param {string} sentence @param {{ error?: unknown, message?: string }} event */
  async #fail(sentence, event) {
    const cause = event.error ?? (event.message ? new Error(event.message) : undefined);
    const why = this.#started ? null : await startFailure();
    const options = cause === undefined ? undefined : { cause };
    this.close(new WorkerError('worker-failed', why ?? sentence, options));
  }
}
