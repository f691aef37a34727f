/**
 * `<label-sets>`: lists of labels under names of their own, kept in this browser, and read from and saved as files. Dispatches `use`
 * with the text of one.
 */

import { download } from '../download.js';
import { forgetSet, keepSet, keptSets, LONGEST_SET } from '../label-sets.js';
import { button, make, tell, write } from './dom.js';

export class LabelSets extends HTMLElement {
  #sets = make('select', { id: 'label-set' });
  #name = make('input', { type: 'text', id: 'set-name', autocomplete: 'off', maxLength: 80 });
  #delete = button('Delete', 'button button-quiet', () => this.#forget());
  #file = make('input', {
    type: 'file',
    id: 'labels-file',
    className: 'unseen',
    accept: '.txt,text/plain',
    tabIndex: -1,
    'aria-hidden': 'true',
  });
  #line = make('p', { className: 'field-help', role: 'status' });
  /** @type {() => string} */
  #read = () => '';

  /** @param {() => string} read the labels that are written now */
  begin(read) {
    this.#read = read;
  }

  /** Other labels may have come into the place of the list that was chosen. @param {string} text the labels in force */
  follow(text) {
    const { value } = this.#sets;
    const plain = (/** @type {string} */ labels) => labels.replaceAll('\r\n', '\n').trim();
    if (value !== '' && plain(keptSets().get(value) ?? '') !== plain(text)) this.#list('');
  }

  connectedCallback() {
    this.append(
      make('label', { for: 'label-set' }, 'Your lists'),
      make('div', { className: 'find-row' }, this.#sets, this.#delete),
      make('label', { for: 'set-name' }, 'Keep these labels as'),
      make(
        'div',
        { className: 'find-row' },
        this.#name,
        button('Keep', 'button', () => this.#keep()),
      ),
      make(
        'div',
        { className: 'field-actions' },
        button('Open a list', 'button button-quiet', () => this.#file.click()),
        button('Save this list', 'button button-quiet', () => this.#save()),
      ),
      this.#file,
      this.#line,
    );
    this.#sets.addEventListener('change', () => {
      const text = keptSets().get(this.#sets.value);
      this.#delete.hidden = text === undefined;
      if (text !== undefined) tell(this, 'use', text);
    });
    this.#file.addEventListener('change', () => void this.#open());
    this.#name.addEventListener('keydown', ({ key }) => key === 'Enter' && this.#keep());
    this.#list('');
  }

  /** @param {string} chosen */
  #list(chosen) {
    const names = [...keptSets().keys()];
    const first = names.length === 0 ? 'None kept yet' : 'Choose one';
    this.#sets.replaceChildren(
      make('option', { value: '' }, first),
      ...names.map((name) => make('option', { value: name }, name)),
    );
    this.#sets.value = chosen;
    this.#delete.hidden = chosen === '';
  }

  #keep() {
    const name = this.#name.value.trim();
    if (name === '') return this.#name.focus();
    const trouble = keepSet(name, this.#read());
    write(this.#line, trouble ?? `Kept as “${name}”.`);
    if (trouble) return;
    this.#name.value = '';
    this.#list(name);
  }

  #forget() {
    const name = this.#sets.value;
    forgetSet(name);
    this.#list('');
    this.#sets.focus();
    write(this.#line, `“${name}” is no longer kept.`);
  }

  async #open() {
    const [file] = this.#file.files ?? [];
    this.#file.value = '';
    if (!file) return;
    if (file.size > LONGEST_SET) {
      write(this.#line, `${file.name} is larger than any list of labels.`);
      return;
    }
    try {
      const text = new TextDecoder('utf-8', { fatal: true }).decode(await file.arrayBuffer());
      write(this.#line, `Read ${file.name}.`);
      tell(this, 'use', text);
    } catch {
      write(this.#line, `${file.name} is not a text in UTF-8.`);
    }
  }

  #save() {
    download(new Blob([`${this.#read().trim()}\n`], { type: 'text/plain' }), 'ocelli-labels.txt');
  }
}

customElements.define('label-sets', LabelSets);
