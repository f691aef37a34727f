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
    throw new WorkerError('worker-failed', refusalOf(cause), { cause });
  }
  if (runtime.threads > 1) await startThreads(module, runtime);
  return new Engine(module, { runtime });
}

/**
 * Why the wasm could not be loaded, as far as the browser tells.
 *
 * @param {unknown} cause
 */
function refusalOf(cause) {
  // "... because 'unsafe-eval' is not an allowed source of script", in several wordings.
  if (
    cause instanceof WebAssembly.CompileError &&
    /unsafe-eval|Content Security Policy/i.test(cause.message)
  ) {
    return "The page's content security policy forbids WebAssembly: its script-src needs 'wasm-unsafe-eval'.";
  }
  return "ocelli's WebAssembly file could not be loaded.";
}
