/**
 * `<model-picker>`: chooses a model for one task: one that comes with the page, a published one, or any
 * other by its id or its folder's address. Nothing is fetched before its button is pressed.
 * Dispatches `choose` with `{ id, title }`.
 */

import { bytes } from '../words.js';
import { button, make, tell, write } from './dom.js';

/**
 * @typedef {import('ocelli').ModelInfo} ModelInfo
 * @typedef {import('../lane.js').ModelChoice} ModelChoice
 */

const OTHER = '';

/** @param {ModelInfo} model */
function option(model) {
  return make('option', { value: model.id }, `${model.title}, ${bytes(model.bytes)}`);
}

class ModelPicker extends HTMLElement {
  #select = make('select');
  #detail = make('p', { className: 'field-help' });
  #other = make('input', {
    type: 'text',
    placeholder: 'org/name or https://…/folder/',
    autocomplete: 'off',
    spellcheck: false,
    autocapitalize: 'none',
  });
  #otherLabel = make('label', {}, 'Id on the hub, or a folder’s address');
  #use = button('Use this model', 'button', () => this.#choose());
  /** @type {ModelInfo[]} */
  #models = [];
  #current = '';

  /**
   * @param {string} task what the model does, as the field's name: "Tags", "Captions"
   * @param {ModelInfo[]} models
   */
  begin(task, models) {
    this.#models = models;
    this.#select.id = `${this.id}-select`;
    this.#other.id = `${this.id}-other`;
    this.#detail.id = `${this.id}-detail`;
    this.#otherLabel.htmlFor = this.#other.id;
    this.#select.setAttribute('aria-describedby', this.#detail.id);
    this.#select.append(
      make(
        'optgroup',
        { label: 'Comes with the page' },
        ...models.filter(({ builtIn }) => builtIn).map(option),
      ),
      make(
        'optgroup',
        { label: 'Downloaded from the hub' },
        ...models.filter(({ builtIn }) => !builtIn).map(option),
      ),
      make('option', { value: OTHER }, 'Another model…'),
    );
    this.#select.addEventListener('change', () => this.#update());
    this.#other.addEventListener('input', () => this.#update());
    this.#other.addEventListener('keydown', ({ key }) => {
      if (key === 'Enter' && !this.#use.disabled) this.#choose();
    });
    this.append(
      make('label', { for: this.#select.id }, task),
      this.#select,
      this.#detail,
      this.#otherLabel,
      this.#other,
      this.#use,
    );
    this.#update();
  }

  /** @param {string} id the model in use or being loaded */
  show(id) {
    if (id === this.#current) return;
    this.#current = id;
    const listed = this.#models.some((model) => model.id === id);
    this.#select.value = listed ? id : OTHER;
    if (!listed) this.#other.value = id;
    this.#update();
  }

  get #id() {
    return this.#select.value === OTHER ? this.#other.value.trim() : this.#select.value;
  }

  #choose() {
    const id = this.#id;
    const title = this.#models.find((model) => model.id === id)?.title ?? id;
    tell(this, 'choose', /** @type {ModelChoice} */ ({ id, title }));
  }

  #update() {
    const model = this.#models.find(({ id }) => id === this.#select.value);
    const other = this.#select.value === OTHER;
    this.#other.hidden = this.#otherLabel.hidden = !other;
    write(
      this.#detail,
      model
        ? `${model.builtIn ? 'Comes with the page' : model.id}. Licence: ${model.licence}.`
        : 'Its folder holds config.json, preprocessor_config.json, tokenizer.json and model.safetensors.',
    );
    const current = this.#id === this.#current;
    this.#use.disabled = current || this.#id === '';
    write(this.#use, this.#verb(model, current));
  }

  /** @param {ModelInfo | undefined} model @param {boolean} current */
  #verb(model, current) {
    if (current) return 'In use';
    if (model && !model.builtIn) return `Download ${bytes(model.bytes)} and use`;
    return 'Use this model';
  }
}

customElements.define('model-picker', ModelPicker);
