/**
 * `<picture-finder>`: puts the pictures that fit some words first. Dispatches `find` with the words, `stop` when they
 * are no longer looked for, and `unfind` when the pictures are wanted in the order in which they came.
 */

import { button, make, tell, write } from './dom.js';

class PictureFinder extends HTMLElement {
  #words = make('input', { type: 'search', id: 'find', autocomplete: 'off' });
  #find = button('Find', 'button', () => this.#tell());
  #stop = button('Stop', 'button', () => {
    // This button goes, and the keyboard must not go with it.
    this.#words.focus();
    tell(this, 'stop');
  });
  #back = button('As they came', 'button', () => {
    this.#words.value = '';
    // So does this one.
    this.#words.focus();
    tell(this, 'unfind');
  });
  #line = make('p', { className: 'field-help' });

  connectedCallback() {
    this.hidden = true;
    this.#words.addEventListener('keydown', ({ key }) => {
      if (key === 'Enter') this.#tell();
    });
    this.append(
      make('label', { for: 'find' }, 'Find pictures by words'),
      make('div', { className: 'find-row' }, this.#words, this.#find),
      make('div', { className: 'row' }, this.#line, this.#stop, this.#back),
    );
  }

  /** @param {{ worth: boolean, arranged: boolean, busy: boolean, line: string }} state whether there are pictures enough, whether they are in another order than they came, whether they are being compared, and what there is to say */
  show({ worth, arranged, busy, line }) {
    this.hidden = !worth && !arranged && !busy;
    this.#stop.hidden = !busy;
    this.#back.hidden = !arranged || busy;
    write(this.#line, line);
  }

  #tell() {
    const words = this.#words.value.trim();
    if (words !== '') tell(this, 'find', words);
    else this.#words.focus();
  }
}

customElements.define('picture-finder', PictureFinder);
