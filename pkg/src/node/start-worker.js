/** Workers of `worker_threads`, as the page's side knows workers. */

import { Worker } from 'node:worker_threads';

/** @implements {Required<import('../shared/types.js').WorkerLike>} */
export class NodeWorker {
  #worker;

  /** @param {URL} script */
  constructor(script) {
    this.#worker = new Worker(script);
    // A program that forgets `dispose` ends all the same, once it waits for no answer.
    this.#worker.unref();
  }

  /** @param {any} message @param {readonly any[]} [transfer] */
  postMessage(message, transfer = []) {
    this.#worker.postMessage(message, transfer);
  }

  /** @param {'message' | 'messageerror' | 'error'} type @param {(event: any) => void} listener */
  addEventListener(type, listener) {
    this.#worker.on(type, (value) =>
      listener(
        type === 'error' ? { error: value, message: String(value?.message ?? value) } : { data: value },
      ),
    );
    // A worker that ends by itself has failed: this thread ends one with `terminate`, which is told to nobody.
    if (type === 'error') {
      this.#worker.on('exit', (code) => listener({ message: `It ended with the code ${code}.` }));
    }
  }

  terminate() {
    this.#worker.removeAllListeners();
    // What is thrown while it ends concerns nobody any more.
    this.#worker.on('error', () => {});
    void this.#worker.terminate();
  }

  ref() {
    this.#worker.ref();
  }

  unref() {
    this.#worker.unref();
  }
}
