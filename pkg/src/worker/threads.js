/**
 * The pool of threads: workers within the model's worker that run the same wasm over the same memory. They end
 * with it.
 *
 * @typedef {import('../shared/types.js').Runtime} Runtime
 * @typedef {import('./variants.js').Generated} Generated
 */

import { startModuleWorker } from '../shared/module-worker.js';

/** A worker that has not answered by then never will. */
const LIMIT = 20_000;

/**
 * Resolves when all threads run.
 *
 * @param {Generated} module
 * @param {Runtime} runtime
 */
export async function startThreads(module, { variant, threads }) {
  if (!module.ThreadPool) throw new Error(`The variant ${variant} has no threads.`);
  /** @type {Worker[]} */
  const workers = [];
  try {
    // This worker is a thread of the pool itself.
    for (let i = 1; i < threads; i++) {
      const start = () => new Worker(new URL('./pool.js', import.meta.url), { type: 'module' });
      const { href } = new URL(/* webpackIgnore: true */ /* @vite-ignore */ './pool.js', import.meta.url);
      workers.push(startModuleWorker(start, href));
    }
    const pool = new module.ThreadPool(threads);
    const [compiled, memory] = pool.shared;
    await Promise.all(workers.map((worker) => ready(worker, { variant, compiled, memory })));
    pool.start();
  } catch (error) {
    for (const worker of workers) worker.terminate();
    throw error;
  }
}

/**
 * @param {Worker} worker
 * @param {{ variant: string, compiled: WebAssembly.Module, memory: WebAssembly.Memory }} start
 * @returns {Promise<void>}
 */
function ready(worker, start) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('A thread did not start in time.')), LIMIT);
    worker.onmessage = ({ data }) => {
      clearTimeout(timer);
      if (data === 'ready') resolve();
      else reject(new Error(String(data)));
    };
    worker.onerror = (event) => {
      clearTimeout(timer);
      event.preventDefault();
      reject(new Error(event.message || 'A thread could not be started.'));
    };
    worker.postMessage(start);
  });
}
