/**
 * `<picture-filter>`: which of the pictures are shown, by their tags, what is still to be said of them, their folder and their year; and,
 * however far its panel is folded, a line that says so and the way back to all of them. Dispatches `filter` with what was chosen, `opened`, `name` with a label and another name for it, `duplicates`, `map`,
 * `size` with how large the pictures are to be, and `again-failed` and `discard-failed` for the pictures that could not be read.
 *
 * @typedef {import('../filters.js').Choices} Choices
 * @typedef {import('../filters.js').Chosen} Chosen
 * @typedef {import('../filters.js').Want} Want
 * @typedef {import('./tag-list.js').Naming} Naming
 */

import { ALL, isAll } from '../filters.js';
import { count, digits } from '../words.js';
import { button, make, tell, write } from './dom.js';
import { COMMAS } from './tag-field.js';

/** Tags that are listed at first; more are found by their names, or shown when they are asked for. */
const LISTED = 40;

/** @type {Record<Want, string>} */
const WANTS = {
  unsure: 'Not sure what it is',
  untagged: 'Without a tag',
  uncaptioned: 'Without a caption',
  corrected: 'Corrected by you',
  failed: 'Could not be read',
};

class PictureFilter extends HTMLElement {
  #summary = make('summary', { className: 'button' }, 'Filter');
  #search = make('input', { type: 'search', id: 'filter-tag', autocomplete: 'off' });
  /** The tag that is meant by what is typed there, if any is. @type {string | null} */
  #first = null;
  #tags = make('ul', { className: 'filter-tags', 'aria-label': 'Tags' });
  #more = button('', 'button button-quiet', () => this.#showMore(), { hidden: true });
  #want = make('select', { id: 'filter-want' });
  #folder = make('select', { id: 'filter-folder' });
  #year = make('select', { id: 'filter-year' });
  #size = make('input', { type: 'range', id: 'tile-size', min: '0.6', max: '2.4', step: '0.2', value: '1' });
  #line = make('p', {});
  #all = button('Show all', 'button', () => this.leave());
  #rename = button('Rename the tag', 'button button-quiet', () => this.#startNaming());
  #name = make('input', {
    type: 'text',
    id: 'tag-name',
    autocomplete: 'off',
    'aria-describedby': 'tag-name-help',
  });
  #nameHelp = make('p', { className: 'field-help', id: 'tag-name-help', role: 'status' });
  #naming = make(
    'form',
    { className: 'find-row filter-naming', hidden: true },
    make('label', { className: 'unseen', for: 'tag-name' }, 'Another name for the tag'),
    this.#name,
    make('button', { type: 'submit', className: 'button' }, 'Rename'),
    this.#nameHelp,
  );
  #failed = make(
    'div',
    { className: 'row', hidden: true },
    button('Try them again', 'button', () => tell(this, 'again-failed')),
    button('Remove them', 'button', () => tell(this, 'discard-failed')),
  );
  #panel = make('details', { className: 'filter' }, this.#summary);
  /** Whether tags are listed however many they are. */
  #whole = false;
  #state = make('div', { className: 'row filter-state', hidden: true }, this.#line, this.#all, this.#failed);
  /** @type {Chosen} */
  #chosen = ALL;
  /** @type {{ choices: Choices, naming: Naming }} */
  #shown = {
    choices: {
      labels: [],
      wants: { unsure: 0, untagged: 0, uncaptioned: 0, corrected: 0, failed: 0 },
      folders: [],
      years: [],
    },
    naming: String,
  };

  connectedCallback() {
    this.hidden = true;
    const field = (/** @type {string} */ text, /** @type {HTMLElement} */ control) =>
      make('div', { className: 'field' }, make('label', { for: control.id }, text), control);
    this.#panel.append(
      make(
        'div',
        { className: 'filter-body' },
        field('With the tags', this.#search),
        this.#tags,
        this.#more,
        make('div', { className: 'row' }, this.#rename, this.#naming),
        make(
          'div',
          { className: 'filter-rest' },
          field('Still to be said', this.#want),
          field('Folder', this.#folder),
          field('Year', this.#year),
          field('Size of the pictures', this.#size),
        ),
        make(
          'div',
          { className: 'row' },
          button('Find near-duplicates', 'button', () => tell(this, 'duplicates')),
          button('Map of the pictures', 'button', () => tell(this, 'map')),
        ),
      ),
    );
    this.append(this.#panel, this.#state);
    this.#panel.addEventListener('toggle', () => {
      this.#whole = false;
      if (this.#panel.open) tell(this, 'opened');
    });
    this.#search.addEventListener('input', () => this.#list());
    this.#search.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || this.#first === null || this.#search.value.trim() === '') return;
      event.preventDefault();
      this.#search.value = '';
      this.#toggle(this.#first);
    });
    for (const [control, key] of /** @type {const} */ ([
      [this.#want, 'want'],
      [this.#folder, 'folder'],
      [this.#year, 'year'],
    ])) {
      control.addEventListener('change', () => this.#choose({ ...this.#chosen, [key]: control.value }));
    }
    this.#size.addEventListener('input', () => tell(this, 'size', this.#size.valueAsNumber));
    this.#naming.addEventListener('submit', (event) => {
      event.preventDefault();
      const [label] = this.#chosen.labels;
      if (COMMAS.test(this.#name.value)) {
        write(this.#nameHelp, 'A tag has no comma in it: commas part several.');
        this.#name.focus();
        return;
      }
      this.#naming.hidden = true;
      this.#rename.focus();
      if (label !== undefined) tell(this, 'name', { label, name: this.#name.value.trim() });
    });
  }

  close() {
    this.#panel.open = false;
  }

  /** Shows those of which something is special, alone. @param {Want} want */
  choose(want) {
    this.#choose({ ...ALL, want });
  }

  /** Pictures of one tag have another in its place: whoever has chosen it sees them still. @param {string} from @param {string} to */
  follow(from, to) {
    if (!this.#chosen.labels.has(from)) return;
    const labels = [...this.#chosen.labels].map((label) => (label === from ? to : label));
    this.#choose({ ...this.#chosen, labels: new Set(labels) });
  }

  /** Shows all of them again. */
  leave() {
    // What is pressed there goes with it.
    if (this.#state.contains(document.activeElement)) this.#summary.focus();
    this.#choose(ALL);
  }

  get open() {
    return this.#panel.open;
  }

  /** @param {Choices} choices @param {Naming} naming */
  show(choices, naming) {
    this.#shown = { choices, naming };
    this.#list();
    fill(this.#want, 'All pictures', this.#chosen.want, wanted(choices));
    const { folders, years } = choices;
    fill(this.#folder, 'Every folder', this.#chosen.folder, folders.map(option));
    fill(this.#year, 'Every year', this.#chosen.year, years.map(option));
    for (const [control, worth] of /** @type {const} */ ([
      [this.#folder, folders.length > 1],
      [this.#year, years.length > 1],
    ])) {
      if (control.parentElement) control.parentElement.hidden = !worth;
    }
  }

  /**
   * @param {boolean} worth whether there are pictures enough
   * @param {number | null} left how many are; null of all
   * @param {Naming} naming
   */
  tell(worth, left, naming) {
    const all = isAll(this.#chosen);
    this.hidden = !worth && all;
    write(this.#summary, left === null ? 'Filter' : `Filter: ${digits(left)}`);
    this.#state.hidden = all;
    this.#failed.hidden = this.#chosen.want !== 'failed' || left === 0;
    write(this.#line, all ? '' : `${count(left ?? 0, 'picture')}: ${whichOf(this.#chosen, naming)}`);
  }

  #list() {
    const { choices, naming } = this.#shown;
    const typed = this.#search.value.trim().toLocaleLowerCase();
    const rows = choices.labels.map((one) => ({ ...one, name: naming(one.value) }));
    const chosen = rows.filter(({ value }) => this.#chosen.labels.has(value));
    // One that no picture has any more is still chosen.
    for (const value of this.#chosen.labels) {
      if (!chosen.some((one) => one.value === value)) chosen.push({ value, count: 0, name: naming(value) });
    }
    const others = rows.filter(
      ({ value, name }) => !this.#chosen.labels.has(value) && name.toLocaleLowerCase().includes(typed),
    );
    const [first] = [...others.filter(({ name }) => name.toLocaleLowerCase() === typed), ...others];
    this.#first = first?.value ?? null;
    const listed = this.#whole ? others : others.slice(0, LISTED);
    const counts = new Map(rows.map(({ value, count }) => [value, count]));
    const held = [...this.#tags.querySelectorAll('button')].find((one) => one === document.activeElement);
    this.#tags.replaceChildren(
      ...[...chosen, ...listed].map(({ value, name }) =>
        make(
          'li',
          {},
          button(`${name} `, 'filter-tag', () => this.#toggle(value), {
            'aria-pressed': String(this.#chosen.labels.has(value)),
            'data-label': value,
          }),
        ),
      ),
    );
    for (const one of this.#tags.querySelectorAll('button')) {
      const having = counts.get(one.dataset.label ?? '') ?? 0;
      one.append(make('span', { className: 'filter-count' }, digits(having)));
      if (held && one.dataset.label === held.dataset.label) one.focus();
    }
    const left = others.length - listed.length;
    this.#more.hidden = left === 0;
    write(this.#more, `Show ${count(left, 'more tag')}`);
    this.#rename.hidden = this.#chosen.labels.size !== 1;
    if (this.#rename.hidden) this.#naming.hidden = true;
  }

  #showMore() {
    const place = this.#tags.childElementCount;
    this.#whole = true;
    this.#list();
    // This button is gone: the keyboard goes on with the first of them.
    this.#tags.querySelectorAll('button')[place]?.focus();
  }

  #startNaming() {
    const [label = ''] = this.#chosen.labels;
    this.#name.value = this.#shown.naming(label);
    write(this.#nameHelp, '');
    this.#naming.hidden = false;
    this.#name.select();
    this.#name.focus();
  }

  /** @param {string} label */
  #toggle(label) {
    const labels = new Set(this.#chosen.labels);
    if (!labels.delete(label)) labels.add(label);
    this.#choose({ ...this.#chosen, labels });
  }

  /** @param {Chosen} chosen */
  #choose(chosen) {
    this.#chosen = chosen;
    tell(this, 'filter', chosen);
  }
}

/** Which pictures are shown, in words. @param {Chosen} chosen @param {Naming} naming */
function whichOf({ labels, want, folder, year }, naming) {
  const tags = [...labels].map((label) => `“${naming(label)}”`).join(' and ');
  const special = want === '' ? '' : WANTS[want].toLocaleLowerCase();
  return [tags, special, folder && `in ${folder}`, year && `of ${year}`].filter(Boolean).join(', ');
}

/** @param {import('../filters.js').Choice} choice @returns {[string, string]} */
function option({ value, count }) {
  return [value, `${value} (${digits(count)})`];
}

/** @param {Choices} choices @returns {[string, string][]} */
function wanted({ wants }) {
  return /** @type {Want[]} */ (Object.keys(WANTS)).map((want) => [
    want,
    `${WANTS[want]} (${digits(wants[want])})`,
  ]);
}

/** @param {HTMLSelectElement} select @param {string} all @param {string} chosen @param {[string, string][]} options */
function fill(select, all, chosen, options) {
  select.replaceChildren(
    ...[['', all], ...options].map(([value = '', text = '']) => make('option', { value }, text)),
  );
  select.value = chosen;
  // What was chosen is gone from the list.
  if (select.selectedIndex < 0) select.value = '';
}

customElements.define('picture-filter', PictureFilter);
