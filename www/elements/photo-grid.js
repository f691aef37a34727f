/**
 * `<photo-grid>`: many pictures as tiles in rows, of which only those near the screen exist. One tab stop leads into it; arrows,
 * Home, End and the page keys move on. Tiles are selected with Control or Shift and a click, by a long press, or while selecting by
 * any click. Dispatches `open` with a picture, `visible` with those on screen, and `mark` with pictures and whether they are to be.
 *
 * @typedef {import('../session.js').Picture} Picture
 *
 * @typedef {object} Tile what there is to see of a picture
 * @property {string | undefined} address of its small copy; undefined while it is to come, empty where there is none
 * @property {string} word the best that is known of it, in a word or two on each line
 * @property {string} label all that is said of it to who cannot see it
 * @property {import('../model-queue.js').JobStatus} state
 * @property {boolean} selected
 */

import { GridRows } from '../grid-rows.js';
import { make, tell, write } from './dom.js';

/** Pixels of a tile's edge at least: on a phone three have room beside each other. */
const LEAST = { narrow: 104, wide: 136 };
/** Pixels of a grid that is narrow, and between two tiles. */
const NARROW = 480;
const GAP = 8;
/** How much larger tiles are that are in groups: they are compared, and say more. */
const GROUPED = 1.4;
/** Rows that are kept ready above and below the screen. */
const BEYOND = 2;
/** Milliseconds of a press that selects. */
const LONG_PRESS = 500;

/** One tile's elements, used again for another picture when it leaves the screen. */
class TileView {
  image = make('img', { alt: '', draggable: false });
  word = make('span', { className: 'tile-word' });
  button = make('button', { type: 'button', className: 'tile', tabIndex: -1 }, this.image, this.word);
  item = make('div', { role: 'listitem', className: 'tile-place' }, this.button);
  place = -1;
}

export class PhotoGrid extends HTMLElement {
  #canvas = make('div', { role: 'list', className: 'tiles', 'aria-label': 'Pictures' });
  /** @type {readonly Picture[]} */
  #pictures = [];
  /** @type {(picture: Picture) => Tile} */
  #describe = () => ({ address: undefined, word: '', label: '', state: 'waiting', selected: false });
  /** @type {Map<Picture, TileView>} */
  #views = new Map();
  /** @type {TileView[]} */
  #spare = [];
  /** Where the keyboard is, or would come in. */
  #current = 0;
  #rows = new GridRows(0, 1, 1);
  /** The group of a picture; null where there are none. @type {((picture: Picture) => unknown) | null} */
  #groupOf = null;
  #edge = LEAST.wide;
  #scheduled = false;
  #said = '';
  #selecting = false;
  /** How large tiles are, by what they are at least. */
  #scale = 1;
  /** Where a range begins. @type {Picture | null} */
  #anchor = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #press;
  /** Whether the press under way has selected, so that its click is none. */
  #pressed = false;

  connectedCallback() {
    this.append(this.#canvas);
    new ResizeObserver(() => this.#schedule()).observe(this);
    for (const type of ['scroll', 'resize']) {
      addEventListener(type, () => this.#schedule(), { passive: true });
    }
    this.#canvas.addEventListener('click', (event) => this.#click(event));
    this.#canvas.addEventListener('pointerdown', (event) => this.#pressAt(event));
    for (const type of ['pointerup', 'pointercancel', 'pointerleave', 'scroll']) {
      this.#canvas.addEventListener(type, () => clearTimeout(this.#press));
    }
    this.#canvas.addEventListener('contextmenu', (event) => {
      // A long press opens the menu of an image otherwise.
      if (this.#pressed) event.preventDefault();
    });
    this.#canvas.addEventListener('keydown', (event) => this.#key(event));
    this.#canvas.addEventListener('focusin', ({ target }) => {
      const found = this.#at(target);
      if (found) this.#move(found.view.place, false);
    });
  }

