/**
 * Captioning with BLIP.
 *
 * @typedef {import('../image-input.js').ImageInput} ImageInput
 * @typedef {import('../image-input.js').ImageSource} ImageSource
 * @typedef {import('../protocol.js').ProgressEvent} ProgressEvent
 * @typedef {import('../verbs/inside.js').PatchMap} PatchMap
 * @typedef {import('../verbs/inside.js').WordMap} WordMap
 * @typedef {import('./inside.js').InsideOptions} InsideOptions
 * @typedef {import('./model.js').LoadOptions} LoadOptions
 *
 * @typedef {object} WritingOptions
 * @property {string} [prompt] the caption's beginning
 * @property {number} [maxTokens] where to stop at the latest; 30 by default, or fewer where the model has no room
 * @property {number} [minTokens] new tokens before which the caption does not end
 * @property {number} [repetitionPenalty] what the score of a token that was said before, in the prompt too, is divided by
 *   (above zero) or multiplied with (below): more makes captions repeat themselves less. Above 0; 1 by default
 * @property {number} [noRepeatNgramSize] as many tokens in a row never come twice, those of the prompt counted
 * @property {number} [numBeams] how many captions are tried side by side, at most 64, of which the most probable is
 *   kept: better captions in more time, and all of the text at the end. 1 by default
 * @property {number} [lengthPenalty] with beams, the power of its length that a caption's log-probability is divided by:
 *   more makes captions longer. 1 by default
 * @property {boolean} [earlyStopping] with beams, whether to stop as soon as that many captions have ended
 * @property {number} [temperature] draws tokens by their probability, instead of taking the most probable; below 1 the
 *   probable become more probable. Above 0; 1 by default. None of this and the next three goes with beams
 * @property {number} [topK] draws tokens, of this many most probable ones. 50 by default
 * @property {number} [topP] draws tokens, of the fewest whose probabilities add up to this (nucleus sampling). Above 0, at
 *   most 1, which is the default
 * @property {number} [seed] draws tokens; the same seed draws the same. A new one each time by default
 * @property {AbortSignal | null} [signal]
 * @property {(event: ProgressEvent) => void} [onProgress] the phase `image`: layers computed so far
 *
 * @typedef {WritingOptions} StreamOptions
 * @typedef {WritingOptions & { onPiece?: (piece: string) => void }} CaptionOptions
 * @typedef {WritingOptions & { numCaptions?: number, matcher?: Ranker }} CaptionsOptions
 *   `numCaptions`: how many captions, 1 by default, at most 64: draws, or the best of at least as many beams. `matcher`: a
 *   `Matcher`, which says how well each caption fits the picture
 *
 * @typedef {object} Ranker what captions are ordered by: a `Matcher`, or what ranks texts as it does
 * @property {(image: ImageInput, texts: string[], options: { rerank: number, signal: AbortSignal | null | undefined })
 *   => Promise<readonly { text: string, match: number }[]>} rank
 *
 * @typedef {object} CaptionCandidate
 * @property {string} caption
 * @property {number} score how probable it is: the sum of its new tokens' log-probabilities; with beams, as they were
 *   processed, and divided by its length to the power of `lengthPenalty`
 * @property {number} [match] with a matcher, the probability that caption and picture belong together
 *
 * @typedef {StreamOptions & { caption?: string }} AttentionOptions `caption`: the caption to be looked into, of whatever
 *   origin. Without it one is written, by the other options
 */

import { linkedController } from '../abort.js';
import {
  checkCount,
  checkFlag,
  checkFunction,
  checkMatcher,
  checkNumber,
  checkOptions,
  checkSeed,
  checkSignal,
  checkString,
} from '../arguments.js';
import { OcelliError } from '../errors.js';
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
   * Several captions of the picture, best first: draws, which may be alike, or the best of several beams. With a
   * matcher they all differ and are ordered by how well they fit the picture, as BLIP's authors filtered captions
   * (CapFilt).
   *
   * @param {ImageInput} image
   * @param {CaptionsOptions} [options]
   * @returns {Promise<CaptionCandidate[]>}
   */
  async captions(image, options = {}) {
    const given = writing(options);
    const { numCaptions, matcher, onProgress, signal } = options;
    checkCount(numCaptions, 'numCaptions');
    checkMatcher(matcher);
    const { source, transfer } = await readImage(image, { signal });
    // What is moved to one worker is gone for the other.
    const moved = matcher ? [] : transfer;
    const captions = await this.ask(
      'captions',
      { image: source, ...given, numCaptions },
      { signal, transfer: moved, onProgress },
    );
    return matcher ? rank(matcher, source, captions, signal) : captions;
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
 * @param {WritingOptions} options
 */
function writing(options) {
  checkOptions(options);
  const { prompt, maxTokens, minTokens, repetitionPenalty, noRepeatNgramSize } = options;
  const { numBeams, lengthPenalty, earlyStopping, temperature, topK, topP, seed } = options;
  checkString(prompt, 'prompt');
  checkCount(maxTokens, 'maxTokens');
  checkCount(minTokens, 'minTokens');
  checkNumber(repetitionPenalty, 'repetitionPenalty');
  checkCount(noRepeatNgramSize, 'noRepeatNgramSize');
  checkCount(numBeams, 'numBeams');
  checkNumber(lengthPenalty, 'lengthPenalty');
  if (earlyStopping !== undefined) checkFlag(earlyStopping, 'earlyStopping');
  checkNumber(temperature, 'temperature');
  checkCount(topK, 'topK');
  checkNumber(topP, 'topP');
  checkSeed(seed);
  checkSignal(options.signal);
  checkFunction(options.onProgress, 'onProgress');
  const length = { prompt, maxTokens, minTokens, repetitionPenalty, noRepeatNgramSize };
  const beams = { numBeams, lengthPenalty, earlyStopping };
  const draws = [temperature, topK, topP, seed].some((option) => option !== undefined);
  return { ...length, ...beams, temperature, topK, topP, seed: draws ? (seed ?? newSeed()) : undefined };
}

function newSeed() {
  return crypto.getRandomValues(new Uint32Array(1))[0];
}

/**
 * The captions that differ, each with its match, best match first.
 *
 * @param {Ranker} matcher
 * @param {ImageSource} source
 * @param {CaptionCandidate[]} captions best first
 * @param {AbortSignal | null | undefined} signal
 * @returns {Promise<CaptionCandidate[]>}
 */
async function rank(matcher, source, captions, signal) {
  const texts = [...new Set(captions.map(({ caption }) => caption))];
  const ranked = await matcher.rank(toInput(source), texts, { rerank: texts.length, signal });
  const matches = new Map(ranked.map(({ text, match }) => [text, match]));
  return texts
    .map((text) => {
      const match = matches.get(text);
      const best = captions.find(({ caption }) => caption === text);
      if (!best || typeof match !== 'number') {
        throw new OcelliError('argument-invalid', 'The matcher gave a caption no match.');
      }
      return { ...best, match };
    })
    .sort((a, b) => b.match - a.match);
}

/**
 * A picture that was read, to be read once more: the user's own may have changed since.
 *
 * @param {ImageSource} source
 * @returns {ImageInput}
 */
function toInput(source) {
  switch (source.kind) {
    case 'blob':
      return source.blob;
    case 'bytes':
      return source.bytes;
    case 'pixels':
      return { data: source.rgba, width: source.width, height: source.height };
  }
}
