/** The worker: the protocol on one side, the engine on the other. */

import { startEngine } from './engine.js';
import { serve } from './service.js';

const port = /** @type {import('./service.js').Port} */ (/** @type {unknown} */ (globalThis));
// The page waits for this word: not every browser tells it that a worker's script could not be loaded.
addEventListener('message', () => port.postMessage({ type: 'started' }), { once: true });
serve(port, startEngine);
