/**
 * `<photo-detail>`: one picture of many, with all that is known of it, over the grid. Arrow keys lead to its neighbours, Escape
 * back; plus, minus and 0 zoom, and arrows move what is larger than its frame. Dispatches `turn` with -1 or 1, and `shut`.
 *
 * @typedef {import('./picture-card.js').PictureCard} PictureCard
 */

import { button, make, tell, write } from './dom.js';

export class PhotoDetail extends HTMLElement {
  #place = make('p', { className: 'detail-place' });
  #before = button('Previous', 'button', () => tell(this, 'turn', -1));
  #after = button('Next', 'button', () => tell(this, 'turn', 1));
  #close = button('Close', 'button', () => this.#dialog.close());
  #body = make('div', { className: 'detail-body' });
  #dialog = make(
    'dialog',
    { className: 'detail', 'aria-label': 'One picture' },
    make('div', { className: 'detail-head' }, this.#before, this.#after, this.#place, this.#close),
    this.#body,
  );

  /** @type {PictureCard | null} */
  #card = null;

  connectedCallback() {
    this.append(this.#dialog);
    this.#dialog.addEventListener('close', () => {
      this.#card?.finish();
      this.#body.replaceChildren();
      this.#card = null;
      tell(this, 'shut');
    });
    this.#dialog.addEventListener('click', ({ target }) => {
      // What lies around it.
      if (target === this.#dialog) this.#dialog.close();
    });
    this.#dialog.addEventListener('keydown', (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      const writing =
        event.target instanceof HTMLInputElement ||
        event.target instanceof HTMLTextAreaElement ||
        event.target instanceof HTMLSelectElement;
      if (writing || event.altKey || event.ctrlKey || event.metaKey) return;
      if (this.#card?.key(event.key)) {
        event.preventDefault();
        return;
      }
      if (step === undefined) return;
      event.preventDefault();
      tell(this, 'turn', step);
    });
  }

  get open() {
    return this.#dialog.open;
  }

  /** @param {PictureCard} card @param {{ place: number, count: number }} where it is among all */
  show(card, { place, count }) {
    this.#card = card;
    if (card.parentElement !== this.#body) this.#body.replaceChildren(card);
    write(this.#place, `${place + 1} of ${count}`);
    this.#before.disabled = place === 0;
    this.#after.disabled = place === count - 1;
    if (!this.#dialog.open) this.#dialog.showModal();
  }

  close() {
    this.#dialog.close();
  }
}

customElements.define('photo-detail', PhotoDetail);
