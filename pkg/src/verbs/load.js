/**
 * Loading: what was kept on an earlier visit, or files in order from the network, JSON first, then the weights chunk
 * by chunk into the wasm loader, which builds tensors as their bytes complete.
 *
 * @typedef {import('../handles.js').Wasm} Wasm
 * @typedef {import('../loader.js').FetchOptions} FetchOptions
 * @typedef {import('../loader.js').OpenFile} OpenFile
 * @typedef {import('../protocol.js').ProgressEvent} ProgressEvent
 * @typedef {import('../store/index.js').Entry} Entry
 *
 * @typedef {import('../store/embeddings.js').Place} Place
 *
 * @typedef {Pick<import('../protocol.js').LoadArguments, 'files' | 'dtype' | 'keep' | 'tower'>} Given
 * @typedef {FetchOptions & { backend?: () => Promise<import('../store/index.js').Backend | null> }} LoadOptions `backend`
 *   is for tests
 */

/**
 * @template Handle
 * @typedef {object} Classes
 * @property {import('../handles.js').FilesClass} Files
 * @property {import('../handles.js').HandleClass<Handle>} Handle
 * @property {import('../store/index.js').Part} part what a kept model has, where not one tower of it is wanted
 */

import { linkedController, throwIfAborted } from '../abort.js';
import { codeOf } from '../errors.js';
import { chunks, openFirst, readSmallFile } from '../loader.js';
import { smallFiles } from '../source.js';
import { entryName, findEntry, openBackend } from '../store/index.js';
import { Keeper } from './keeper.js';
import { release } from './release.js';

/** Progress is told at most this often, in milliseconds. */
const PROGRESS_INTERVAL = 100;

/**
 * Builds a model from what was kept, or else downloads it and keeps it.
 *
 * @template Handle
 * @param {Wasm} wasm
 * @param {Classes<Handle>} classes
 * @param {Given} given
 * @param {LoadOptions} options
 * @returns {AsyncGenerator<{ progress: ProgressEvent }, { handle: Handle, place: Place | null }, void>} the model, and where
 *   it is kept, if it is
 */
export async function* load(wasm, classes, given, options) {
  const { files, dtype, keep, tower } = given;
  const backend = keep ? await (options.backend ?? openBackend)() : null;
  if (!backend || !keep) {
    return { handle: yield* fromNetwork(wasm, classes, given, options, null), place: null };
  }
  const packed = { part: tower ?? classes.part, dtype, packing: wasm.packingVersion() };
  const name = await entryName(files, packed);
  // A storage that fails is as good as an empty one.
  const entry = await findEntry(backend, name, smallFiles(files).length).catch(() => null);
  throwIfAborted(options.signal);
  if (entry) {
    try {
      const handle = yield* fromStore(wasm, classes, given, entry, options.signal);
      return { handle, place: { backend, name, record: entry.record } };
    } catch (error) {
      throwIfAborted(options.signal);
      // Damage is ours to mend; a trap in the wasm is not.
      if (codeOf(error) === null && !(error instanceof DOMException)) throw error;
    }
  }
  await backend.remove(name).catch(() => {});
  const keeper = await Keeper.begin(backend, name, { kept: keep, packed });
  const handle = yield* fromNetwork(wasm, classes, given, options, keeper);
  const record = keeper?.record;
  return { handle, place: record ? { backend, name, record } : null };
}

/**
 * @template Handle
 * @param {Wasm} wasm
 * @param {Classes<Handle>} classes
 * @param {Given} given
 * @param {Entry} entry
 * @param {AbortSignal | undefined} signal
 * @returns {AsyncGenerator<{ progress: ProgressEvent }, Handle, void>}
 */
