/**
 * Starts the engine: chooses a variant of the wasm, its threads, and hands both to `operations/`.
 *
 * @typedef {import('../shared/types.js').Runtime} Runtime
 * @typedef {import('../shared/types.js').RuntimeOptions} RuntimeOptions
 * @typedef {import('./service.js').ThreadRequests} ThreadRequests
 */

import { WorkerError } from '../shared/errors.js';
import { platform } from '../shared/platform.js';
import { violatedDirective } from '../shared/policy.js';
import { unreachable } from '../shared/unreachable.js';
import { wasmAddress } from '../wasm-files.js';
import { choose, detect, runtimeOf } from './runtime.js';
import { startThreads } from './threads.js';
import { generated } from './variants.js';
import { Engine } from './operations/index.js';

/**
 * @param {RuntimeOptions} wanted
 * @param {Pick<ThreadRequests, 'start' | 'end'>} threads
 * @param {{ find?: typeof generated, features?: import('./runtime.js').Features }} [options] for tests: where the wasm's
 *   modules come from, and what there is to run them
 * @returns {Promise<Engine>}
 * @throws {WorkerError} `unsupported-browser`, `worker-failed`
 */
export async function startEngine(wanted, threads, { find = generated, ...options } = {}) {
  const features = options.features ?? (await detect((name) => find(name) !== null));
  const runtime = choose(wanted, features);
  try {
    return await start(runtime, wanted, threads, find);
  } catch (cause) {
    if (runtime.threads === 1 || wanted.variant) throw cause;
    // Some pages forbid more workers, and small machines the memory that threads share. One thread is slower, not wrong.
    threads.end();
    const single = choose({ threads: 1 }, features);
    const reason = `${single.reason.replace(/;.*/, '')}; one thread, because more could not be started here.`;
    return start(runtimeOf(single.variant, 1, reason), wanted, threads, find);
  }
}

/**
 * @param {Runtime} runtime
 * @param {RuntimeOptions} wanted
 * @param {Pick<ThreadRequests, 'start' | 'end'>} threads
 * @param {typeof generated} find
 * @returns {Promise<Engine>}
 */
async function start(runtime, { wasmUrl }, threads, find) {
  const module = find(runtime.variant);
  if (!module) throw new WorkerError('worker-failed', 'This build of ocelli lacks its WebAssembly file.');
  const { href } = wasmAddress(runtime.variant, wasmUrl);
  try {
    await module.default({ module_or_path: await fetchWasm(href) });
  } catch (cause) {
    if (cause instanceof WorkerError) throw cause;
    throw new WorkerError('worker-failed', refusalOf(cause), { cause });
  }
  if (runtime.threads > 1) await startThreads(module, runtime, threads.start);
  return new Engine(module, { runtime });
}

/** @param {string} address @returns {Promise<Response>} */
async function fetchWasm(address) {
  /** @type {Response} */
  let response;
  try {
    response = await platform.fetch(address);
  } catch (cause) {
    const policy = await violatedDirective(['connect-src', 'default-src'], address);
    const sentence = policy
      ? `The page's content security policy forbids ocelli's WebAssembly file: its connect-src needs ${new URL(address).origin}.`
      : `ocelli's WebAssembly file could not be fetched: ${address} ${unreachable(address)}.`;
    throw new WorkerError('worker-failed', sentence, { cause });
  }
  if (!response.ok) {
    const sentence = `ocelli's WebAssembly file could not be fetched: the server answered ${response.status} for ${address}.`;
    throw new WorkerError('worker-failed', sentence);
  }
  if (/^text\/html\b/i.test(response.headers.get('content-type') ?? '')) {
    const sentence = `ocelli's WebAssembly file was not found: what lies at ${address} is a web page.`;
    throw new WorkerError('worker-failed', sentence);
  }
  return response;
}

/**
 * Why the wasm could not be loaded, as far as the browser tells.
 *
 * @param {unknown} cause
 */
function refusalOf(cause) {
  // "... because 'unsafe-eval' is not an allowed source of script", in several wordings.
  if (cause instanceof Error && /unsafe-eval|Content Security Policy|\bCSP\b/i.test(cause.message)) {
    return "The page's content security policy forbids WebAssembly: its script-src needs 'wasm-unsafe-eval'.";
  }
  if (cause instanceof RangeError || (cause instanceof Error && /out of memory/i.test(cause.message))) {
    return 'There is not enough memory for the model: close other pages, or take a smaller model.';
  }
  return "ocelli's WebAssembly file could not be loaded.";
}
