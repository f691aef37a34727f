/**
 * Matching with BLIP.
 *
 * @typedef {import('./image-input.js').ImageInput} ImageInput
 * @typedef {import('../shared/protocol.js').Progress} Progress
 * @typedef {import('../shared/types.js').PatchMap} PatchMap
 * @typedef {import('./model.js').LoadOptions} LoadOptions
 * @typedef {import('./model.js').ModelSource} ModelSource
 *
 * @typedef {object} MatchOptions
 * @property {AbortSignal | null} [signal]
 * @property {(progress: Progress) => void} [onProgress] the phases `image` (layers) and `texts`: how many texts were
 *   read, each once for its similarity and once for its match; to explain one, once
 *
 * @typedef {object} OnlyRankOptions
 * @property {number} [rerank] how many of the most similar texts are read again while the model sees the picture; 16 by
 *   default. With 0 the ranking is by similarity alone
 * @property {number} [topK] how many of the best texts to return; all by default
 *
 * @typedef {MatchOptions & OnlyRankOptions} RankOptions
 *
 * @typedef {object} TextMatch
 * @property {string} text
 * @property {number} match the probability that text and picture belong together (ITM)
 * @property {number} similarity the cosine of their embeddings (ITC), from -1 to 1
 * @property {number} index its place among the texts given
 *
 * @typedef {Omit<TextMatch, 'match'> & { match?: number }} RankedText `match` is there where the text was read again
 */

import { checkOrder, checkText, checkTexts } from './arguments.js';
import { CALL, readOptions } from './options.js';
import { readImage } from './image-input.js';
import { readInside } from './inside.js';
import { LoadedModel } from './model.js';

/** How many of the most similar texts a ranking reads again. */
const DEFAULT_RERANK = 16;

/**
 * A BLIP model: says how well texts of any length, up to some 30 words, describe a picture.
 *
 * @example
 * const matcher = await Matcher.load('ocelli');
 * const [best] = await matcher.rank('cat.jpg', ['a cat on a sofa', 'an empty room']);
 */
export class Matcher extends LoadedModel {
  /**
   * Downloads a model and builds it in a worker.
   *
   * @param {ModelSource} model a built-in model's name, `organisation/name` on the hub, the address of a folder with the
   *   model's files, or the address of each
   * @param {LoadOptions} [options]
   * @returns {Promise<Matcher>}
   * @throws {ModelError} what is wrong with the model's files: `config-invalid`, `weights-invalid`, `not-a-model` and the like
   * @throws {NetworkError} `network`, `http-status`, `not-found`
   * @throws {AbortError} `aborted`
   * @throws {WorkerError} `unsupported-browser`, `worker-failed`
   * @throws {OcelliError} `argument-invalid`
   */
  static async load(model, options = {}) {
    return LoadedModel.open('match', model, options, (opened) => new Matcher(opened));
  }

  /**
   * How well each text fits the picture, in the order given.
   *
   * @param {ImageInput} image
   * @param {readonly string[]} texts
   * @param {MatchOptions} [options]
   * @returns {Promise<TextMatch[]>}
   * @throws {ImageError} `image-empty`, `image-unsupported`, `image-damaged`, `image-too-large`, `image-unreadable`
   * @throws {LabelError} `labels-empty`, `labels-too-many`, `label-empty`, `label-too-long`
   * @throws {AbortError} `aborted`
   * @throws {WorkerError} `disposed`, `worker-failed`
   * @throws {OcelliError} `argument-invalid`
   */
  async match(image, texts, options = {}) {
    const { matches } = await this.#compare(image, texts, undefined, options);
    return /** @type {TextMatch[]} */ (matches);
  }

  /**
   * The texts, best first: all are compared by their similarity, which is quick, and the most similar ones then by
   * their match, which is the better judge.
   *
   * @param {ImageInput} image
   * @param {readonly string[]} texts
   * @param {RankOptions} [options]
   * @returns {Promise<RankedText[]>}
   * @throws {ImageError} `image-empty`, `image-unsupported`, `image-damaged`, `image-too-large`, `image-unreadable`
   * @throws {LabelError} `labels-empty`, `labels-too-many`, `label-empty`, `label-too-long`
   * @throws {AbortError} `aborted`
   * @throws {WorkerError} `disposed`, `worker-failed`
   * @throws {OcelliError} `argument-invalid`
   */
  async rank(image, texts, options = {}) {
    const { rerank = DEFAULT_RERANK, topK, ...call } = readOptions(options, ['rerank', 'topK', ...CALL]);
    const { matches, ranking } = await this.#compare(image, texts, rerank, call);
    return [...ranking].slice(0, topK).map((index) => /** @type {RankedText} */ (matches[index]));
  }

  /**
   * Which parts of the picture make a text match it: Grad-CAM (Selvaraju et al. 2017) of the cross-attention in the layer
   * that the authors of ALBEF and BLIP look at, averaged over the text's tokens.
   *
   * @param {ImageInput} image
   * @param {string} text
   * @param {MatchOptions} [options]
   * @returns {Promise<PatchMap>}
   * @throws {ImageError} `image-empty`, `image-unsupported`, `image-damaged`, `image-too-large`, `image-unreadable`
   * @throws {LabelError} `label-empty`, `label-too-long`
   * @throws {AbortError} `aborted`
   * @throws {WorkerError} `disposed`, `worker-failed`
   * @throws {OcelliError} `argument-invalid`
   */
  async explain(image, text, options = {}) {
    checkOrder(image, text, 'the text: explain(image, text)');
    checkText(text);
    const { source, asked } = await readInside(image, options);
    return this.request('explain', { image: source, text }, asked);
  }

  /**
   * @param {ImageInput} image
   * @param {readonly string[]} texts
   * @param {number | undefined} rerank
   * @param {MatchOptions} options
   * @returns {Promise<{ matches: RankedText[], ranking: Uint32Array }>}
   */
  async #compare(image, texts, rerank, options) {
    const { signal, onProgress } = readOptions(options, CALL);
    const call = rerank === undefined ? 'match' : 'rank';
    checkOrder(image, texts, `the texts in an array: ${call}(image, texts)`, { several: true });
    const copy = checkTexts(texts);
    const { source, transfer } = await readImage(image, { signal });
    // The wasm counts to 2^32 only, and no more texts can be read again than there are.
    const given = { image: source, texts: copy, rerank: rerank && Math.min(rerank, copy.length) };
    const { ranking, similarities, probabilities } = await this.request('match', given, {
      signal,
      transfer,
      onProgress,
    });
    const matches = copy.map((text, index) => {
      const match = /** @type {number} */ (probabilities[index]);
      const similarity = /** @type {number} */ (similarities[index]);
      return { text, ...(!Number.isNaN(match) && { match }), similarity, index };
    });
    return { matches, ranking };
  }
}
