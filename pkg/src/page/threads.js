/**
 * The threads of a worker's pool, which are workers too: see `worker/threads.js`.
 *
 * @typedef {import('../shared/protocol.js').ThreadMessage} ThreadMessage
 * @typedef {import('../shared/types.js').WorkerLike} WorkerLike
 */

/** A thread that has not answered by then never will, in milliseconds. */
const LIMIT = 20_000;

/**
 * Starts threads.
 *
 * @param {() => WorkerLike} start makes a worker
 * @param {number} count
 * @param {ThreadMessage} message for each
 * @param {number} [limit]
 * @returns {{ workers: WorkerLike[], ready: Promise<unknown> }} `ready` resolves when all wait for work
 */
export function startThreads(start, count, message, limit = LIMIT) {
  /** @type {WorkerLike[]} */
  const workers = [];
  try {
    for (let i = 0; i < count; i++) workers.push(start());
  } catch (error) {
    return { workers, ready: Promise.reject(error) };
  }
  return { workers, ready: Promise.all(workers.map((worker) => ready(worker, message, limit))) };
}

/**
 * @param {WorkerLike} worker
 * @param {ThreadMessage} message
 * @param {number} limit
 * @returns {Promise<void>}
 */
function ready(worker, message, limit) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('A thread did not start in time.')), limit);
    const settle = (/** @type {() => void} */ act) => {
      clearTimeout(timer);
      act();
    };
    worker.addEventListener('message', ({ data }) =>
      settle(() => (data.type === 'thread-ready' ? resolve() : reject(new Error(String(data.reason))))),
    );
    worker.addEventListener('error', (event) => {
      event.preventDefault?.();
      settle(() => reject(new Error(event.message || 'A thread could not be started.')));
    });
    worker.postMessage(message, []);
  });
}
