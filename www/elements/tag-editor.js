/**
 * `<tag-editor>`: what somebody says of one picture: which tags are right, which are wrong, others by hand, and a caption. Dispatches
 * `correct` with the pictures and what is said of them.
 *
 * @typedef {import('../session.js').Picture} Picture
 * @typedef {import('../session.js').Tag} Tag
 * @typedef {import('./tag-list.js').Naming} Naming
 *
 * @typedef {object} Correction
 * @property {Picture[]} pictures
 * @property {string} [add] tags by their names, with commas between them
 * @property {string} [agree] a label that is right
 * @property {string} [remove] a label that is wrong
 * @property {string} [unsay] a label of which nothing is said any more
 * @property {string} [caption] empty for the model's
 */

import { button, make, tell, write } from './dom.js';
import { tagField, tooLong } from './tag-field.js';

const HELP = 'Enter adds; commas or semicolons part several. “pets|Minka” is Minka, below pets.';

export class TagEditor extends HTMLElement {
  #list = make('ul', { className: 'edit-tags', 'aria-label': 'Tags to correct' });
  #field = tagField({ label: 'Add tags', onEnter: (add) => this.#say({ add }) });
  #help = make('p', { className: 'field-help', role: 'status' }, HELP);
  #caption = make('textarea', { className: 'edit-caption', rows: 2 });
  /** @type {Picture | null} */
  #picture = null;
  #shown = '';
  /** The caption as it was before somebody wrote. */
  #shownCaption = '';

  /** @param {Picture} picture */
  open(picture) {
    this.#picture = picture;
    this.#caption.id = `${picture.id}-caption`;
    this.#caption.addEventListener('change', () => {
      this.#shownCaption = this.#caption.value;
      this.#say({ caption: this.#caption.value });
    });
    const { label, input, list } = this.#field;
    this.#help.id = `${picture.id}-add-help`;
    input.setAttribute('aria-describedby', this.#help.id);
    input.addEventListener('input', () => write(this.#help, tooLong(input.value) || HELP));
    this.append(
      this.#list,
      label,
      input,
      list,
      this.#help,
      make('label', { for: this.#caption.id }, 'Caption'),
      this.#caption,
    );
  }

  /** @param {import('./tag-field.js').Propose} propose */
  use(propose) {
    this.#field.use(propose);
  }

  /** Whether something was typed that was not entered. */
  get isWriting() {
    return this.#field.input.value.trim() !== '' || this.#caption.value !== this.#shownCaption;
  }

  /** Says what was typed and not entered. */
  finish() {
    const { input } = this.#field;
    const { value } = input;
    input.value = '';
    write(this.#help, HELP);
    if (value.trim() !== '') this.#say({ add: value });
    if (this.#caption.value !== this.#shownCaption) this.#say({ caption: this.#caption.value });
  }

  takeFocus() {
    this.#field.input.focus();
  }

  /** @param {readonly Tag[]} tags @param {readonly string[]} gone labels that are wrong @param {string} caption @param {Naming} naming */
  show(tags, gone, caption, naming) {
    if (document.activeElement !== this.#caption) {
      if (this.#caption.value !== caption) this.#caption.value = caption;
      this.#shownCaption = this.#caption.value;
    }
    const found = tags.flatMap(({ label, own = false }) =>
      label === null ? [] : [{ label, own, isGone: false }],
    );
    const away = gone.map((label) => ({ label, own: false, isGone: true }));
    const rows = [...found, ...away].map((row) => ({ ...row, name: naming(row.label) }));
    const shown = JSON.stringify(rows);
    if (shown === this.#shown) return;
    this.#shown = shown;
    const held = this.#heldPlace();
    this.#list.replaceChildren(...rows.map((row) => this.#row(row)));
    this.#list.hidden = rows.length === 0;
    if (held !== null) this.#hold(held);
  }

  /** @param {{ label: string, own: boolean, isGone: boolean, name: string }} row */
  #row({ label, own, isGone, name }) {
    const right = button(
      own ? 'Yours' : 'Right',
      'edit-right',
      () => this.#say(own ? { unsay: label } : { agree: label }),
      {
        'aria-pressed': String(own),
        'aria-label': own ? `Yours: ${name}` : `${name} is right`,
      },
    );
    const back = { 'aria-pressed': 'true', 'aria-label': `${name} is wrong: take that back` };
    const away = { 'aria-label': own ? `Remove ${name}` : `${name} is wrong: take it away` };
    const wrong = button(
      own ? 'Remove' : 'Wrong',
      'edit-wrong',
      () => this.#say(isGone ? { unsay: label } : { remove: label }),
      isGone ? back : away,
    );
    return make(
      'li',
      { className: 'edit-tag', ...(isGone && { 'data-gone': '' }) },
      make('span', { className: 'edit-name' }, name),
      right,
      wrong,
    );
  }

  /** Where the keyboard is in the list. @returns {{ row: number, control: number } | null} */
  #heldPlace() {
    const rows = [...this.#list.children];
    const row = rows.findIndex((one) => one.contains(document.activeElement));
    if (row < 0) return null;
    return {
      row,
      control: [...(rows[row]?.children ?? [])].indexOf(/** @type {Element} */ (document.activeElement)),
    };
  }

  /** Puts it back there, or into the field where there is no tag left. @param {{ row: number, control: number }} place */
  #hold({ row, control }) {
    const rows = this.#list.children;
    const there = rows[Math.min(row, rows.length - 1)]?.children[control];
    if (there instanceof HTMLElement) there.focus();
    else this.takeFocus();
  }

  /** @param {Omit<Correction, 'pictures'>} said */
  #say(said) {
    if (this.#picture) tell(this, 'correct', { pictures: [this.#picture], ...said });
  }
}

customElements.define('tag-editor', TagEditor);
