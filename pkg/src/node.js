/**
 * The package in Node, and in Deno and Bun, which have what Node has: the same names as in a browser, with workers of
 * `worker_threads`, files by their paths, and models kept in a folder.
 */

import './node/platform.js';
import { WorkerError } from './shared/errors.js';
import { platform } from './shared/platform.js';
import { NodeWorker } from './node/start-worker.js';

// A framework's server renders pages: what is loaded there would be loaded for every visitor. Its bundler has moved the
// package's files besides.
platform.refuseServer = () => {
  if (!process.env.NEXT_RUNTIME) return;
  throw new WorkerError(
    'unsupported-browser',
    'This is the server of Next: load models and the vocabulary in the browser, in an effect or an event of a client component.',
  );
};

platform.startWorker = () => {
  platform.refuseServer();
  return new NodeWorker(new URL('./node-worker.js', import.meta.url));
};

export * from './index.js';
