/**
 * The pool of threads: further workers that run the same wasm over the same memory. The page starts them and ends them with
 * this one: workers within workers are not to be had everywhere.
 *
 * @typedef {import('../shared/protocol.js').ThreadMessage} ThreadMessage
 * @typedef {import('../shared/types.js').Runtime} Runtime
 * @typedef {import('./variants.js').Generated} Generated
 *
 * @typedef {(count: number, message: ThreadMessage) => Promise<void>} RequestThreads has so many threads started, each with
 *   the message. Resolves when all of them wait for work
 */

/**
 * Resolves when all threads run.
 *
 * @param {Generated} module
 * @param {Runtime} runtime
 * @param {RequestThreads} request
 */
export async function startThreads(module, { variant, threads }, request) {
  if (!module.ThreadPool) throw new Error(`The variant ${variant} has no threads.`);
  const pool = new module.ThreadPool(threads);
  const [compiled, memory] = pool.shared;
  // This worker is a thread of the pool itself.
  await request(threads - 1, { type: 'thread', variant, compiled, memory });
  pool.start();
}
