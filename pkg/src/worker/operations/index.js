/**
 * The engine's operations: generators over a wasm module. Each yields where it may be interrupted, and tells how
 * far it has come; it returns its answer. Whoever drives one ends it early with `return()`, and it frees
 * what it holds. The wasm module comes in from outside, so that all of this runs over a fake in tests.
 *
 * @typedef {import('../handles.js').Wasm} Wasm
 * @typedef {import('../../shared/loader.js').FetchOptions} FetchOptions
 * @typedef {import('../../shared/protocol.js').CallMessage} CallMessage
 * @typedef {import('../../shared/protocol.js').Step} Step
 * @typedef {import('../../shared/protocol.js').IndexArguments} IndexArguments
 * @typedef {import('../../shared/protocol.js').LoadArguments} LoadArguments
 * @typedef {import('../../shared/protocol.js').LoadedModelInfo} LoadedModelInfo
 * @typedef {import('../../shared/types.js').Runtime} Runtime
 * @typedef {import('../accelerator.js').Accelerator} Accelerator
 * @typedef {import('../accelerator.js').Surroundings} Surroundings
 *
 * @typedef {AsyncGenerator<Step, any, void>} Run
 */

import { openIndexStore } from '../../cache/index-store.js';
import { OcelliError } from '../../shared/errors.js';
import { accelerate } from '../accelerator.js';
import { gpuSurroundings } from '../gpu-surroundings.js';
import { load } from './load.js';
import { progress } from './meter.js';
import { VectorIndexOperations } from './vector-index.js';

/** One loaded model and what it can be asked, for one task or several; or one index. */
export class Engine {
  #wasm;
  #options;
  /** What the wasm runs on. */
  #bare;
  #runtime;
  #indexes;
  #surroundings;
  /** @type {Accelerator | null} what computes layers in the wasm's place, as long as it does */
  #accelerator = null;
  /** Why the GPU computes, or does not. */
  #chosen = '';
  /** @type {ReadonlyMap<import('../../shared/protocol.js').Service, Record<string, unknown>>} */
  #operations = new Map();

  /**
   * @param {Wasm} wasm
   * @param {{ runtime: Runtime, indexes?: typeof openIndexStore, surroundings?: Surroundings } & Omit<FetchOptions, 'signal'>}
   *   options what the wasm runs on; the rest is for tests
   */
  constructor(wasm, { runtime, indexes = openIndexStore, surroundings = gpuSurroundings(), ...options }) {
    this.#wasm = wasm;
    this.#options = options;
    this.#bare = runtime;
    this.#runtime = runtime;
    this.#indexes = indexes;
    this.#surroundings = surroundings;
  }

  /**
   * @param {Pick<CallMessage, 'task' | 'operation'> & { params: any }} call
   * @param {AbortSignal} signal aborts waiting inside the operation; between its steps, the driver looks itself
   * @returns {Run}
   */
  run({ task, operation, params }, signal) {
    if (operation === 'load') return this.#load(params, signal);
    if (operation === 'openIndex') return this.#openIndex(params);
    const operations = this.#operations.get(task);
    const method = operations?.[operation];
    if (typeof method !== 'function') {
      throw new OcelliError('internal', `The worker has no model that knows "${operation}".`);
    }
    return this.#watched(method.call(operations, params, signal));
  }

  /** A run that also tells when the GPU has gone meanwhile, or has begun to read texts. @param {Run} run @returns {Run} */
  async *#watched(run) {
    const accelerated = this.#accelerator;
    const answer = yield* run;
    const remark = accelerated?.texts?.remark ?? '';
    if (accelerated?.lost) {
      this.#accelerator = null;
      this.#runtime = withDevice(this.#bare, 'wasm', `The GPU was given up, because ${accelerated.lost}.`);
      yield { runtime: this.#runtime };
    } else if (remark !== '' && !this.#runtime.reason.endsWith(remark)) {
      this.#runtime = withDevice(this.#bare, 'webgpu', `${this.#chosen} ${remark}`);
      yield { runtime: this.#runtime };
    }
    return answer;
  }

  /**
   * @param {LoadArguments} params
   * @param {AbortSignal} signal
   * @returns {AsyncGenerator<Step, LoadedModelInfo, void>}
   */
  async *#load(params, signal) {
    const options = { ...this.#options, signal };
    const { recipe, handle, place, knownLabels, bytes } = yield* load(this.#wasm, params, options);
    const chosen = await accelerate(this.#wasm, handle, params.device ?? 'wasm', this.#surroundings);
    this.#accelerator = chosen.accelerator;
    this.#chosen = chosen.reason;
    this.#runtime = withDevice(this.#bare, chosen.accelerator ? 'webgpu' : 'wasm', chosen.reason);
    const { operations, calibration } = recipe.finish(handle, place, chosen.accelerator);
    this.#operations = operations;
    yield progress('ready', null, bytes, bytes);
    return { runtime: this.#runtime, tasks: recipe.tasks, calibration, knownLabels };
  }

  /** @param {IndexArguments} params @returns {AsyncGenerator<Step, { runtime: Runtime, state: any }, void>} */
  async *#openIndex({ model, source }) {
    const operations = new VectorIndexOperations(this.#wasm, model, this.#indexes);
    if (source) yield* operations.read(source);
    this.#operations = new Map([['index', operations.operations]]);
    return { runtime: this.#runtime, state: operations.state };
  }
}

/** @param {Runtime} bare @param {Runtime['device']} device @param {string} sentence @returns {Runtime} */
function withDevice(bare, device, sentence) {
  const reason = [bare.reason, sentence].filter(Boolean).join(' ');
  return { ...bare, device, reason, why: reason };
}
