/**
 * `<kept-pictures>`: what of the pictures is kept in this browser, and the button that forgets it, once somebody has said that it is
 * meant. Dispatches `forget-all`.
 */

import { bytes, count } from '../words.js';
import { button, make, tell, write } from './dom.js';

class KeptPictures extends HTMLElement {
  #line = make('p', { className: 'kept-line' });
  #forget = button('Forget everything', 'button button-quiet', () => this.#dialog.showModal());
  #asked = make('p', { id: 'forget-asked' });
  #dialog = make(
    'dialog',
    { className: 'sure', 'aria-labelledby': 'forget-title', 'aria-describedby': 'forget-asked' },
    make('h2', { id: 'forget-title' }, 'Forget everything?'),
    this.#asked,
    make(
      'div',
      { className: 'field-actions' },
      button('Keep it', 'button button-strong', () => this.#dialog.close()),
      button('Forget everything', 'button', () => {
        this.#dialog.close();
        tell(this, 'forget-all');
      }),
    ),
  );

  connectedCallback() {
    this.append(this.#line, this.#forget, this.#dialog);
  }

  /**
   * @param {object} kept
   * @param {number} kept.size how many are
   * @param {number} kept.bytes what room they take
   * @param {string} kept.trouble why no more are
   * @param {number} kept.unread those of which there is nothing to keep
   */
  show({ size, bytes: room, trouble, unread }) {
    this.hidden = size === 0 && trouble === '';
    const what = `Small copies of ${count(size, 'picture')}, with all that is known of them, are kept in this browser (${bytes(room)}).`;
    const others = `${count(unread, 'file')} that could not be read ${unread === 1 ? 'is' : 'are'} not kept.`;
    const lines = [size > 0 && what, size > 0 && unread > 0 && others, trouble];
    write(this.#line, lines.filter(Boolean).join(' '));
    write(
      this.#asked,
      `All that is kept of ${count(size, 'picture')} goes: their copies, tags and captions, what you have corrected and taught, and which folders can be opened again. The page begins anew, and that cannot be undone. Your picture files stay where they are, and so do lists of labels and models that you keep.`,
    );
    this.#forget.hidden = size === 0;
  }
}

customElements.define('kept-pictures', KeptPictures);
