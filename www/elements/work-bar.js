/**
 * `<work-bar>`: how many pictures are done, with a button that stops the rest or takes it up again.
 * Dispatches `stop`, `resume`, and `show-failed` when somebody wants to see the pictures that could not be read.
 */

import { duration, Pace } from '../pace.js';
import { count, digits, progressLine, stoppedLine } from '../words.js';
import { button, make, tell, write } from './dom.js';

/** Milliseconds of work of which no time is told. */
const SOON = 10_000;

class WorkBar extends HTMLElement {
  #line = make('p', { className: 'work-line' });
  #pace = new Pace();
  #stop = button('Stop', 'button', () => tell(this, 'stop'));
  #resume = button('Continue', 'button', () => tell(this, 'resume'));
  #failed = button('Show them', 'button button-quiet', () => tell(this, 'show-failed'), {
    'aria-label': 'Show the pictures that could not be read',
  });

  connectedCallback() {
    this.append(this.#line, this.#stop, this.#resume, this.#failed);
  }

  /**
   * @param {import('../tally.js').Tally} tally
   * @param {import('ocelli').ProgressEvent | null} progress of the tagger: labels come before pictures
   * @param {{ comparable: boolean, opening: boolean }} how `comparable`: whether there are so many that some can be shown alone; `opening`:
   *   whether models are being loaded
   */
  show({ total, open, stopped, failed, working }, progress, { comparable, opening }) {
    this.hidden = total === 0;
    const labels = progress?.phase === 'labels' && progress.loaded < (progress.total ?? 0);
    const waits = opening && !working && open === total;
    write(
      this.#line,
      labels
        ? progressLine(progress, '')
        : waits
          ? `${count(total, 'picture')}; the models are being opened`
          : this.#words({ total, open, stopped, failed }),
    );
    this.#swap(this.#stop, working);
    this.#swap(this.#resume, !working && stopped > 0);
    this.#swap(this.#failed, failed > 0 && open + stopped === 0 && comparable);
  }

  /** @param {{ total: number, open: number, stopped: number, failed: number }} tally */
  #words({ total, open, stopped, failed }) {
    const done = total - open - stopped;
    const left = this.#pace.left({ done, open, now: performance.now() });
    // Of what is soon over nobody wants to know when.
    const until = left !== null && left > SOON ? `, ${duration(left)} left` : '';
    if (open > 0) return `${digits(done)} of ${digits(total)} done${until}`;
    const failing = failed > 0 ? `, ${digits(failed)} could not be read` : '';
    return stoppedLine({ stopped }) ?? `${count(total, 'picture')}${failing}`;
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
