/**
 * Prompts that pictures could have been made with.
 *
 * The terms of the last call stay, encoded: the next call with the same lists begins at once.
 *
 * @typedef {import('../handles.js').InterrogationHandle} InterrogationHandle
 * @typedef {import('../handles.js').TaggerHandle} TaggerHandle
 * @typedef {import('../handles.js').TermsHandle} TermsHandle
 * @typedef {import('./image-encodings.js').ImageEncodings} ImageEncodings
 * @typedef {import('./kept-embeddings.js').KeptEmbeddings} KeptEmbeddings
 * @typedef {import('../text-accelerator.js').TextAccelerator} TextAccelerator
 * @typedef {import('../../shared/protocol.js').FoundPrompt} FoundPrompt
 * @typedef {import('../../shared/protocol.js').InterrogateArguments} InterrogateArguments
 * @typedef {import('../../shared/protocol.js').Step} Step
 * @typedef {import('../../shared/protocol.js').TermTexts} TermTexts
 */

import { AdaptiveBatch } from './adaptive-batch.js';
import { progress } from './meter.js';
import { release } from './release.js';

export class Interrogations {
  #encodings;
  #handle;
  #kept;
  #accelerator;
  #pace = new AdaptiveBatch();
  /** @type {{ texts: TermTexts, terms: TermsHandle } | null} */
  #last = null;

  /**
   * @param {ImageEncodings} encodings
   * @param {TaggerHandle} handle
   * @param {KeptEmbeddings | null} kept where the model itself is kept
   * @param {TextAccelerator | null} [accelerator] what takes many texts in the wasm's place
   */
  constructor(encodings, handle, kept, accelerator = null) {
    this.#encodings = encodings;
    this.#handle = handle;
    this.#kept = kept;
    this.#accelerator = accelerator;
  }

  /**
   * Encodes terms before any picture comes.
   *
   * @param {TermTexts} texts
   * @returns {AsyncGenerator<Step, void, void>}
   */
  async *prepare(texts) {
    yield* this.#encode(this.#open(texts));
  }

  /**
   * @param {InterrogateArguments} given
   * @returns {AsyncGenerator<Step, FoundPrompt, void>}
   */
  async *interrogate({ image, terms: texts, captions, mode, minFlavors, maxFlavors, shortlist }) {
    const terms = this.#open(texts);
    const encoding = await this.#encodings.open(image);
    /** @type {InterrogationHandle} */
    let run;
    try {
      yield* this.#encode(terms);
      yield* encoding.encode();
      const how = /** @type {const} */ ([captions, mode, minFlavors, maxFlavors, shortlist]);
      run = this.#handle.interrogate(encoding.handle, terms, ...how);
    } finally {
      this.#encodings.close(encoding);
    }
    try {
      return yield* this.#run(run, terms);
    } finally {
      release(run);
    }
  }

  /**
   * Tells every prompt that is better than those before it.
   *
   * @param {InterrogationHandle} run
   * @param {TermsHandle} terms
   * @returns {Generator<Step, FoundPrompt, void>}
   */
  *#run(run, terms) {
    let found = { prompt: '', similarity: 0, caption: '' };
    for (let goesOn = true; goesOn;) {
      yield progress('texts', null, run.done, run.total);
      goesOn = this.#pace.run((limit) => run.step(terms, limit));
      const { prompt, similarity, caption } = run;
      if (prompt === found.prompt) continue;
      found = { prompt, similarity, caption };
      yield { prompt: found };
    }
    return found;
  }

  /**
   * @param {TermsHandle} terms
   * @returns {AsyncGenerator<Step, void, void>}
   */
  async *#encode(terms) {
    const { length } = terms;
    let { pending } = terms;
    if (pending > 0) await this.#kept?.read();
    const fresh = pending > 0;
    // The last of many go with those before them.
    let many = false;
    while (pending > 0) {
      yield progress('labels', null, length - pending, length);
      many = await this.#encodeSome(terms, many);
      pending = terms.pending;
    }
    yield progress('labels', null, length, length);
    if (fresh) await this.#kept?.write();
  }

  /**
   * Encodes some terms more: on the GPU, where there is one and many wait.
   *
   * @param {TermsHandle} terms
   * @param {boolean} many whether many were known to wait before
   * @returns {Promise<boolean>} whether that is known now
   */
  async #encodeSome(terms, many) {
    const batch = terms.takeBatch();
    if (!batch) return many;
    try {
      const accelerator = this.#accelerator;
      const isMany = accelerator !== null && (many || accelerator.takes(batch));
      const left = isMany ? await accelerator.encode(batch) : null;
      if (left === null) this.#pace.run((limit) => this.#handle.encodeLabels(batch, limit));
      terms.putBack(batch);
      return isMany;
    } catch (error) {
      // The next batch begins with the same terms, and the wasm remembers what it has met of them.
      release(batch);
      throw error;
    }
  }

  /**
   * The terms of some lists, encoded as far as the last call with them has come.
   *
   * @param {TermTexts} texts
   * @returns {TermsHandle}
   */
  #open(texts) {
    const { mediums, artists, movements, sites, flavors, negative } = texts;
    const all = /** @type {const} */ ([mediums, artists, movements, sites, flavors, negative]);
    const last = this.#last;
    if (last && Object.entries(texts).every(([kind, text]) => text === Reflect.get(last.texts, kind))) {
      return last.terms;
    }
    const terms = this.#handle.terms(...all);
    this.#last = { texts, terms };
    if (last) release(last.terms);
    return terms;
  }
}
