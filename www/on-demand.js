/**
 * What is asked about one picture: which of several texts fits it, and questions to be answered in words. Both are
 * lanes whose model is loaded with the first question, so that they wait, report and are cancelled as the others do.
 */

import { ModelQueue } from './model-queue.js';

/**
 * @typedef {import('./model-queue.js').ModelChoice} ModelChoice
 * @typedef {import('./session.js').Picture} Picture
 * @typedef {import('ocelli').RankedText} RankedText
 */

/**
 * A queue, and what was asked about each of its pictures.
 * @template {{ dispose(): void, runtime: import('ocelli').Runtime }} Engine
 * @template Asked
 * @template Result
 */
class Asking {
  /** @type {ModelChoice | null} what the first question loads */
  preferred = null;
  /** @type {ModelQueue<Engine, Result>} */
  queue;
  /** @type {WeakMap<Picture, Asked>} */
  #asked = new WeakMap();

  /**
   * @param {import('./model-queue.js').QueueWork<Engine, Result>['load']} load
   * @param {(engine: Engine, file: Blob, asked: Asked, options: { signal: AbortSignal }) => Promise<Result>} ask
   */
  constructor(load, ask) {
    this.queue = new ModelQueue({
      load,
      perform: (engine, picture, { signal }) => {
        const asked = this.#asked.get(picture);
        if (asked === undefined) throw new Error('nothing was asked about this picture');
        return ask(engine, picture.file, asked, { signal });
      },
    });
  }

  /** Whether there is a model to ask. */
  get possible() {
    return this.queue.model !== null || this.preferred !== null;
  }

  /** @param {Picture} picture @param {Asked} asked in place of what was asked about the picture before */
  ask(picture, asked) {
    this.#asked.set(picture, asked);
    this.queue.remove(picture);
    this.queue.add([picture]);
    if (!this.queue.model && this.preferred) void this.queue.use(this.preferred);
  }

  /** Gives up what was asked about a picture, and its answer. @param {Picture} picture */
  leave(picture) {
    this.queue.remove(picture);
  }

  /**
   * The loaded model, for work outside of the queue; it is loaded where none is.
   * @param {ModelChoice | null} fallback the model to load
   * @param {AbortSignal} signal ends the waiting, not the load
   * @returns {Promise<Engine>}
   */
  async engine(fallback, signal) {
    const model = this.preferred ?? fallback;
    if (!this.queue.model && model) void this.queue.use(model);
    while (this.queue.status === 'loading') {
      await new Promise((resolve) => {
        this.queue.addEventListener('change', resolve, { once: true });
        signal.addEventListener('abort', resolve, { once: true });
      });
      signal.throwIfAborted();
    }
    if (!this.queue.engine) {
      throw this.queue.error ?? new DOMException('The load was cancelled.', 'AbortError');
    }
    return this.queue.engine;
  }
}

/**
 * Texts, ordered by how well they fit.
 * @param {Pick<typeof import('ocelli').Matcher, 'load'>} Matcher
 * @param {import('./options.js').LoadOptions} given
 * @returns {Asking<import('ocelli').Matcher, string[], RankedText[]>}
 */
export function matchesQueue(Matcher, given) {
  return new Asking(
    (model, options) => Matcher.load(model, { ...options, ...given }),
    (matcher, file, texts, options) => matcher.rank(file, texts, options),
  );
}

/**
 * A question, answered in words.
 * @param {Pick<typeof import('ocelli').Answerer, 'load'>} Answerer
 * @param {import('./options.js').LoadOptions} given
 * @returns {Asking<import('ocelli').Answerer, string, string>}
 */
export function answersQueue(Answerer, given) {
  return new Asking(
    (model, options) => Answerer.load(model, { ...options, ...given }),
    (answerer, file, question, options) => answerer.answer(file, question, options),
  );
}
