/**
 * Starts the engine: chooses a variant of the wasm, its threads, and hands both to `operations/`.
 *
 * @typedef {import('../shared/types.js').Runtime} Runtime
 * @typedef {import('../shared/types.js').RuntimeOptions} RuntimeOptions
 */

import { WorkerError } from '../shared/errors.js';
import { choose, detect } from './runtime.js';
import { startThreads } from './threads.js';
import { generated } from './variants.js';
import { Engine } from './operations/index.js';

/**
 * @param {RuntimeOptions} [wanted]
 * @returns {Promise<Engine>}
 */
export async function startEngine(wanted = {}) {
  const features = await detect((name) => generated(name) !== null);
  const runtime = choose(wanted, features);
  try {
    return await start(runtime);
  } catch (cause) {
    if (runtime.threads === 1 || wanted.variant) throw cause;
    // Some pages forbid workers within workers. One thread is slower, not wrong.
    const single = choose({ threads: 1 }, features);
    const why = `${single.why.replace(/;.*/, '')}; one thread, because more could not be started here.`;
    return start({ ...single, why });
  }
}

/**
 * @param {Runtime} runtime
 * @returns {Promise<Engine>}
 */
async function start(runtime) {
  const module = generated(runtime.variant);
  if (!module) throw new WorkerError('worker-failed', 'This build of ocelli lacks its WebAssembly file.');
  try {
    await module.default();
  } catch (cause) {
    throw new WorkerError('worker-failed', "ocelli's WebAssembly file could not be loaded.", { cause });
  }
  if (runtime.threads > 1) await startThreads(module, runtime);
  return new Engine(module, { runtime });
}
