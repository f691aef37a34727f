/**
 * Models of one folder share a worker. A folder that serves several tasks from one file (`model_type` "ocelli") is
 * downloaded and built once, whoever asks for it, and a picture is encoded once for all of them.
 *
 * Which kind of folder it is says its configuration, which the worker reads first. Whoever asks for a model that is on
 * its way waits for that word, and then joins, or starts a worker of its own, as for every other model.
 *
 * @typedef {import('../shared/types.js').WorkerLike} WorkerLike
 * @typedef {import('../shared/protocol.js').LoadArguments} LoadArguments
 *
 * @typedef {object} Joined a model, and what it is wanted for
 * @property {SharedModel} model
 * @property {import('../shared/protocol.js').Task} task
 *
 * @typedef {object} Asked how it was asked for
 * @property {((progress: import('../shared/protocol.js').Progress) => void) | undefined} [onProgress]
 * @property {import('./saved-teacher.js').ModelIdentity} identity
 *
 * @typedef {Joined & Asked} Opened what a loaded model is made of
 */

import { unlessAborted } from '../shared/abort.js';
import { startWorker } from './module-worker.js';
import { SharedModel } from './shared-model.js';

/** Models that others may join, by the maker of their worker and by all that makes them another one. */
/** @type {WeakMap<() => WorkerLike, Map<string, SharedModel>>} */
const registry = new WeakMap();

/**
 * Finds a model that is open and can be joined, or makes one; and at once, before it can end, one user more.
 *
 * @template U
 * @param {LoadArguments} params
 * @param {{ signal?: AbortSignal | null | undefined, worker?: (() => WorkerLike) | undefined }} options
 * @param {(joined: Joined) => U} join makes the user
 * @returns {Promise<U>}
 */
export async function openShared(params, { signal, worker = startWorker }, join) {
  const models = registry.get(worker) ?? new Map();
  registry.set(worker, models);
  const key = keyOf(params);
  const { task } = params;
  for (;;) {
    /** @type {SharedModel | undefined} */
    const there = models.get(key);
    if (!there) break;
    const tasks = await unlessAborted(there.tasks, signal);
    if (!there.ended && tasks?.includes(task) && tasks.length > 1) return join({ model: there, task });
    forget(there);
  }
  const model = new SharedModel(params, worker, () => forget(model));
  models.set(key, model);
  void model.tasks.then((tasks) => tasks?.length === 1 && forget(model));
  return join({ model, task });

  /** Nobody can join it: it ended, or serves only the one who opened it. @param {SharedModel} model */
  function forget(model) {
    if (models.get(key) === model) models.delete(key);
  }
}

/**
 * Everything that makes it another model, but what it is for. Models of several tasks have no part that a GPU computes, so that the
 * device is none of it.
 *
 * @param {LoadArguments} params
 */
function keyOf({ files: { config, weights }, dtype, threads, variant, wasmUrl, cache }) {
  const { integrity = null } = config.access ?? {};
  const engine = [dtype, threads, variant ?? null, wasmUrl ?? null];
  return JSON.stringify([config.url, weights.url, ...engine, cache, integrity]);
}
