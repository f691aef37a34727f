/**
 * From the options of `generate` to those of a captioner.
 *
 * @typedef {object} GenerationOptions
 * @property {number | null} [max_new_tokens] where to stop at the latest; 30 by default
 * @property {number | null} [max_length] the same with the token that captions begin with: one more
 * @property {number | null} [min_new_tokens]
 * @property {number | null} [min_length]
 * @property {number} [num_beams]
 * @property {boolean} [early_stopping]
 * @property {number} [length_penalty]
 * @property {number} [repetition_penalty]
 * @property {number} [no_repeat_ngram_size]
 * @property {boolean} [do_sample] whether tokens are drawn; without it, `temperature`, `top_k` and `top_p` mean nothing
 * @property {number} [temperature]
 * @property {number} [top_k]
 * @property {number} [top_p]
 * @property {number} [num_return_sequences]
 * @property {boolean} [use_cache] nothing comes of it
 * @property {number} [seed] of ocelli: draws are the same for the same
 * @property {AbortSignal | null} [signal] of ocelli
 */

import { wrong } from '../../page/arguments.js';
import { COUNT, FLAG, IGNORED, NUMBER, PASSED, readNamed, refused, WHOLE } from './options.js';

const GENERATION = {
  max_new_tokens: COUNT,
  max_length: {
    valid: (/** @type {unknown} */ value) => COUNT.valid(value) && value !== 1,
    must: 'be a whole number above one',
  },
  min_new_tokens: WHOLE,
  min_length: WHOLE,
  num_beams: COUNT,
  early_stopping: FLAG,
  length_penalty: NUMBER,
  repetition_penalty: NUMBER,
  no_repeat_ngram_size: WHOLE,
  do_sample: FLAG,
  temperature: NUMBER,
  top_k: COUNT,
  top_p: NUMBER,
  num_return_sequences: COUNT,
  use_cache: IGNORED,
  seed: WHOLE,
  signal: PASSED,
  streamer: refused(
    "be left out: tokens do not leave the worker. The stream of ocelli's Captioner gives pieces of text",
  ),
};

/** How each is called here, where the captioner takes it as it is. */
const NAMES = {
  num_beams: 'numBeams',
  early_stopping: 'earlyStopping',
  length_penalty: 'lengthPenalty',
  repetition_penalty: 'repetitionPenalty',
  no_repeat_ngram_size: 'noRepeatNgramSize',
  num_return_sequences: 'numCaptions',
  signal: 'signal',
};

/** Those that say how tokens are drawn. */
const DRAWS = { temperature: 'temperature', top_k: 'topK', top_p: 'topP', seed: 'seed' };

/**
 * @param {GenerationOptions} options
 * @returns {import('../../page/captioner.js').CaptionsOptions}
 * @throws {OcelliError} `argument-invalid`
 */
export function readGeneration(options) {
  const read = readNamed(options, GENERATION);
  const { max_length: maxLength, min_length: minLength = 0, do_sample: doSample = false } = read;
  // Lengths count the token that a caption begins with.
  const maxTokens = read.max_new_tokens ?? (maxLength && maxLength - 1);
  const minTokens = read.min_new_tokens ?? Math.max(0, minLength - 1);
  if (maxTokens !== undefined && minTokens > maxTokens) {
    throw wrong(`A caption of at least ${minTokens} new tokens and at most ${maxTokens} cannot be.`);
  }
  return { doSample, maxTokens, minTokens, ...renamed(read, NAMES), ...(doSample && renamed(read, DRAWS)) };
}

/** @param {Record<string, any>} read @param {Readonly<Record<string, string>>} names */
function renamed(read, names) {
  const there = Object.entries(names).filter(([given]) => given in read);
  return Object.fromEntries(there.map(([given, name]) => [name, read[given]]));
}
