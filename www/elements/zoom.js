/**
 * A picture in its frame, made larger and moved about: by buttons, keys, wheel, two fingers and dragging. What is enlarged is moved by
 * style properties of the frame, `--zoom`, `--zoom-x` and `--zoom-y`, so that a map over it goes along.
 */

import { button, make, mark, tell } from './dom.js';

/** How much larger at a step of a button or key, and of a hundred pixels of a wheel. */
const STEP = 1.5;
const WHEEL = 1.25;
/** Pixels of the screen for one of the picture, at most; and how many times as large as it fits it can be, at least. */
const PER_PIXEL = 4;
const LEAST_MOST = 4;
/** Part of the frame that an arrow key moves by. */
const PAN = 0.2;

/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

export class Zoom {
  #frame;
  #size;
  #scale = 1;
  #x = 0;
  #y = 0;
  /** Fingers, or a pressed mouse, by where they are. @type {Map<number, { x: number, y: number }>} */
  #pointers = new Map();
  #out = button('−', 'button zoom-button', () => this.#step(1 / STEP), { 'aria-label': 'Zoom out' });
  #fit = button('Fit', 'button zoom-button', () => this.#step(0), { 'aria-label': 'Fit the whole picture' });
  #in = button('+', 'button zoom-button', () => this.#step(STEP), { 'aria-label': 'Zoom in' });
  controls = make(
    'div',
    { className: 'zoom', role: 'group', 'aria-label': 'Zoom' },
    this.#out,
    this.#fit,
    this.#in,
  );

  /** @param {HTMLElement} frame @param {() => { width: number, height: number }} size of the picture, in its own pixels */
  constructor(frame, size) {
    this.#frame = frame;
    this.#size = size;
    frame.addEventListener('wheel', (event) => this.#wheel(event), { passive: false });
    frame.addEventListener('pointerdown', (event) => this.#press(event));
    frame.addEventListener('pointermove', (event) => this.#move(event));
    for (const type of /** @type {const} */ (['pointerup', 'pointercancel'])) {
      frame.addEventListener(type, ({ pointerId }) => this.#pointers.delete(pointerId));
    }
    this.#show();
  }

  /** Whether the picture is the one that is looked at: those of cards beside each other stay as they are. */
  get #isLarge() {
    return this.#frame.closest('dialog') !== null;
  }

  /** Shows the whole picture, and says nothing of it. */
  reset() {
    this.#set(1, 0, 0);
  }

  /** @param {string} key @returns {boolean} whether it means anything here */
  key(key) {
    const factor = { '+': STEP, '=': STEP, '-': 1 / STEP, 0: 0 }[key];
    if (factor !== undefined) this.#step(factor);
    const arrow = ARROWS[key];
    const pans = arrow !== undefined && this.#scale > 1;
    if (pans) {
      const { clientWidth, clientHeight } = this.#frame;
      this.#set(this.#scale, this.#x + arrow[0] * PAN * clientWidth, this.#y + arrow[1] * PAN * clientHeight);
    }
    return factor !== undefined || pans;
  }

  /** @param {number} factor 0 to fit */
  #step(factor) {
    const held = document.activeElement;
    this.#about(this.#scale * factor, { x: 0, y: 0 });
    // A button that can do no more loses the keyboard.
    if (held instanceof HTMLButtonElement && held.disabled) {
      (held === this.#in ? this.#out : this.#in).focus();
    }
    const times = Math.round(10 * this.#scale) / 10;
    tell(this.#frame, 'announce', times === 1 ? 'The whole picture' : `${times} times as large`);
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    if (!this.#isLarge) return;
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? 1 : 30;
    const before = this.#scale;
    this.#about(before * WHEEL ** ((-event.deltaY * lines) / 100), this.#at(event));
    // Whoever scrolls on from the whole picture scrolls the page.
    if (this.#scale !== before || event.ctrlKey) event.preventDefault();
  }

  /** @param {PointerEvent} event */
  #press(event) {
    const onButton = event.target instanceof Element && event.target.closest('button') !== null;
    if (!this.#isLarge || onButton || event.button !== 0) return;
    this.#pointers.set(event.pointerId, this.#at(event));
    this.#frame.setPointerCapture(event.pointerId);
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const from = this.#pointers.get(event.pointerId);
    if (!from) return;
    const to = this.#at(event);
    this.#pointers.set(event.pointerId, to);
    const other = [...this.#pointers].find(([id]) => id !== event.pointerId)?.[1];
    if (!other) return this.#set(this.#scale, this.#x + to.x - from.x, this.#y + to.y - from.y);
    const apart = (/** @type {{ x: number, y: number }} */ one) =>
      Math.max(1, Math.hypot(one.x - other.x, one.y - other.y));
    const middle = { x: (to.x + other.x) / 2, y: (to.y + other.y) / 2 };
    this.#about((this.#scale * apart(to)) / apart(from), middle);
    this.#set(this.#scale, this.#x + (to.x - from.x) / 2, this.#y + (to.y - from.y) / 2);
  }

  /** Where something is, from the middle of the frame. @param {MouseEvent} event */
  #at({ clientX, clientY }) {
    const { left, top, width, height } = this.#frame.getBoundingClientRect();
    return { x: clientX - left - width / 2, y: clientY - top - height / 2 };
  }

  /** Makes it larger or smaller, and leaves a point where it is. @param {number} scale @param {{ x: number, y: number }} point */
  #about(scale, { x, y }) {
    const next = Math.min(this.#most, Math.max(1, scale));
    const grown = next / this.#scale;
    this.#set(next, x - (x - this.#x) * grown, y - (y - this.#y) * grown);
  }

  get #most() {
    const { width, height } = this.#size();
    const { clientWidth, clientHeight } = this.#frame;
    const fitted = Math.min(clientWidth / width, clientHeight / height);
    return Math.max(LEAST_MOST, fitted > 0 && Number.isFinite(fitted) ? PER_PIXEL / fitted : LEAST_MOST);
  }

  /** @param {number} scale @param {number} x @param {number} y */
  #set(scale, x, y) {
    const { clientWidth, clientHeight } = this.#frame;
    const within = (/** @type {number} */ value, /** @type {number} */ length) => {
      const most = ((scale - 1) * length) / 2;
      return Math.min(most, Math.max(-most, value));
    };
    this.#scale = scale;
    this.#x = within(x, clientWidth);
    this.#y = within(y, clientHeight);
    this.#show();
  }

  #show() {
    const { style } = this.#frame;
    style.setProperty('--zoom', String(this.#scale));
    style.setProperty('--zoom-x', `${this.#x}px`);
    style.setProperty('--zoom-y', `${this.#y}px`);
    mark(this.#frame, 'data-zoomed', this.#scale > 1);
    this.#out.disabled = this.#fit.disabled = this.#scale <= 1;
    this.#in.disabled = this.#frame.isConnected && this.#scale >= this.#most;
  }
}
