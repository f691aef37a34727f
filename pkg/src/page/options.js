/**
 * Options: one table of what each may be. A name means the same wherever it is taken, and what is not taken is refused,
 * because an option that is silently ignored is the hardest fault to find.
 */

import { isShare, wrong } from './arguments.js';
import { meantInstead } from './meant-option.js';
import { isIntegrity } from '../shared/integrity.js';
import { MAX_IMAGE_EDGE } from '../shared/limits.js';
import { TASK_NAMES } from '../shared/tasks.js';
import { VARIANT_NAMES } from '../shared/variants.js';

/** More threads than any machine has. */
const MOST_THREADS = 64;
/** Larger ids than any tokenizer has. */
const MOST_TOKENS = 4_000_000;

/**
 * @typedef {object} Spec
 * @property {(value: any) => boolean} valid of any value but `undefined`, which is always as good as nothing
 * @property {string} must what it must be, as it follows its name in a sentence
 */

/** @type {Spec} */
const FLAG = { valid: (value) => typeof value === 'boolean', must: 'be true or false' };
/** @type {Spec} */
const FUNCTION = { valid: (value) => typeof value === 'function', must: 'be a function' };
/** @type {Spec} */
const STRING = { valid: (value) => typeof value === 'string', must: 'be a string' };
/** @type {Spec} */
const ADDRESS = {
  valid: (value) => typeof value === 'string' || value instanceof URL,
  must: 'be an address',
};
/** @type {Spec} */
const COUNT = {
  valid: (value) => Number.isSafeInteger(value) && value > 0,
  must: 'be a whole number above zero',
};
/** @type {Spec} */
const WHOLE = {
  valid: (value) => Number.isSafeInteger(value) && value >= 0,
  must: 'be a whole number of at least zero',
};
/** @param {number} most @returns {Spec} */
const wholeTo = (most) => ({
  valid: (value) => Number.isInteger(value) && value >= 0 && value <= most,
  must: `be a whole number from 0 to ${most}`,
});
/** The wasm computes in single precision, in which what is larger is infinite. @type {Spec} */
const NUMBER = {
  valid: (value) => Number.isFinite(value) && Number.isFinite(Math.fround(value)),
  must: 'be a number, as far as single precision goes',
};

/** @param {readonly unknown[]} values @returns {Spec} */
const oneOf = (values) => ({
  valid: (value) => values.includes(value),
  must: `be one of ${values.map((value) => `"${value}"`).join(', ')}`,
});

