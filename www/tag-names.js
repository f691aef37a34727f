/**
 * How labels are called on the page, and which label a name stands for: in the language of the page, or as somebody has named them.
 *
 * @typedef {import('ocelli').Vocabulary} Vocabulary
 */

import { leafOf } from './labels.js';

/** Names that are proposed. */
const PROPOSED = 8;

export class TagNames {
  /** @type {Vocabulary | null} */
  #vocabulary = null;
  /** @type {'en' | 'ja'} */
  #language = 'en';
  /** @type {ReadonlyMap<string, string>} */
  #others = new Map();
  /** Labels that people have made up. @type {ReadonlySet<string>} */
  #own = new Set();
  /** Labels by their names, in small letters. @type {Map<string, string> | null} */
  #labels = null;

  /**
   * @param {object} given
   * @param {Vocabulary | null} given.vocabulary
   * @param {'en' | 'ja'} given.language
   * @param {ReadonlyMap<string, string>} given.others
   */
  use({ vocabulary, language, others }) {
    this.#vocabulary = vocabulary;
    this.#language = language;
    this.#others = others;
    this.#labels = null;
  }

  /** @param {Iterable<string>} labels that people have made up */
  learn(labels) {
    const own = new Set([...this.#own, ...labels]);
    if (own.size === this.#own.size) return;
    this.#own = own;
    this.#labels = null;
  }

  /** @param {string} label @returns {string} */
  nameOf(label) {
    return this.#others.get(label) ?? leafOf(this.#vocabulary?.name(label, this.#language) ?? label);
  }

  /** @param {string} name as it was typed @returns {string} the label; the name itself where there is none */
  labelOf(name) {
    return this.#known().get(name.toLocaleLowerCase()) ?? name;
  }

  /** @param {string} name @returns {boolean} whether it stands for a label that is known */
  knows(name) {
    return this.#known().has(name.toLocaleLowerCase());
  }

  /** @param {string} label @param {string} name as it was typed @returns {boolean} whether the one is called the other */
  isCalled(label, name) {
    return (
      label === this.labelOf(name) || this.nameOf(label).toLocaleLowerCase() === name.toLocaleLowerCase()
    );
  }

  /** @param {string} label @param {readonly string[]} above names @returns {boolean} whether the vocabulary says that it is below each of them */
  isBelow(label, above) {
    const implied = this.#vocabulary?.implied(label) ?? [];
    return above.every((name) => implied.includes(this.labelOf(name)));
  }

  /** @param {string} typed @returns {string[]} names that begin so, then those that have it in them */
  propose(typed) {
    const wanted = typed.toLocaleLowerCase();
    /** @type {string[][]} */
    const [first, second] = [[], []];
    for (const [name, label] of this.#known()) {
      const at = name.indexOf(wanted);
      if (at >= 0) (at === 0 ? first : second)?.push(this.nameOf(label));
      if ((first?.length ?? 0) >= PROPOSED) break;
    }
    return [...new Set([...(first ?? []), ...(second ?? [])])].slice(0, PROPOSED);
  }

  #known() {
    if (this.#labels) return this.#labels;
    const labels = new Map();
    const add = (/** @type {string} */ name, /** @type {string} */ label) => {
      const key = name.toLocaleLowerCase();
      if (!labels.has(key)) labels.set(key, label);
    };
    for (const label of this.#own) add(this.nameOf(label), label);
    for (const [label, name] of this.#others) add(name, label);
    const listed = this.#vocabulary?.labels ?? [];
    for (const { label } of listed) add(this.nameOf(label), label);
    // In English as well, whatever the page speaks.
    for (const { label } of listed) add(label, label);
    this.#labels = labels;
    return labels;
  }
}
