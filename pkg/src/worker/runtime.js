/**
 * Which build of the wasm runs here, and on how many threads.
 *
 * @typedef {'simd128' | 'relaxed' | 'simd128-threads' | 'relaxed-threads'} VariantName
 *
 * @typedef {object} Runtime
 * @property {VariantName} variant with or without relaxed SIMD, with or without threads
 * @property {number} threads how many compute; 1 without a pool
 * @property {string} why one sentence: why this variant and not a faster one
 *
 * @typedef {object} RuntimeOptions
 * @property {'auto' | number} [threads] `auto`: one for each core, at most 8, where the page allows threads
 * @property {VariantName} [variant] for tests and reports of faults: this one and no other
 *
 * @typedef {object} Features what this browser, this page and this build of the package offer
 * @property {boolean} simd
 * @property {boolean} relaxedSimd
 * @property {boolean} threads
 * @property {boolean} isolated whether the page is cross-origin isolated
 * @property {number} cores
 * @property {(name: VariantName) => boolean} built
 */

import { relaxedSimd, simd, threads } from 'wasm-feature-detect';
import { OcelliError, WorkerError } from '../shared/errors.js';

/** More threads than this gain little, and each takes memory. */
const MOST_AUTO = 8;
/** More than any machine has. */
const MOST_THREADS = 64;

/** @type {readonly VariantName[]} */
export const VARIANT_NAMES = ['simd128', 'relaxed', 'simd128-threads', 'relaxed-threads'];

/** @param {unknown} value */
export function checkThreads(value) {
  const whole = Number.isInteger(value) && Number(value) >= 1 && Number(value) <= MOST_THREADS;
  if (value === undefined || value === 'auto' || whole) return;
  throw new OcelliError(
    'argument-invalid',
    `threads must be "auto" or a whole number from 1 to ${MOST_THREADS}.`,
  );
}

/** @param {unknown} value */
export function checkVariant(value) {
  if (value === undefined || VARIANT_NAMES.some((name) => name === value)) return;
  throw new OcelliError('argument-invalid', `variant must be one of ${VARIANT_NAMES.join(', ')}.`);
}

/**
 * @param {(name: VariantName) => boolean} built
 * @returns {Promise<Features>}
 */
export async function detect(built) {
  if (typeof WebAssembly !== 'object') {
    return { simd: false, relaxedSimd: false, threads: false, isolated: false, cores: 1, built };
  }
  const [plain, relaxed, shared] = await Promise.all([simd(), relaxedSimd(), threads()]);
  return {
    simd: plain,
    relaxedSimd: relaxed,
    threads: shared,
    isolated: globalThis.crossOriginIsolated === true,
    cores: globalThis.navigator?.hardwareConcurrency || 1,
    built,
  };
}

/**
 * @param {RuntimeOptions} wanted
 * @param {Features} features
 * @returns {Runtime}
 */
export function choose({ threads: asked = 'auto', variant }, features) {
  if (!features.simd) {
    throw new WorkerError('unsupported-browser', 'This browser lacks WebAssembly SIMD, which ocelli needs.');
  }
  const count = asked === 'auto' ? Math.min(features.cores, MOST_AUTO) : asked;
  if (variant !== undefined) {
    const relaxed = variant.startsWith('relaxed');
    const shared = variant.endsWith('threads');
    if (!features.built(variant) || (relaxed && !features.relaxedSimd) || (shared && !features.isolated)) {
      throw new WorkerError('unsupported-browser', `The variant ${variant} cannot run in this page.`);
    }
    return { variant, threads: shared ? count : 1, why: 'This variant was asked for.' };
  }
  const single = noThreads(asked, count, features);
  const relaxed = features.relaxedSimd && features.built('relaxed');
  const base = relaxed ? 'relaxed' : 'simd128';
  const simdWhy = relaxed
    ? 'This browser has relaxed SIMD'
    : features.relaxedSimd
      ? 'The variant with relaxed SIMD was not built'
      : 'This browser lacks relaxed SIMD';
  if (single === null && features.built(`${base}-threads`)) {
    return { variant: `${base}-threads`, threads: count, why: `${simdWhy} and lets this page use threads.` };
  }
  const threadsWhy = single ?? 'the variant with threads was not built';
  return { variant: base, threads: 1, why: `${simdWhy}; one thread, because ${threadsWhy}.` };
}

/**
 * Why there is but one thread, or null where there can be more.
 *
 * @param {'auto' | number} asked
 * @param {number} count
 * @param {Features} features
 */
function noThreads(asked, count, features) {
  if (asked === 1) return 'no more was asked for';
  if (count <= 1) return 'the machine has one core';
  if (!features.isolated) return 'the page is not cross-origin isolated';
  if (!features.threads) return 'this browser lacks WebAssembly threads';
  return null;
}