/** @type {Readonly<Record<string, Spec>>} */
const SPECS = {
  signal: {
    valid: (value) =>
      value === null || (typeof value === 'object' && 'aborted' in value && 'addEventListener' in value),
    must: 'be an AbortSignal',
  },
  onProgress: FUNCTION,
  // Of a load.
  hubUrl: ADDRESS,
  revision: STRING,
  weights: STRING,
  dtype: oneOf(['int8', 'f16', 'f32']),
  threads: {
    valid: (value) => value === 'auto' || (Number.isInteger(value) && value >= 1 && value <= MOST_THREADS),
    must: `be "auto" or a whole number from 1 to ${MOST_THREADS}`,
  },
  device: oneOf(['auto', 'wasm', 'webgpu']),
  variant: oneOf(VARIANT_NAMES),
  wasmUrl: ADDRESS,
  cache: FLAG,
  worker: FUNCTION,
  headers: {
    valid: (value) =>
      typeof value === 'object' &&
      value !== null &&
      Object.entries(value).every(([, content]) => typeof content === 'string'),
    must: 'be an object of strings',
  },
  integrity: {
    valid: (value) => typeof value === 'object' && value !== null && Object.values(value).every(isIntegrity),
    must: 'be an object of file names with "sha256-" and 44 letters of Base64 each',
  },
  credentials: oneOf(['omit', 'same-origin', 'include']),
  tower: oneOf(['image', 'text', 'both']),
  task: oneOf(TASK_NAMES),
  language: STRING,
  megabytes: { valid: (value) => typeof value === 'number' && value > 0, must: 'be a number above zero' },
  // Of tags, classes and matches.
  template: {
    valid: (value) => [value].flat().every((one) => typeof one === 'string'),
    must: 'be a string or an array of strings',
  },
  scores: oneOf(['softmax', 'independent']),
  threshold: {
    valid: isShare,
    must: 'be a number from 0 to 1',
  },
  thresholds: {
    valid: (value) => typeof value === 'object' && value !== null && Object.values(value).every(isShare),
    must: 'be an object of numbers from 0 to 1',
  },
  topK: COUNT,
  none: FLAG,
  noneOffset: NUMBER,
  teacher: { valid: (value) => typeof value?.rowsFor === 'function', must: 'be a Teacher' },
  also: { valid: Array.isArray, must: 'be an array of labels' },
  rerank: WHOLE,
  longestEdge: {
    valid: (value) => Number.isInteger(value) && value >= 1 && value <= MAX_IMAGE_EDGE,
    must: `be a whole number from 1 to ${MAX_IMAGE_EDGE}`,
  },
  // Of an interrogation.
  mode: oneOf(['best', 'fast', 'classic', 'negative']),
  minFlavors: WHOLE,
  maxFlavors: COUNT,
  shortlist: COUNT,
  onPrompt: FUNCTION,
  // Of what is written.
  prompt: STRING,
  caption: STRING,
  maxTokens: COUNT,
  minTokens: WHOLE,
  repetitionPenalty: NUMBER,
  noRepeatNgramSize: WHOLE,
  numBeams: COUNT,
  lengthPenalty: NUMBER,
  earlyStopping: FLAG,
  doSample: FLAG,
  temperature: NUMBER,
  topP: NUMBER,
  seed: WHOLE,
  onPiece: FUNCTION,
  numCaptions: COUNT,
  // Of prompts.
  negativePrompt: STRING,
  skip: wholeTo(256),
  finalNorm: FLAG,
  attentionMask: FLAG,
  padding: {
    valid: (value) => value === 'trained' || value === 'end' || wholeTo(MOST_TOKENS).valid(value),
    must: 'be "trained", "end" or the id of a token',
  },
  emphasis: oneOf(['original', 'no-norm', 'none']),
  commaBacktrack: wholeTo(1000),
  truncate: FLAG,
  // Of an index.
  count: COUNT,
  lambda: { valid: isShare, must: 'be a number from 0 to 1' },
  cutoff: { valid: (value) => value === null || NUMBER.valid(value), must: 'be a number or null' },
  times: FUNCTION,
  within: { valid: (value) => typeof value === 'number' && value >= 0, must: 'be a number of at least zero' },
  writer: { valid: (value) => typeof value === 'object' && value !== null, must: 'be a library' },
  matcher: { valid: (value) => typeof value?.rank === 'function', must: 'be a Matcher' },
};

/** The options of every call that may take long. */
export const CALL = /** @type {const} */ (['signal', 'onProgress']);

/** Other names: what `transformers` calls some of ours, and those of earlier versions. @type {Readonly<Record<string, string>>} */
const ALIASES = {
  maxNewTokens: 'maxTokens',
  minNewTokens: 'minTokens',
  numReturnSequences: 'numCaptions',
  // They go with the next version.
  base: 'hubUrl',
  keep: 'cache',
};

/**
 * Options, checked: nothing in them but what is taken, each as it must be, and other names of them resolved.
 *
 * @template {object} T
 * @param {T} options
 * @param {readonly string[]} taken names of the options that are taken
 * @returns {T}
 * @throws {import('../shared/errors.js').OcelliError} `argument-invalid`
 */
export function readOptions(options, taken) {
  if (typeof options !== 'object' || options === null) throw wrong('The options must be an object.');
  /** @type {Record<string, unknown>} */
  const read = {};
  // What is inherited counts too: a signal in the options' place is to be noticed.
  for (const given in options) {
    const value = /** @type {Record<string, unknown>} */ (options)[given];
    const other = Object.hasOwn(ALIASES, given) ? ALIASES[given] : undefined;
    const name = other !== undefined && taken.includes(other) ? other : given;
    if (!taken.includes(name)) throw wrong(unknown(given, taken));
    if (value === undefined) continue;
    if (name in read) throw wrong(`The option ${other ?? name} is given twice, under two names.`);
    const spec = SPECS[name];
    if (spec && !spec.valid(value)) throw wrong(`The option ${given} must ${spec.must}.`);
    read[name] = value;
  }
  return /** @type {T} */ (read);
}

/** @param {string} given @param {readonly string[]} taken */
function unknown(given, taken) {
  const aliases = Object.keys(ALIASES).filter((alias) => taken.includes(ALIASES[alias] ?? ''));
  return `There is no option "${given}" here${meantInstead(given, taken, aliases)}`;
}
