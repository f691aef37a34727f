/**
 * `<save-answers>`: what was found out, as files. Dispatches `save` with an order: the format, of which pictures, where it goes, and how;
 * and `answers` with files that are to be read back.
 *
 * @typedef {object} Part of the pictures
 * @property {'selected' | 'shown'} which those that are selected, or that a search or a filter shows
 * @property {number} size
 * @property {number} all how many pictures there are
 *
 * @typedef {import('../export.js').Format} Format
 * @typedef {import('../export.js').Options} Options
 */

import { count, digits } from '../words.js';
import { button, make, tell, write } from './dom.js';

/** @type {[Format, string, string][]} */
const FORMATS = [
  ['xmp', 'Sidecars for photo programs', 'photo.jpg.xmp for each picture'],
  ['pictures', 'Pictures with keywords in them', 'Copies; what can hold none gets a sidecar'],
  ['csv', 'Table for spreadsheets', 'CSV: picture, tags, caption, rejected tags'],
  ['json', 'List for programs', 'JSON: keeps everything that is read back in'],
  ['html', 'Alternative texts for web pages', 'HTML: images with their captions'],
  ['markdown', 'Alternative texts in Markdown', 'Markdown: images with their captions'],
  ['txt', 'One text a picture', 'photo.txt and metadata.jsonl, as for training'],
];

class SaveAnswers extends HTMLElement {
  #menu = make('details', { className: 'save' }, make('summary', { className: 'button' }, 'Save'));
  #line = make('p', { className: 'save-line', role: 'status' });
  #stop = button('Stop saving', 'button button-quiet', () => this.#work?.abort(), { hidden: true });
  /** What is being saved. @type {AbortController | null} */
  #work = null;

  /** Which pictures can be chosen beside all of them. @type {Part['which'] | null} */
  #which = null;
  #part = make('input', { type: 'radio', name: 'save-which', id: 'save-part' });
  #partName = make('label', { for: 'save-part' });
  #all = make('input', { type: 'radio', name: 'save-which', id: 'save-all' });
  #allName = make('label', { for: 'save-all' });
  #pictures = make(
    'li',
    { hidden: true },
    make(
      'fieldset',
      { className: 'save-where' },
      make('legend', { className: 'unseen' }, 'Which pictures'),
      make('div', { className: 'check' }, this.#part, this.#partName),
      make('div', { className: 'check' }, this.#all, this.#allName),
    ),
  );
  #folder = make('input', { type: 'radio', name: 'save-where', id: 'save-folder' });
  #keepCaption = make('input', { type: 'checkbox', id: 'save-keep-caption', checked: true });
  #parts = make(
    'select',
    { id: 'save-parts' },
    make('option', { value: 'both' }, 'Caption, then tags'),
    make('option', { value: 'caption' }, 'Caption'),
    make('option', { value: 'tags' }, 'Tags'),
  );
  #prefix = make('input', { type: 'text', id: 'save-prefix', autocomplete: 'off' });
  #separator = make('input', { type: 'text', id: 'save-separator', autocomplete: 'off', value: ', ' });
  #suffix = make('input', { type: 'text', id: 'save-suffix', autocomplete: 'off' });
  #replaceTexts = make('input', { type: 'checkbox', id: 'save-replace' });

