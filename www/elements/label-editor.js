/**
 * `<label-editor>`: the labels to choose from, one on each line, and the sentence they are put into.
 * Dispatches `ask` with `{ labels, template }`. Empty lines are spacing, not labels.
 */

import { count, explain } from '../words.js';
import { button, make, mark, tell, write } from './dom.js';

/**
 * @typedef {import('../session.js').Question} Question
 */

/** @param {string} text @returns {string[]} */
function lines(text) {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

class LabelEditor extends HTMLElement {
  #labels = make('textarea', {
    id: 'labels',
    rows: 10,
    spellcheck: false,
    'aria-describedby': 'labels-count',
  });
  #template = make('input', {
    id: 'template',
    type: 'text',
    spellcheck: false,
    autocomplete: 'off',
    'aria-describedby': 'template-help',
  });
  #count = make('p', { className: 'field-help', id: 'labels-count' });
  #error = make('p', { className: 'error', id: 'labels-error', role: 'alert', hidden: true });
  #apply = button('Apply', 'button', () => this.#ask());
  #reset = button('Restore', 'button button-quiet', () => this.#restore());
  /** @type {Question} */
  #defaults = { labels: [], template: '' };
  /** What is in force, to tell whether there is anything to apply. */
  #asked = '';

  connectedCallback() {
    this.append(
      make('label', { for: 'labels' }, 'One label on each line'),
      this.#labels,
      this.#count,
      make('label', { for: 'template' }, 'Each label is asked as'),
      this.#template,
      make('p', { className: 'field-help', id: 'template-help' }, 'The label takes the place of {}.'),
      this.#error,
      make('div', { className: 'field-actions' }, this.#apply, this.#reset),
    );
    this.#apply.setAttribute('aria-label', 'Apply labels');
    this.#reset.setAttribute('aria-label', 'Restore the first labels');
    for (const field of [this.#labels, this.#template]) {
      field.addEventListener('input', () => this.#update());
      field.addEventListener('keydown', (event) => {
        if (!(event instanceof KeyboardEvent) || event.key !== 'Enter') return;
        if (field === this.#template || event.ctrlKey || event.metaKey) this.#ask();
      });
    }
  }

  /** @param {Question} question what to start from, and what Restore brings back */
  begin(question) {
    this.#defaults = question;
    this.#fill(question);
    this.#asked = this.#key();
    this.#update();
  }

  /** @param {unknown} error why the labels in force cannot be used, or `null` */
  complain(error) {
    const { sentence, code } = error ? explain(error) : { sentence: '', code: '' };
    this.#error.hidden = sentence === '';
    this.#error.dataset.code = code;
    write(this.#error, sentence);
    this.#labels.setAttribute('aria-invalid', String(code.startsWith('label')));
    this.#template.setAttribute('aria-invalid', String(code.startsWith('template')));
  }

  /** @param {Question} question */
  #fill({ labels, template }) {
    this.#labels.value = labels.join('\n');
    this.#template.value = template;
  }

  #restore() {
    this.#fill(this.#defaults);
    this.#ask();
  }

  #ask() {
    this.#asked = this.#key();
    this.#update();
    tell(this, 'ask', { labels: lines(this.#labels.value), template: this.#template.value.trim() });
  }

  #key() {
    return `${this.#template.value.trim()}\n${lines(this.#labels.value).join('\n')}`;
  }

  #update() {
    const written = lines(this.#labels.value).length;
    write(this.#count, written === 0 ? 'No labels yet: write at least one' : count(written, 'label'));
    mark(this.#apply, 'data-due', this.#key() !== this.#asked);
  }
}

customElements.define('label-editor', LabelEditor);
