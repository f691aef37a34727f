/**
 * `<larger-model>`: one line in sight of the pictures where the model is not sure of some of them, with a button that downloads a larger model. Dispatches
 * `take`, `stronger` when somebody wants to choose for themselves, and `later`.
 */

import { button, make, tell, write } from './dom.js';

class LargerModel extends HTMLElement {
  #line = make('p');
  #detail = make('p', { className: 'field-help' });
  #take = button('', 'button', () => tell(this, 'take'));
  #others = button('Other models', 'button button-quiet offer-others', () => tell(this, 'stronger'));
  #later = button('Not now', 'button button-quiet', () => tell(this, 'later'));

  connectedCallback() {
    this.append(
      make('div', { className: 'offer-words' }, this.#line, this.#detail),
      make('div', { className: 'notice-actions' }, this.#take, this.#others, this.#later),
    );
  }

  /** @param {{ sentence: string, detail: string, verb: string } | null} offer null for none */
  show(offer) {
    this.hidden = offer === null;
    if (!offer) return;
    write(this.#line, offer.sentence);
    write(this.#detail, offer.detail);
    write(this.#take, offer.verb);
  }
}

customElements.define('larger-model', LargerModel);
