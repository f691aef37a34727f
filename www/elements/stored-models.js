/**
 * `<stored-models>`: what this browser keeps of downloaded models, each with a button that forgets it.
 * Dispatches `forget` with the model's id. Nothing is shown where nothing is kept.
 */

import { bytes } from '../words.js';
import { button, make, tell } from './dom.js';

/** @typedef {import('ocelli').StoredModel} StoredModel */

/** What each part of a model is good for. @type {Record<StoredModel['part'], string>} */
const USES = {
  all: 'tags, captions, matches',
  both: 'tags',
  image: 'pictures',
  text: 'texts',
  caption: 'captions',
  match: 'matches',
  answer: 'answers',
  classify: 'classes',
};

class StoredModels extends HTMLElement {
  #title = make('h3', {}, 'Kept in this browser');
  #list = make('ul', { role: 'list' });

  connectedCallback() {
    this.append(this.#title, this.#list);
    this.hidden = true;
  }

  /** @param {StoredModel[]} models */
  show(models) {
    this.hidden = models.length === 0;
    this.#list.replaceChildren(
      ...models.map((model) => {
        const forget = button('Forget', 'button', () => tell(this, 'forget', model.id));
        const kind = `${USES[model.part]}, ${model.dtype}`;
        forget.setAttribute('aria-label', `Forget ${model.id} (${kind})`);
        const name = make('span', { className: 'stored-name' }, model.id);
        const size = make('span', { className: 'field-help' }, `${kind}, ${bytes(model.bytes)}`);
        return make('li', {}, name, size, forget);
      }),
    );
  }
}

customElements.define('stored-models', StoredModels);
