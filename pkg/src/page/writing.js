/**
 * How texts are written: what captions and answers have in common.
 *
 * @typedef {import('../shared/protocol.js').Progress} Progress
 *
 * @typedef {object} WritingOptions
 * @property {string} [prompt] the caption's beginning; a blank one, as of an empty text box, is as good as none
 * @property {number} [maxTokens] where to stop at the latest; 30 by default, or fewer where the model has no room
 * @property {number} [minTokens] new tokens before which the caption does not end. 0 by default
 * @property {number} [repetitionPenalty] what the score of a token that was said before, in the prompt too, is divided by
 *   (above zero) or multiplied with (below): more makes captions repeat themselves less. Above 0; 1 by default
 * @property {number} [noRepeatNgramSize] as many tokens in a row never come twice, those of the prompt counted. 0, the
 *   default, is for no such rule
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
 * @property {boolean} [doSample] whether tokens are drawn; by default they are where one of `temperature`, `topK`, `topP`
 *   and `seed` is given
 * @property {number} [seed] draws tokens; the same seed draws the same. A new one each time by default
 * @property {number} [maxNewTokens] another name of `maxTokens`, as in transformers
 * @property {number} [minNewTokens] another name of `minTokens`
 * @property {AbortSignal | null} [signal]
 * @property {(progress: Progress) => void} [onProgress] the phase `image`: layers computed so far
 */

import { isBlank } from '../shared/texts.js';
import { CALL } from './options.js';

/** The options of writing, and of the call. */
export const WRITING = [
  ...['prompt', 'maxTokens', 'minTokens', 'repetitionPenalty', 'noRepeatNgramSize'],
  ...['numBeams', 'lengthPenalty', 'earlyStopping'],
  ...['doSample', 'temperature', 'topK', 'topP', 'seed'],
  ...CALL,
];

/**
 * The options of writing as the worker takes them, without those of the call.
 *
 * @param {WritingOptions} options checked
 */
export function writing(options) {
  const { prompt, maxTokens, minTokens, repetitionPenalty, noRepeatNgramSize } = options;
  const { numBeams, lengthPenalty, earlyStopping, doSample, temperature, topK, topP, seed } = options;
  // As in transformers, 0 is as good as nothing.
  const limits = { minTokens: minTokens || undefined, noRepeatNgramSize: noRepeatNgramSize || undefined };
  const begun = prompt === undefined || isBlank(prompt) ? undefined : prompt;
  const length = { prompt: begun, maxTokens, repetitionPenalty, ...limits };
  const beams = { numBeams, lengthPenalty, earlyStopping };
  const draws = doSample ?? [temperature, topK, topP, seed].some((option) => option !== undefined);
  // Where nothing is drawn, how to draw does not matter, as in transformers.
  if (!draws) return { ...length, ...beams };
  return { ...length, ...beams, temperature, topK, topP, seed: seed ?? newSeed() };
}

function newSeed() {
  return crypto.getRandomValues(new Uint32Array(1))[0];
}
