/**
 * The labels that somebody has applied, kept in this browser until others are, or the first ones again.
 *
 * @typedef {object} Applied
 * @property {string | null} text labels as they were written, one on each line; null for those that the page begins with
 * @property {string} added lines of labels beside those
 * @property {string} template
 */

import { keepText, keptText } from './kept-text.js';

const PLACE = 'ocelli-labels';

/** @returns {Applied | null} null where nothing was applied, or it is damaged */
export function keptQuestion() {
  try {
    const { text, added, template } = JSON.parse(keptText(PLACE) ?? '');
    const isRight = (text === null || typeof text === 'string') && typeof added === 'string';
    return isRight && typeof template === 'string' ? { text, added, template } : null;
  } catch {
    return null;
  }
}

/** @param {Applied | null} applied null for the first labels */
export function keepQuestion(applied) {
  keepText(PLACE, applied && JSON.stringify(applied));
}
