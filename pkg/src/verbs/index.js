/**
 * The engine's verbs: generators over a wasm module. Each yields where it may be interrupted, and tells how
 * far it has come; it returns its answer. Whoever drives one ends it early with `return()`, and it frees
 * what it holds. The wasm module comes in from outside, so that all of this runs over a fake in tests.
 *
 * @typedef {import('../handles.js').Wasm} Wasm
 * @typedef {import('../loader.js').FetchOptions} FetchOptions
 * @typedef {import('../protocol.js').CallMessage} CallMessage
 * @typedef {import('../protocol.js').Step} Step
 * @typedef {import('../protocol.js').Task} Task
 * @typedef {import('../protocol.js').LoadArguments} LoadArguments
 * @typedef {import('../runtime.js').Runtime} Runtime
 *
 * @typedef {AsyncGenerator<Step, any, void>} Run
 */

import { OcelliError } from '../errors.js';
import { CaptionerVerbs } from './captioner.js';
import { load } from './load.js';
import { TaggerVerbs } from './tagger.js';

/** One loaded model and what it can be asked. */
export class Engine {
  #wasm;
  #options;
  #runtime;
  /** @type {Record<string, unknown> | null} */
  #model = null;

  /**
   * @param {Wasm} wasm
   * @param {{ runtime: Runtime } & Omit<FetchOptions, 'signal'>} options what the wasm runs on; the rest is for tests
   */
  constructor(wasm, { runtime, ...options }) {
    this.#wasm = wasm;
    this.#options = options;
    this.#runtime = runtime;
  }

  /**
   * @param {string} verb
   * @param {any} given its arguments
   * @param {AbortSignal} signal aborts waiting inside the verb; between its steps, the driver looks itself
   * @returns {Run}
   */
  run(verb, given, signal) {
    if (verb === 'load') return this.#load(given, signal);
    const method = this.#model?.[verb];
    if (typeof method !== 'function') {
      throw new OcelliError('internal', `The worker has no model that knows "${verb}".`);
    }
    return method.call(this.#model, given, signal);
  }

  /**
   * @param {LoadArguments} given
   * @param {AbortSignal} signal
   * @returns {AsyncGenerator<Step, Runtime, void>}
   */
  async *#load({ task, ...given }, signal) {
    const wasm = this.#wasm;
    const options = { ...this.#options, signal };
    /** @type {unknown} */
    let model;
    if (task === 'tag') {
      const classes = { Files: wasm.TaggerFiles, Handle: wasm.TaggerHandle };
      model = new TaggerVerbs(wasm, yield* load(wasm, classes, given, options));
    } else {
      const classes = { Files: wasm.CaptionerFiles, Handle: wasm.CaptionerHandle };
      model = new CaptionerVerbs(wasm, yield* load(wasm, classes, given, options));
    }
    this.#model = /** @type {Record<string, unknown>} */ (model);
    return this.#runtime;
  }
}
