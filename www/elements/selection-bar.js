/**
 * `<selection-bar>`: what is to become of the pictures that are selected. What is typed and not entered is added by `finish`. Dispatches `correct-selected` with tags to add or take away
 * by their names, `teach-selected` with the name of what they show, `discard-selected`, `select-all` and `select-none`.
 */

import { count, digits } from '../words.js';
import { button, make, tell, write } from './dom.js';
import { tagField, tooLong } from './tag-field.js';

class SelectionBar extends HTMLElement {
  #line = make('p', { className: 'selection-line', role: 'status' });
  #field = tagField({ label: 'Tag', onEnter: (names) => this.#tell('add', names) });
  #missing = make('p', { className: 'selection-missing', id: 'selection-missing', role: 'alert' });
  #controls = [
    button('Add', 'button button-strong', () => this.#tell('add', this.#taken())),
    button('Take away', 'button', () => this.#tell('remove', this.#taken())),
    button('Teach', 'button', () => this.#teach(this.#taken().trim()), {
      title: 'Others that look like these get the tag, too',
    }),
    button('Remove pictures', 'button button-quiet', () => tell(this, 'discard-selected')),
  ];
  #selecting = false;

  connectedCallback() {
    this.hidden = true;
    const { label, input, list } = this.#field;
    input.setAttribute('aria-describedby', this.#missing.id);
    input.addEventListener('input', () => write(this.#missing, tooLong(input.value)));
    this.addEventListener('keydown', (event) => {
      // Whoever composes a word leaves that by the same key.
      if (event.key === 'Escape' && !event.isComposing) tell(this, 'select-none');
    });
    this.append(
      this.#line,
      button('All', 'button button-quiet selection-way', () => tell(this, 'select-all'), {
        'aria-label': 'Select all',
      }),
      make('div', { className: 'find-row' }, label, input, list),
      this.#missing,
      ...this.#controls,
      make(
        'p',
        { className: 'field-help' },
        'Taught by a few pictures, a tag goes to others that look like them.',
      ),
      button('Done', 'button selection-done', () => tell(this, 'select-none')),
    );
    this.setAttribute('role', 'region');
    this.setAttribute('aria-label', 'Selected pictures');
  }

  /**
   * @param {object} state
   * @param {boolean} state.selecting
   * @param {number} state.selected
   * @param {number} state.unseen those of them that a search or a filter hides
   * @param {import('./tag-field.js').Propose} state.propose
   */
  show({ selecting, selected, unseen, propose }) {
    this.hidden = !selecting;
    // What was typed for these pictures is not for others.
    if (this.#selecting && !selecting) this.#clear();
    this.#selecting = selecting;
    this.#field.use(propose);
    const hidden = unseen > 0 ? `, ${digits(unseen)} of them not shown` : '';
    const line = `${count(selected, 'picture')} selected${hidden}`;
    write(this.#line, selected === 0 ? 'Select pictures' : line);
    for (const control of this.#controls) control.disabled = selected === 0;
  }

  /** The selection is about to be another: what was typed for it is said. */
  finish() {
    const names = this.#taken();
    if (names.trim() !== '') tell(this, 'correct-selected', { add: names });
  }

  #clear() {
    this.#taken();
    write(this.#missing, '');
  }

  /** What was typed, which goes out of the field. */
  #taken() {
    const { input } = this.#field;
    const { value } = input;
    input.value = '';
    return value;
  }

  /** @param {string} name */
  #teach(name) {
    if (this.#isThere(name)) tell(this, 'teach-selected', name);
  }

  /** @param {'add' | 'remove'} what @param {string} names */
  #tell(what, names) {
    if (this.#isThere(names)) tell(this, 'correct-selected', { [what]: names });
  }

  /** Whether there is a tag; where there is none, it is asked for. @param {string} names */
  #isThere(names) {
    const isThere = names.trim() !== '';
    write(this.#missing, isThere ? '' : 'Write a tag first.');
    if (!isThere) this.#field.input.focus();
    return isThere;
  }
}

customElements.define('selection-bar', SelectionBar);
