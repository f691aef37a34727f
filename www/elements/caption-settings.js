/**
 * `<caption-settings>`: how captions are searched for, and how many. Dispatches `settings` with the session's
 * `CaptionSettings` whenever something was changed.
 */

import { make, tell } from './dom.js';
import { check } from './tag-settings.js';

/** What a search is called with before anything was changed: as BLIP's authors sampled. */
const SAMPLED = { temperature: '1', topP: '0.9', seed: '1' };

/** The beams of the search that looks at several captions. */
const BEAMS = 3;

/** @param {string} id @param {Record<string, unknown>} range @param {string} value */
function numberField(id, range, value) {
  return make('input', { type: 'number', id, ...range, defaultValue: value });
}

class CaptionSettings extends HTMLElement {
  #search = make(
    'select',
    { id: 'search' },
    make('option', { value: 'greedy' }, 'Most probable word by word'),
    make('option', { value: 'beams' }, `${BEAMS} beams`),
    make('option', { value: 'sampled' }, 'Sampled'),
  );
  #temperature = numberField('temperature', { min: '0.1', max: '3', step: '0.1' }, SAMPLED.temperature);
  #topP = numberField('top-p', { min: '0.05', max: '1', step: '0.05' }, SAMPLED.topP);
  #seed = numberField('seed', { min: '0', max: '4294967295', step: '1' }, SAMPLED.seed);
  #sampling = make(
    'div',
    { className: 'field-row', hidden: true },
    labelled('Temperature', this.#temperature),
    labelled('Top p', this.#topP),
    labelled('Seed', this.#seed),
  );
  #number = numberField('candidates', { min: '1', max: '8', step: '1' }, '1');
  #rematch = make('input', { type: 'checkbox', id: 'rematch' });
  #rematchField = check(this.#rematch, 'Keep the best by matching');
  #prompt = make('input', {
    type: 'text',
    id: 'prompt',
    autocomplete: 'off',
    placeholder: 'a photo of',
    'aria-describedby': 'prompt-help',
  });
  #untaught = make(
    'p',
    { className: 'field-help', id: 'prompt-help', hidden: true },
    'The built-in model was not trained to go on from a beginning, and does it badly.',
  );

  connectedCallback() {
    this.append(
      labelled('Search', this.#search),
      this.#sampling,
      labelled('Captions for each picture', this.#number),
      this.#rematchField,
      labelled('Captions begin with', this.#prompt),
      this.#untaught,
    );
    this.addEventListener('change', ({ target }) => {
      // What was changed last holds: word by word there is one most probable caption.
      if (target === this.#search && this.#search.value === 'greedy') this.#number.value = '1';
      this.#sampling.hidden = this.#search.value !== 'sampled';
      this.#update();
      tell(this, 'settings', this.#settings());
    });
    this.#update();
  }

  /** @param {boolean} possible whether the captioner's model can match as well */
  canMatch(possible) {
    this.#rematchField.hidden = !possible;
  }

  /** @param {boolean} taught whether the captioner was trained to go on from a beginning */
  canBegin(taught) {
    this.#untaught.hidden = taught;
  }

  #update() {
    const number = within(this.#number);
    // Several need beams or samples.
    if (number > 1 && this.#search.value === 'greedy') this.#search.value = 'beams';
    this.#rematch.disabled = number === 1;
  }

  /** @returns {import('../session.js').CaptionSettings} */
  #settings() {
    const numCaptions = within(this.#number);
    const prompt = this.#prompt.value.trim();
    const search = {
      greedy: {},
      beams: { numBeams: Math.max(BEAMS, numCaptions) },
      sampled: { temperature: within(this.#temperature), topP: within(this.#topP), seed: within(this.#seed) },
    }[this.#search.value];
    const options = { ...search, ...(prompt !== '' && { prompt }) };
    const rematch = this.#rematch.checked && !this.#rematchField.hidden;
    return { options, numCaptions, rematch };
  }
}

/** @param {string} text @param {HTMLInputElement | HTMLSelectElement} field */
function labelled(text, field) {
  return make('div', { className: 'field' }, make('label', { for: field.id }, text), field);
}

/** @param {HTMLInputElement} field @returns {number} its value, brought into its range */
function within(field) {
  const { valueAsNumber, min, max, defaultValue } = field;
  const value = Number.isFinite(valueAsNumber) ? valueAsNumber : Number(defaultValue);
  const kept = Math.min(Number(max), Math.max(Number(min), field.step === '1' ? Math.round(value) : value));
  if (kept !== valueAsNumber) field.valueAsNumber = kept;
  return kept;
}

customElements.define('caption-settings', CaptionSettings);
