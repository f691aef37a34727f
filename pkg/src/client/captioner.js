/**
 * Captioning with BLIP.
 *
 * @typedef {import('../image-input.js').ImageInput} ImageInput
 * @typedef {import('../protocol.js').ProgressEvent} ProgressEvent
 * @typedef {import('../verbs/inside.js').PatchMap} PatchMap
 * @typedef {import('../verbs/inside.js').WordMap} WordMap
 * @typedef {import('./inside.js').InsideOptions} InsideOptions
 * @typedef {import('./model.js').LoadOptions} LoadOptions
 *
 * @typedef {object} StreamOptions
 * @property {string} [prompt] the caption's beginning
 * @property {number} [maxTokens] where to stop at the latest; 30 by default, or fewer where the model has no room
 * @property {number} [minTokens] new tokens before which the caption does not end
 * @property {number} [numBeams] how many captions are tried side by side, at most 64, of which the most probable is
 *   kept: better captions in more time, and all of the text at the end. 1 by default
 * @property {number} [lengthPenalty] with beams, the power of its length that a caption's log-probability is divided by:
 *   more makes captions longer. 1 by default
 * @property {boolean} [earlyStopping] with beams, whether to stop as soon as that many captions have ended
 * @property {AbortSignal | null} [signal]
 * @property {(event: ProgressEvent) => void} [onProgress] the phase `image`: layers computed so far
 *
 * @typedef {StreamOptions & { onPiece?: (piece: string) => void }} CaptionOptions
 * @typedef {StreamOptions & { caption?: string }} AttentionOptions `caption`: the caption to be looked into, of whatever
 *   origin. Without it one is written, by the other options
 */

import { linkedController } from '../abort.js';
import {
  checkCount,
  checkFlag,
  checkFunction,
  checkNumber,
  checkOptions,
  checkSignal,
  checkString,
} from '../arguments.js';
import { readImage } from '../image-input.js';
import { readInside } from './inside.js';
import { LoadedModel, openModel } from './model.js';

/** A BLIP model: describes a picture in a sentence. */
export class Captioner extends LoadedModel {
  /**
   * Downloads a model and builds it in a worker.
   *
   * @param {string | URL} model `organisation/name` on the hub, a built-in model's name, or the address of a
   *   folder with the model's files
   * @param {LoadOptions} [options]
   * @returns {Promise<Captioner>}
   */
  static async load(model, options = {}) {
    return new Captioner(await openModel('caption', model, options));
  }

  /**
   * The picture's caption.
   *
   * @param {ImageInput} image
   * @param {CaptionOptions} [options]
   * @returns {Promise<string>}
   */
  async caption(image, options = {}) {
    const given = writing(options);
    const { onPiece, onProgress, signal } = options;
    checkFunction(onPiece, 'onPiece');
    const { source, transfer } = await readImage(image, { signal });
    return this.ask('caption', { image: source, ...given }, { signal, transfer, onProgress, onPiece });
  }

  /**
   * The caption piece by piece, as it is written; the pieces joined are the caption. Leaving the loop early
   * ends the writing.
   *
   * @param {ImageInput} image
   * @param {StreamOptions} [options]
   * @returns {AsyncGenerator<string, void, void>}
   */
  async *stream(image, options = {}) {
    checkOptions(options);
    checkSignal(options.signal);
    const { controller, unlink } = linkedController(options.signal);
    /** @type {string[]} */
    const pieces = [];
    let written = false;
    let wake = () => {};
    const onPiece = (/** @type {string} */ piece) => {
      pieces.push(piece);
      wake();
    };
    const caption = this.caption(image, { ...options, signal: controller.signal, onPiece }).finally(() => {
      written = true;
      wake();
    });
    // It is awaited below, but a loop that was left early never gets there.
    caption.catch(() => {});
    try {
      for (;;) {
        yield* pieces.splice(0);
        if (pieces.length > 0) continue;
        if (written) break;
        await new Promise((/** @type {(value: void) => void} */ resolve) => (wake = resolve));
      }
      await caption;
    } finally {
      unlink();
      controller.abort();
    }
  }

  /**
   * The words of a caption, each with the parts of the picture that the model looked at when it wrote it, or would have
   * looked at: its cross-attention, averaged over heads, layers and the pieces of a word.
   *
   * @param {ImageInput} image
   * @param {AttentionOptions} [options]
   * @returns {Promise<WordMap[]>}
   */
  async attention(image, options = {}) {
    const given = writing(options);
    const { caption, onProgress, signal } = options;
    checkString(caption, 'caption');
    const { source, transfer } = await readImage(image, { signal });
    return this.ask('attention', { image: source, caption, ...given }, { signal, transfer, onProgress });
  }

  /**
   * Which parts of the picture its class token is made of, whatever the caption: attention rollout (Abnar and Zuidema
   * 2020).
   *
   * @param {ImageInput} image
   * @param {InsideOptions} [options]
   * @returns {Promise<PatchMap>}
   */
  async rollout(image, options = {}) {
    const { source, asked } = await readInside(image, options);
    return this.ask('rollout', { image: source }, asked);
  }
}

/**
 * The checked options of writing, without those of the call.
 *
 * @param {StreamOptions} options
 */
function writing(options) {
  checkOptions(options);
  const { prompt, maxTokens, minTokens, numBeams, lengthPenalty, earlyStopping } = options;
  checkString(prompt, 'prompt');
  checkCount(maxTokens, 'maxTokens');
  checkCount(minTokens, 'minTokens');
  checkCount(numBeams, 'numBeams');
  checkNumber(lengthPenalty, 'lengthPenalty');
  if (earlyStopping !== undefined) checkFlag(earlyStopping, 'earlyStopping');
  checkSignal(options.signal);
  checkFunction(options.onProgress, 'onProgress');
  return { prompt, maxTokens, minTokens, numBeams, lengthPenalty, earlyStopping };
}
