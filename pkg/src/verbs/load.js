/**
 * Loading: files in order, JSON first, then the weights chunk by chunk into the wasm loader, which builds
 * tensors as their bytes complete.
 *
 * @typedef {import('../handles.js').Wasm} Wasm
 * @typedef {import('../loader.js').FetchOptions} FetchOptions
 * @typedef {import('../loader.js').OpenFile} OpenFile
 * @typedef {import('../protocol.js').ProgressEvent} ProgressEvent
 * @typedef {import('../source.js').ModelFiles} ModelFiles
 */

import { linkedController } from '../abort.js';
import { chunks, openFile, readSmallFile } from '../loader.js';
import { release } from './release.js';

/** Progress is told at most this often, in milliseconds. */
const PROGRESS_INTERVAL = 100;

/**
 * Downloads a model and builds it.
 *
 * @template Handle
 * @param {Wasm} wasm
 * @param {{ Files: import('../handles.js').FilesClass, Handle: import('../handles.js').HandleClass<Handle> }} classes
 * @param {{ files: ModelFiles, dtype: import('../protocol.js').Dtype }} given
 * @param {FetchOptions} options
 * @returns {AsyncGenerator<{ progress: ProgressEvent }, Handle, void>}
 */
export async function* load(wasm, { Files, Handle }, { files, dtype }, options) {
  const { controller, unlink } = linkedController(options.signal);
  const inner = { ...options, signal: controller.signal };
  const weights = new wasm.WeightsLoader(dtype, false);
  /** @type {import('../handles.js').FilesHandle | null} */
  let checked = null;
  let consumed = false;
  try {
    // All are asked for at once: a missing one shows before anything large moves, and sizes are known early.
    const [config, preprocessor, tokenizer, tensors] = await Promise.all(
      [files.config, files.preprocessor, files.tokenizer, files.weights].map((file) => openFile(file, inner)),
    );
    const meter = new Meter([config, preprocessor, tokenizer, tensors]);
    const small = [];
    for (const open of [config, preprocessor, tokenizer]) {
      yield meter.event(open);
      const bytes = await readSmallFile(open, { ...inner, onChunk: (length) => meter.add(length) });
      meter.learn(open, bytes.length);
      small.push(bytes);
    }
    // A model that cannot work is refused here, before its weights move.
    checked = Files.read(small[0], small[1], small[2]);
    yield meter.event(tensors);
    let told = performance.now();
    for await (const chunk of chunks(tensors, inner)) {
      weights.push(chunk);
      meter.add(chunk.length);
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
    yield progress('ready', null, meter.loaded, meter.loaded);
    return handle;
  } finally {
    unlink();
    controller.abort();
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
