/**
 * `<undo-line>`: what was done last, and the button that takes it back. Dispatches `undo`, also for Ctrl and Z, and `redo`.
 */

import { button, make, tell, write } from './dom.js';

/** Milliseconds after which the line goes; the keys stay. */
const SHOWN = 12_000;

class UndoLine extends HTMLElement {
  #line = make('p', { role: 'status' });
  #undo = button('Undo', 'button', () => tell(this, 'undo'));
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  connectedCallback() {
    this.hidden = true;
    this.append(this.#line, this.#undo);
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

  /** @param {string} sentence @param {boolean} canUndo */
  say(sentence, canUndo) {
    clearTimeout(this.#timer);
    write(this.#line, sentence);
    this.#undo.hidden = !canUndo;
    this.hidden = false;
    this.#timer = setTimeout(() => {
      // Not under somebody's hands.
      if (!this.contains(document.activeElement)) this.hidden = true;
    }, SHOWN);
  }
}

customElements.define('undo-line', UndoLine);
