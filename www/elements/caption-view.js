/**
 * `<caption-view>`: a picture's caption as it is written, and once it is, its words as buttons that show where in the
 * picture each was found. The other captions, where several were asked for, stand below.
 *
 * @typedef {import('../model-queue.js').JobStatus} JobStatus
 * @typedef {import('../session.js').Candidate} Candidate
 * @typedef {import('../model-queue.js').Job<Candidate[]>} CaptionJob
 */

import { percent } from '../words.js';
import { button, make, mark, write } from './dom.js';

/** @type {Record<JobStatus, string>} what stands in the caption's place, by the job's state */
const PLACEHOLDER = {
  waiting: 'Caption to come',
  running: 'Looking',
  done: 'No caption',
  failed: '',
  stopped: 'Stopped before it was described',
};

class CaptionView extends HTMLElement {
  /** All of the caption in one piece, which is how it is read aloud; seen while there are no words to choose from. */
  #caption = make('p', { className: 'caption', 'aria-live': 'polite', 'aria-atomic': 'true' });
  #words = make('div', { className: 'words', role: 'group', 'aria-label': 'Words of the caption' });
  #source = make('p', { className: 'field-help', hidden: true }, 'from the file');
  #rest = make('p', { className: 'field-help' });
  #others = make('ol', { className: 'others', 'aria-label': 'Other captions, best first' });
  /** @type {Candidate[] | null} the captions whose words are on screen */
  #shown = null;

  connectedCallback() {
    // It is moved about.
    if (this.#words.isConnected) return;
    this.append(this.#caption, this.#words, this.#source, this.#rest, this.#others);
    this.#words.addEventListener('keydown', (event) => this.#move(event));
  }

  /** @param {CaptionJob} job @returns {boolean} whether other words are on screen than before */
  show({ status, result, stale, partial }) {
    const best = result?.[0]?.caption ?? '';
    const writing = status === 'running' && partial !== '';
    const text = writing ? partial.trim() : best;
    const placeholder = text === '';
    this.#caption.setAttribute('aria-busy', String(writing));
    mark(this.#caption, 'data-writing', writing);
    mark(this.#caption, 'data-placeholder', placeholder);
    mark(this.#caption, 'data-stale', stale && !writing);
    write(this.#caption, placeholder ? PLACEHOLDER[status] : text);
    this.#caption.hidden = this.#caption.textContent === '';

    this.#source.hidden = writing || !result?.[0]?.filed;
    const finished = status === 'done' && best !== '' ? result : null;
    this.#words.hidden = finished === null;
    this.#caption.classList.toggle('unseen', finished !== null);
    this.#rest.hidden = this.#others.hidden = finished === null || finished.length < 2;
    if (finished === this.#shown) return false;
    this.#shown = finished;
    this.#words.replaceChildren(...wordsOf(finished?.[0]?.caption ?? ''));
    const [first, ...others] = finished ?? [];
    write(this.#rest, first?.match === undefined ? 'Or else:' : `Fits ${percent(first.match)}, or else:`);
    this.#others.replaceChildren(...others.map(candidate));
    return true;
  }

  /** One word is a stop for Tab; arrows go to the others, and lead nowhere else. @param {KeyboardEvent} event */
  #move(event) {
    const { key, target } = event;
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    /** @type {HTMLButtonElement[]} */
    const words = [...this.#words.querySelectorAll('button')];
    const here = words.findIndex((word) => word === target);
    /** @type {Record<string, number>} */
    const places = { ArrowLeft: here - 1, ArrowRight: here + 1, Home: 0, End: words.length - 1 };
    const place = places[key];
    if (here < 0 || place === undefined) return;
    event.preventDefault();
    const word = words[place];
    if (!word) return;
    for (const other of words) other.tabIndex = other === word ? 0 : -1;
    word.focus();
  }
}

/** @param {string} caption @returns {(Node | string)[]} its words, with the spaces between them */
function wordsOf(caption) {
  return [...caption.matchAll(/\S+/g)].flatMap(({ 0: text, index }, place) => {
    const word = button(text, 'word', () => {}, {
      'data-look': 'word',
      'data-text': text,
      'data-start': index,
      'aria-pressed': 'false',
      'aria-describedby': 'look-help',
      tabIndex: place === 0 ? 0 : -1,
    });
    return [word, ' '];
  });
}

/** @param {Candidate} candidate */
function candidate({ caption, match }) {
  if (match === undefined) return make('li', {}, caption);
  return make('li', {}, caption, ' ', make('span', { className: 'tag-score' }, `fits ${percent(match)}`));
}

customElements.define('caption-view', CaptionView);
export { CaptionView };