async function* fromStore(wasm, { Files, Handle }, { dtype, tower }, { record, small, chunks }, signal) {
  const total = record.weights;
  const weights = new wasm.WeightsLoader(dtype, false);
  /** @type {import('../handles.js').FilesHandle | null} */
  let checked = null;
  let consumed = false;
  try {
    yield progress('cache', null, 0, total);
    checked = Files.read(...small, ...(tower ? [tower] : []));
    let loaded = 0;
    let told = performance.now();
    for await (const chunk of chunks()) {
      throwIfAborted(signal);
      weights.push(chunk);
      loaded += chunk.length;
      const now = performance.now();
      if (now - told >= PROGRESS_INTERVAL) {
        told = now;
        yield progress('cache', null, loaded, total);
      }
    }
    yield progress('build', null, total, total);
    consumed = true;
    const handle = Handle.create(checked, weights);
    yield progress('ready', null, total, total);
    return handle;
  } finally {
    if (!consumed) {
      release(weights);
      if (checked) release(checked);
    }
  }
}

/**
 * @template Handle
 * @param {Wasm} wasm
 * @param {Classes<Handle>} classes
 * @param {Given} given
 * @param {FetchOptions} options
 * @param {Keeper | null} keeper
 * @returns {AsyncGenerator<{ progress: ProgressEvent }, Handle, void>}
 */
async function* fromNetwork(wasm, { Files, Handle }, { files, dtype, tower }, options, keeper) {
  const { controller, unlink } = linkedController(options.signal);
  const inner = { ...options, signal: controller.signal };
  const weights = new wasm.WeightsLoader(dtype, keeper !== null);
  /** @type {import('../handles.js').FilesHandle | null} */
  let checked = null;
  let consumed = false;
  try {
    // All are asked for at once: a missing one shows before anything large moves, and sizes are known early.
    const [tensors, ...others] = await Promise.all(
      [files.weights, ...smallFiles(files)].map((file) => openFirst(file, inner)),
    );
    const meter = new Meter([...others, tensors]);
    const small = [];
    for (const open of others) {
      yield meter.event(open);
      const bytes = await readSmallFile(open, { ...inner, onChunk: (length) => meter.add(length) });
      meter.learn(open, bytes.length);
      small.push(bytes);
    }
    // A model that cannot work is refused here, before its weights move.
    checked = Files.read(...small, ...(tower ? [tower] : []));
    checked.passOver(weights);
    yield meter.event(tensors);
    let told = performance.now();
    for await (const chunk of chunks(tensors, inner)) {
      weights.push(chunk);
      meter.add(chunk.length);
      if (keeper) await keeper.write(weights.takePacked());
      const now = performance.now();
      if (now - told >= PROGRESS_INTERVAL) {
        told = now;
        yield meter.event(tensors);
      }
    }
    yield meter.event(tensors);
    yield progress('build', null, meter.loaded, meter.loaded);
    consumed = true;
    const handle = Handle.create(checked, weights);
    // Only what has become a model is worth keeping.
    await keeper?.commit(small);
    yield progress('ready', null, meter.loaded, meter.loaded);
    return handle;
  } finally {
    unlink();
    controller.abort();
    await keeper?.abandon();
    if (!consumed) {
      release(weights);
      if (checked) release(checked);
    }
  }
}

/**
 * @param {ProgressEvent['phase']} phase
 * @param {string | null} file
 * @param {number} loaded
 * @param {number | null} total
 * @returns {{ progress: ProgressEvent }}
 */
export function progress(phase, file, loaded, total) {
  return { progress: { phase, file, loaded, total } };
}

/** Counts the bytes of all files together. */
class Meter {
  loaded = 0;
  /** @type {Map<OpenFile, number | null>} */
  #sizes;

  /** @param {OpenFile[]} files */
  constructor(files) {
    this.#sizes = new Map(files.map((open) => [open, open.total]));
  }

  /** @param {number} bytes */
  add(bytes) {
    this.loaded += bytes;
  }

  /**
   * What a file really has: servers compress JSON files, and then announce no length, or that of what they send.
   *
   * @param {OpenFile} open
   * @param {number} size
   */
  learn(open, size) {
    this.#sizes.set(open, size);
  }

  /** @returns {number | null} */
  get #total() {
    let total = 0;
    for (const size of this.#sizes.values()) {
      if (size === null) return null;
      total += size;
    }
    // More than was announced: the length was that of a compressed body, and nothing is known.
    return this.loaded > total ? null : total;
  }

  /** @param {OpenFile} open */
  event({ file }) {
    return progress('download', file.name, this.loaded, this.#total);
  }
}
