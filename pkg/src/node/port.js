/** The worker's side of a thread of `worker_threads`, as the service knows it. */

import { parentPort } from 'node:worker_threads';

/** @returns {import('../worker/service.js').Port} */
export function openPort() {
  const port = parentPort;
  if (!port) throw new Error('This script is the worker of ocelli: it is started by the package.');
  return {
    postMessage: (message) => port.postMessage(message),
    addEventListener(_, listener, options) {
      let heard = false;
      // Not `once`: when one listener goes, Node 20 lets the thread end, whoever else listens.
      port.on('message', (data) => {
        if (heard && options?.once) return;
        heard = true;
        listener({ data });
      });
    },
    close: () => port.close(),
  };
}
