/**
 * Types of arguments, checked before anything is sent. Their values (how many labels, how long) are Rust's to
 * judge.
 */

import { OcelliError } from './errors.js';

/** @param {boolean} condition @param {string} sentence */
function demand(condition, sentence) {
  if (!condition) throw new OcelliError('argument-invalid', sentence);
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

/** @param {unknown} value @param {string} name */
export function checkCount(value, name) {
  const valid = value === undefined || (Number.isSafeInteger(value) && /** @type {number} */ (value) > 0);
  demand(valid, `The option ${name} must be a whole number above zero.`);
}

/** @param {unknown} value @param {string} name */
export function checkNumber(value, name) {
  demand(value === undefined || Number.isFinite(value), `The option ${name} must be a number.`);
}

/** @param {unknown} value @param {string} name */
export function checkFlag(value, name) {
  demand(typeof value === 'boolean', `The option ${name} must be true or false.`);
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
  const valid = (/** @type {any} */ tag) => typeof tag?.label === 'string' && Number.isFinite(tag.score);
  demand(
    Array.isArray(tags) && tags.every(valid),
    'The tags must be an array of tags, each with a label and a score.',
  );
}

/**
 * A copy of the labels: the user's array may change while the call waits.
 *
 * @param {unknown} labels
 * @returns {string[]}
 */
export function checkLabels(labels) {
  demand(Array.isArray(labels), 'The labels must be an array of strings.');
  const copy = [.../** @type {unknown[]} */ (labels)];
  const wrong = copy.findIndex((label) => typeof label !== 'string');
  demand(wrong === -1, `The labels must be strings, and label ${wrong + 1} is none.`);
  return /** @type {string[]} */ (copy);
}
