/** How fast pictures are done, and so how long the rest will take. */

/** What is looked back at, in milliseconds: long enough to be steady, short enough to follow a change. */
const BACK = 20_000;
/** Below this nobody can tell yet. */
const ENOUGH = 3_000;

export class Pace {
  /** @type {{ at: number, done: number }[]} */
  #marks = [];

  /**
   * @param {{ done: number, open: number, now: number }} state how many are done, how many are to come, and the time in milliseconds
   * @returns {number | null} milliseconds to go; null where there is nothing to go by
   */
  left({ done, open, now }) {
    const last = this.#marks.at(-1);
    // A question that is asked anew, or a stop, is another beginning.
    if (open === 0 || (last && (done < last.done || now - last.at > BACK))) this.#marks = [];
    if (open === 0) return null;
    this.#marks.push({ at: now, done });
    while ((this.#marks[1]?.at ?? now) < now - BACK) this.#marks.shift();
    const [first] = this.#marks;
    if (!first || now - first.at < ENOUGH || done === first.done) return null;
    return (open * (now - first.at)) / (done - first.done);
  }
}

/** @param {number} milliseconds @returns {string} "about 20 s", "about 4 min", "about 1 h 10 min" */
export function duration(milliseconds) {
  const seconds = milliseconds / 1000;
  if (seconds < 55) return `about ${Math.max(5, 5 * Math.round(seconds / 5))} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `about ${minutes} min`;
  const rest = 10 * Math.floor((minutes % 60) / 10);
  return `about ${Math.floor(minutes / 60)} h${rest > 0 ? ` ${rest} min` : ''}`;
}
