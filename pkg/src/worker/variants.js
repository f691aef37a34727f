/**
 * The generated wasm modules, one for each variant: the only importer of `pkg/wasm`.
 *
 * The imports are static on purpose: bundlers give a worker one file and refuse to split it, and they find the
 * `.wasm` files through the `new URL(…, import.meta.url)` inside the generated modules. These are small; of the
 * `.wasm` files only the chosen one is ever fetched.
 */

import * as relaxedThreads from '../../wasm/relaxed-threads/ocelli.js';
import * as relaxed from '../../wasm/relaxed/ocelli.js';
import * as simd128Threads from '../../wasm/simd128-threads/ocelli.js';
import * as simd128 from '../../wasm/simd128/ocelli.js';

/**
 * @typedef {import('../shared/types.js').VariantName} VariantName
 *
 * @typedef {object} Shared
 * @property {WebAssembly.Module} module_or_path compiled once, by the engine
 * @property {WebAssembly.Memory} memory
 *
 * @typedef {object} Generated what the engine needs of a generated module, beside the handles
 * @property {(shared?: Shared) => Promise<unknown>} default
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