  #answers = make('input', {
    type: 'file',
    id: 'answers',
    className: 'unseen',
    accept: '.xmp,.csv,.json,.jsonl,.html,.md,.txt,.zip',
    multiple: true,
    tabIndex: -1,
    'aria-hidden': 'true',
  });

  connectedCallback() {
    const list = make('ul', { className: 'save-formats' }, this.#pictures);
    if ('showDirectoryPicker' in window) list.append(make('li', {}, this.#places()));
    for (const [format, title, note] of FORMATS) {
      const choice = button(title, 'save-format', () => this.#choose(format));
      choice.append(make('span', { className: 'save-note' }, note));
      list.append(make('li', {}, choice));
    }
    const back = button('Read files back in', 'save-format', () => this.#answers.click());
    back.append(make('span', { className: 'save-note' }, 'What was saved here, and sidecars of others'));
    this.#answers.addEventListener('change', () => {
      const files = [...(this.#answers.files ?? [])];
      this.#answers.value = '';
      if (files.length > 0) tell(this, 'answers', files);
    });
    list.append(make('li', {}, back, this.#answers));
    list.append(make('li', {}, this.#how()), make('li', { className: 'save-state' }, this.#line, this.#stop));
    this.#menu.append(list);
    this.append(this.#menu);
    this.#menu.addEventListener('toggle', () => {
      // So much room is below.
      const { bottom } = this.#menu.querySelector('summary')?.getBoundingClientRect() ?? { bottom: 0 };
      list.style.setProperty('--below', `${Math.round(bottom)}px`);
    });
    // It lies over what comes below, and goes when somebody goes on.
    document.addEventListener('click', ({ target }) => {
      if (target instanceof Node && !this.contains(target)) this.#menu.open = false;
    });
    this.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape' || !this.#menu.open) return;
      this.#menu.open = false;
      this.querySelector('summary')?.focus();
    });
  }

  /** @param {Part | null} part of the pictures that somebody looks at, and so rather means; null where those are all */
  offer(part) {
    this.#pictures.hidden = part === null;
    if (this.#which !== part?.which) this.#part.checked = true;
    this.#which = part?.which ?? null;
    if (!part) return;
    write(this.#partName, `The ${digits(part.size)} ${part.which}`);
    write(this.#allName, `All ${count(part.all, 'picture')}`);
  }

  /** @param {string} line what has become of it */
  say(line) {
    this.#work = null;
    this.#stop.hidden = true;
    write(this.#line, line);
  }

  /** @param {string} line how far it is */
  progress(line) {
    this.#stop.hidden = false;
    write(this.#line, line);
  }

  /** How texts are made. @returns {import('../files/texts.js').Form} */
  get form() {
    return {
      parts: /** @type {Options['parts']} */ (this.#parts.value),
      prefix: this.#prefix.value,
      separator: this.#separator.value,
      suffix: this.#suffix.value,
    };
  }

  /** Where files go, in browsers that let pages write into folders. */
  #places() {
    const download = make('input', { type: 'radio', name: 'save-where', id: 'save-download', checked: true });
    const places = [
      [download, 'Download'],
      [this.#folder, 'Into a folder'],
    ];
    return make(
      'fieldset',
      { className: 'save-where' },
      make('legend', { className: 'unseen' }, 'Where files go'),
      ...places.map(([radio, text]) => named(/** @type {HTMLInputElement} */ (radio), String(text))),
    );
  }

  /** How files are made, for those who want them otherwise. */
  #how() {
    const field = (/** @type {HTMLElement} */ control, /** @type {string} */ text) =>
      make('div', { className: 'field' }, make('label', { for: control.id }, text), control);
    const fields = make(
      'div',
      { className: 'save-fields', id: 'save-fields', hidden: true },
      named(this.#keepCaption, 'Keep captions that pictures have already, but for your own'),
      field(this.#parts, 'Texts hold'),
      make(
        'div',
        { className: 'field-row' },
        field(this.#prefix, 'Before each text'),
        field(this.#separator, 'Between its parts'),
        field(this.#suffix, 'Behind each text'),
      ),
      named(this.#replaceTexts, 'Replace texts that a folder has already'),
    );
    const unfold = button(
      'How they are written',
      'button button-quiet',
      () => {
        fields.hidden = !fields.hidden;
        unfold.setAttribute('aria-expanded', String(!fields.hidden));
        fields.scrollIntoView({ block: 'nearest' });
      },
      { 'aria-expanded': 'false', 'aria-controls': 'save-fields' },
    );
    return make('div', { className: 'save-how' }, unfold, fields);
  }

  /** @param {Format} format */
  #choose(format) {
    if (this.#work) return;
    write(this.#line, '');
    this.#work = new AbortController();
    /** @type {Options} */
    const options = {
      ...this.form,
      replaceTexts: this.#replaceTexts.checked,
      keepCaption: this.#keepCaption.checked,
    };
    const where = this.#folder.checked ? 'folder' : 'download';
    const which = this.#all.checked ? null : this.#which;
    tell(this, 'save', { format, which, where, options, signal: this.#work.signal });
  }
}

/** @param {HTMLInputElement} box @param {string} text @returns {HTMLElement} a box and its label, on one line */
function named(box, text) {
  return make('div', { className: 'check' }, box, make('label', { for: box.id }, text));
}

customElements.define('save-answers', SaveAnswers);
