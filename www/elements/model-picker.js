/**
 * `<model-picker>`: chooses a model for one task: one that comes with the page, a published one, or any
 * other by its id or its folder's address. Nothing is fetched before its button is pressed. A task that can wait for
 * its model has the choice of none. Dispatches `choose` with `{ id, title }`, or with `null` for no model.
 */

import { costOf, suggestionLine, worthOf } from '../model-words.js';
import { bytes } from '../words.js';
import { button, make, tell, write } from './dom.js';

/**
 * @typedef {import('ocelli').ModelInfo} ModelInfo
 * @typedef {import('../model-queue.js').QueueStatus} QueueStatus
 * @typedef {import('../model-queue.js').ModelChoice} ModelChoice
 *
 * @typedef {object} Offered what there is for a task
 * @property {ModelInfo[]} models
 * @property {{ name: string, model: ModelInfo }[]} suggested those of them that most people would choose between, by what for
 * @property {string | undefined} [none] how it is called to have no model, where that is possible and so at first
 * @property {boolean} [tokenizer] whether such models read texts
 */

const OTHER = '';

/** Stands for no model; no id on the hub and no address looks like it. */
const NONE = '-';

/** @param {string} label @param {readonly { id: string, line: string }[]} choices @returns {Node[]} a group, if there is anything in it */
function group(label, choices) {
  const options = choices.map(({ id, line }) => make('option', { value: id }, line));
  return options.length === 0 ? [] : [make('optgroup', { label }, ...options)];
}

/** @param {ModelInfo} model */
function titled(model) {
  return { id: model.id, line: `${model.title}, ${bytes(model.bytes)}` };
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
  /** The model that pictures pass through now, and the milliseconds that the quickest took. @type {{ used: ModelInfo | null, pace: number | null }} */
  #known = { used: null, pace: null };
  /** @type {QueueStatus} */
  #status = 'empty';

  /**
   * @param {string} task what the model does, as the field's name: "Tags", "Captions"
   * @param {Offered} offered
   */
  begin(task, { models, suggested, none, tokenizer = true }) {
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
        models
          .filter(({ builtIn }) => builtIn)
          .map(({ id, bytes: size }) => ({ id, line: `Quick, ${bytes(size)}` })),
      ),
      ...group(
        'Suggested',
        suggested.map(({ name, model }) => ({ id: model.id, line: suggestionLine(name, model) })),
      ),
      ...group(
        suggested.length > 0 ? 'Others' : 'Downloaded from the hub',
        models
          .filter(({ builtIn, id }) => !builtIn && !suggested.some(({ model }) => model.id === id))
          .map(titled),
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
   * @param {{ used: ModelInfo | null, pace: number | null }} known the model that pictures pass through now, where it is one of those known by
   *   name, and the milliseconds that the quickest took
   */
  show(model, status, runs, known) {
    const id = model ?? NONE;
    this.#runs.hidden = runs === '';
    write(this.#runs, runs);
    const same = known.used?.id === this.#known.used?.id && known.pace === this.#known.pace;
    this.#known = known;
    if (same && id === this.#current && status === this.#status) return;
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
        ? this.#wordsOf(model)
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

  /** @param {ModelInfo} model */
  #wordsOf(model) {
    const { used, pace } = this.#known;
    const cost = used && used.id !== model.id ? costOf(model, used, pace) : '';
    const name = model.builtIn ? 'Comes with the page.' : `${model.title} (${model.id}).`;
    return [name, worthOf(model), cost, `Licence: ${model.license}.`].filter(Boolean).join(' ');
  }

  /** @param {ModelInfo | undefined} model */
  #verb(model) {
    if (this.#id === NONE) return 'Use none';
    if (model && !model.builtIn) return `Download ${bytes(model.bytes)} and use`;
    return 'Use this model';
  }
}

customElements.define('model-picker', ModelPicker);
