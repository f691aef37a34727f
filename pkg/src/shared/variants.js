/**
 * The builds of the wasm, by name.
 *
 * @typedef {import('./types.js').VariantName} VariantName
 */

/** @type {readonly VariantName[]} */
export const VARIANT_NAMES = ['simd128', 'relaxed', 'simd128-threads', 'relaxed-threads'];