  /** Pixels from one tile to the next. */
  get #pitch() {
    return this.#edge + GAP;
  }

  /**
   * @param {readonly Picture[]} pictures
   * @param {(picture: Picture) => Tile} describe
   * @param {boolean} selecting whether every click selects
   * @param {((picture: Picture) => unknown) | null} groupOf tells the groups that pictures are in apart; null where they are in none
   */
  show(pictures, describe, selecting, groupOf) {
    this.#groupOf = groupOf;
    this.#pictures = pictures;
    this.#describe = describe;
    this.#selecting = selecting;
    this.#render();
  }

  /** @param {number} scale of the tiles: 1 is as they are at first */
  resize(scale) {
    this.#scale = scale;
    this.#schedule();
  }

  /** Shows one of the pictures anew, if it is on screen. @param {Picture} picture */
  refresh(picture) {
    const view = this.#views.get(picture);
    if (view) this.#fill(view, picture);
  }

  /** Puts the keyboard on a picture, and that on the screen. @param {Picture} picture */
  takeFocus(picture) {
    const place = this.#pictures.indexOf(picture);
    if (place >= 0) this.#move(place, true);
  }

  /** Puts the keyboard on the picture where it was last. */
  takeFocusBack() {
    if (this.#pictures.length > 0) this.#move(Math.min(this.#current, this.#pictures.length - 1), true);
  }

  #schedule() {
    if (this.#scheduled || this.hidden) return;
    this.#scheduled = true;
    requestAnimationFrame(() => {
      this.#scheduled = false;
      this.#render();
    });
  }

  #render() {
    const width = this.clientWidth;
    if (this.hidden || width === 0) return;
    const grouped = this.#groupOf ? GROUPED : 1;
    const least = this.#scale * grouped * (width < NARROW ? LEAST.narrow : LEAST.wide);
    const columns = Math.max(1, Math.floor((width + GAP) / (least + GAP)));
    this.#edge = Math.floor((width - (columns - 1) * GAP) / columns);
    const groupOf = this.#groupOf;
    const begins = groupOf && ((/** @type {number} */ place) => this.#begins(place, groupOf));
    this.#rows = new GridRows(this.#pictures.length, columns, this.#edge + GAP, begins);
    this.#canvas.style.height = `${this.#rows.height(GAP)}px`;
    this.#current = Math.min(this.#current, Math.max(0, this.#pictures.length - 1));
    const { top } = this.#canvas.getBoundingClientRect();
    const [start, end] = this.#rows.between(-top, innerHeight - top, BEYOND);
    const near = this.#pictures.slice(start, end);
    this.#place(near, start, columns);
    const seen = this.#pictures.slice(...this.#rows.between(-top, innerHeight - top));
    const said = seen.map(({ id }) => id).join(' ');
    if (said !== this.#said) tell(this, 'visible', [...seen, ...near]);
    this.#said = said;
  }

  /** @param {number} place @param {(picture: Picture) => unknown} groupOf */
  #begins(place, groupOf) {
    const [picture, before] = [this.#pictures[place], this.#pictures[place - 1]];
    return !picture || !before || groupOf(picture) !== groupOf(before);
  }

  /** Gives each picture its tile, and each tile its place. @param {readonly Picture[]} near @param {number} start @param {number} columns */
  #place(near, start, columns) {
    const current = this.#pictures[this.#current];
    // The tile of the keyboard stays, wherever it is scrolled to.
    const kept = current && !near.includes(current) ? [current] : [];
    const wanted = new Set([...near, ...kept]);
    for (const [picture, view] of this.#views) {
      if (wanted.has(picture)) continue;
      this.#views.delete(picture);
      this.#spare.push(view);
      view.item.remove();
    }
    let before = this.#canvas.firstElementChild;
    for (const picture of wanted) {
      const place = picture === current ? this.#current : start + near.indexOf(picture);
      const view = this.#views.get(picture) ?? this.#spare.pop() ?? new TileView();
      this.#views.set(picture, view);
      if (view.item === before) before = before.nextElementSibling;
      else this.#canvas.insertBefore(view.item, before);
      this.#put(view, place);
      this.#fill(view, picture);
    }
    // Few are needed again at once.
    this.#spare.length = Math.min(this.#spare.length, 2 * columns);
  }

  /** @param {TileView} view @param {number} place */
  #put(view, place) {
    const { x, y } = this.#rows.cornerOf(place);
    const { style } = view.item;
    style.transform = `translate(${x}px, ${y}px)`;
    style.width = style.height = `${this.#edge}px`;
    view.place = place;
    view.item.ariaPosInSet = String(place + 1);
    view.item.ariaSetSize = String(this.#pictures.length);
    view.button.tabIndex = place === this.#current ? 0 : -1;
  }

  /** @param {TileView} view @param {Picture} picture */
  #fill({ image, word, button }, picture) {
    const { address, word: text, label, state, selected } = this.#describe(picture);
    const source = address ?? '';
    if (image.getAttribute('src') !== source) {
      if (source === '') image.removeAttribute('src');
      else image.src = source;
    }
    write(word, text);
    if (button.ariaLabel !== label) button.ariaLabel = label;
    if (button.title !== picture.name) button.title = picture.name;
    if (button.dataset.state !== state) button.dataset.state = state;
    const pressed = this.#selecting ? String(selected) : null;
    if (button.ariaPressed !== pressed) button.ariaPressed = pressed;
  }

  /** @param {MouseEvent} event */
  #click(event) {
    const found = this.#at(event.target);
    if (!found || this.#pressed) {
      this.#pressed = false;
      return;
    }
    const { picture, view } = found;
    this.#current = view.place;
    if (event.shiftKey) this.#range(picture);
    else if (this.#selecting || event.ctrlKey || event.metaKey) this.#toggle(picture);
    else tell(this, 'open', picture);
  }

  /** @param {PointerEvent} event */
  #pressAt({ target, pointerType }) {
    clearTimeout(this.#press);
    this.#pressed = false;
    const found = pointerType === 'mouse' ? null : this.#at(target);
    if (!found) return;
    this.#press = setTimeout(() => {
      this.#pressed = true;
      this.#toggle(found.picture);
    }, LONG_PRESS);
  }

  /** @param {Picture} picture */
  #toggle(picture) {
    this.#anchor = picture;
    tell(this, 'mark', { pictures: [picture], on: !this.#describe(picture).selected });
  }

  /** Selects from where it was last done up to a picture. @param {Picture} picture */
  #range(picture) {
    const to = this.#pictures.indexOf(picture);
    const from = this.#anchor ? this.#pictures.indexOf(this.#anchor) : -1;
    if (from < 0) return this.#toggle(picture);
    const pictures = this.#pictures.slice(Math.min(from, to), Math.max(from, to) + 1);
    tell(this, 'mark', { pictures, on: true });
  }

  /** @param {EventTarget | null} target */
  #at(target) {
    if (!(target instanceof Element)) return null;
    const item = target.closest('.tile-place');
    for (const [picture, view] of this.#views) if (view.item === item) return { picture, view };
    return null;
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'a') {
      event.preventDefault();
      tell(this, 'mark', { pictures: this.#pictures, on: true });
    }
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === 'Escape' && this.#selecting) {
      tell(this, 'select-none');
      return;
    }
    const page = Math.max(1, Math.floor(innerHeight / this.#pitch) - 1);
    const [current, last] = [this.#current, this.#pictures.length - 1];
    const beside = (/** @type {number} */ rows) => this.#rows.beside(current, rows);
    const place = {
      ArrowRight: current + 1,
      ArrowLeft: current - 1,
      ArrowDown: beside(1),
      ArrowUp: beside(-1),
      PageDown: beside(page),
      PageUp: beside(-page),
      Home: 0,
      End: last,
    }[event.key];
    if (place === undefined) return;
    event.preventDefault();
    const from = this.#pictures[current] ?? null;
    if (place >= 0 && place <= last) this.#move(place, true);
    const to = this.#pictures[this.#current];
    if (!event.shiftKey || !to) return;
    this.#anchor ??= from;
    this.#range(to);
  }

  /** @param {number} place @param {boolean} focus whether the keyboard goes there */
  #move(place, focus) {
    const before = this.#pictures[this.#current];
    this.#current = place;
    const picture = this.#pictures[place];
    if (!picture) return;
    if (focus) this.#reveal(place);
    this.#render();
    const left = before && before !== picture ? this.#views.get(before) : undefined;
    if (left) left.button.tabIndex = -1;
    const view = this.#views.get(picture);
    if (focus) view?.button.focus({ preventScroll: true });
  }

  /** Scrolls as little as it takes. @param {number} place */
  #reveal(place) {
    const pitch = this.#pitch;
    const top = this.#canvas.getBoundingClientRect().top + this.#rows.cornerOf(place).y;
    // What stays at the window's upper edge covers nothing that has the keyboard.
    const covered = GAP + (parseFloat(getComputedStyle(this).scrollMarginTop) || 0);
    if (top < covered) scrollBy(0, top - covered);
    else if (top + pitch > innerHeight) scrollBy(0, top + pitch - innerHeight);
  }
}

customElements.define('photo-grid', PhotoGrid);
