/**
 * `<find-prompt>`: a prompt that an image generator could have made the picture with. Folded until somebody wants it. Dispatches `prompt`
 * with `{ picture, mode }`, and `unprompt` with the picture.
 *
 * @typedef {import('../session.js').Picture} Picture
 *
 * @typedef {object} Prompting
 * @property {boolean} busy
 * @property {string} line how far it is, or what went wrong
 * @property {string} prompt the best so far
 */

import { copyButton } from './copy-button.js';
import { button, make, tell, write } from './dom.js';

/** @type {[string, string][]} as the package calls them */
const MODES = [
  ['fast', 'Quick: the terms that fit best'],
  ['best', 'Best: one term after the other'],
  ['classic', 'Classic: medium, movement, flavors'],
  ['negative', 'Negative: what it is not'],
];

export class FindPrompt extends HTMLElement {
  #mode = make('select', {}, ...MODES.map(([value, text]) => make('option', { value }, text)));
  #find = button('Find a prompt', 'button', () =>
    tell(this, 'prompt', { picture: this.#picture, mode: this.#mode.value }),
  );
  #stop = button('Stop', 'button', () => {
    // This button goes, and the keyboard must not go with it.
    this.#find.focus();
    tell(this, 'unprompt', this.#picture);
  });
  #line = make('p', { className: 'field-help', role: 'status' });
  #prompt = make('textarea', { rows: 4, readOnly: true, hidden: true, 'aria-label': 'Prompt' });
  #copy = copyButton('Copy the prompt', () => this.#prompt.value, { hidden: true });
  /** @type {Picture | null} */
  #picture = null;

  /** @param {Picture} picture */
  open(picture) {
    this.#picture = picture;
    this.#mode.id = `${picture.id}-mode`;
    this.append(
      make(
        'details',
        { className: 'ask' },
        make('summary', {}, 'A prompt for image generators'),
        make(
          'div',
          { className: 'ask-fields' },
          make('label', { for: this.#mode.id }, 'How it is found'),
          this.#mode,
          make('div', { className: 'row' }, this.#find, this.#line, this.#stop),
          this.#prompt,
          this.#copy,
        ),
      ),
    );
    this.show({ busy: false, line: '', prompt: '' });
  }

  /** @param {Prompting} state */
  show({ busy, line, prompt }) {
    this.#stop.hidden = !busy;
    write(this.#line, line);
    if (this.#prompt.value !== prompt) this.#prompt.value = prompt;
    const begins = this.#prompt.hidden && prompt !== '';
    this.#prompt.hidden = this.#copy.hidden = prompt === '';
    if (begins && busy) this.#reveal();
  }

  /** Brings what begins to be found into view, below the button that was pressed for it. */
  #reveal() {
    const isCalm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    this.#copy.scrollIntoView({ block: 'nearest', behavior: isCalm ? 'auto' : 'smooth' });
  }
}

customElements.define('find-prompt', FindPrompt);
