/** The script of a worker: the engine, or one of its threads. */

import { startInWorker } from './worker/start.js';

startInWorker(/** @type {import('./worker/service.js').Port} */ (/** @type {unknown} */ (globalThis)));
