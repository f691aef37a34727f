/**
 * `<kept-pictures>`: what of the pictures is kept in this browser, and the button that forgets it. Dispatches `forget-all`.
 */

import { bytes, count } from '../words.js';
import { button, make, tell, write } from './dom.js';

/** Milliseconds in which a second press means it. */
const REALLY = 6000;

class KeptPictures extends HTMLElement {
  #line = make('p', { className: 'kept-line' });
  #sure = false;
  #forget = button('Forget them', 'button button-quiet', () => this.#press());
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  connectedCallback() {
    this.append(this.#line, this.#forget);
  }

  /** @param {{ size: number, bytes: number, trouble: string }} kept how many are, what room they take, and why no more are */
  show({ size, bytes: room, trouble }) {
    this.hidden = size === 0 && trouble === '';
    const what = `Small copies of ${count(size, 'picture')}, with all that is known of them, are kept in this browser (${bytes(room)}).`;
    write(this.#line, [size > 0 ? what : '', trouble].filter(Boolean).join(' '));
    this.#forget.hidden = size === 0;
  }

  #press() {
    clearTimeout(this.#timer);
    if (this.#sure) {
      this.#ask(false);
      tell(this, 'forget-all');
      return;
    }
    this.#ask(true);
    this.#timer = setTimeout(() => this.#ask(false), REALLY);
  }

  /** @param {boolean} sure whether the next press means it */
  #ask(sure) {
    this.#sure = sure;
    write(this.#forget, sure ? 'Press again to forget all' : 'Forget them');
  }
}

customElements.define('kept-pictures', KeptPictures);
