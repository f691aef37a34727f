/**
 * Prompts that a picture could have been made with: CLIP Interrogator.
 *
 * @typedef {import('../shared/protocol.js').FoundPrompt} FoundPrompt
 * @typedef {import('../shared/protocol.js').Progress} Progress
 * @typedef {import('./image-input.js').ImageInput} ImageInput
 * @typedef {import('./model.js').LoadOptions} LoadOptions
 * @typedef {import('./model.js').ModelSource} ModelSource
 * @typedef {import('./term-lists.js').TermLists} TermLists
 *
 * @typedef {object} InterrogatorParts
 * @property {Captioner | ModelSource | null} [captioner] what writes captions: a `Captioner`, or a model that is loaded;
 *   `ocelli` by default. With null there is none, and every call but that for a negative prompt brings its caption
 * @property {Embedder | ModelSource} [tagger] what compares texts with pictures: a `Tagger` or an `Embedder` of both towers,
 *   or a model that is loaded; `ocelli` by default
 * @property {TermLists} [lists] what prompts are made of
 *
 * @typedef {InterrogatorParts & Omit<LoadOptions, 'revision' | 'weights' | 'integrity' | 'base' | 'keep'>} InterrogatorOptions
 *   the options of loading are for the models that are given by name
 *
 * @typedef {object} InterrogateOptions
 * @property {'best' | 'fast' | 'classic' | 'negative'} [mode] what kind of prompt is made, `best` by default:
 *   - `best`: the caption, and one after the other the terms that make the prompt more similar to the picture; or the prompt
 *     of `fast` or `classic`, where that is more similar
 *   - `fast`: the caption, and the terms that are the most similar themselves: all together can be less similar than the caption
     alone, as in the published program, and so can the prompt of `classic`
 *   - `classic`: the caption, then a medium, an artist, a site, a movement and some flavors
 *   - `negative`: the terms that fit least, as a negative prompt
 * @property {number} [minFlavors] as many terms are added one after the other even where they make the prompt worse. 8 by
 *   default
 * @property {number} [maxFlavors] how many terms are added at most: 32 by default, and 3 in the mode `classic`
 * @property {number} [shortlist] of how many of the best terms those are chosen that are added one after the other: 256 by
 *   default. The published program takes 2048, which takes as many times as long
 * @property {string} [caption] the caption, where it is known
 * @property {number} [numCaptions] how many captions are written, of which the most similar to the picture is taken. 1 by
 *   default
 * @property {AbortSignal | null} [signal]
 * @property {(progress: Progress) => void} [onProgress] the phases `image` (of the captioner, then of the tagger), `words`,
 *   `labels` (terms encoded, where they were not known yet) and `texts` (prompts compared, of the term that comes next)
 */

import { linkedController, throwIfAborted } from '../shared/abort.js';
import { isBlank } from '../shared/texts.js';
import { checkModel, wrong } from './arguments.js';
import { Captioner } from './captioner.js';
import { Embedder } from './embedder.js';
import { readImage, toInput } from './image-input.js';
import { LOAD } from './model.js';
import { CALL, readOptions } from './options.js';
import { disposedError } from './shared-model.js';
import { streamed } from './streamed.js';
import { Tagger } from './tagger.js';
import { readTermLists } from './term-lists.js';

/** What tells one model from another is no option for two of them. */
const LOAD_BOTH = LOAD.filter((name) => !['revision', 'weights', 'integrity'].includes(name));

const INTERROGATE = [...['mode', 'minFlavors', 'maxFlavors', 'shortlist', 'caption', 'numCaptions'], ...CALL];

/** As published, but for the shortlist: 2048 take minutes in a browser. */
const DEFAULTS = /** @type {const} */ ({ mode: 'best', minFlavors: 8, shortlist: 256, numCaptions: 1 });

/** More than there can be terms. The wasm counts to 2^32, and would take that for 0. */
const MOST = 2 ** 20;

/**
 * A captioner and a tagger that find a prompt for a picture. The algorithm is that of `clip-interrogator` 0.6 for Python.
 *
 * @example
 * const interrogator = await Interrogator.load();
 * const { prompt } = await interrogator.interrogate('cat.jpg', { mode: 'fast' });
 */
