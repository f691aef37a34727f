/**
 * Which build of the wasm runs here, and on how many threads.
 *
 * @typedef {import('../shared/types.js').Runtime} Runtime
 * @typedef {import('../shared/types.js').RuntimeOptions} RuntimeOptions
 * @typedef {import('../shared/types.js').VariantName} VariantName
 *
 * @typedef {object} Features what this browser, this page and this build of the package offer
 * @property {boolean} simd
 * @property {boolean} relaxedSimd
 * @property {boolean} threads
 * @property {boolean} isolated whether the page is cross-origin isolated
 * @property {number} cores
 * @property {(name: VariantName) => boolean} built
 */

import { relaxedSimd, simd, threads } from '../../wasm/feature-detect.js';
import { WorkerError } from '../shared/errors.js';
import { platform } from '../shared/platform.js';

/** More threads than this gain little, and each takes memory. */
const MOST_AUTO = 8;

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
    isolated: platform.isolated(),
    cores: platform.cores(),
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
    return runtimeOf(variant, shared ? count : 1, 'This variant was asked for.');
  }
  const single = noThreads(asked, count, features);
  const relaxed = features.relaxedSimd && features.built('relaxed');
  const base = relaxed ? 'relaxed' : 'simd128';
  const simdReason = relaxed
    ? 'This browser has relaxed SIMD'
    : features.relaxedSimd
      ? 'The variant with relaxed SIMD was not built'
      : 'This browser lacks relaxed SIMD';
  if (single === null && features.built(`${base}-threads`)) {
    return runtimeOf(`${base}-threads`, count, `${simdReason} and lets this page use threads.`);
  }
  const threadsReason = single ?? 'the variant with threads was not built';
  return runtimeOf(base, 1, `${simdReason}; one thread, because ${threadsReason}.`);
}

/**
 * @param {VariantName} variant
 * @param {number} threads
 * @param {string} reason
 * @returns {Runtime}
 */
export function runtimeOf(variant, threads, reason) {
  return { variant, threads, reason, why: reason };
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
