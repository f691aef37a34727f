/**
 * `<tag-settings>`: how tags are scored and which are shown. Dispatches `settings` with what was chosen, and `language` with
 * the one that tags are named in.
 *
 * @typedef {object} Scoring
 * @property {'one' | '7' | '80'} prompts how many sentences are put around each label
 * @property {'softmax' | 'independent'} scores
 * @property {boolean} none whether "none of these" is among the answers
 * @property {number} threshold the least score that is shown
 */

import { make, tell } from './dom.js';

/** Which of the labels become tags: see `tagging.js`. */
const ANSWERS =
  'Of labels of your own, those with a fifth of the score or more become tags; where scores are independent, those from half on. ' +
  'Others are shown to compare: they count in no filter, no search and no file.';

/** What becomes of pictures that show none of the labels. */
const NONE =
  'A picture that seems to show none of your labels is marked “None of these?” either way. ' +
  'With this, “none of these” has a score among them, and only what scores more becomes a tag.';

class TagSettings extends HTMLElement {
  #prompts = make(
    'select',
    { id: 'prompts', 'aria-describedby': 'prompts-help' },
    make('option', { value: 'one' }, 'One sentence'),
    make('option', { value: '7' }, '7 published sentences'),
    make('option', { value: '80' }, '80 published sentences'),
  );
  #independent = make('input', { type: 'checkbox', id: 'independent' });
  #none = make('input', { type: 'checkbox', id: 'none', 'aria-describedby': 'none-help' });
  #threshold = make('input', {
    type: 'number',
    id: 'threshold',
    min: '0',
    max: '100',
    step: '1',
    value: '0',
  });
  #language = make(
    'select',
    { id: 'language' },
    make('option', { value: 'en' }, 'English'),
    make('option', { value: 'ja', lang: 'ja' }, '日本語'),
  );
  #languageField = make(
    'div',
    { className: 'field', hidden: true },
    make('label', { for: 'language' }, 'Tags are shown in'),
    this.#language,
  );

  connectedCallback() {
    const help = 'Averages over several sentences are surer and take longer at first.';
    this.append(
      this.#languageField,
      make('label', { for: 'prompts' }, 'Sentences around each label'),
      this.#prompts,
      make('p', { className: 'field-help', id: 'prompts-help' }, help),
      check(this.#independent, 'Scores independent of each other'),
      check(this.#none, 'Score “none of these”, too'),
      make('p', { className: 'field-help', id: 'none-help' }, NONE),
      make('p', { className: 'field-help' }, ANSWERS),
      make('label', { for: 'threshold' }, 'Least score shown, in per cent'),
      this.#threshold,
    );
    for (const field of [this.#prompts, this.#independent, this.#none, this.#threshold]) {
      field.addEventListener('change', () => this.#tell());
    }
    this.#language.addEventListener('change', () => tell(this, 'language', this.#language.value));
  }

  /** @param {boolean} named whether labels in use have names in several languages @param {'en' | 'ja'} language */
  show(named, language) {
    this.#languageField.hidden = !named;
    this.#language.value = language;
  }

  #tell() {
    const least = Math.min(100, Math.max(0, this.#threshold.valueAsNumber || 0));
    this.#threshold.valueAsNumber = least;
    tell(this, 'settings', {
      prompts: this.#prompts.value,
      scores: this.#independent.checked ? 'independent' : 'softmax',
      none: this.#none.checked,
      threshold: least / 100,
    });
  }
}

/** @param {HTMLInputElement} box @param {string} text @returns {HTMLElement} a box and its label, on one line */
export function check(box, text) {
  return make('div', { className: 'check' }, box, make('label', { for: box.id }, text));
}

customElements.define('tag-settings', TagSettings);
