/**
 * `<picture-card>`: one picture with its caption and tags, or with the sentence that says why not.
 * It is given its two jobs by `show` and dispatches `again` and `discard`.
 *
 * @typedef {import('ocelli').Tag} Tag
 * @typedef {import('../session.js').Picture} Picture
 * @typedef {import('../lane.js').JobStatus} JobStatus
 */

/**
 * @template Result
 * @typedef {import('../lane.js').Job<Result>} Job
 */

import { explain } from '../words.js';
import { button, make, mark, tell, write } from './dom.js';
import { showTags, tagsAsText } from './tag-list.js';

/** @type {Record<JobStatus, string>} what stands in an answer's place, by the job's state */
const TAG_PLACEHOLDER = {
  waiting: 'Tags to come',
  running: 'Choosing tags',
  done: '',
  failed: '',
  stopped: 'Stopped before it was tagged',
};

/** @type {Record<JobStatus, string>} */
const CAPTION_PLACEHOLDER = {
  waiting: 'Caption to come',
  running: 'Looking',
  done: 'The model had nothing to say.',
  failed: '',
  stopped: 'Stopped before it was described',
};

export class PictureCard extends HTMLElement {
  #name = make('h3', { className: 'card-name' });
  #caption = make('p', { className: 'caption', 'aria-live': 'polite', 'aria-atomic': 'true' });
  #tags = make('ol', { className: 'tags', 'aria-label': 'Tags' });
  #wait = make('p', { className: 'card-wait' });
  #errors = make('div', { className: 'card-errors' });
  #copy = button('Copy', 'button button-quiet copy', () => void this.#copyText());
  #again = button('Try again', 'button again', () => tell(this, 'again', this.picture));
  #discard = button('Remove', 'button button-quiet discard', () => tell(this, 'discard', this.picture));
  #frame = make('div', { className: 'card-frame' });
  /** @type {string | null} */
  #address = null;
  /** @type {unknown[] | null} the tags that are on screen, to leave them alone while they are right */
  #shownTags = null;
  /** @type {{ caption: string | null, tags: Tag[] | null }} */
  #answer = { caption: null, tags: null };
  /** @type {Picture | null} */
  picture = null;

  /** @param {Picture} picture */
  open(picture) {
    this.picture = picture;
    this.id = picture.id;
    this.#address = URL.createObjectURL(picture.file);
    const image = make('img', { alt: '', decoding: 'async', src: this.#address });
    image.addEventListener('error', () => {
      this.#frame.replaceChildren(make('p', { className: 'card-blank' }, 'No preview'));
    });
    this.#frame.append(image);
    write(this.#name, picture.name);
    this.#name.id = `${picture.id}-name`;
    this.#name.title = picture.name;
    for (const [control, verb] of /** @type {const} */ ([
      [this.#copy, 'Copy caption and tags of'],
      [this.#again, 'Try again with'],
      [this.#discard, 'Remove'],
    ])) {
      control.setAttribute('aria-label', `${verb} ${picture.name}`);
    }
    this.append(
      make(
        'article',
        { className: 'card', 'aria-labelledby': this.#name.id },
        this.#frame,
        make(
          'div',
          { className: 'card-body' },
          this.#name,
          this.#caption,
          this.#tags,
          this.#wait,
          this.#errors,
          make('div', { className: 'card-actions' }, this.#again, this.#copy, this.#discard),
        ),
      ),
    );
    return this;
  }

  disconnectedCallback() {
    // Moving a card within the list disconnects it for a moment; only a card that stays out is done.
    queueMicrotask(() => {
      if (!this.isConnected && this.#address) URL.revokeObjectURL(this.#address);
    });
  }

  /** Puts the keyboard on this card, after its neighbour was removed. */
  takeFocus() {
    this.#discard.focus();
  }

  /** @param {Job<Tag[]> | undefined} tags @param {Job<string> | undefined} caption */
  show(tags, caption) {
    if (!tags || !caption) return;
    this.#showCaption(caption);
    this.#showTags(tags);
    this.#showErrors([caption, tags]);
    const states = [tags.status, caption.status];
    const state = ['running', 'waiting', 'failed', 'stopped'].find((one) =>
      states.includes(/** @type {JobStatus} */ (one)),
    );
    this.dataset.state = state ?? 'done';
    this.#answer = { caption: caption.result, tags: tags.result };
    this.#copy.hidden = (caption.result ?? tags.result) === null || !('clipboard' in navigator);
    this.#again.hidden = !states.includes('failed') && !states.includes('stopped');
  }

  /** @param {Job<string>} job */
  #showCaption(job) {
    const { status, result, stale, partial } = job;
    const writing = status === 'running' && partial !== '';
    const text = writing ? partial.trim() : (result ?? '');
    const placeholder = text === '';
    this.#caption.setAttribute('aria-busy', String(writing));
    mark(this.#caption, 'data-writing', writing);
    mark(this.#caption, 'data-placeholder', placeholder);
    mark(this.#caption, 'data-stale', stale && !writing);
    write(this.#caption, placeholder ? CAPTION_PLACEHOLDER[status] : text);
    this.#caption.hidden = this.#caption.textContent === '';
  }

  /** @param {Job<Tag[]>} job */
  #showTags({ status, result, stale }) {
    if (result !== this.#shownTags) {
      showTags(this.#tags, result ?? []);
      this.#shownTags = result;
    }
    this.#tags.hidden = result === null;
    mark(this.#tags, 'data-stale', stale);
    write(this.#wait, result === null ? TAG_PLACEHOLDER[status] : '');
    mark(this.#wait, 'data-bars', status === 'waiting' || status === 'running');
    this.#wait.hidden = this.#wait.textContent === '';
  }

  /** A damaged picture fails in both lanes: its sentence is said once. @param {Job<unknown>[]} jobs */
  #showErrors(jobs) {
    /** @type {Map<string, string>} */
    const sentences = new Map();
    for (const { status, error } of jobs) {
      if (status !== 'failed') continue;
      const { sentence, code } = explain(error);
      sentences.set(sentence, code);
    }
    if ([...sentences.keys()].join('\n') === this.#errors.dataset.said) return;
    this.#errors.dataset.said = [...sentences.keys()].join('\n');
    this.#errors.replaceChildren(
      ...[...sentences].map(([sentence, code]) =>
        make('p', { className: 'error', role: 'alert', 'data-code': code }, sentence),
      ),
    );
  }

  async #copyText() {
    const { caption, tags } = this.#answer;
    const text = [caption, tags && tagsAsText(tags)].filter(Boolean).join('\n');
    try {
      await navigator.clipboard.writeText(text);
      this.#acknowledge('Copied');
    } catch {
      this.#acknowledge('Not allowed');
    }
  }

  /** @param {string} text */
  #acknowledge(text) {
    write(this.#copy, text);
    tell(this, 'announce', text);
    setTimeout(() => write(this.#copy, 'Copy'), 1600);
  }
}

customElements.define('picture-card', PictureCard);
