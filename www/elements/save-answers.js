/**
 * `<save-answers>`: what was found out, as files. Dispatches `save` with a format.
 *
 * @typedef {import('../export.js').Format} Format
 */

import { button, make, tell, write } from './dom.js';

/** @type {[Format, string, string][]} */
const FORMATS = [
  ['xmp', 'Sidecars for photo programs', 'photo.jpg.xmp for each picture, in a zip'],
  ['csv', 'Table for spreadsheets', 'CSV: picture, tags, caption'],
  ['json', 'List for programs', 'JSON: picture, tags, caption'],
  ['txt', 'One text a picture', 'photo.txt with caption and tags, in a zip'],
];

class SaveAnswers extends HTMLElement {
  #menu = make('details', { className: 'save' }, make('summary', { className: 'button' }, 'Save'));
  #line = make('p', { className: 'save-line', role: 'status' });

  connectedCallback() {
    const list = make('ul', { className: 'save-formats' });
    for (const [format, title, note] of FORMATS) {
      const choice = button(title, 'save-format', () => this.#choose(format));
      choice.append(make('span', { className: 'save-note' }, note));
      list.append(make('li', {}, choice));
    }
    list.append(make('li', {}, this.#line));
    this.#menu.append(list);
    this.append(this.#menu);
    // It lies over what comes below, and goes when somebody goes on.
    document.addEventListener('click', ({ target }) => {
      if (target instanceof Node && !this.contains(target)) this.#menu.open = false;
    });
    this.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape' || !this.#menu.open) return;
      this.#menu.open = false;
      this.querySelector('summary')?.focus();
    });
  }

  /** @param {string} line what became of it */
  say(line) {
    write(this.#line, line);
  }

  /** @param {Format} format */
  #choose(format) {
    write(this.#line, '');
    tell(this, 'save', format);
  }
}

customElements.define('save-answers', SaveAnswers);
