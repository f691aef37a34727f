/**
 * The worker's half of the protocol: calls run one after the other, in the order in which they came, and
 * between two steps of a call the worker reads its messages, so that an abort can arrive.
 *
 * @typedef {import('../shared/protocol.js').CallMessage} CallMessage
 * @typedef {import('../shared/protocol.js').ClientMessage} ClientMessage
 * @typedef {import('../shared/protocol.js').WorkerMessage} WorkerMessage
 *
 * @typedef {object} Port the worker's global scope, or what stands in for it in tests
 * @property {(message: WorkerMessage | { type: 'thread-ready' } | { type: 'thread-failed', reason: string }) => void} postMessage
 * @property {(type: 'message', listener: (event: { data: any }) => void, options?: { once: boolean }) => void} addEventListener
 * @property {() => void} close
 *
 * @typedef {object} Engine
 * @property {(call: Pick<CallMessage, 'task' | 'operation' | 'params'>, signal: AbortSignal)
 *   => AsyncGenerator<import('../shared/protocol.js').Step, any, void>} run
 */

import { throwIfAborted } from '../shared/abort.js';
import { codeOf, serialise, WorkerError } from '../shared/errors.js';

/**
 * @param {Port} port
 * @param {(params: any, threads: ThreadRequests) => Promise<Engine>} startEngine called once, with what the first call is
 *   given
 */
export function serve(port, startEngine) {
  /** @type {Map<number, AbortController>} calls that wait or run */
  const controllers = new Map();
  /** @type {Promise<Engine> | undefined} */
  let engine;
  let last = Promise.resolve();
  let dead = false;
  const threads = new ThreadRequests(port);

  /** @param {CallMessage} call @param {AbortSignal} signal */
  async function answer(call, signal) {
    const { id, params } = call;
    throwIfAborted(signal);
    // The first call is the one that loads: it says what the engine is to run on.
    engine ??= startEngine(params, threads);
    const run = (await engine).run(call, signal);
    try {
      for (;;) {
        throwIfAborted(signal);
        const { done, value } = await run.next();
        if (done) return value;
        port.postMessage({ type: 'step', id, step: value });
        await nextTask();
      }
    } finally {
      await run.return(undefined);
    }
  }

  /** @param {CallMessage} call @param {AbortSignal} signal */
  async function serveCall(call, signal) {
    if (dead) return;
    const { id } = call;
    try {
      port.postMessage({ type: 'done', id, answer: await answer(call, signal) });
    } catch (error) {
      if (codeOf(error) !== null) port.postMessage({ type: 'failed', id, error: serialise(error) });
      else die(error);
    } finally {
      controllers.delete(id);
    }
  }

  /**
   * An error without a code is a trap in the wasm or a defect of ours: after it, nothing in this worker can
   * be trusted.
   *
   * @param {unknown} cause
   */
  function die(cause) {
    dead = true;
    const error = new WorkerError(
      'worker-failed',
      'The model stopped unexpectedly, as it does when memory runs out. The next call starts it again.',
      { cause },
    );
    port.postMessage({ type: 'fatal', error: serialise(error) });
    port.close();
  }

  port.addEventListener('message', ({ data: message }) => {
    switch (message.type) {
      case 'abort':
        return controllers.get(message.id)?.abort();
      case 'threads-started':
        return threads.settle(null);
      case 'threads-failed':
        return threads.settle(message.reason);
      case 'call': {
        const controller = new AbortController();
        controllers.set(message.id, controller);
        last = last.then(() => serveCall(message, controller.signal));
      }
    }
  });
}

/** What the worker asks of the page: threads of its pool. */
export class ThreadRequests {
  #port;
  /** @type {((reason: string | null) => void) | null} */
  #settle = null;

  /** @param {Pick<Port, 'postMessage'>} port */
  constructor(port) {
    this.#port = port;
  }

  /**
   * Has threads started.
   *
   * @type {import('./threads.js').RequestThreads}
   */
  start = (count, message) =>
    new Promise((resolve, reject) => {
      this.#settle = (reason) => (reason === null ? resolve() : reject(new Error(reason)));
      this.#port.postMessage({ type: 'start-threads', count, message });
    });

  /** Has those that were started ended. */
  end() {
    this.#port.postMessage({ type: 'end-threads' });
  }

  /** @param {string | null} reason why there are none */
  settle(reason) {
    this.#settle?.(reason);
    this.#settle = null;
  }
}

/**
 * Resolves in a new task, after messages that are already waiting. Timers would do, but browsers stretch
 * repeated ones to four milliseconds.
 *
 * @returns {Promise<void>}
 */
function nextTask() {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
