/**
 * `<file-caption>`: the sentence that a picture's file has, and the button that makes it the caption. Dispatches `correct` with the
 * picture and the caption.
 *
 * @typedef {import('../session.js').Picture} Picture
 */

import { button, make, tell, write } from './dom.js';

export class FileCaption extends HTMLElement {
  #line = make('p', { className: 'field-help' });
  #use = button('Use as caption', 'button button-quiet', () =>
    tell(this, 'correct', { pictures: [this.#picture], caption: this.#caption }),
  );
  /** @type {Picture | null} */
  #picture = null;
  #caption = '';

  /** @param {Picture} picture */
  open(picture) {
    this.#picture = picture;
    this.className = 'row';
    this.#use.setAttribute('aria-label', `Use what the file says as the caption of ${picture.name}`);
    this.append(this.#line, this.#use);
    this.show('');
  }

  /** @param {string} caption empty where there is nothing to offer */
  show(caption) {
    this.#caption = caption;
    this.hidden = caption === '';
    write(this.#line, `The file says: ${caption}`);
  }
}

customElements.define('file-caption', FileCaption);
