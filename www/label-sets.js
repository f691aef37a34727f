/**
 * Label sets that people keep in this browser, by their names, as texts of one label on each line.
 *
 * @typedef {Map<string, string>} LabelSets
 */

import { keepText, keptText } from './kept-text.js';

const PLACE = 'ocelli-label-sets';
/** Letters of a name and of a set, and how many sets there are, at most. */
const LONGEST_NAME = 80;
export const LONGEST_SET = 1_000_000;
const MOST = 50;

/** @returns {LabelSets} what is kept; nothing where the browser keeps nothing, or it is damaged */
export function keptSets() {
  try {
    const kept = JSON.parse(keptText(PLACE) ?? '[]');
    const pairs = Array.isArray(kept) ? kept : [];
    return new Map(
      pairs.filter(
        (pair) =>
          Array.isArray(pair) &&
          pair.length === 2 &&
          pair.every((/** @type {unknown} */ one) => typeof one === 'string'),
      ),
    );
  } catch {
    return new Map();
  }
}

/**
 * Keeps a set under a name, in place of what was there.
 * @param {string} name
 * @param {string} text
 * @returns {string | null} why it is not kept, in a sentence
 */
export function keepSet(name, text) {
  const sets = keptSets().set(name.trim().slice(0, LONGEST_NAME), text);
  if (sets.size > MOST) return `There is room for ${MOST} sets: delete one first.`;
  return write(sets);
}

/** @param {string} name */
export function forgetSet(name) {
  const sets = keptSets();
  sets.delete(name);
  write(sets);
}

/** @param {LabelSets} sets @returns {string | null} */
function write(sets) {
  return keepText(PLACE, JSON.stringify([...sets])) ? null : 'This browser has no room for it.';
}
