/**
 * `<picture-map>`: the pictures as small copies, those that are alike near each other and none behind another, in a dialog. One of them has the keyboard; arrows
 * lead to the next in their direction, Enter or a click opens. Dispatches `map-pick` with a picture, and `map-left` when nobody waits for
 * it any more.
 *
 * @typedef {import('../session.js').Picture} Picture
 * @typedef {import('../mapping.js').Placed} Placed
 *
 * @typedef {object} Look
 * @property {(picture: Picture) => Blob | null} copyOf
 * @property {(picture: Picture) => string} labelOf what is said of it to who cannot see it
 */

import { cellsOf } from '../map-cells.js';
import { count } from '../words.js';
import { button, make, tell, write } from './dom.js';

/** Pixels of a picture's edge. */
const EDGE = { least: 14, most: 96 };
/** Pixels between two of them, and the part of the ground that they cover where they are many. */
const GAP = 2;
const COVERED = 0.5;
/** Milliseconds that the page may sleep. */
const NAP = 8;
/** Copies that are decoded at a time. */
const TOGETHER = 8;

/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

class PictureMap extends HTMLElement {
  #line = make('p', { className: 'detail-place', role: 'status' });
  #close = button('Close', 'button', () => this.#dialog.close());
  #canvas = make('canvas', { className: 'map-canvas', 'aria-hidden': 'true' });
  #cursor = button('', 'map-cursor', () => this.#pick(this.#current), { hidden: true });
  #ground = make('div', { className: 'map-ground' }, this.#canvas, this.#cursor);
  #dialog = make(
    'dialog',
    { className: 'detail map-dialog', 'aria-label': 'Map of the pictures' },
    make('div', { className: 'detail-head' }, this.#line, this.#close),
    this.#ground,
  );
  /** @type {readonly Placed[]} */
  #placed = [];
  /** @type {Look} */
  #look = { copyOf: () => null, labelOf: () => '' };
  #current = 0;
  #edge = EDGE.least;
  /** The corner of each, in pixels of the ground: x and y. @type {Float32Array} */
  #corners = new Float32Array(0);
  /** Whose copies are being drawn: of an earlier map none is. */
  #turn = 0;

  connectedCallback() {
    this.append(this.#dialog);
    this.#dialog.addEventListener('close', () => {
      this.#turn += 1;
      this.#placed = [];
      tell(this, 'map-left');
    });
    this.#canvas.addEventListener('click', (event) => this.#click(event));
    this.#ground.addEventListener('keydown', (event) => this.#key(event));
    new ResizeObserver(() => this.#placed.length > 0 && void this.#draw()).observe(this.#ground);
  }

