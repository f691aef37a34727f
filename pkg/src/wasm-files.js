/**
 * The addresses of the wasm, one for each variant, as `files.js` has those of the other files.
 *
 * @typedef {import('./shared/types.js').VariantName} VariantName
 */

import { absoluteUrl } from './shared/platform.js';

/** @type {Readonly<Record<VariantName, () => URL>>} */
const FILES = {
  simd128: () => new URL('../wasm/simd128_bg.wasm', import.meta.url),
  relaxed: () => new URL('../wasm/relaxed_bg.wasm', import.meta.url),
  'simd128-threads': () => new URL('../wasm/simd128-threads_bg.wasm', import.meta.url),
  'relaxed-threads': () => new URL('../wasm/relaxed-threads_bg.wasm', import.meta.url),
};

/**
 * @param {VariantName} variant
 * @param {string} [wasmUrl] a folder of such files, or the one file
 * @returns {URL}
 */
export function wasmAddress(variant, wasmUrl) {
  if (wasmUrl === undefined) return absoluteUrl(FILES[variant]());
  return /\.wasm$/.test(new URL(wasmUrl).pathname)
    ? new URL(wasmUrl)
    : new URL(`${variant}_bg.wasm`, wasmUrl.replace(/\/?$/, '/'));
}
