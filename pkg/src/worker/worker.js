/** The worker: the protocol on one side, the engine on the other. */

import { startEngine } from './engine.js';
import { serve } from './service.js';

serve(/** @type {import('./service.js').Port} */ (/** @type {unknown} */ (globalThis)), startEngine);
