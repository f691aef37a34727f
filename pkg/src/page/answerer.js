/**
 * Answering questions with BLIP.
 *
 * @typedef {import('./image-input.js').ImageInput} ImageInput
 * @typedef {import('../shared/protocol.js').Progress} Progress
 * @typedef {import('./model.js').LoadOptions} LoadOptions
 * @typedef {import('./model.js').ModelSource} ModelSource
 *
 * @typedef {Omit<import('./writing.js').WritingOptions, 'prompt'>} AnswerOptions as those of a caption; `maxTokens` is 20 by
 *   default
 *
 * @typedef {object} RankAnswersOptions
 * @property {number} [topK] how many of the best answers to return; all by default
 * @property {AbortSignal | null} [signal]
 * @property {(progress: Progress) => void} [onProgress] the phases `image` (layers) and `answers` (answers weighed)
 *
 * @typedef {object} RankedAnswer
 * @property {string} answer
 * @property {number} score its probability among the answers given
 * @property {number} logLikelihood the sum of the log-probabilities of its tokens and of the one that ends it
 * @property {number} index its place among the answers given
 */

import { checkOrder, checkText, checkTexts } from './arguments.js';
import { CALL, readOptions } from './options.js';
import { readImage } from './image-input.js';
import { LoadedModel } from './model.js';
import { WRITING, writing } from './writing.js';

/** A prompt is a caption's. */
const ANSWER = WRITING.filter((name) => name !== 'prompt');

/**
 * A BLIP model: answers questions about a picture.
 *
 * @example
 * const answerer = await Answerer.load('Salesforce/blip-vqa-base');
 * const colour = await answerer.answer('street.jpg', 'what colour is the car?');
 */
export class Answerer extends LoadedModel {
  /**
   * Downloads a model and builds it in a worker.
   *
   * @param {ModelSource} model a built-in model's name, `organisation/name` on the hub, the address of a folder with the
   *   model's files, or the address of each
   * @param {LoadOptions} [options]
   * @returns {Promise<Answerer>}
   * @throws {ModelError} what is wrong with the model's files: `config-invalid`, `weights-invalid`, `not-a-model` and the like
   * @throws {NetworkError} `network`, `http-status`, `not-found`
   * @throws {AbortError} `aborted`
   * @throws {WorkerError} `unsupported-browser`, `worker-failed`
   * @throws {OcelliError} `argument-invalid`
   */
  static async load(model, options = {}) {
    return LoadedModel.open('answer', model, options, (opened) => new Answerer(opened));
  }

  /**
   * The answer, in the model's own words.
   *
   * @param {ImageInput} image
   * @param {string} question of which the model reads some 30 words
   * @param {AnswerOptions} [options]
   * @returns {Promise<string>}
   * @throws {ImageError} `image-empty`, `image-unsupported`, `image-damaged`, `image-too-large`, `image-unreadable`
   * @throws {LabelError} `label-empty`, `label-too-long`
   * @throws {AbortError} `aborted`
   * @throws {WorkerError} `disposed`, `worker-failed`
   * @throws {OcelliError} `argument-invalid`
   */
  async answer(image, question, options = {}) {
    const { signal, onProgress, ...read } = readOptions(options, ANSWER);
    const given = writing(read);
    checkOrder(image, question, 'the question: answer(image, question)');
    checkText(question, 'question');
    const { source, transfer } = await readImage(image, { signal });
    return this.request('answer', { image: source, question, ...given }, { signal, transfer, onProgress });
  }

  /**
   * The answers given, the most likely first. Longer answers are less likely than short ones, other things being equal.
   *
   * @param {ImageInput} image
   * @param {string} question of which the model reads some 30 words
   * @param {readonly string[]} answers
   * @param {RankAnswersOptions} [options]
   * @returns {Promise<RankedAnswer[]>}
   * @throws {ImageError} `image-empty`, `image-unsupported`, `image-damaged`, `image-too-large`, `image-unreadable`
   * @throws {LabelError} `labels-empty`, `labels-too-many`, `label-empty`, `label-too-long`
   * @throws {AbortError} `aborted`
   * @throws {WorkerError} `disposed`, `worker-failed`
   * @throws {OcelliError} `argument-invalid`
   */
  async rank(image, question, answers, options = {}) {
    const { topK, signal, onProgress } = readOptions(options, ['topK', ...CALL]);
    checkOrder(image, question, 'the question: rank(image, question, answers)');
    checkText(question, 'question');
    const copy = checkTexts(answers, 'answer');
    const { source, transfer } = await readImage(image, { signal });
    const given = { image: source, question, answers: copy };
    const weighed = await this.request('choose', given, { signal, transfer, onProgress });
    return copy
      .map((answer, index) => {
        const score = /** @type {number} */ (weighed.probabilities[index]);
        const logLikelihood = /** @type {number} */ (weighed.logLikelihoods[index]);
        return { answer, score, logLikelihood, index };
      })
      .sort((a, b) => b.logLikelihood - a.logLikelihood || a.index - b.index)
      .slice(0, topK);
  }
}
