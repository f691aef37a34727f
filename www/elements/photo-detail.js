/**
 * `<photo-detail>`: one picture of several, with all that is known of it, over the others. Arrow keys lead to its neighbours, Escape
 * back; plus, minus and 0 zoom, and arrows move what is larger than its frame. What uses arrows itself keeps them. Dispatches `turn`
 * with a step of -1 or 1, and whether a button was pressed for it, and `shut`.
 *
 * @typedef {import('./picture-card.js').PictureCard} PictureCard
 */

import { button, make, tell, write } from './dom.js';

export class PhotoDetail extends HTMLElement {
  #place = make('p', { className: 'detail-place' });
  #before = button('Previous', 'button', () => this.#turn(-1, true));
  #after = button('Next', 'button', () => this.#turn(1, true));
  #close = button('Close', 'button', () => this.#dialog.close());
  #body = make('div', { className: 'detail-body' });
  #dialog = make(
    'dialog',
    { className: 'detail', 'aria-label': 'One picture', tabIndex: -1 },
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
      this.#card?.fit();
      this.#card = null;
      tell(this, 'shut');
    });
    this.#dialog.addEventListener('click', ({ target }) => {
      // What lies around it.
      if (target === this.#dialog) this.#dialog.close();
    });
    // Also where nothing has the keyboard: what had it may have gone.
    document.addEventListener('keydown', (event) => this.#key(event));
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const { target } = event;
    if (!this.#dialog.open || event.defaultPrevented || !(target instanceof Element)) return;
    const isHere = target === document.body || this.#dialog.contains(target);
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const writing = target.matches('input, textarea, select');
    // In an empty field arrows have nowhere to go: whoever tags one picture after the other stays in it.
    const isFree = target instanceof HTMLInputElement && target.type === 'text' && target.value === '';
    if (!isHere || event.altKey || event.ctrlKey || event.metaKey) return;
    if (writing && !(isFree && step !== undefined)) return;
    const isTaken = !writing && (this.#card?.key(event.key) ?? false);
    if (!isTaken && step === undefined) return;
    event.preventDefault();
    if (!isTaken && step !== undefined) this.#turn(step, writing);
  }

  /** @param {number} step @param {boolean} pressed whether a button was, or a key within a field */
  #turn(step, pressed) {
    tell(this, 'turn', { step, pressed });
  }

  get open() {
    return this.#dialog.open;
  }

  /** @param {PictureCard} card @param {{ place: number, count: number }} where it is among all */
  show(card, { place, count }) {
    if (card !== this.#card) this.#card?.fit();
    this.#card = card;
    if (card.parentElement !== this.#body) this.#body.replaceChildren(card);
    write(this.#place, `${place + 1} of ${count}`);
    this.#before.disabled = place === 0;
    this.#after.disabled = place === count - 1;
    if (!this.#dialog.open) this.#dialog.showModal();
    const held = document.activeElement;
    const isLost = !this.#dialog.contains(held) || (held instanceof HTMLButtonElement && held.disabled);
    if (isLost) this.#dialog.focus();
  }

  close() {
    this.#dialog.close();
  }
}

customElements.define('photo-detail', PhotoDetail);
