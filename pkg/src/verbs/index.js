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
 * @typedef {'Tagger' | 'Captioner' | 'Matcher' | 'Answerer' | 'Classifier'} Name
 */

/**
 * @template Handle
 * @typedef {import('../handles.js').HandleClass<Handle>} HandleClass
 */

import { OcelliError } from '../errors.js';
import { AnswererVerbs } from './answerer.js';
import { CaptionerVerbs } from './captioner.js';
import { ClassifierVerbs } from './classifier.js';
import { EmbedderVerbs } from './embedder.js';
import { load } from './load.js';
import { MatcherVerbs } from './matcher.js';
import { TaggerVerbs } from './tagger.js';

/**
 * What makes the model of each task: names of the wasm's classes, and the verbs over them. A file can have
 * heads for several tasks: `part` tells what is kept of it for this one from what is kept for others.
 *
 * @type {Readonly<Record<Task, {
 *   Files: `${Name}Files`,
 *   Handle: `${Name}Handle`,
 *   Verbs: new (wasm: Wasm, handle: any, place: import('./load.js').Place | null) => object,
 *   part: import('../store/index.js').Part,
 * }>>}
 */
const TASKS = {
  tag: { Files: 'TaggerFiles', Handle: 'TaggerHandle', Verbs: TaggerVerbs, part: 'both' },
  embed: { Files: 'TaggerFiles', Handle: 'TaggerHandle', Verbs: EmbedderVerbs, part: 'both' },
  caption: { Files: 'CaptionerFiles', Handle: 'CaptionerHandle', Verbs: CaptionerVerbs, part: 'caption' },
  match: { Files: 'MatcherFiles', Handle: 'MatcherHandle', Verbs: MatcherVerbs, part: 'match' },
  answer: { Files: 'AnswererFiles', Handle: 'AnswererHandle', Verbs: AnswererVerbs, part: 'answer' },
  classify: {
    Files: 'ClassifierFiles',
    Handle: 'ClassifierHandle',
    Verbs: ClassifierVerbs,
    part: 'classify',
  },
};

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
    const { Files, Handle, Verbs, part } = TASKS[task];
    const classes = { Files: wasm[Files], Handle: /** @type {HandleClass<any>} */ (wasm[Handle]), part };
    const { handle, place } = yield* load(wasm, classes, given, options);
    this.#model = /** @type {Record<string, unknown>} */ (new Verbs(wasm, handle, place));
    return this.#runtime;
  }
}
