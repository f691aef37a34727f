/**
 * `<label-editor>`: the labels to choose from, one on each line, and the sentence they are put into.
 * Dispatches `ask` with `{ labels, paths, template, extra, text, added }`: `extra` is what was added to the labels that it began with, or
 * null where some of these are not there any more, and `added` the lines of it. Empty lines are spacing, not labels.
 */

import { keyOf, linesBeside, readLabels, readPaths, repeatedIn, writeLabels } from '../labels.js';
import { count, explain } from '../words.js';
import { button, make, mark, tell, write } from './dom.js';
import { LabelSets } from './label-sets.js';

/** @typedef {{ labels: readonly import('../labels.js').Label[], template: string }} Asked */

class LabelEditor extends HTMLElement {
  #labels = make('textarea', {
    id: 'labels',
    rows: 10,
    spellcheck: false,
    'aria-describedby': 'labels-count labels-help',
  });
  #template = make('input', {
    id: 'template',
    type: 'text',
    spellcheck: false,
    autocomplete: 'off',
    'aria-describedby': 'template-help',
  });
  #count = make('p', { className: 'field-help', id: 'labels-count' });
  #help = make('p', { className: 'field-help', id: 'template-help' }, 'The label takes the place of {}.');
  #sets = new LabelSets();
  #error = make('p', { className: 'error', id: 'labels-error', role: 'alert', hidden: true });
  #apply = button('Apply', 'button', () => this.#ask());
  #reset = button('Restore', 'button button-quiet', () => this.#restore());
  /** @type {Asked} */
  #defaults = { labels: [], template: '' };
  /** What is in force, to tell whether there is anything to apply. */
  #asked = '';

  connectedCallback() {
    this.append(
      make('label', { for: 'labels' }, 'One label on each line'),
      this.#labels,
      this.#count,
      make(
        'p',
        { className: 'field-help', id: 'labels-help' },
        'A word with several senses may say which: “bat: a type of animal”. What it is below may stand before it: “pets|cats|Minka”.',
      ),
      make('label', { for: 'template' }, 'Each label is asked as'),
      this.#template,
      this.#help,
      this.#error,
      make('div', { className: 'field-actions' }, this.#apply, this.#reset),
      make('details', { className: 'more' }, make('summary', {}, 'Lists of your own'), this.#sets),
    );
    this.#sets.begin(() => this.#labels.value);
    this.#sets.addEventListener('use', (event) => {
      this.#labels.value = /** @type {CustomEvent<string>} */ (event).detail;
      this.#ask();
    });
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

  /**
   * @param {Asked} question what to start from, and what Restore brings back
   * @param {import('../kept-question.js').Applied | null} [applied] what is in force in place of that
   */
  begin(question, applied = null) {
    this.#defaults = question;
    this.#fill(question);
    if (applied) {
      const first = this.#labels.value;
      this.#labels.value = applied.text ?? [first, applied.added].filter(Boolean).join('\n');
      this.#template.value = applied.template;
    }
    this.#asked = this.#key();
    this.#update();
  }

  /** Puts other labels in the place of those written. @param {Asked['labels']} labels */
  replace(labels) {
    this.#labels.value = writeLabels(labels);
    this.#ask();
  }

  /** @param {boolean} several whether several sentences, not the one written here, are put around each label */
  silence(several) {
    this.#template.disabled = several;
    write(
      this.#help,
      several ? 'The published sentences take its place.' : 'The label takes the place of {}.',
    );
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

  /** @param {Asked} question */
  #fill({ labels, template }) {
    this.#labels.value = writeLabels(labels);
    this.#template.value = template;
  }

  #restore() {
    this.#fill(this.#defaults);
    this.#ask();
  }

  #ask() {
    this.#asked = this.#key();
    this.#update();
    const { value } = this.#labels;
    this.#sets.follow(value);
    const [labels, first] = [readLabels(value), this.#defaults.labels];
    const there = new Set(labels.map(keyOf));
    const given = new Set(first.map(keyOf));
    tell(this, 'ask', {
      labels,
      paths: readPaths(value),
      template: this.#template.value.trim(),
      // What is added to the first list takes nothing away from what is known of that.
      extra: first.every((label) => there.has(keyOf(label)))
        ? labels.filter((label) => !given.has(keyOf(label)))
        : null,
      text: value,
      added: linesBeside(value, first),
    });
  }

  #key() {
    return `${this.#template.value.trim()}\n${writeLabels(readLabels(this.#labels.value))}`;
  }

  #update() {
    const written = readLabels(this.#labels.value).length;
    const [twice, ...others] = repeatedIn(this.#labels.value);
    const also = others.length === 0 ? '' : ` and ${count(others.length, 'other')}`;
    const once = twice === undefined ? '' : `. More than once, and taken once: “${twice}”${also}`;
    write(this.#count, written === 0 ? 'No labels yet: write at least one' : count(written, 'label') + once);
    mark(this.#apply, 'data-due', this.#key() !== this.#asked);
  }
}

customElements.define('label-editor', LabelEditor);
