/**
 * The pictures on screen: a few as cards with all their answers, many as a grid of tiles, of which one can be opened. It knows the
 * session and its elements, and says what people do to single pictures by the events of those.
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

import { PictureCard } from './elements/picture-card.js';
import { Thumbnails } from './thumbnails.js';

/** Pictures that are shown as cards; with more, their answers would not be found. */
const FEW = 24;
/** Pictures from which on there is something to compare. */
export const ENOUGH_TO_FIND = 3;

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
  thumbnails = new Thumbnails();
  /** The picture that is open over the grid. @type {Picture | null} */
  #open = null;
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
    this.thumbnails.addEventListener('change', (event) =>
      grid.refresh(/** @type {CustomEvent<Picture>} */ (event).detail),
    );
    grid.addEventListener('visible', (event) => {
      const { detail: seen } = /** @type {CustomEvent<Picture[]>} */ (event);
      this.thumbnails.want(seen);
      session.prefer(seen);
    });
    grid.addEventListener('open', (event) => this.turnTo(/** @type {CustomEvent<Picture>} */ (event).detail));
    detail.addEventListener('turn', (event) => this.#turn(/** @type {CustomEvent<number>} */ (event).detail));
    detail.addEventListener('shut', () => {
      const picture = this.#open;
      this.#open = null;
      if (picture) this.#grid.takeFocus(picture);
      this.show(this.#look);
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

  /** Whether something was typed into a card that is not said yet. */
  get isWriting() {
    return [...this.cards.values()].some((card) => card.isWriting);
  }

  /** Brings what is on screen in step with the session. @param {Look} look */
  show(look) {
    this.#look = look;
    const pictures = this.#session.shown;
    const dense = this.isDense;
    this.#grid.hidden = !dense;
    this.#list.hidden = dense;
    if (!dense && this.#detail.open) this.#detail.close();
    const shown = dense ? (this.#open ? [this.#open] : []) : pictures;
    const kept = new Set(shown);
    for (const [picture, card] of this.cards) {
      // Once the original has come, it is shown in the place of its copy.
      const isDone = card.file === picture.file || card.contains(document.activeElement);
      if (kept.has(picture) && isDone) continue;
      if (this.#session.pictures.includes(picture)) card.finish();
      card.remove();
      this.cards.delete(picture);
    }
    shown.forEach((picture, place) => this.#showCard(picture, place, dense));
    if (dense) this.#grid.show(pictures, (picture) => this.#tile(picture), this.#selected !== null);
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

  /** Closes the picture that is open over the grid. */
  shut() {
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

  /** @param {Picture} picture @param {number} place @param {boolean} dense */
  #showCard(picture, place, dense) {
    const { tags, captions, classes, matches, answers, shown } = this.#session;
    let card = this.cards.get(picture);
    if (!card) {
      card = new PictureCard().open(picture);
      this.cards.set(picture, card);
      this.dispatchEvent(new CustomEvent('card', { detail: picture }));
    }
    if (dense) {
      this.#detail.show(card, { place: shown.indexOf(picture), count: shown.length });
    } else {
      const there = this.#list.children[place] ?? null;
      if (there !== card) this.#list.insertBefore(card, there);
    }
    const [tagging, captioning] = [tags.jobs.get(picture), captions.jobs.get(picture)];
    card.show({
      tags: tagging && { ...tagging, result: this.#session.answerOf(picture) },
      captions: captioning && { ...captioning, result: this.#session.captionsOf(picture) },
      classes: classes.model ? classes.jobs.get(picture) : undefined,
      ...this.#look,
      filed: this.#session.fileWords.of(picture)?.caption ?? '',
      comparable: this.#session.pictures.length >= ENOUGH_TO_FIND,
    });
    card.asking.show(
      { job: matches.queue.jobs.get(picture), status: matches.queue.status, possible: matches.possible },
      { job: answers.queue.jobs.get(picture), status: answers.queue.status, possible: answers.possible },
    );
  }

  /** @param {Picture} picture @returns {import('./elements/photo-grid.js').Tile} */
  #tile(picture) {
    const job = this.#session.tags.jobs.get(picture);
    const state = job?.status ?? 'waiting';
    const answer = this.#session.answerOf(picture);
    const names = (answer?.tags ?? []).map(({ label }) =>
      label === null ? 'none of these' : this.#look.naming(label),
    );
    const doubtful = answer?.sure === false ? 'Not sure' : answer?.doubt ? 'Perhaps none' : null;
    const word = names[0] ?? doubtful ?? INSTEAD[state];
    const caption = this.#session.captionsOf(picture)?.[0]?.caption;
    const said = [names.length > 0 ? names.join(', ') : word, caption].filter(Boolean).join('; ');
    return {
      address: this.thumbnails.of(picture),
      word,
      label: said ? `${picture.name}: ${said}` : picture.name,
      state,
      selected: this.#selected?.has(picture) ?? false,
    };
  }

  /** @param {number} step */
  #turn(step) {
    const { shown } = this.#session;
    const next = this.#open && shown[shown.indexOf(this.#open) + step];
    if (next) this.turnTo(next);
  }

  /** What is said of a picture to who cannot see it. @param {Picture} picture */
  labelOf(picture) {
    return this.#tile(picture).label;
  }

  /** Opens a picture; among few, its card is brought on the screen. @param {Picture} picture */
  turnTo(picture) {
    const card = this.cards.get(picture);
    if (!this.isDense) {
      card?.scrollIntoView({ block: 'nearest' });
      card?.takeFocus();
      return;
    }
    this.#open = picture;
    this.#session.prefer([picture]);
    this.show(this.#look);
  }
}
