/**
 * `<undo-line>`: what was done last, and the button that takes it back, or does it again. Dispatches `undo` and `redo`, also for Ctrl
 * and Z. It goes into a dialog that is open, for nothing else can be reached then.
 */

import { button, make, tell, write } from './dom.js';

/** Milliseconds after which the line goes; the keys stay. */
const SHOWN = 12_000;

class UndoLine extends HTMLElement {
  #line = make('p', { role: 'status' });
  #undo = button('Undo', 'button', () => tell(this, 'undo'));
  #redo = button('Redo', 'button', () => tell(this, 'redo'));
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  connectedCallback() {
    // It is moved about.
    if (this.#line.isConnected) return;
    this.hidden = true;
    this.append(this.#line, this.#undo, this.#redo);
    document.addEventListener('shut', () => document.body.append(this));
    document.addEventListener('keydown', (event) => {
      if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
      // Fields have an undo of their own.
      const { target } = event;
      if (target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement) return;
      const key = event.key.toLowerCase();
      const what = key === 'y' || (key === 'z' && event.shiftKey) ? 'redo' : key === 'z' ? 'undo' : null;
      if (!what) return;
      event.preventDefault();
      tell(this, what);
    });
  }

  /** @param {string} sentence @param {{ undo?: boolean, redo?: boolean }} next what can be taken back, and done again */
  say(sentence, { undo = false, redo = false }) {
    clearTimeout(this.#timer);
    write(this.#line, sentence);
    const held = this.contains(document.activeElement);
    this.#undo.hidden = !undo;
    this.#redo.hidden = !redo;
    // The one that was pressed may be gone.
    if (held && (undo || redo)) (undo ? this.#undo : this.#redo).focus();
    const place = document.querySelector('dialog[open]') ?? document.body;
    if (this.parentElement !== place) place.append(this);
    this.hidden = false;
    this.#timer = setTimeout(() => {
      // Not under somebody's hands.
      if (!this.contains(document.activeElement)) this.hidden = true;
    }, SHOWN);
  }
}

customElements.define('undo-line', UndoLine);
