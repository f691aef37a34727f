/**
 * Buttons that show something for as long as one points at them or the keyboard is on them, and keep showing it once
 * pressed: every button with `data-look` inside a host. A tap presses; Escape ends everything.
 */

import { mark } from './dom.js';

/** Milliseconds of pointing that are no passing by. */
const PAUSE = 120;

export class Looks {
  #host;
  #look;
  #leave;
  /** @type {HTMLElement | null} */
  #pointed = null;
  /** @type {HTMLElement | null} */
  #focused = null;
  /** @type {HTMLElement | null} */
  #pressed = null;
  /** @type {HTMLElement | null} what is looked at */
  #current = null;
  #timer = 0;
  /** Heard wherever the keyboard is: what a pointer shows can be sent away without moving it. */
  #escape = (/** @type {KeyboardEvent} */ { key }) => {
    if (key === 'Escape') this.end();
  };

  /**
   * @param {HTMLElement} host
   * @param {{ look: (button: HTMLElement) => void, leave: () => void }} told
   */
  constructor(host, { look, leave }) {
    this.#host = host;
    this.#look = look;
    this.#leave = leave;
    host.addEventListener('pointerover', (event) => {
      // A finger points at nothing before it taps.
      if (event.pointerType !== 'touch') this.#point(lookOf(event));
    });
    host.addEventListener('pointerleave', () => this.#point(null));
    host.addEventListener('focusin', (event) => {
      const button = lookOf(event);
      this.#focused = button?.matches(':focus-visible') ? button : null;
      this.settle();
    });
    host.addEventListener('focusout', () => {
      this.#focused = null;
      this.settle();
    });
    host.addEventListener('click', (event) => {
      const button = lookOf(event);
      if (!button) return;
      if (this.#pressed === button) this.end();
      else {
        this.#pressed = button;
        this.settle();
      }
    });
  }

  /** Shows nothing any more, until the next one is pointed at. */
  end() {
    this.#pointed = this.#focused = this.#pressed = null;
    this.settle();
  }

  /** Brings what is looked at in step, also after buttons have been exchanged. */
  settle() {
    const there = (/** @type {HTMLElement | null} */ one) => (one && this.#host.contains(one) ? one : null);
    this.#pressed = there(this.#pressed);
    const wanted = there(this.#pointed) ?? there(this.#focused) ?? this.#pressed;
    for (const button of this.#host.querySelectorAll('[data-look]')) {
      const pressed = String(button === this.#pressed);
      if (button.getAttribute('aria-pressed') !== pressed) button.setAttribute('aria-pressed', pressed);
      mark(button, 'data-looked', button === wanted);
    }
    if (wanted === this.#current) return;
    this.#current = wanted;
    clearTimeout(this.#timer);
    if (wanted) {
      document.addEventListener('keydown', this.#escape);
      this.#timer = setTimeout(() => this.#look(wanted), PAUSE);
    } else {
      document.removeEventListener('keydown', this.#escape);
      this.#leave();
    }
  }

  /** @param {HTMLElement | null} button */
  #point(button) {
    if (button === this.#pointed) return;
    this.#pointed = button;
    this.settle();
  }
}

/** @param {Event} event @returns {HTMLElement | null} the button that it happened to */
function lookOf({ target }) {
  return target instanceof Element ? target.closest('[data-look]') : null;
}
