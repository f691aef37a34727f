/**
 * Types of arguments, checked before anything is sent. Their values (how many labels, how long) are Rust's to
 * judge.
 */

import { OcelliError } from '../shared/errors.js';
import { VARIANT_NAMES } from '../shared/variants.js';

/** More threads than any machine has. */
const MOST_THREADS = 64;

/** @param {string} sentence */
function wrong(sentence) {
  return new OcelliError('argument-invalid', sentence);
}

/** @param {boolean} condition @param {string} sentence */
function demand(condition, sentence) {
  if (!condition) throw wrong(sentence);
}

/** @param {unknown} options @returns {asserts options is object} */
export function checkOptions(options) {
  demand(typeof options === 'object' && options !== null, 'The options must be an object.');
}

/** @param {unknown} value @param {string} name */
export function checkFunction(value, name) {
  demand(value === undefined || typeof value === 'function', `The option ${name} must be a function.`);
}

/** @param {unknown} value @param {string} name */
export function checkString(value, name) {
  demand(value === undefined || typeof value === 'string', `The option ${name} must be a string.`);
}

/** @param {unknown} value @param {string} [name] */
export function checkText(value, name = 'text') {
  demand(typeof value === 'string', `The ${name} must be a string.`);
}

/** @param {unknown} value @param {string} name */
export function checkCount(value, name) {
  const valid = value === undefined || (Number.isSafeInteger(value) && /** @type {number} */ (value) > 0);
  demand(valid, `The option ${name} must be a whole number above zero.`);
}

/** @param {unknown} value @param {string} name */
export function checkWhole(value, name) {
  const valid = value === undefined || (Number.isSafeInteger(value) && /** @type {number} */ (value) >= 0);
  demand(valid, `The option ${name} must be a whole number of at least zero.`);
}

/** @param {unknown} value @param {string} name */
export function checkNumber(value, name) {
  if (value === undefined) return;
  demand(Number.isFinite(value), `The option ${name} must be a number.`);
  // The wasm computes in single precision, in which what is larger is infinite.
  const single = Math.fround(/** @type {number} */ (value));
  demand(Number.isFinite(single), `The option ${name} is too large.`);
}

/** @param {unknown} value @param {string} name */
export function checkFlag(value, name) {
  demand(typeof value === 'boolean', `The option ${name} must be true or false.`);
}

/** @type {readonly import('../shared/protocol.js').Task[]} */
const TASKS = ['tag', 'embed', 'caption', 'match', 'answer', 'classify'];

/** @param {unknown} task */
export function checkTask(task) {
  const valid = task === undefined || TASKS.some((one) => one === task);
  demand(valid, `The task must be one of ${TASKS.join(', ')}.`);
}

/** @param {unknown} value */
export function checkDtype(value) {
  demand(value === 'int8' || value === 'f16' || value === 'f32', 'dtype must be "int8", "f16" or "f32".');
}

/** @param {unknown} signal */
export function checkSignal(signal) {
  const valid =
    signal === undefined ||
    signal === null ||
    (typeof signal === 'object' && 'aborted' in signal && 'addEventListener' in signal);
  demand(valid, 'The option signal must be an AbortSignal.');
}

/** @param {unknown} matcher */
export function checkMatcher(matcher) {
  const valid =
    matcher === undefined ||
    (typeof matcher === 'object' &&
      matcher !== null &&
      'rank' in matcher &&
      typeof matcher.rank === 'function');
  demand(valid, 'The option matcher must be a Matcher.');
}

/** @param {any} tagger */
export function checkTagger(tagger) {
  demand(typeof tagger?.knownLabels === 'function', 'The labels must be for a Tagger.');
}

/** @param {unknown} model */
export function checkModel(model) {
  demand(typeof model === 'string' || model instanceof URL, 'The model must be a name or an address.');
}

/** @param {unknown} base */
export function checkBase(base) {
  const valid = base === undefined || typeof base === 'string' || base instanceof URL;
  demand(valid, 'The option base must be an address.');
}

