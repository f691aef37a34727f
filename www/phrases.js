/**
 * Labels in what somebody looks for: of "black and white dogs" the model may know no picture, though it knows dogs.
 *
 * @typedef {import('./tag-names.js').TagNames} TagNames
 */

import { meantBy } from './called.js';

/** Words of a phrase that are looked at: more make a sentence. */
const MOST = 12;

/**
 * The labels that a phrase of several words has in it, the longest where some lie within others.
 * @param {TagNames} names
 * @param {string} phrase
 * @returns {string[]} in their order, without the phrase itself
 */
export function labelsWithin(names, phrase) {
  const words = phrase.trim().split(/\s+/).slice(0, MOST);
  /** @type {string[]} */
  const found = [];
  for (let from = 0; from < words.length;) {
    const length = longestAt(names, words, from);
    if (length > 0) found.push(meantBy(names, words.slice(from, from + length).join(' ')));
    from += Math.max(1, length);
  }
  return [...new Set(found)];
}

/** @param {TagNames} names @param {string[]} words @param {number} from @returns {number} words of the longest label that begins there; 0 for none */
function longestAt(names, words, from) {
  for (let length = Math.min(words.length - from, words.length - 1); length > 0; length--) {
    const text = words.slice(from, from + length).join(' ');
    if (names.knows(text) || names.knows(meantBy(names, text))) return length;
  }
  return 0;
}
