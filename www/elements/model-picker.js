/**
 * `<model-picker>`: chooses a model for one task: one that comes with the page, a published one, or any
 * other by its id or its folder's address. Nothing is fetched before its button is pressed. A task that can wait for
 * its model has the choice of none. Dispatches `choose` with `{ id, title }`, or with `null` for no model.
 */

import { bytes } from '../words.js';
import { button, make, tell, write } from './dom.js';

/**
 * @typedef {import('ocelli').ModelInfo} ModelInfo
 * @typedef {import('../model-queue.js').QueueStatus} QueueStatus
 * @typedef {import('../model-queue.js').ModelChoice} ModelChoice
 */

const OTHER = '';

/** Stands for no model; no id on the hub and no address looks like it. */
const NONE = '-';

/** @param {ModelInfo} model */
function option(model) {
  return make('option', { value: model.id }, `${model.title}, ${bytes(model.bytes)}`);
}

/** @param {string} label @param {ModelInfo[]} models @returns {Node[]} a group, if there is anything in it */
function group(label, models) {
  return models.length === 0 ? [] : [make('optgroup', { label }, ...models.map(option))];
}

/**
 * A model as the session takes it, called as it is called within a sentence.
 * @param {{ id: string, title: string, builtIn?: boolean }} model
 * @returns {ModelChoice}
 */
export function choice({ id, title, builtIn = false }) {
  return { id, title: builtIn ? `the ${title.charAt(0).toLowerCase()}${title.slice(1)}` : title };
}

class ModelPicker extends HTMLElement {
  #select = make('select');
  #detail = make('p', { className: 'field-help' });
  #runs = make('p', { className: 'field-help', hidden: true });
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
  /** What lies beside the weights of a model for this task. */
  #files = '';
  #current = '';
  /** @type {QueueStatus} */
  #status = 'empty';

  /**
   * @param {string} task what the model does, as the field's name: "Tags", "Captions"
   * @param {ModelInfo[]} models
   * @param {{ none?: string | undefined, tokenizer?: boolean }} [how] `none`: how it is called to have no model, where that
   *   is possible and so at first; `tokenizer`: whether such models read texts
   */
  begin(task, models, { none, tokenizer = true } = {}) {
    this.#models = models;
    this.#files = `config.json, preprocessor_config.json${tokenizer ? ', tokenizer.json' : ''}`;
    if (none !== undefined) this.#current = NONE;
    this.#select.id = `${this.id}-select`;
    this.#other.id = `${this.id}-other`;
    this.#detail.id = `${this.id}-detail`;
    this.#otherLabel.htmlFor = this.#other.id;
    this.#select.setAttribute('aria-describedby', this.#detail.id);
    this.#select.append(
      ...(none === undefined ? [] : [make('option', { value: NONE }, none)]),
      ...group(
        'Comes with the page',
        models.filter(({ builtIn }) => builtIn),
      ),
      ...group(
        'Downloaded from the hub',
        models.filter(({ builtIn }) => !builtIn),
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
      this.#runs,
    );
    this.#update();
  }

  /**
   * @param {string | null} model the id of the one in use, being loaded or failed; `null` where there is none
   * @param {QueueStatus} status
   * @param {string} runs what it runs on, where there is anything new to say of it
   */
  show(model, status, runs) {
    const id = model ?? NONE;
    this.#runs.hidden = runs === '';
    write(this.#runs, runs);
    if (id === this.#current && status === this.#status) return;
    if (id !== this.#current) this.#point(id);
    this.#current = id;
    this.#status = status;
    this.#update();
  }

  /** @param {string} id */
  #point(id) {
    const listed = id === NONE || this.#models.some((model) => model.id === id);
    this.#select.value = listed ? id : OTHER;
    if (!listed) this.#other.value = id;
  }

  /** Puts the keyboard on the choice, and the choice in sight. */
  takeFocus() {
    this.#select.focus();
  }

  get #id() {
    return this.#select.value === OTHER ? this.#other.value.trim() : this.#select.value;
  }

  #choose() {
    const id = this.#id;
    if (id === NONE) tell(this, 'choose', null);
    else tell(this, 'choose', choice(this.#models.find((model) => model.id === id) ?? { id, title: id }));
  }

  #update() {
    const model = this.#models.find(({ id }) => id === this.#select.value);
    const other = this.#select.value === OTHER;
    this.#other.hidden = this.#otherLabel.hidden = !other;
    this.#detail.hidden = this.#select.value === NONE;
    write(
      this.#detail,
      model
        ? `${model.builtIn ? 'Comes with the page' : model.id}. ${worthOf(model)}Licence: ${model.license}.`
        : `Its folder holds ${this.#files} and the weights: model.safetensors, pytorch_model.bin, model.gguf or onnx/model_quantized.onnx.`,
    );
    const current = this.#id !== '' && this.#id === this.#current;
    const loading = current && this.#status === 'loading';
    const inUse = current && (this.#status === 'ready' || this.#status === 'blocked');
    // Where no model is in use and none is wanted there is nothing to press.
    this.#use.hidden = current && this.#id === NONE;
    this.#use.disabled = loading || inUse || this.#id === '';
    write(this.#use, loading ? 'Loading' : inUse ? 'In use' : this.#verb(model));
  }

  /** @param {ModelInfo | undefined} model */
  #verb(model) {
    if (this.#id === NONE) return 'Use none';
    if (model && !model.builtIn) return `Download ${bytes(model.bytes)} and use`;
    return 'Use this model';
  }
}

/**
 * What is published of how good a model is, and which languages it knows.
 *
 * @param {ModelInfo} model
 */
function worthOf({ accuracy, measure, languages }) {
  const known =
    accuracy === null
      ? ''
      : `${measure?.replace(/, %$/, '')}: ${accuracy}${measure?.endsWith('%') ? ' %' : ''}. `;
  return languages.includes('multilingual') ? `${known}Knows a hundred languages. ` : known;
}

customElements.define('model-picker', ModelPicker);
