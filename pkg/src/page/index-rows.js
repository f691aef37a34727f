/**
 * The rows of an index as they are at one time: those that a filter lets through, and all vectors.
 *
 * @typedef {import('./index-options.js').IndexFilter} IndexFilter
 * @typedef {import('./index-worker.js').IndexWorker} IndexWorker
 * @typedef {import('../shared/protocol.js').IndexFilter} RowFilter
 */

import { checkIds } from './index-options.js';

/**
 * Asks with a filter, which a function is made into with the ids as they are.
 *
 * @template T
 * @param {IndexWorker} worker
 * @param {IndexFilter | undefined} filter
 * @param {(filter: RowFilter | null) => Promise<T | null>} ask
 * @returns {Promise<T>}
 */
export async function withFilter(worker, filter, ask) {
  if (typeof filter !== 'function') {
    return /** @type {Promise<T>} */ (ask(filter === undefined ? null : { ids: checkIds(filter) }));
  }
  return worker.withRows(({ ids, version }) => {
    const bits = new Uint8Array(Math.ceil(ids.length / 8));
    ids.forEach((id, row) => {
      if (filter(id)) bits[row >> 3] = (bits[row >> 3] ?? 0) | (1 << (row & 7));
    });
    return ask({ bits, version });
  });
}

/**
 * All ids and vectors, some vectors in each part.
 *
 * @param {IndexWorker} worker
 * @returns {Promise<{ ids: string[], parts: Float32Array[] }>}
 */
export function allVectors(worker) {
  return worker.withRows(async ({ ids, version }) => {
    /** @type {Float32Array[]} */
    const parts = [];
    const { width } = worker.state;
    for (let begin = 0; begin < ids.length && width !== null; begin += (parts.at(-1)?.length ?? 0) / width) {
      const part = await worker.ask('rows', { begin, version });
      // Rows have changed: all from the beginning.
      if (!part) return null;
      parts.push(part);
    }
    return { ids, parts };
  });
}
