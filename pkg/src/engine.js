/**
 * Starts the engine: the only importer of the generated wasm module. The verbs themselves are in `verbs/`.
 *
 * The import is static on purpose: bundlers give a worker one file and refuse to split it, and they find the
 * `.wasm` file through the `new URL(…, import.meta.url)` inside the generated module.
 */

import { simd } from 'wasm-feature-detect';
import initialise, * as generated from '../wasm/ocelli.js';
import { WorkerError } from './errors.js';
import { Engine } from './verbs/index.js';

/**
 * @returns {Promise<Engine>}
 */
export async function startEngine() {
  if (typeof WebAssembly !== 'object' || !(await simd())) {
    throw new WorkerError('unsupported-browser', 'This browser lacks WebAssembly SIMD, which ocelli needs.');
  }
  try {
    await initialise();
  } catch (cause) {
    throw new WorkerError('worker-failed', "ocelli's WebAssembly file could not be loaded.", { cause });
  }
  return new Engine(generated);
}
