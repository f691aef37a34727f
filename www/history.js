/**
 * What somebody has done, step by step, and the way back.
 *
 * @typedef {object} Step
 * @property {string} title what was done, as a sentence
 * @property {() => void} apply
 * @property {() => void} revert
 */

/** Steps that are remembered. */
const MOST = 100;

/** Dispatches `change` whenever there is another step to take back. */
export class History extends EventTarget {
  /** @type {Step[]} */
  #done = [];
  /** @type {Step[]} the one to take again first is the last */
  #undone = [];

  /** What would be taken back. @returns {string | null} */
  get last() {
    return this.#done.at(-1)?.title ?? null;
  }

  /** What would be done again. @returns {string | null} */
  get next() {
    return this.#undone.at(-1)?.title ?? null;
  }

  /** Takes a step. @param {Step} step */
  take(step) {
    step.apply();
    this.#done.push(step);
    if (this.#done.length > MOST) this.#done.shift();
    this.#undone = [];
    this.#changed();
  }

  /** @returns {string | null} what was taken back */
  undo() {
    return this.#move(this.#done, this.#undone, 'revert');
  }

  /** @returns {string | null} what was done again */
  redo() {
    return this.#move(this.#undone, this.#done, 'apply');
  }

  /** @param {Step[]} from @param {Step[]} to @param {'apply' | 'revert'} how */
  #move(from, to, how) {
    const step = from.pop();
    if (!step) return null;
    step[how]();
    to.push(step);
    this.#changed();
    return step.title;
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }
}
