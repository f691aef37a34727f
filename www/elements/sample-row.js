/**
 * `<sample-row>`: pictures to try, each a button. Dispatches `pictures` with the file, as the drop zone does, or `missing`
 * where it could not be fetched.
 */

import { make, tell } from './dom.js';

class SampleRow extends HTMLElement {
  /** @param {readonly import('../samples.js').Sample[]} samples */
  begin(samples) {
    this.append(
      make('p', { className: 'samples-title', id: 'samples-title' }, 'Or try one of these'),
      make(
        'ul',
        { className: 'samples', role: 'list', 'aria-labelledby': 'samples-title' },
        ...samples.map((sample) => make('li', {}, this.#sample(sample))),
      ),
    );
    this.hidden = samples.length === 0;
  }

  /** @param {import('../samples.js').Sample} sample */
  #sample({ file, alt }) {
    const address = new URL(`./samples/${file}`, document.baseURI).href;
    const image = make('img', { src: address, alt: `Try ${alt}`, loading: 'lazy', width: 64, height: 64 });
    const one = make('button', { type: 'button', className: 'sample', title: alt }, image);
    one.addEventListener('click', () => void this.#give(address, file));
    return one;
  }

  /** @param {string} address @param {string} name */
  async #give(address, name) {
    try {
      const response = await fetch(address);
      if (!response.ok) throw new Error(String(response.status));
      const blob = await response.blob();
      tell(this, 'pictures', [new File([blob], name, { type: blob.type })]);
    } catch {
      tell(this, 'missing', name);
    }
  }
}

customElements.define('sample-row', SampleRow);
