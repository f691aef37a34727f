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
 * @property {string | null} noSharing why threads may not share memory; null where they may
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
    return { simd: false, relaxedSimd: false, threads: false, noSharing: null, cores: 1, built };
  }
  const [plain, relaxed, shared] = await Promise.all([simd(), relaxedSimd(), threads()]);
  return {
    simd: plain,
    relaxedSimd: relaxed,
    threads: shared,
    noSharing: platform.noSharing(),
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
    throw new WorkerError(
      'unsupported-browser',
      `${platform.host} lacks WebAssembly SIMD, which ocelli needs.`,
    );
  }
  const count = asked === 'auto' ? Math.min(features.cores, MOST_AUTO) : asked;
  if (variant !== undefined) {
    const relaxed = variant.startsWith('relaxed');
    const shared = variant.endsWith('threads');
    if (
      !features.built(variant) ||
      (relaxed && !features.relaxedSimd) ||
      (shared && features.noSharing !== null)
    ) {
      throw new WorkerError('unsupported-browser', `The variant ${variant} cannot run here.`);
    }
    return runtimeOf(variant, shared ? count : 1, 'This variant was asked for.');
  }
  const single = noThreads(asked, count, features);
  const relaxed = features.relaxedSimd && features.built('relaxed');
  const base = relaxed ? 'relaxed' : 'simd128';
  const simdReason = relaxed
    ? `${platform.host} has relaxed SIMD`
    : features.relaxedSimd
      ? 'The variant with relaxed SIMD was not built'
      : `${platform.host} lacks relaxed SIMD`;
  if (single === null && features.built(`${base}-threads`)) {
    return runtimeOf(`${base}-threads`, count, `${simdReason}, and threads can share memory.`);
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
  return { device: 'wasm', variant, threads, reason, why: reason };
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
  if (features.noSharing !== null) return features.noSharing;
  if (!features.threads) return 'WebAssembly threads are lacking';
  return null;
}
