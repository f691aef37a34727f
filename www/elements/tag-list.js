/**
 * The tags of one picture, and the texts that were matched with it: what each says, its percentage, and a bar for the
 * eye. The percentage is the bar's text. Each is a button that shows where in the picture it was found.
 *
 * @typedef {import('../session.js').Tag} Tag
 * @typedef {(label: string) => string} Naming how a label is called on the page
 */

import { percent } from '../words.js';
import { button, make } from './dom.js';

/** What stands for a tag that says none of the labels fits. */
const NONE = 'none of these';

/** @param {number} score @returns {HTMLElement} its length, for the eye */
function bar(score) {
  const fill = make('span', { className: 'bar-fill' });
  fill.style.setProperty('--share', String(Math.max(0, Math.min(1, score))));
  return make('span', { className: 'bar', 'aria-hidden': 'true' }, fill);
}

/** @param {Tag} tag @param {Naming} naming @returns {string} */
function nameOf({ label }, naming) {
  return label === null ? NONE : naming(label);
}

/**
 * One line of a list.
 * @param {string} name
 * @param {string} share its score in words
 * @param {number} score
 * @param {{ about: 'tag' | 'match', text: string } | null} look what is asked for its map; `null` where it has none
 */
export function scoreLine(name, share, score, look) {
  const parts = [
    make('span', { className: 'tag-label' }, name),
    ' ',
    make('span', { className: 'tag-score' }, share),
    bar(score),
  ];
  if (!look) return make('li', {}, make('div', { className: 'tag' }, ...parts));
  const line = button('', 'tag', () => {}, {
    'data-look': look.about,
    'data-text': look.text,
    'aria-pressed': 'false',
    'aria-describedby': 'look-help',
  });
  line.append(...parts);
  return make('li', {}, line);
}

/** Who says so, where it is no model. @param {Tag} tag */
function saidOf({ own, taught, filed }) {
  if (own) return 'yours';
  return taught ? 'taught' : filed ? 'from the file' : null;
}

/** @param {Tag} tag @param {Naming} naming */
function row(tag, naming) {
  const look = tag.label === null ? null : { about: /** @type {const} */ ('tag'), text: tag.label };
  const said = saidOf(tag);
  return scoreLine(nameOf(tag, naming), said ?? percent(tag.score), said ? 1 : tag.score, look);
}

/** The same of what is no answer. @param {Tag} tag @param {Naming} naming @param {string} note the id of the text that says so */
function comparedRow(tag, naming, note) {
  const line = row(tag, naming);
  line.dataset.compared = '';
  line.querySelector('button')?.setAttribute('aria-describedby', `${note} look-help`);
  return line;
}

/**
 * Shows tags; the keyboard, if it was on one, stays on the tag in its place.
 * @param {HTMLElement} list
 * @param {object} answer
 * @param {readonly Tag[]} answer.tags
 * @param {readonly Tag[]} answer.compared what is there to compare, and is no answer
 * @param {string} answer.note the id of the text that says so
 * @param {Naming} naming
 */
export function showTags(list, { tags, compared, note }, naming) {
  const focused = [...list.querySelectorAll('.tag')].findIndex((one) => one === document.activeElement);
  list.replaceChildren(
    ...tags.map((tag) => row(tag, naming)),
    ...compared.map((tag) => comparedRow(tag, naming, note)),
  );
  /** @type {NodeListOf<HTMLButtonElement>} */
  const looks = list.querySelectorAll('button.tag');
  if (focused >= 0) looks[Math.min(focused, looks.length - 1)]?.focus();
}

/** @param {Tag[]} tags @param {Naming} naming @returns {string} for the clipboard: "dog 91%, cat 4%" */
export function tagsAsText(tags, naming) {
  return tags
    .map((tag) => (saidOf(tag) ? nameOf(tag, naming) : `${nameOf(tag, naming)} ${percent(tag.score)}`))
    .join(', ');
}
