/**
 * What people say of tags themselves, as far as it is kept: other names, and what was taught. It is joined with what other tabs say.
 *
 * @typedef {import('./store.js').LibraryStore} LibraryStore
 * @typedef {import('./store.js').Words} Words
 * @typedef {import('../session.js').Session} Session
 */

import { areWordsAlike, joinedWords } from '../joining.js';

/** @type {Words} */
const NONE = { names: new Map(), taught: [] };

export class KeptWords {
  /** As they were last read or written. */
  kept = NONE;
  #session;
  #store;

  /** @param {Session} session @param {LibraryStore} store */
  constructor(session, store) {
    this.#session = session;
    this.#store = store;
  }

  /** As they are in this tab. @returns {Words} */
  get now() {
    const { corrections, lessons } = this.#session;
    return { names: corrections.names, taught: [...lessons.examples.keys()] };
  }

  /** Whether nothing is kept of them. */
  get isEmpty() {
    return areWordsAlike(this.kept, NONE);
  }

  /** Whether all is kept that was said. */
  get isWhole() {
    return areWordsAlike(this.kept, this.now);
  }

  /** Takes over what is kept, but for what was said here since. */
  async read() {
    const there = await this.#store.words();
    this.#join(this.kept, there);
  }

  /** Writes what is not kept. */
  async write() {
    if (this.isWhole) return;
    const { now } = this;
    this.#join(now, await this.#store.putWords(now, this.kept));
  }

  /** That a word was taught can be known before it is known by which pictures. */
  findExamples() {
    const { lessons } = this.#session;
    if ([...lessons.examples.values()].some((pictures) => pictures.length === 0)) {
      lessons.put(this.#examplesOf(this.now.taught));
    }
  }

  /** @param {Words} before @param {Words} there */
  #join(before, there) {
    const { now } = this;
    const joined = joinedWords(before, now, there);
    this.kept = there;
    if (areWordsAlike(joined, now)) return;
    this.#session.corrections.rename(joined.names);
    this.#session.lessons.put(this.#examplesOf(joined.taught));
  }

  /** Pictures by which words are taught: where that is not known, those that have them, as people say. @param {readonly string[]} taught */
  #examplesOf(taught) {
    const { corrections, lessons, pictures } = this.#session;
    const having = (/** @type {string} */ label) =>
      pictures.filter((picture) => corrections.of(picture)?.own.includes(label));
    const known = (/** @type {string} */ label) => lessons.examples.get(label) ?? [];
    return new Map(taught.map((label) => [label, known(label).length > 0 ? known(label) : having(label)]));
  }
}
