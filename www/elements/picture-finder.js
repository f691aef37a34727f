/**
 * `<picture-finder>`: shows the pictures that fit some words. Dispatches `find` with the words, `stop` when they are no longer looked
 * for, and `unfind` when all pictures are wanted again.
 */

import { button, make, tell, write } from './dom.js';

class PictureFinder extends HTMLElement {
  #words = make('input', {
    type: 'search',
    id: 'find',
    autocomplete: 'off',
    enterKeyHint: 'search',
    'aria-describedby': 'find-help',
  });
  #find = button('Find', 'button', () => this.#tell());
  #stop = button('Stop', 'button', () => {
    // This button goes, and the keyboard must not go with it.
    this.#words.focus();
    tell(this, 'stop');
  });
  #back = button('Show all', 'button', () => {
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
      make(
        'p',
        { className: 'field-help', id: 'find-help' },
        'Such as “beach at sunset”, or “beach - people” for one without them.',
      ),
      make('div', { className: 'row' }, this.#line, this.#stop, this.#back),
    );
  }

  /**
   * @param {object} state
   * @param {boolean} state.worth whether there are pictures enough
   * @param {boolean} state.arranged whether they are not shown as they came
   * @param {boolean} state.busy whether they are being compared
   * @param {string} state.line what there is to say
   */
  show({ worth, arranged, busy, line }) {
    this.hidden = !worth && !arranged && !busy;
    this.#stop.hidden = !busy;
    this.#back.hidden = !arranged || busy;
    write(this.#line, line);
  }

  /** Nothing is looked for any more. */
  clear() {
    this.#words.value = '';
  }

  #tell() {
    const words = this.#words.value.trim();
    if (words !== '') tell(this, 'find', words);
    else if (this.#line.textContent !== '') tell(this, 'unfind');
    else this.#words.focus();
  }
}

customElements.define('picture-finder', PictureFinder);
