/**
 * A field for tags, which proposes those that begin like what is typed.
 *
 * @typedef {(typed: string) => readonly string[]} Propose the names that go on from it, the best first
 */

import { LONGEST_TAG } from '../corrections.js';
import { make } from './dom.js';

/** What parts tags, in every script that has commas of its own. */
export const COMMAS = /[,;，、；]/;

/** @param {string} typed tags @returns {string} what becomes of those that are too long; empty where none is */
export function tooLong(typed) {
  const isLong = typed.split(COMMAS).some((tag) => tag.trim().length > LONGEST_TAG);
  return isLong ? `A tag has ${LONGEST_TAG} letters at most: the rest is cut.` : '';
}

let fields = 0;

/**
 * @param {object} given
 * @param {string} given.label
 * @param {(text: string) => void} given.onEnter
 */
export function tagField({ label, onEnter }) {
  fields += 1;
  const list = make('datalist', { id: `tags-known-${fields}` });
  const input = make('input', {
    type: 'text',
    id: `tag-field-${fields}`,
    autocomplete: 'off',
    list: list.id,
    enterKeyHint: 'done',
  });
  /** @type {Propose} */
  let propose = () => [];
  input.addEventListener('input', () => {
    const typed = input.value.split(COMMAS).at(-1)?.trim() ?? '';
    const before = input.value.slice(0, input.value.length - typed.length).trimEnd();
    const names = typed === '' ? [] : propose(typed);
    list.replaceChildren(
      ...names.map((name) => make('option', { value: `${before}${before ? ' ' : ''}${name}` })),
    );
  });
  input.addEventListener('keydown', (event) => {
    // Whoever composes a word enters its letters by the same key.
    if (event.key !== 'Enter' || event.isComposing) return;
    event.preventDefault();
    const { value } = input;
    input.value = '';
    list.replaceChildren();
    onEnter(value);
  });
  return {
    label: make('label', { for: input.id }, label),
    input,
    list,
    /** @param {Propose} better */
    use(better) {
      propose = better;
    },
  };
}
