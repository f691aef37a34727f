/**
 * Types of arguments, checked before anything is sent. Their values (how many labels, how long) are Rust's to
 * judge. Options are checked in `options.js`.
 *
 * @typedef {import('./image-input.js').ImageInput} ImageInput
 */

import { OcelliError } from '../shared/errors.js';

/** @param {string} sentence @returns {OcelliError} to be thrown */
export function wrong(sentence) {
  return new OcelliError('argument-invalid', sentence);
}

/** @param {boolean} condition @param {string} sentence */
function demand(condition, sentence) {
  if (!condition) throw wrong(sentence);
}

/** @param {unknown} value @param {string} [name] */
export function checkText(value, name = 'text') {
  demand(typeof value === 'string', `The ${name} must be a string.`);
}

/**
 * Words come after pictures in every call: says so where they have changed places.
 *
 * @param {unknown} image a picture, or several
 * @param {unknown} words a text, or texts or labels
 * @param {string} call as it has to be, with what comes then
 * @param {{ several?: boolean }} [options] `several`: whether the words come in an array
 */
export function checkOrder(image, words, call, { several = false } = {}) {
  // An address is a text as well, but no list of them.
  const isAddress = several && typeof words === 'string' && Array.isArray(image);
  const swapped = areWords(image) && (isAddress || (listOf(words)?.some(isPicture) ?? isPicture(words)));
  demand(!swapped, `The picture comes first, then ${call}.`);
}

/** Whether something can be words: one text, or texts and labels in an array. @param {unknown} value */
function areWords(value) {
  const isWord = (/** @type {any} */ one) => typeof one === 'string' || typeof one?.label === 'string';
  return typeof value === 'string' || (Array.isArray(value) && value.length > 0 && value.every(isWord));
}

const PICTURES =
  /^(Blob|File|(Shared)?ArrayBuffer|URL|ImageData|HTML(Image|Canvas|Video)Element|OffscreenCanvas|ImageBitmap|VideoFrame)$/;

/** Whether something is a picture, and can be nothing else. @param {unknown} value */
function isPicture(value) {
  return ArrayBuffer.isView(value) || PICTURES.test(Object.prototype.toString.call(value).slice(8, -1));
}

/** @param {any} tagger */
export function checkTagger(tagger) {
  demand(typeof tagger?.knownLabels === 'function', 'The labels must be for a Tagger.');
}

/** @param {unknown} model */
export function checkModel(model) {
  const valid = typeof model === 'string' || (typeof model === 'object' && model !== null);
  demand(valid, 'The model must be a name, the address of its folder, or the addresses of its files.');
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
    const remedy =
      given && typeof given === 'object' && 'tag' in given ? ' (a vocabulary has them as labels)' : '';
    throw wrong(`The labels must be strings or { label, hint }, and label ${index + 1} is neither${remedy}.`);
  });
}

/**
 * A copy of texts.
 *
 * @param {unknown} texts
 * @param {string} [name] what one of them is
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
 * @returns {ImageInput[]}
 */
export function checkImages(images) {
  const copy = listOf(images);
  if (copy === null) throw wrong('The images must be an array, or a list such as the files of an input.');
  return copy;
}

/**
 * A copy of several pictures, as an array: they may also be the files that a person has picked, or a page's images.
 *
 * @param {unknown} images
 * @returns {ImageInput[] | null} null where it is no list, and so one picture, if anything
 */
export function listOf(images) {
  // Bytes and pixels, which have a length too, are one picture.
  if (typeof images !== 'object' || images === null || ArrayBuffer.isView(images)) return null;
  const { length } = /** @type {{ length?: unknown }} */ (images);
  const isList = Number.isSafeInteger(length) && Number(length) >= 0;
  return isList ? Array.from(/** @type {ArrayLike<ImageInput>} */ (images)) : null;
}

/** @param {unknown} value */
export function isShare(value) {
  return typeof value === 'number' && value >= 0 && value <= 1;
}

/** @param {unknown} threshold */
export function checkThreshold(threshold) {
  demand(isShare(threshold), 'The option threshold must be a number from 0 to 1.');
}
