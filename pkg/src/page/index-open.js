/**
 * Opening an index: its worker, its file, and the model that reads for it.
 *
 * @typedef {import('./index-options.js').IndexFile} IndexFile
 * @typedef {import('./index-options.js').IndexOptions} IndexOptions
 * @typedef {import('../shared/protocol.js').IndexSource} IndexSource
 *
 * @typedef {object} IndexReader
 * @property {Embedder | null} embedder
 * @property {boolean} owned whether it was loaded for the index, and ends with it
 */

import { errorFor } from '../shared/errors.js';
import { platform } from '../shared/platform.js';
import { wrong } from './arguments.js';
import { Embedder } from './embedder.js';
import { absolute } from './hub.js';
import { checkName } from './index-options.js';
import { IndexWorker } from './index-worker.js';
import { identityOf, isSameModel, nameOf } from './model-identity.js';
import { CALL, readOptions } from './options.js';
import { pathOf } from './picture-address.js';

/**
 * @template I
 * @param {IndexSource | null} source
 * @param {IndexOptions} options
 * @param {(worker: IndexWorker, reader: IndexReader) => I} make
 * @returns {Promise<I>}
 */
export async function openIndex(source, options, make) {
  const read = readOptions(options, ['model', 'threads', 'variant', 'wasmUrl', 'worker', ...CALL]);
  const { model, threads = 'auto', variant, wasmUrl, worker, signal, onProgress } = read;
  const engine = {
    threads,
    ...(variant && { variant }),
    ...(wasmUrl && { wasmUrl: absolute(String(wasmUrl), 'option wasmUrl').href }),
  };
  const reader = await readerOf(model, { ...engine, ...(worker && { worker }), signal, onProgress });
  try {
    const identity = reader.embedder
      ? identityOf(reader.embedder.identity)
      : { id: '', revision: '', dtype: /** @type {const} */ ('') };
    const params = { model: identity, source, ...engine };
    const opened = await IndexWorker.open(params, { signal, onProgress, worker });
    const own = opened.state.model;
    if (!isSameModel(own, identity)) {
      opened.dispose();
      const sentence = `The vectors of the index are of ${nameOf(own)}, and cannot be compared with those of ${nameOf(identity)}.`;
      throw errorFor('index-mismatch', sentence);
    }
    return make(opened, reader);
  } catch (error) {
    if (reader.owned) reader.embedder?.dispose();
    throw error;
  }
}

/**
 * @param {IndexOptions['model']} model
 * @param {import('./embedder.js').EmbedderOptions | any} options
 * @returns {Promise<IndexReader>}
 */
async function readerOf(model, options) {
  if (model === undefined) return { embedder: null, owned: false };
  if (model instanceof Embedder) return { embedder: model, owned: false };
  return { embedder: await Embedder.load(model, options), owned: true };
}

/**
 * @param {IndexFile} file
 * @param {AbortSignal | null | undefined} signal
 * @returns {Promise<IndexSource>}
 */
export async function sourceOf(file, signal) {
  if (file instanceof Blob) return { kind: 'blob', blob: await platform.sendable(file) };
  if (file instanceof ArrayBuffer || ArrayBuffer.isView(file)) {
    return { kind: 'blob', blob: new Blob([/** @type {ArrayBuffer} */ (file)]) };
  }
  if (typeof file === 'string' || file instanceof URL) return fetched(String(file), signal);
  if (typeof file === 'object' && file !== null && 'name' in file) {
    return { kind: 'kept', name: checkName(file.name) };
  }
  throw wrong('An index is opened of its bytes, a file, an address, or { name }.');
}

/** @param {string} address @param {AbortSignal | null | undefined} signal @returns {Promise<IndexSource>} */
async function fetched(address, signal) {
  const url = absolute(address, 'index');
  const { href } = url;
  /** @type {Response} */
  let response;
  try {
    response = await platform.fetch(href, { signal: signal ?? null });
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw errorFor('network', `The index at ${href} could not be fetched.`, { cause });
  }
  if (!response.ok) {
    const { status } = response;
    const isFile = url.protocol === 'file:';
    const place = isFile ? pathOf(url) : href;
    if (status === 404) throw errorFor('not-found', `There is no index at ${place}.`, { status });
    const why = isFile ? 'the file may not be read' : `the server answered ${status}`;
    const sentence = `The index at ${place} could not be fetched: ${why}.`;
    throw errorFor('http-status', sentence, { status });
  }
  return { kind: 'blob', blob: await response.blob() };
}
