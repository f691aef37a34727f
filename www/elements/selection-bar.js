/**
 * `<selection-bar>`: what is to become of the pictures that are selected. Dispatches `correct-selected` with tags to add or take away
 * by their names, `teach-selected` with the name of what they show, `discard-selected`, `select-all` and `select-none`.
 */

import { count } from '../words.js';
import { button, make, tell, write } from './dom.js';
import { tagField } from './tag-field.js';

class SelectionBar extends HTMLElement {
  #line = make('p', { className: 'selection-line', role: 'status' });
  #field = tagField({ label: 'Tag', onEnter: (names) => this.#tell('add', names) });
  #controls = [
    button('Add', 'button button-strong', () => this.#take('add')),
    button('Take away', 'button', () => this.#take('remove')),
    button('Teach', 'button', () => this.#teach(), {
      title: 'Others that look like these get the tag, too',
    }),
    button('Remove pictures', 'button button-quiet', () => tell(this, 'discard-selected')),
  ];

  connectedCallback() {
    this.hidden = true;
    const { label, input, list } = this.#field;
    this.append(
      this.#line,
      button('All', 'button button-quiet selection-way', () => tell(this, 'select-all'), {
        'aria-label': 'Select all',
      }),
      button('Done', 'button selection-way', () => tell(this, 'select-none')),
      make('div', { className: 'find-row' }, label, input, list),
      ...this.#controls,
      make(
        'p',
        { className: 'field-help' },
        'Taught by a few pictures, a tag goes to others that look like them.',
      ),
    );
    this.setAttribute('role', 'region');
    this.setAttribute('aria-label', 'Selected pictures');
  }

  /** @param {{ selecting: boolean, selected: number, propose: import('./tag-field.js').Propose }} state */
  show({ selecting, selected, propose }) {
    this.hidden = !selecting;
    this.#field.use(propose);
    write(this.#line, selected === 0 ? 'Select pictures' : `${count(selected, 'picture')} selected`);
    for (const control of this.#controls) control.disabled = selected === 0;
  }

  /** @param {'add' | 'remove'} what */
  #take(what) {
    const { input } = this.#field;
    const { value } = input;
    if (value.trim() === '') return input.focus();
    input.value = '';
    this.#tell(what, value);
  }

  #teach() {
    const { input } = this.#field;
    const name = input.value.trim();
    if (name === '') return input.focus();
    input.value = '';
    tell(this, 'teach-selected', name);
  }

  /** @param {'add' | 'remove'} what @param {string} names */
  #tell(what, names) {
    if (names.trim() !== '') tell(this, 'correct-selected', { [what]: names });
  }
}

customElements.define('selection-bar', SelectionBar);