export class Interrogator {
  #captioner;
  #tagger;
  #terms;
  /** Models that were loaded for this interrogator alone. */
  #own;
  #disposed = false;
  /** @type {Set<AbortController>} calls in flight */
  #calls = new Set();

  /**
   * @private
   * @param {Captioner | null} captioner
   * @param {Embedder} tagger
   * @param {import('../shared/protocol.js').TermTexts} terms
   * @param {{ dispose: () => void }[]} own
   */
  constructor(captioner, tagger, terms, own) {
    if (!(tagger instanceof Embedder)) {
      throw wrong('An interrogator comes from its class’s load: `await Interrogator.load()`.');
    }
    this.#captioner = captioner;
    this.#tagger = tagger;
    this.#terms = terms;
    this.#own = own;
  }

  /**
   * Reads the lists, and loads the models that are not loaded yet.
   *
   * @param {InterrogatorOptions} [options]
   * @returns {Promise<Interrogator>}
   * @throws {LabelError} `labels-empty`: a list has no term; `label-empty`: a term of an array is blank
   * @throws {ModelError} what is wrong with a model's files: `config-invalid`, `weights-invalid`, `not-a-model` and the like
   * @throws {NetworkError} `network`, `http-status`, `not-found`
   * @throws {AbortError} `aborted`
   * @throws {WorkerError} `unsupported-browser`, `worker-failed`
   * @throws {OcelliError} `argument-invalid`
   */
  static async load(options = {}) {
    const read = readOptions(options, ['captioner', 'tagger', 'lists', ...LOAD_BOTH]);
    const { captioner = 'ocelli', tagger = 'ocelli', lists = 'general', ...load } = read;
    throwIfAborted(load.signal);
    for (const model of [captioner, tagger]) if (model !== null) checkModel(model);
    const terms = await readTermLists(lists, load);
    /** @type {{ dispose: () => void }[]} */
    const own = [];
    /** @template {{ dispose: () => void }} M @param {Promise<M>} loading */
    const keep = async (loading) => {
      const model = await loading;
      own.push(model);
      return model;
    };
    try {
      // One after the other: where one folder has both, the second finds the first's.
      const compares = tagger instanceof Embedder ? tagger : await keep(Tagger.load(tagger, load));
      const writes =
        captioner === null || captioner instanceof Captioner
          ? captioner
          : await keep(Captioner.load(captioner, load));
      return new Interrogator(writes, compares, terms, own);
    } catch (error) {
      for (const model of own) model.dispose();
      throw error;
    }
  }

