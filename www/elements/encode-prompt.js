/**
 * `<encode-prompt>`: a prompt as image generators take it, with CLIP's text tower. Nothing is downloaded before its button is pressed.
 * Dispatches `encode` with `{ model, prompt, negativePrompt }`, and `encode-stop`.
 */

import { button, make, tell, write } from './dom.js';

class EncodePrompt extends HTMLElement {
  #model = make('input', {
    type: 'text',
    id: 'encode-model',
    value: 'openai/clip-vit-large-patch14',
    autocomplete: 'off',
    spellcheck: false,
    autocapitalize: 'none',
    'aria-describedby': 'encode-help',
  });
  #prompt = make('textarea', { id: 'encode-text', rows: 3, placeholder: 'a (red:1.2) bus at night' });
  #negative = make('input', { type: 'text', id: 'encode-negative', autocomplete: 'off' });
  #encode = button('Download the model and encode', 'button', () => this.#start());
  #stop = button('Stop', 'button', () => {
    // This button goes, and the keyboard must not go with it.
    this.#encode.focus();
    tell(this, 'encode-stop');
  });
  #line = make('p', { className: 'field-help', role: 'status' });

  connectedCallback() {
    this.append(
      make('label', { for: 'encode-text' }, 'Prompt'),
      this.#prompt,
      make('label', { for: 'encode-negative' }, 'Negative prompt'),
      this.#negative,
      make('label', { for: 'encode-model' }, 'Text encoder: an id on the hub, or a folder’s address'),
      this.#model,
      make(
        'p',
        { className: 'field-help', id: 'encode-help' },
        'Saved as safetensors: the states of the tokens, as Stable Diffusion 1 is conditioned on.',
      ),
      make('div', { className: 'row' }, this.#encode, this.#stop),
      this.#line,
    );
    this.show(false, '');
  }

  /** @param {boolean} busy @param {string} line how far it is, or what has become of it */
  show(busy, line) {
    this.#stop.hidden = !busy;
    write(this.#line, line);
  }

  #start() {
    const [model, prompt] = [this.#model.value.trim(), this.#prompt.value.trim()];
    if (prompt === '') this.#prompt.focus();
    else if (model === '') this.#model.focus();
    else tell(this, 'encode', { model, prompt, negativePrompt: this.#negative.value.trim() });
  }
}

customElements.define('encode-prompt', EncodePrompt);
