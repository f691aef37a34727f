/**
 * `<picture-card>`: one picture with its caption, tags and classes, or with the sentence that says why not.
 * It is given its jobs by `show` and dispatches `again`, `like`, `open` and `discard`; `look` with what somebody points at, and
 * `look-away`. What a look found is shown by `reveal`, what went wrong by `regret`.
 *
 * @typedef {import('../session.js').Tag} Tag
 * @typedef {import('../session.js').TagAnswer} TagAnswer
 * @typedef {import('ocelli').Classification} Classification
 * @typedef {import('../session.js').Candidate} Candidate
 * @typedef {import('../session.js').Picture} Picture
 * @typedef {import('../model-queue.js').JobStatus} JobStatus
 * @typedef {import('./tag-list.js').Naming} Naming
 *
 * @typedef {object} LookDetail
 * @property {Picture | null} picture
 * @property {'tag' | 'word' | 'match' | 'class'} about
 * @property {string} text the label, the whole caption, the text that was matched, or nothing
 * @property {string} shown what is pointed at, as it is read on the page
 * @property {number} start where in the caption the word begins
 */

/**
 * @template Result
 * @typedef {import('../model-queue.js').Job<Result>} Job
 */

/**
 * @typedef {object} CardState
 * @property {Job<TagAnswer> | undefined} tags
 * @property {Job<Candidate[]> | undefined} captions
 * @property {Job<Classification[]> | undefined} classes only where a model for them was chosen
 * @property {Naming} naming
 * @property {string} language the one that tags are named in
 * @property {import('./tag-field.js').Propose} propose names of tags
 * @property {string} filed the sentence that the picture's file has; empty where it has none
 * @property {readonly string[]} gone labels that somebody has taken away
 * @property {boolean} comparable whether there are other pictures to compare it with
 */

import { folderOf } from '../files/paths.js';
import { explain, percent } from '../words.js';
import { AskPicture } from './ask-picture.js';
import { CaptionView } from './caption-view.js';
import { copyButton } from './copy-button.js';
import { button, make, mark, tell, write } from './dom.js';
import { FileCaption } from './file-caption.js';
import { FindPrompt } from './find-prompt.js';
import { Looks } from './looks.js';
import { MapView } from './map-view.js';
import { TagEditor } from './tag-editor.js';
import { showTags, tagsAsText } from './tag-list.js';

/** @type {Record<JobStatus, string>} what stands in the tags' place, by the job's state */
const TAG_PLACEHOLDER = {
  waiting: 'Tags to come',
  running: 'Choosing tags',
  done: '',
  failed: '',
  stopped: 'Stopped before it was tagged',
};

