/**
 * The generated wasm modules, one for each variant: the only importer of `pkg/wasm`.
 *
 * The imports are static on purpose: bundlers give a worker one file and refuse to split it. The modules are small; of the
 * `.wasm` files (`wasm-files.js`) only the chosen one is ever fetched.
 */

import * as relaxedThreads from '../../wasm/relaxed-threads.js';
import * as relaxed from '../../wasm/relaxed.js';
import * as simd128Threads from '../../wasm/simd128-threads.js';
import * as simd128 from '../../wasm/simd128.js';

/**
 * @typedef {import('../shared/types.js').VariantName} VariantName
 *
 * @typedef {object} Start
 * @property {Response | WebAssembly.Module} module_or_path compiled once, by the engine
 * @property {WebAssembly.Memory} [memory] of threads: the engine's
 *
 * @typedef {object} Generated what the engine needs of a generated module, beside the handles
 * @property {(start: Start) => Promise<unknown>} default
 * @property {(new (threads: number) => Pool) & { run: () => void }} [ThreadPool] with threads
 *
 * @typedef {object} Pool
 * @property {[WebAssembly.Module, WebAssembly.Memory]} shared
 * @property {() => void} start
 */

/**
 * A variant that was not built has no initialiser.
 *
 * @type {Readonly<Record<VariantName, any>>}
 */
const MODULES = {
  simd128,
  relaxed,
  'simd128-threads': simd128Threads,
  'relaxed-threads': relaxedThreads,
};

/**
 * The generated module of a variant, or null where this build of the package lacks it.
 *
 * @param {VariantName} name
 * @returns {(Generated & import('./handles.js').Wasm) | null}
 */
export function generated(name) {
  const module = MODULES[name];
  return typeof module?.default === 'function' ? module : null;
}
