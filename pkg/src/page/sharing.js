/**
 * Models of one folder share a worker. A folder that serves several tasks from one file (`model_type` "ocelli") is
 * downloaded and built once, whoever asks for it, and a picture is encoded once for all of them.
 *
 * Which kind of folder it is says its configuration, which the worker reads first. Whoever asks for a model that is on
 * its way waits for that word, and then joins, or starts a worker of its own, as for every other model.
 *
 * @typedef {import('./connection.js').WorkerLike} WorkerLike
 * @typedef {import('../shared/protocol.js').LoadArguments} LoadArguments
 * @typedef {import('./remote.js').ModelUse} ModelUse
 * @typedef {import('./remote.js').OnProgress} OnProgress
 */

import { unlessAborted } from '../shared/abort.js';
import { RemoteModel, startWorker } from './remote.js';

/** Models that others may join, by the maker of their worker and by all that makes them another one. */
/** @type {WeakMap<() => WorkerLike, Map<string, RemoteModel>>} */
const registry = new WeakMap();

/**
 * Opens a model, or joins one that is open.
 *
 * @param {LoadArguments} params
 * @param {{ signal?: AbortSignal | null | undefined, onProgress?: OnProgress | undefined,
 *   worker?: (() => WorkerLike) | undefined }} options
 * @returns {Promise<ModelUse>}
 */
export async function openShared(params, { signal, onProgress, worker = startWorker }) {
  const models = registry.get(worker) ?? new Map();
  registry.set(worker, models);
  const key = keyOf(params);
  for (;;) {
    /** @type {RemoteModel | undefined} */
    const there = models.get(key);
    if (!there) break;
    const tasks = await unlessAborted(there.tasks, signal);
    if (there.ended || !tasks?.includes(params.task) || tasks.length === 1) {
      forget(there);
      continue;
    }
    return opened(there);
  }
  const model = new RemoteModel(params, worker, () => forget(model));
  models.set(key, model);
  void model.tasks.then((tasks) => tasks?.length === 1 && forget(model));
  return opened(model);

  /** Nobody can join it: it ended, or serves only the one who opened it. @param {RemoteModel} model */
  function forget(model) {
    if (models.get(key) === model) models.delete(key);
  }

  /** @param {RemoteModel} model */
  async function opened(model) {
    const use = model.join(params.task, onProgress);
    await use.open(signal);
    return use;
  }
}

/**
 * Everything that makes it another model, but what it is for.
 *
 * @param {LoadArguments} params
 */
function keyOf({ files: { config, weights }, dtype, threads, variant, keep }) {
  return JSON.stringify([config.url, weights.url, dtype, threads, variant ?? null, keep]);
}
