/**
 * The tags of one picture: label, percentage, and a bar for the eye. The percentage is the bar's text.
 *
 * @typedef {import('ocelli').Tag} Tag
 */

import { percent } from '../words.js';
import { make } from './dom.js';

/** @param {Tag} tag */
function row({ label, score }) {
  const fill = make('span', { className: 'bar-fill' });
  fill.style.setProperty('--share', String(score));
  return make(
    'li',
    { className: 'tag' },
    make('span', { className: 'tag-label' }, label),
    make('span', { className: 'tag-score' }, percent(score)),
    make('span', { className: 'bar', 'aria-hidden': 'true' }, fill),
  );
}

/** @param {HTMLElement} list @param {Tag[]} tags */
export function showTags(list, tags) {
  list.replaceChildren(...tags.map(row));
}

/** @param {Tag[]} tags @returns {string} for the clipboard: "dog 91%, cat 4%" */
export function tagsAsText(tags) {
  return tags.map(({ label, score }) => `${label} ${percent(score)}`).join(', ');
}