export class PictureCard extends HTMLElement {
  #name = make('h3', { className: 'card-name' });
  #folder = make('p', { className: 'card-folder' });
  #caption = new CaptionView();
  #tags = make('ol', { className: 'tags', 'aria-label': 'Tags' });
  #compared = make(
    'p',
    { className: 'field-help', hidden: true },
    'Those in grey are only compared: they are no tags.',
  );
  #wait = make('p', { className: 'card-wait' });
  #unsure = make(
    'p',
    { className: 'unsure', hidden: true },
    'Not sure what this is: the caption is a guess.',
  );
  #doubt = make('p', { className: 'unsure', hidden: true });
  #filed = new FileCaption();
  #classes = button('', 'classes', () => {}, {
    'data-look': 'class',
    'aria-pressed': 'false',
    'aria-describedby': 'look-help',
    hidden: true,
  });
  #errors = make('div', { className: 'card-errors' });
  #ask = new AskPicture();
  #prompting = new FindPrompt();
  #editor = new TagEditor();
  #edit = button('Edit', 'button button-quiet', () => this.edit(!this.isEditing), {
    'aria-expanded': 'false',
  });
  #copy = copyButton('Copy', () => this.#text());
  #again = button('Try again', 'button again', () => tell(this, 'again', this.picture));
  #like = button('More like this', 'button button-quiet', () => tell(this, 'like', this.picture), {
    hidden: true,
  });
  #discard = button('Remove', 'button button-quiet discard', () => tell(this, 'discard', this.picture));
  #frame = new MapView();
  #looks = new Looks(this, {
    look: (one) => this.#look(one),
    leave: () => {
      this.#frame.clear();
      tell(this, 'look-away');
    },
  });
  /** @type {string | null} */
  #address = null;
  /** @type {{ answer: TagAnswer | null, naming: Naming } | null} what is on screen, to leave it alone while it is right */
  #shownTags = null;
  /** @type {{ caption: string | null, tags: TagAnswer | null, gone: readonly string[], naming: Naming }} */
  #answer = { caption: null, tags: null, gone: [], naming: String };
  /** @type {Picture | null} */
  picture = null;
  /** What of the picture is on screen: its copy or its original. @type {Blob | null} */
  file = null;

  /** @param {Picture} picture */
  open(picture) {
    this.picture = picture;
    this.file = picture.file;
    this.id = picture.id;
    this.#address = URL.createObjectURL(picture.file);
    this.#frame.open(this.#address, picture.name);
    this.#frame.addEventListener('enlarge', () => tell(this, 'open', picture));
    write(this.#folder, folderOf(picture.path));
    this.#ask.open(picture);
    this.#prompting.open(picture);
    this.#editor.open(picture);
    this.#filed.open(picture);
    this.#editor.hidden = true;
    write(this.#name, picture.name);
    this.#name.id = `${picture.id}-name`;
    this.#compared.id = `${picture.id}-compared`;
    this.#name.title = picture.name;
    for (const [control, verb] of /** @type {const} */ ([
      [this.#edit, 'Edit caption and tags of'],
      [this.#copy, 'Copy caption and tags of'],
      [this.#again, 'Try again with'],
      [this.#like, 'More like this: put first what is like'],
      [this.#discard, 'Remove'],
    ])) {
      control.setAttribute('aria-label', `${verb} ${picture.name}`);
    }
    const answers = [
      this.#caption,
      this.#tags,
      this.#compared,
      this.#editor,
      this.#unsure,
      this.#doubt,
      this.#filed,
      this.#wait,
      this.#classes,
      this.#errors,
      this.#ask,
      this.#prompting,
    ];
    const actions = make(
      'div',
      { className: 'card-actions' },
      this.#again,
      this.#edit,
      this.#copy,
      this.#like,
      this.#discard,
    );
    const body = make('div', { className: 'card-body' }, this.#name, this.#folder, ...answers, actions);
    this.append(make('article', { className: 'card', 'aria-labelledby': this.#name.id }, this.#frame, body));
    return this;
  }

  /** @param {Blob | null} copy of a picture that the browser does not show; null where there can be none */
  showInstead(copy) {
    if (this.#address) URL.revokeObjectURL(this.#address);
    this.#address = copy && URL.createObjectURL(copy);
    this.#frame.showInstead(this.#address);
  }

  disconnectedCallback() {
    // Moving a card within the list disconnects it for a moment; only a card that stays out is done.
    queueMicrotask(() => {
      if (this.isConnected) return;
      this.#looks.end();
      if (this.#address) URL.revokeObjectURL(this.#address);
    });
  }

  /** @param {string} key @returns {boolean} whether it zooms the picture */
  key(key) {
    return this.#frame.key(key);
  }

  /** Puts the keyboard on this card, after its neighbour was removed. */
  takeFocus() {
    this.#discard.focus();
  }

  /** Shows the whole picture. */
  fit() {
    this.#frame.fit();
  }

  /** Puts the keyboard on the picture, or near it where that is no button. */
  takeFocusOnPicture() {
    this.#frame.takeFocus();
    if (!this.contains(document.activeElement)) this.#edit.focus();
  }

  /** Puts the keyboard back after the card was moved to the front. */
  takeFocusBack() {
    this.#like.focus();
  }

  /** Whether its caption and tags are being edited. */
  get isEditing() {
    return !this.#editor.hidden;
  }

  /** Whether the keyboard is on the button that begins and ends that. */
  get isEditFocused() {
    return document.activeElement === this.#edit;
  }

  /** Whether something was typed into it that is not said yet. */
  get isWriting() {
    return this.#editor.isWriting;
  }

  /** It is about to go: what was typed into it is said. */
  finish() {
    this.#editor.finish();
  }

  /** The part that asks about this picture. */
  get asking() {
    return this.#ask;
  }

  /** The part that finds a prompt for it. */
  get prompting() {
    return this.#prompting;
  }

  /** @param {CardState} state */
  show({ tags, captions, classes, naming, language, propose, filed, gone, comparable }) {
    if (!tags || !captions) return;
    this.#editor.use(propose);
    this.#caption.show(captions);
    const caption = captions.result?.[0]?.caption ?? null;
    const found = tags.result;
    this.#answer = { caption, tags: found, gone, naming };
    this.#showTags(tags, naming);
    if (this.#tags.lang !== language) this.#tags.lang = language;
    this.#showClasses(classes);
    this.#looks.settle();
    const jobs = [captions, tags, ...(classes ? [classes] : [])];
    this.#showErrors(jobs);
    const states = jobs.map(({ status }) => status);
    const state = /** @type {const} */ (['running', 'waiting', 'failed', 'stopped']).find((one) =>
      states.includes(one),
    );
    this.dataset.state = state ?? 'done';
    this.#filed.show(filed === caption ? '' : filed);
    if (!this.#editor.hidden) this.#editor.show(allOf(found), gone, caption ?? '', naming);
    this.#copy.hidden = (caption ?? found) === null || !('clipboard' in navigator);
    this.#like.hidden = !comparable || tags.result === null;
    // What cannot be read cannot be asked about.
    this.#ask.hidden = this.#prompting.hidden = states.every((one) => one === 'failed');
    this.#again.hidden = !states.includes('failed') && !states.includes('stopped');
  }

  /** @param {string} note @param {import('./map-view.js').Paint} paint what a look found */
  reveal(note, paint) {
    this.#frame.show(note, paint);
  }

  /** @param {string} sentence why a look found nothing */
  regret(sentence) {
    this.#frame.say(sentence);
  }

  /** @param {HTMLElement} one what is pointed at */
  #look({ dataset, textContent }) {
    const about = /** @type {LookDetail['about']} */ (dataset.look);
    const text = about === 'word' ? (this.#answer.caption ?? '') : (dataset.text ?? '');
    const label = about === 'tag' ? this.#answer.naming(text) : (dataset.text ?? textContent ?? '');
    this.#frame.say('Looking');
    tell(this, 'look', {
      picture: this.picture,
      about,
      text,
      shown: label,
      start: Number(dataset.start ?? 0),
    });
  }

  /** @param {Job<TagAnswer>} job @param {Naming} naming */
  #showTags({ status, result: answer, stale }, naming) {
    const [tags, compared] = [answer?.tags ?? [], answer?.compared ?? []];
    const unsure = answer?.sure === false;
    this.#unsure.hidden = !unsure;
    mark(this.#unsure, 'data-stale', stale);
    if (answer !== this.#shownTags?.answer || naming !== this.#shownTags.naming) {
      showTags(this.#tags, { tags, compared, note: this.#compared.id }, naming);
      this.#shownTags = { answer, naming };
    }
    const doubt = answer?.doubt ?? null;
    const likely = doubt?.likely ? `: it looks more like “${naming(doubt.likely)}”` : '';
    write(this.#doubt, doubt ? `Perhaps none of these${likely}.` : '');
    this.#doubt.hidden = doubt === null;
    for (const part of [this.#doubt, this.#tags]) mark(part, 'data-stale', stale);
    this.#settleTags();
    const nothing = answer && tags.length === 0 && status === 'done' && !unsure && !doubt;
    const none = this.#answer.gone.length > 0 ? 'No tag is left' : 'No tag scores that high';
    write(this.#wait, answer ? (nothing ? none : '') : TAG_PLACEHOLDER[status]);
    mark(this.#wait, 'data-bars', status === 'waiting' || status === 'running');
    this.#wait.hidden = this.#wait.textContent === '';
  }

  /** Shows the tags where there are any, and the editor does not list them, too. */
  #settleTags() {
    const compared = this.#answer.tags?.compared ?? [];
    this.#tags.hidden =
      this.#answer.tags === null || this.#tags.childElementCount === 0 || !this.#editor.hidden;
    this.#compared.hidden = compared.length === 0 || this.#tags.hidden;
  }

  /** @param {Job<Classification[]> | undefined} job */
  #showClasses(job) {
    const result = job?.result ?? [];
    const text = result.map(({ label, score }) => `${label} ${percent(score)}`).join('; ');
    write(this.#classes, text === '' ? '' : `Class: ${text}`);
    this.#classes.dataset.text = result[0]?.label ?? '';
    this.#classes.hidden = text === '';
    mark(this.#classes, 'data-stale', job?.stale ?? false);
  }

  /** A damaged picture fails in every queue: its sentence is said once. @param {Job<unknown>[]} jobs */
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

  /**
   * Begins to edit its caption and tags, or ends that, which says what was typed.
   * @param {boolean} editing
   * @param {'field' | 'button' | null} [focus] where the keyboard goes; null to leave it where it is
   */
  edit(editing, focus = editing ? 'field' : null) {
    this.#editor.hidden = !editing;
    this.#edit.setAttribute('aria-expanded', String(editing));
    write(this.#edit, editing ? 'Done' : 'Edit');
    const verb = editing ? 'Done with' : 'Edit caption and tags of';
    this.#edit.setAttribute('aria-label', `${verb} ${this.picture?.name ?? ''}`);
    const { caption, tags, gone, naming } = this.#answer;
    this.#settleTags();
    if (editing) this.#editor.show(allOf(tags), gone, caption ?? '', naming);
    else this.#editor.finish();
    if (focus === 'field') this.#editor.takeFocus();
    if (focus === 'button') this.#edit.focus();
  }

  /** What is known of it, for the clipboard. */
  #text() {
    const { caption, tags, naming } = this.#answer;
    return [caption, tags && tagsAsText(tags.tags, naming)].filter(Boolean).join('\n');
  }
}

/** @param {TagAnswer | null} answer @returns {Tag[]} its tags, and what is compared with them */
function allOf(answer) {
  return [...(answer?.tags ?? []), ...(answer?.compared ?? [])];
}

customElements.define('picture-card', PictureCard);
