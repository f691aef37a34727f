import { serve } from '../../../pkg/src/worker/service.js';
import { Engine } from '../../../pkg/src/worker/operations/index.js';

/** What the fake wasm says it runs on. */
export const RUNTIME = Object.freeze({ variant: 'simd128', threads: 1, why: 'This is a test.' });

/**
 * A worker without a thread: the real service and the real operations over a fake wasm, behind a MessageChannel, so
 * that everything is cloned and transferred as it is between threads.
 */
export class FakeWorker extends EventTarget {
  terminated = false;
  /** Messages as they arrived, before the service saw them. */
  received = [];
  #channel = new MessageChannel();

  constructor(wasm, { startEngine, ...options } = {}) {
    super();
    const { port1, port2 } = this.#channel;
    port1.onmessage = ({ data }) =>
      this.terminated || this.dispatchEvent(new MessageEvent('message', { data }));
    const port = {
      postMessage: (message) => port2.postMessage(message),
      addEventListener: (type, listener) => {
        port2.onmessage = (event) => {
          this.received.push(event.data);
          listener(event);
        };
      },
      close: () => (this.closedItself = true),
    };
    serve(port, startEngine ?? (async () => new Engine(wasm, { runtime: RUNTIME, backoff: 1, ...options })));
  }

  postMessage(message, transfer) {
    this.#channel.port1.postMessage(message, transfer);
  }

  terminate() {
    this.terminated = true;
    this.#channel.port1.close();
  }

  /** Fails as a worker does whose script threw, or could not be loaded. */
  crash(message = 'boom') {
    this.dispatchEvent(Object.assign(new Event('error', { cancelable: true }), { message }));
  }
}

/** Makes fake workers and remembers them. */
export function workerFactory(wasm, options) {
  const workers = [];
  const worker = () => {
    workers.push(new FakeWorker(wasm, options));
    return workers.at(-1);
  };
  return { worker, workers };
}
