/** The worker: the protocol on one side, the engine on the other. */

import { startEngine } from './engine.js';
import { serve } from './service.js';

const port = /** @type {import('./service.js').Port} */ (/** @type {unknown} */ (globalThis));
serve(port, startEngine);
// The page waits for this word: not every browser tells it that a worker's script could not be loaded.
port.postMessage({ type: 'started' });
// And once more, to a page that was given a worker which had started before.
addEventListener('message', () => port.postMessage({ type: 'started' }), { once: true });
