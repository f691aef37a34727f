/** The script that only a GPU needs, found as `wasm-files.js` finds the wasm. */

import { absoluteUrl } from './shared/platform.js';

/**
 * Loads it. Bundlers copy the file and leave the import alone: those of Vite refuse workers of several scripts.
 *
 * @returns {Promise<typeof import('./worker/gpu/tower.js')>}
 */
export function loadGpu() {
  const { href } = absoluteUrl(new URL('./gpu.js', import.meta.url));
  return import(/* webpackIgnore: true */ /* @vite-ignore */ href);
}
