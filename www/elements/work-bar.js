/**
 * `<work-bar>`: how many pictures are done, with a button that stops the rest or takes it up again.
 * Dispatches `stop` and `resume`.
 */

import { duration, Pace } from '../pace.js';
import { count, digits, progressLine } from '../words.js';
import { button, make, tell, write } from './dom.js';

/** Milliseconds of work of which no time is told. */
const SOON = 10_000;

class WorkBar extends HTMLElement {
  #line = make('p', { className: 'work-line' });
  #pace = new Pace();
  #stop = button('Stop', 'button', () => tell(this, 'stop'));
  #resume = button('Continue', 'button', () => tell(this, 'resume'));

  connectedCallback() {
    this.append(this.#line, this.#stop, this.#resume);
  }

  /**
   * @param {{ total: number, open: number, stopped: number, working: boolean }} tally
   * @param {import('ocelli').ProgressEvent | null} progress of the tagger: labels come before pictures
   */
  show({ total, open, stopped, working }, progress) {
    this.hidden = total === 0;
    const labels = progress?.phase === 'labels' && progress.loaded < (progress.total ?? 0);
    write(this.#line, labels ? progressLine(progress, '') : this.#words(total, open, stopped));
    this.#swap(this.#stop, working);
    this.#swap(this.#resume, !working && stopped > 0);
  }

  /** @param {number} total @param {number} open @param {number} stopped */
  #words(total, open, stopped) {
    const done = total - open - stopped;
    const left = this.#pace.left({ done, open, now: performance.now() });
    // Of what is soon over nobody wants to know when.
    const until = left !== null && left > SOON ? `, ${duration(left)} left` : '';
    if (open > 0) return `${digits(done)} of ${digits(total)} done${until}`;
    if (stopped > 0) return `Stopped with ${count(stopped, 'picture')} left`;
    return count(total, 'picture');
  }

  /** Shows or hides a button; the keyboard, if it was there, goes to its successor. @param {HTMLButtonElement} control @param {boolean} shown */
  #swap(control, shown) {
    if (control.hidden === !shown) return;
    const focused = document.activeElement === control;
    control.hidden = !shown;
    if (focused) queueMicrotask(() => [this.#stop, this.#resume].find((one) => !one.hidden)?.focus());
  }
}

customElements.define('work-bar', WorkBar);
