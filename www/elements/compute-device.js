/**
 * `<compute-device>`: chooses what models compute on. Dispatches `device` with it, and `load-again` where models that would have to be
 * downloaded are to be loaded again for it.
 *
 * @typedef {import('../kept-device.js').Device} Device
 */

import { button, make, tell, write } from './dom.js';

class ComputeDevice extends HTMLElement {
  #select = make(
    'select',
    { id: 'device', 'aria-describedby': 'device-help' },
    make('option', { value: 'auto' }, 'Automatic'),
    make('option', { value: 'wasm' }, 'Processor'),
    make('option', { value: 'webgpu' }, 'Graphics card'),
  );
  #left = make('p', { className: 'field-help', role: 'status' });
  #again = button(
    'Load again',
    'button',
    () => {
      // The button goes with what it is for.
      this.#select.focus();
      tell(this, 'load-again');
    },
    { hidden: true },
  );

  connectedCallback() {
    const help =
      'For models with vision transformers. Those that come with the page look at pictures by convolutions, on the processor.';
    this.append(
      make('label', { for: this.#select.id }, 'Compute on'),
      this.#select,
      make('p', { className: 'field-help', id: 'device-help' }, help),
      this.#left,
      this.#again,
    );
    this.#select.addEventListener('change', () => tell(this, 'device', this.#select.value));
  }

  /** @param {Device} device @param {readonly string[]} left titles of models that still run as before */
  show(device, left) {
    this.#select.value = device;
    const names = new Intl.ListFormat('en').format(left);
    const [is, goes] = left.length === 1 ? ['is', 'goes'] : ['are', 'go'];
    write(
      this.#left,
      left.length > 0 ? `${names} ${is} not kept in this browser, and ${goes} on as before.` : '',
    );
    this.#again.hidden = left.length === 0;
  }
}

customElements.define('compute-device', ComputeDevice);
