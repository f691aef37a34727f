/** The worker's side of a thread of `worker_threads`, as the service knows it. */

import { parentPort } from 'node:worker_threads';

/** @returns {import('../worker/service.js').Port} */
export function openPort() {
  const port = parentPort;
  if (!port) throw new Error('This script is the worker of ocelli: it is started by the package.');
  return {
    postMessage: (message) => port.postMessage(message),
    addEventListener(_, listener, options) {
      const hear = (/** @type {any} */ data) => listener({ data });
      if (options?.once) port.once('message', hear);
      else port.on('message', hear);
    },
    close: () => port.close(),
  };
}
