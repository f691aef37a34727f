/** `<app-update>`: the line that tells of a new version, and the button that loads it. Dispatches `apply`. Empty until then. */

import { button, make, tell } from './dom.js';

class AppUpdate extends HTMLElement {
  connectedCallback() {
    // There from the beginning, so that screen readers hear what comes.
    this.setAttribute('role', 'status');
  }

  show() {
    if (this.childElementCount > 0) return;
    this.append(
      make('p', {}, 'A new version is here.'),
      button('Reload', 'button', () => tell(this, 'apply')),
    );
  }
}

customElements.define('app-update', AppUpdate);