  /** @param {number} pictures that are to be placed @param {number} more that have no room */
  begin(pictures, more) {
    this.#placed = [];
    this.#cursor.hidden = true;
    const context = this.#canvas.getContext('2d');
    context?.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
    const left = more > 0 ? `, ${count(more, 'more is', 'more are')} left out` : '';
    write(
      this.#line,
      pictures === 0
        ? 'Nothing is known of the pictures yet.'
        : `Comparing ${count(pictures, 'picture')}${left}`,
    );
    if (!this.#dialog.open) this.#dialog.showModal();
  }

  /** @param {number} done @param {number} all rounds */
  progress(done, all) {
    write(this.#line, `Arranging: ${Math.round((100 * done) / all)} %`);
  }

  fail() {
    write(this.#line, 'The map could not be made.');
  }

  /** @param {readonly Placed[]} placed @param {Look} look */
  show(placed, look) {
    this.#placed = placed;
    this.#look = look;
    write(this.#line, `${count(placed.length, 'picture')}: those that are alike are near each other`);
    void this.#draw().then((isWhole) => {
      if (!isWhole) return;
      this.#move(this.#nearest(this.#ground.clientWidth / 2, this.#ground.clientHeight / 2));
      this.#cursor.focus();
    });
  }

  /** @returns {Promise<boolean>} whether all have their places; not where the map was closed, or drawn anew, meanwhile */
  async #draw() {
    this.#turn += 1;
    const turn = this.#turn;
    const { clientWidth: width, clientHeight: height } = this.#ground;
    const fitting = Math.sqrt((COVERED * width * height) / Math.max(1, this.#placed.length)) - GAP;
    const edge = Math.round(Math.min(EDGE.most, Math.max(EDGE.least, fitting)));
    const corners = await this.#spread(turn, edge, width, height);
    if (!corners) return false;
    this.#edge = edge;
    this.#corners = corners;
    this.#cursor.hidden = false;
    const scale = devicePixelRatio;
    this.#canvas.width = width * scale;
    this.#canvas.height = height * scale;
    void this.#paint(turn, scale);
    this.#move(this.#current);
    return true;
  }

  /**
   * Where the pictures go, some at a time, so that the page stays awake.
   * @param {number} turn
   * @param {number} edge
   * @param {number} width
   * @param {number} height
   * @returns {Promise<Float32Array | null>} null where nobody waits for it any more
   */
  async #spread(turn, edge, width, height) {
    const fit = (/** @type {number} */ length) => Math.max(1, Math.floor((length + GAP) / (edge + GAP)));
    const [columns, rows] = [fit(width), fit(height)];
    const work = cellsOf(this.#placed, columns, rows);
    let woken = performance.now();
    let step = work.next();
    for (; !step.done; step = work.next()) {
      if (performance.now() - woken < NAP) continue;
      await new Promise((resolve) => setTimeout(resolve));
      if (turn !== this.#turn) return null;
      woken = performance.now();
    }
    // What is left over lies between them.
    const apart = (/** @type {number} */ length, /** @type {number} */ cells) =>
      cells > 1 ? (length - edge) / (cells - 1) : 0;
    const [across, down] = [apart(width, columns), apart(height, rows)];
    const corners = new Float32Array(2 * step.value.length);
    for (const [i, cell] of step.value.entries()) {
      corners[2 * i] = Math.round((cell % columns) * across);
      corners[2 * i + 1] = Math.round(Math.floor(cell / columns) * down);
    }
    return corners;
  }

  /** Draws the copies, some at a time, so that the page stays awake. @param {number} turn @param {number} scale */
  async #paint(turn, scale) {
    const context = this.#canvas.getContext('2d');
    const edge = this.#edge * scale;
    if (context) {
      // An edge around each: pictures can be of the colour of the ground.
      const { borderColor, backgroundColor } = getComputedStyle(this.#canvas);
      context.fillStyle = backgroundColor;
      context.strokeStyle = borderColor;
    }
    for (let at = 0; context && at < this.#placed.length; at += TOGETHER) {
      const some = this.#placed.slice(at, at + TOGETHER);
      const bitmaps = await Promise.all(some.map((one) => this.#bitmapOf(one.picture, edge)));
      for (const [i, bitmap] of bitmaps.entries()) {
        if (turn === this.#turn) {
          const { x, y } = this.#cornerOf(at + i);
          if (bitmap) context.drawImage(bitmap, x * scale, y * scale, edge, edge);
          else context.fillRect(x * scale, y * scale, edge, edge);
          context.strokeRect(x * scale + 0.5, y * scale + 0.5, edge - 1, edge - 1);
        }
        bitmap?.close();
      }
      if (turn !== this.#turn) return;
    }
  }

  /** The middle of a picture, as a square. @param {Picture} picture @param {number} edge */
  async #bitmapOf(picture, edge) {
    const copy = this.#look.copyOf(picture);
    const whole = copy && (await createImageBitmap(copy).catch(() => null));
    if (!whole) return null;
    const side = Math.min(whole.width, whole.height);
    const square = await createImageBitmap(
      whole,
      (whole.width - side) / 2,
      (whole.height - side) / 2,
      side,
      side,
      {
        resizeWidth: Math.round(edge),
        resizeHeight: Math.round(edge),
        resizeQuality: 'medium',
      },
    );
    whole.close();
    return square;
  }

  /** @param {number} place */
  #cornerOf(place) {
    return { x: this.#corners[2 * place] ?? 0, y: this.#corners[2 * place + 1] ?? 0 };
  }

  /** @param {number} x @param {number} y @returns {number} the place of the picture whose middle is nearest */
  #nearest(x, y) {
    let [best, least] = [0, Infinity];
    for (let place = 0; place < this.#placed.length; place++) {
      const corner = this.#cornerOf(place);
      const away = Math.hypot(corner.x + this.#edge / 2 - x, corner.y + this.#edge / 2 - y);
      if (away < least) [best, least] = [place, away];
    }
    return best;
  }

  /** @param {MouseEvent} event */
  #click({ offsetX, offsetY }) {
    if (this.#placed.length > 0) this.#pick(this.#nearest(offsetX, offsetY));
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const arrow = ARROWS[event.key];
    if (!arrow || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const from = this.#cornerOf(this.#current);
    let [best, least] = [this.#current, Infinity];
    for (let place = 0; place < this.#placed.length; place++) {
      const to = this.#cornerOf(place);
      const [x, y] = [to.x - from.x, to.y - from.y];
      const ahead = x * arrow[0] + y * arrow[1];
      const aside = Math.abs(x * arrow[1]) + Math.abs(y * arrow[0]);
      // What lies more aside than ahead belongs to another arrow.
      if (place === this.#current || ahead <= 0 || aside > ahead) continue;
      if (ahead + aside < least) [best, least] = [place, ahead + aside];
    }
    this.#move(best);
  }

  /** @param {number} place */
  #move(place) {
    const one = this.#placed[place];
    if (!one) return;
    this.#current = place;
    const { x, y } = this.#cornerOf(place);
    const { style } = this.#cursor;
    style.transform = `translate(${x}px, ${y}px)`;
    style.width = style.height = `${this.#edge}px`;
    this.#cursor.ariaLabel = this.#look.labelOf(one.picture);
    this.#cursor.title = one.picture.name;
  }

  /** @param {number} place */
  #pick(place) {
    const one = this.#placed[place];
    if (!one) return;
    this.#dialog.close();
    tell(this, 'map-pick', one.picture);
  }
}

customElements.define('picture-map', PictureMap);
