/**
 * `<model-status>`: what a model is doing whenever it is not simply ready: loading, with bytes and a way
 * to cancel; failed or cancelled, with ways on. Dispatches `cancel`, `reload` and `fallback`.
 */

import { explain, fraction, progressLine } from '../words.js';
import { button, make, mark, tell, write } from './dom.js';

/**
 * @typedef {import('ocelli').ProgressEvent} Progress
 *
 * @typedef {object} NoticeState
 * @property {import('../model-queue.js').QueueStatus} status
 * @property {string} title the model's
 * @property {Progress | null} progress
 * @property {unknown} error
 * @property {boolean} canFallBack whether another model than this one comes with the page
 * @property {boolean} said whether another notice says the same of the same model
 */

/** Milliseconds of loading that are not worth a notice: a small model is there before it could be read. */
const GRACE = 400;

class ModelStatusElement extends HTMLElement {
  #line = make('p', { className: 'notice-line' });
  #bar = make('progress', { className: 'progress', max: 1 });
  #cancel = button('Cancel', 'button', () => tell(this, 'cancel'));
  #reload = button('Try again', 'button', () => tell(this, 'reload'));
  /** @type {number | null} the timer that ends the grace of a load */
  #grace = null;
  #said = false;
  #fallback = button('Use the built-in model', 'button', () => tell(this, 'fallback'));

  connectedCallback() {
    this.hidden = true;
    this.append(
      this.#line,
      this.#bar,
      make('div', { className: 'notice-actions' }, this.#cancel, this.#reload, this.#fallback),
    );
  }

  /** @param {NoticeState} state */
  show({ status, title, progress, error, canFallBack, said }) {
    this.#said = said;
    const loading = status === 'loading';
    const failed = status === 'failed';
    // A model in use has something to tell when it is loaded anew because its worker failed.
    const busy = status === 'ready' && progress !== null && /^(download|cache|build)$/.test(progress.phase);
    const worth = busy || failed || status === 'cancelled';
    if (!loading) this.#endGrace();
    else if (this.dataset.status !== 'loading') this.#beginGrace();
    this.hidden = said || (!worth && (!loading || this.#grace !== null));
    this.dataset.status = status;

    const { sentence, code } = failed ? explain(error) : { sentence: '', code: '' };
    if (failed) this.#line.dataset.code = code;
    else delete this.#line.dataset.code;
    mark(this.#line, 'data-error', failed);
    this.#line.setAttribute('role', failed ? 'alert' : 'none');
    write(this.#line, this.#words(status, title, progress, sentence));

    this.#bar.hidden = !loading && !busy;
    this.#bar.setAttribute('aria-label', `Loading ${title}`);
    const share = fraction(progress);
    if (share === null) this.#bar.removeAttribute('value');
    else this.#bar.value = share;

    this.#cancel.hidden = !loading;
    this.#reload.hidden = !failed && status !== 'cancelled';
    this.#fallback.hidden = this.#reload.hidden || !canFallBack;
  }

  #beginGrace() {
    this.#endGrace();
    this.#grace = setTimeout(() => {
      this.#grace = null;
      this.hidden = this.#said;
    }, GRACE);
  }

  #endGrace() {
    if (this.#grace !== null) clearTimeout(this.#grace);
    this.#grace = null;
  }

  /** @param {NoticeState['status']} status @param {string} title @param {Progress | null} progress @param {string} sentence */
  #words(status, title, progress, sentence) {
    if (status === 'failed') return `Loading ${title} failed. ${sentence}`;
    if (status === 'cancelled') return `Loading ${title} was cancelled.`;
    if (progress) return progressLine(progress, title);
    return `Loading ${title}`;
  }
}

customElements.define('model-status', ModelStatusElement);
