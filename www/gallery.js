/**
 * The pictures on screen: a few as cards with all their answers, many as a grid of tiles. One of them can be opened over the others:
 * it has a card there, and among cards its own. It knows the session and its elements, and says what people do to single pictures by the events of those.
 *
 * @typedef {import('./session.js').Picture} Picture
 * @typedef {import('./session.js').Session} Session
 * @typedef {import('./elements/photo-grid.js').PhotoGrid} PhotoGrid
 * @typedef {import('./elements/photo-detail.js').PhotoDetail} PhotoDetail
 * @typedef {import('./elements/tag-list.js').Naming} Naming
 *
 * @typedef {object} Look how answers are shown
 * @property {Naming} naming
 * @property {string} language the one that tags are named in
 * @property {import('./elements/tag-field.js').Propose} propose names of tags
 */

import { decodeWith } from './decoding.js';
import { make, on } from './elements/dom.js';
import { PictureCard } from './elements/picture-card.js';
import { fileLines } from './near-duplicates.js';
import { hasWords, shownCaptions } from './said.js';
import { Thumbnails } from './thumbnails.js';

/** Pictures that are shown as cards; with more, their answers would not be found. */
const FEW = 24;
/** Pictures from which on there is something to compare. */
export const ENOUGH_TO_FIND = 3;

/** What stands on a tile whose picture seems to show none of somebody's own labels, and what is said of it. */
const NONE = { word: 'None of these?', sentence: 'Perhaps none of these labels fits' };

/** @type {Record<import('./model-queue.js').JobStatus, string>} what stands in the place of a tag */
const INSTEAD = { waiting: '', running: '', done: 'No tag', failed: 'Not readable', stopped: 'Stopped' };

/** Dispatches `card` with a picture that has got one. */
export class Gallery extends EventTarget {
  /** The cards that are there, by their pictures. @type {Map<Picture, PictureCard>} */
  cards = new Map();

  #session;
  #list;
  #grid;
  #detail;
  thumbnails;
  /** The picture that is open over the others. @type {Picture | null} */
  #open = null;
  /** Keeps the place of its card among the others. */
  #standIn = make('div', { className: 'card-away' });
  /** @type {Look} */
  #look = { naming: String, language: 'en', propose: () => [] };
  /** @type {ReadonlySet<Picture> | null} */
  #selected = null;