  /**
   * Encodes all terms before the first picture comes, which then need not wait for them. A model that is kept in the browser
   * keeps them, too.
   *
   * @param {{ signal?: AbortSignal | null, onProgress?: (progress: Progress) => void }} [options] `onProgress`: the phase
   *   `labels`
   * @returns {Promise<void>}
   * @throws {LabelError} `labels-too-many`, `label-too-long`
   * @throws {AbortError} `aborted`
   * @throws {WorkerError} `disposed`, `worker-failed`
   * @throws {OcelliError} `argument-invalid`
   */
  async prepare(options = {}) {
    const { signal, onProgress } = readOptions(options, CALL);
    await this.#call(signal, (linked) =>
      this.#tagger.prepareTerms(this.#terms, { signal: linked, onProgress }),
    );
  }

  /**
   * A prompt for the picture.
   *
   * @param {ImageInput} image
   * @param {InterrogateOptions & { onPrompt?: (found: FoundPrompt) => void }} [options] `onPrompt` is told every prompt on the
   *   way, as `stream` yields them
   * @returns {Promise<FoundPrompt>}
   * @throws {ImageError} `image-empty`, `image-unsupported`, `image-damaged`, `image-too-large`, `image-unreadable`
   * @throws {LabelError} `labels-too-many`, `label-empty`, `label-too-long`
   * @throws {AbortError} `aborted`
   * @throws {WorkerError} `disposed`, `worker-failed`
   * @throws {OcelliError} `argument-invalid`
   */
  async interrogate(image, options = {}) {
    return this.#interrogate(image, this.#checked(readOptions(options, [...INTERROGATE, 'onPrompt'])));
  }

  /**
   * The caption and the prompts on the way to the answer of `interrogate`, which is the last: in the mode `best` each is better
   * than those before it. Leaving the loop early ends the search. Options are checked at once, the picture with the first prompt.
   *
   * @param {ImageInput} image
   * @param {InterrogateOptions} [options]
   * @returns {AsyncGenerator<FoundPrompt, void, void>}
   * @throws {ImageError} `image-empty`, `image-unsupported`, `image-damaged`, `image-too-large`, `image-unreadable`
   * @throws {LabelError} `labels-too-many`, `label-empty`, `label-too-long`
   * @throws {AbortError} `aborted`
   * @throws {WorkerError} `disposed`, `worker-failed`
   * @throws {OcelliError} `argument-invalid`
   */
  stream(image, options = {}) {
    const { signal, ...read } = this.#checked(readOptions(options, INTERROGATE));
    return streamed(signal, (linked, onPrompt) =>
      this.#interrogate(image, { ...read, signal: linked, onPrompt }),
    );
  }

  /**
   * Ends calls in flight, which reject with the code `disposed`, and gives up the models that were loaded by name. Those that
   * came loaded stay the user's.
   */
  dispose() {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const controller of this.#calls) controller.abort();
    for (const model of this.#own) model.dispose();
  }

  /**
   * @param {ImageInput} image
   * @param {InterrogateOptions & { onPrompt?: (found: FoundPrompt) => void }} read checked
   * @returns {Promise<FoundPrompt>}
   */
  #interrogate(image, { caption, numCaptions = DEFAULTS.numCaptions, onPrompt, ...read }) {
    const { mode = DEFAULTS.mode, minFlavors = DEFAULTS.minFlavors, shortlist = DEFAULTS.shortlist } = read;
    const { maxFlavors, onProgress } = read;
    return this.#call(read.signal, async (signal) => {
      const { source, transfer } = await readImage(image, { signal });
      const captions =
        mode === 'negative'
          ? []
          : caption === undefined
            ? await this.#captions(toInput(source), numCaptions, { signal, onProgress })
            : [caption];
      const given = {
        image: source,
        terms: this.#terms,
        captions,
        mode,
        minFlavors: Math.min(minFlavors, MOST),
        maxFlavors: maxFlavors && Math.min(maxFlavors, MOST),
        shortlist: Math.min(shortlist, MOST),
      };
      return this.#tagger.findPrompt(given, { signal, transfer, onProgress, onPrompt });
    });
  }

  /**
   * Captions of the picture that say something, each once.
   *
   * @param {ImageInput} image
   * @param {number} count
   * @param {{ signal: AbortSignal, onProgress: ((progress: Progress) => void) | undefined }} options
   */
  async #captions(image, count, { signal, onProgress }) {
    const captioner = /** @type {Captioner} */ (this.#captioner);
    const call = { signal, ...(onProgress && { onProgress }) };
    if (count === 1) return [await captioner.caption(image, call)];
    const found = await captioner.captions(image, { ...call, numCaptions: count, numBeams: count });
    return [...new Set(found.map(({ caption }) => caption))].filter((caption) => !isBlank(caption));
  }

  /**
   * Refuses options that contradict each other.
   *
   * @param {InterrogateOptions & { onPrompt?: (found: FoundPrompt) => void }} read
   */
  #checked(read) {
    const { mode = DEFAULTS.mode, caption, numCaptions } = read;
    if (caption !== undefined && numCaptions !== undefined) {
      throw wrong('The options caption and numCaptions exclude each other.');
    }
    if (mode === 'negative' && (caption ?? numCaptions) !== undefined) {
      throw wrong('A negative prompt has no caption: leave the options caption and numCaptions out.');
    }
    if (mode !== 'negative' && caption === undefined && this.#captioner === null) {
      throw wrong('The interrogator was loaded without a captioner: give the option caption.');
    }
    return read;
  }

  /**
   * Runs a call that `dispose` ends.
   *
   * @template T
   * @param {AbortSignal | null | undefined} signal
   * @param {(signal: AbortSignal) => Promise<T>} run
   * @returns {Promise<T>}
   */
  async #call(signal, run) {
    throwIfAborted(signal);
    if (this.#disposed) throw disposedError();
    const { controller, unlink } = linkedController(signal);
    this.#calls.add(controller);
    try {
      return await run(controller.signal);
    } catch (error) {
      throw this.#disposed && !signal?.aborted ? disposedError() : error;
    } finally {
      unlink();
      this.#calls.delete(controller);
    }
  }
}