/** @param {unknown} address @param {string} what lies there */
export function checkAddress(address, what) {
  const valid = typeof address === 'string' || address instanceof URL;
  demand(valid, `The ${what} is found by its address, a string or a URL.`);
}

/** @param {unknown} language */
export function checkLanguage(language) {
  demand(language === 'en' || language === 'ja', 'The language must be "en" or "ja".');
}

/** @param {unknown} tags */
export function checkTags(tags) {
  const named = (/** @type {any} */ tag) => typeof tag?.label === 'string' || tag?.label === null;
  const valid = (/** @type {any} */ tag) => named(tag) && Number.isFinite(tag.score);
  demand(
    Array.isArray(tags) && tags.every(valid),
    'The tags must be an array of tags, each with a label and a score.',
  );
}

/**
 * A copy of an array of the user's, which may change while the call waits.
 *
 * @param {unknown} list
 * @param {string} name what it holds
 * @returns {unknown[]}
 */
function copyList(list, name) {
  demand(Array.isArray(list), `The ${name} must be an array.`);
  return [.../** @type {unknown[]} */ (list)];
}

/**
 * A copy of the labels, with nothing in them but what a label has.
 *
 * @param {unknown} labels
 * @returns {(string | { label: string, hint?: string })[]}
 */
export function checkLabels(labels) {
  return copyList(labels, 'labels').map((given, index) => {
    if (typeof given === 'string') return given;
    const { label, hint } = /** @type {{ label?: unknown, hint?: unknown }} */ (given ?? {});
    const valid = typeof label === 'string' && (hint === undefined || typeof hint === 'string');
    if (valid) return { label, ...(hint !== undefined && { hint }) };
    throw wrong(`The labels must be strings or { label, hint }, and label ${index + 1} is neither.`);
  });
}

/**
 * A copy of texts.
 *
 * @param {unknown} texts
 * @param {'text' | 'answer'} [name] what one of them is
 * @returns {string[]}
 */
export function checkTexts(texts, name = 'text') {
  const copy = copyList(texts, `${name}s`);
  const index = copy.findIndex((text) => typeof text !== 'string');
  demand(index === -1, `The ${name}s must be strings, and ${name} ${index + 1} is none.`);
  return /** @type {string[]} */ (copy);
}

/**
 * A copy of the pictures, each of which is checked when it is read.
 *
 * @param {unknown} images
 * @returns {import('./image-input.js').ImageInput[]}
 */
export function checkImages(images) {
  return /** @type {any[]} */ (copyList(images, 'images'));
}

/**
 * One template or several, as an array.
 *
 * @param {unknown} template
 * @returns {string[]}
 */
export function checkTemplates(template) {
  const list = Array.isArray(template) ? [...template] : [template];
  const valid = list.every((one) => typeof one === 'string');
  demand(valid, 'The option template must be a string or an array of strings.');
  return list;
}

/** @param {unknown} scores */
export function checkScores(scores) {
  demand(
    scores === 'softmax' || scores === 'independent',
    'The option scores must be "softmax" or "independent".',
  );
}

/** @param {unknown} threshold */
export function checkThreshold(threshold) {
  const valid = typeof threshold === 'number' && threshold >= 0 && threshold <= 1;
  demand(valid, 'The option threshold must be a number from 0 to 1.');
}

/** @param {unknown} tower */
export function checkTower(tower) {
  demand(
    tower === 'image' || tower === 'text' || tower === 'both',
    'The option tower must be "image", "text" or "both".',
  );
}

/** @param {unknown} value */
export function checkThreads(value) {
  const whole = Number.isInteger(value) && Number(value) >= 1 && Number(value) <= MOST_THREADS;
  if (value === undefined || value === 'auto' || whole) return;
  throw new OcelliError(
    'argument-invalid',
    `threads must be "auto" or a whole number from 1 to ${MOST_THREADS}.`,
  );
}

/** @param {unknown} value */
export function checkVariant(value) {
  if (value === undefined || VARIANT_NAMES.some((name) => name === value)) return;
  throw new OcelliError('argument-invalid', `variant must be one of ${VARIANT_NAMES.join(', ')}.`);
}