  /** @param {{ session: Session, list: HTMLElement, grid: PhotoGrid, detail: PhotoDetail }} parts */
  constructor({ session, list, grid, detail }) {
    super();
    this.#session = session;
    this.#list = list;
    this.#grid = grid;
    this.#detail = detail;
    this.thumbnails = new Thumbnails(decodeWith(session.tags));
    this.thumbnails.addEventListener('change', (event) =>
      grid.refresh(/** @type {CustomEvent<Picture>} */ (event).detail),
    );
    on(session, 'turned', (picture) => this.thumbnails.again(picture));
    grid.addEventListener('visible', (event) => {
      const { detail: seen } = /** @type {CustomEvent<Picture[]>} */ (event);
      this.thumbnails.want(seen);
      session.prefer(seen);
    });
    for (const host of [grid, list]) on(host, 'open', (picture) => this.turnTo(picture));
    on(detail, 'turn', (turn) => this.#turn(turn));
    on(detail, 'shut', () => {
      const picture = this.#open;
      this.#open = null;
      this.show(this.#look);
      if (picture) this.takeFocusOnPicture(picture);
    });
  }

  /** Null as long as nobody selects. */
  get selected() {
    return this.#selected;
  }

  /** @param {ReadonlySet<Picture> | null} selected null where nobody selects any more */
  select(selected) {
    this.#selected = selected;
    // At once: the next click depends on it.
    this.show(this.#look);
  }

  /** Whether there are more pictures than can be cards. */
  get isMany() {
    return this.#session.pictures.length > FEW;
  }

  /** Whether they are tiles: because there are many, or to be selected. */
  get isDense() {
    return this.isMany || this.#selected !== null;
  }

  /** The page is about to go: what was typed into a card is said. */
  finish() {
    for (const card of this.cards.values()) if (card.isWriting) card.finish();
  }

  /** Brings what is on screen in step with the session. @param {Look} look */
  show(look) {
    this.#look = look;
    const pictures = this.#session.shown;
    const dense = this.isDense;
    this.#grid.hidden = !dense;
    this.#list.hidden = dense;
    if (this.#open && !this.#session.pictures.includes(this.#open)) this.#open = null;
    const open = this.#open;
    if (!open) this.shut();
    const shown = dense ? [] : pictures;
    const kept = new Set(open ? [...shown, open] : shown);
    for (const [picture, card] of this.cards) {
      // Once the original has come, it is shown in the place of its copy.
      const isDone = card.file === picture.file || card.contains(document.activeElement);
      if (kept.has(picture) && isDone) continue;
      if (this.#session.pictures.includes(picture)) card.finish();
      card.remove();
      this.cards.delete(picture);
    }
    shown.forEach((picture, place) => {
      const card = this.#cardOf(picture);
      const element = picture === open ? this.#away(card) : card;
      const there = this.#list.children[place] ?? null;
      if (there !== element) this.#list.insertBefore(element, there);
    });
    if (dense || !open || !shown.includes(open)) this.#standIn.remove();
    if (open) {
      const where = { place: pictures.indexOf(open), count: pictures.length };
      this.#detail.show(this.#cardOf(open), where);
    }
    for (const picture of kept) this.#fill(picture);
    if (!dense) return;
    const { groups } = this.#session;
    const groupOf = groups && ((/** @type {Picture} */ picture) => groups.get(picture));
    this.#grid.show(pictures, (picture) => this.#tile(picture), this.#selected !== null, groupOf);
  }

  /** Puts the keyboard on a picture. @param {Picture} picture @param {boolean} [back] to where it was moved from */
  takeFocus(picture, back = false) {
    const card = this.cards.get(picture);
    if (!card) this.#grid.takeFocus(picture);
    else if (back) card.takeFocusBack();
    else card.takeFocus();
  }

  /** Puts the keyboard on the picture where it was last, if there are tiles. @returns {boolean} whether there are */
  takeFocusAnywhere() {
    const [first] = this.#session.shown;
    if (!this.isDense || !first) return false;
    this.#grid.takeFocusBack();
    return true;
  }

  /** Puts the keyboard where a picture is to be seen. @param {Picture} picture */
  takeFocusOnPicture(picture) {
    if (this.isDense) this.#grid.takeFocus(picture);
    else this.cards.get(picture)?.takeFocusOnPicture();
  }

  /** Closes the picture that is open over the others. @param {{ back?: boolean }} [how] `back`: whether the keyboard goes to where that is */
  shut({ back = true } = {}) {
    if (!back) this.#open = null;
    if (this.#detail.open) this.#detail.close();
  }

  /**
   * A picture is about to be taken away.
   * @param {Picture} picture
   * @returns {() => boolean} what brings the keyboard, and what is open, to its neighbour then, and tells whether there is one
   */
  leave(picture) {
    const place = this.#session.shown.indexOf(picture);
    return () => {
      const { shown } = this.#session;
      const neighbour = shown[Math.min(place, shown.length - 1)] ?? null;
      if (this.#open === picture) this.#open = neighbour;
      this.show(this.#look);
      if (neighbour) this.takeFocus(neighbour);
      return neighbour !== null;
    };
  }

  /** The card of a picture, which gets one if it has none. @param {Picture} picture */
  #cardOf(picture) {
    const known = this.cards.get(picture);
    if (known) return known;
    const card = new PictureCard().open(picture);
    card.addEventListener('unshown', async () => {
      const copy = await this.thumbnails.large(picture);
      if (this.cards.get(picture) === card) card.showInstead(copy);
    });
    this.cards.set(picture, card);
    this.dispatchEvent(new CustomEvent('card', { detail: picture }));
    return card;
  }

  /** What stands in the place of a card that is about to be large, as high as that is. @param {PictureCard} card */
  #away(card) {
    if (card.parentElement === this.#list) this.#standIn.style.height = `${card.offsetHeight}px`;
    return this.#standIn;
  }

  /** Shows what is known of a picture on its card. @param {Picture} picture */
  #fill(picture) {
    const { tags, captions, classes, matches, answers } = this.#session;
    const card = this.#cardOf(picture);
    const [tagging, captioning] = [tags.jobs.get(picture), captions.jobs.get(picture)];
    card.show({
      tags: tagging && { ...tagging, result: this.#session.answerOf(picture) },
      captions: captioning && { ...captioning, result: shownCaptions(this.#session, picture) },
      classes: classes.model ? classes.jobs.get(picture) : undefined,
      ...this.#look,
      filed: this.#session.fileWords.of(picture)?.caption ?? '',
      gone: this.#goneOf(picture),
      comparable: this.#session.pictures.length >= ENOUGH_TO_FIND,
    });
    card.asking.show(
      { job: matches.queue.jobs.get(picture), status: matches.queue.status, possible: matches.possible },
      { job: answers.queue.jobs.get(picture), status: answers.queue.status, possible: answers.possible },
    );
  }

  /** Tags that a model or the picture's file has found, and somebody has taken away. @param {Picture} picture */
  #goneOf(picture) {
    const { corrections, fileWords, tags } = this.#session;
    const result = tags.jobs.get(picture)?.result;
    const found = [...(result?.tags ?? []), ...(result?.compared ?? [])].map(({ label }) => label);
    const known = new Set([...found, ...(fileWords.of(picture)?.tags ?? [])]);
    return fileWords.goneOf(picture, corrections.of(picture)).filter((label) => known.has(label));
  }

  /** @param {Picture} picture @returns {import('./elements/photo-grid.js').Tile} */
  #tile(picture) {
    const job = this.#session.tags.jobs.get(picture);
    const state = job?.status ?? 'waiting';
    const answer = this.#session.answerOf(picture);
    const names = (answer?.tags ?? []).flatMap(({ label }) =>
      label === null ? [] : [this.#look.naming(label)],
    );
    const isNone = Boolean(answer?.doubt) || answer?.tags[0]?.label === null;
    const doubtful = answer?.sure === false ? 'Not sure' : isNone ? NONE.word : null;
    const word = names[0] ?? doubtful ?? INSTEAD[state];
    const tags = names.length > 0 ? names.join(', ') : word === NONE.word ? NONE.sentence : word;
    const caption = shownCaptions(this.#session, picture)?.[0]?.caption;
    const { groups } = this.#session;
    const selected = this.#selected?.has(picture) ?? false;
    const stays = this.#selected !== null && !selected;
    const file =
      groups && fileLines(picture, groups, this.thumbnails, stays, hasWords(this.#session, picture));
    const said = [file?.said, tags, caption].filter(Boolean).join('; ');
    // What shows nothing is known by its name alone.
    const lines = file?.lines ?? (state === 'failed' && names.length === 0 ? [word, picture.name] : [word]);
    return {
      address: this.thumbnails.of(picture),
      word: lines.join('\n'),
      label: said ? `${picture.name}: ${said}` : picture.name,
      state,
      selected,
    };
  }

  /** Opens a neighbour of the picture that is open; whoever edits goes on with it. @param {{ step: number, pressed: boolean }} turn */
  #turn({ step, pressed }) {
    const { shown } = this.#session;
    const next = this.#open && shown[shown.indexOf(this.#open) + step];
    if (!this.#open || !next) return;
    const before = this.#cardOf(this.#open);
    const editing = before.isEditing;
    const held = before.isEditFocused ? 'button' : null;
    if (editing) before.edit(false);
    this.turnTo(next);
    if (editing) this.#cardOf(next).edit(true, pressed ? 'field' : held);
  }

  /** What is said of a picture to who cannot see it. @param {Picture} picture */
  labelOf(picture) {
    return this.#tile(picture).label;
  }

  /** Opens a picture over the others. @param {Picture} picture */
  turnTo(picture) {
    this.#open = picture;
    this.#session.prefer([picture]);
    this.show(this.#look);
  }
}
