/**
 * Where tags lie that are below others, “pets|dogs|Rex” by “Rex”: as the labels that are asked say, or as somebody has said by hand,
 * which is kept in this browser.
 *
 * @typedef {ReadonlyMap<string, string>} Paths by labels
 */

import { keepText, keptText } from './kept-text.js';
import { BELOW, leafOf } from './labels.js';

const PLACE = 'ocelli-tag-paths';
/** Tags of which it is kept. */
const MOST = 5000;

export class TagPaths {
  /** @type {Paths} */
  #asked = new Map();
  #given = kept();

  /** @param {string} label @returns {string | undefined} */
  get(label) {
    return this.#given.get(label) ?? this.#asked.get(label);
  }

  /** Those that were said by hand: another map whenever they change. @returns {Paths} */
  get given() {
    return this.#given;
  }

  /** @param {Paths} paths of the labels that are asked when the page opens */
  begin(paths) {
    this.#asked = paths;
  }

  /** @param {Paths} paths of labels that somebody asks now, in place of what was said by hand of them */
  ask(paths) {
    this.#asked = paths;
    if ([...paths.keys()].some((label) => this.#given.has(label))) {
      this.put(new Map([...this.#given].filter(([label]) => !paths.has(label))));
    }
  }

  /**
   * What is said by hand once tags are given.
   * @param {readonly string[]} tags as they were typed: “pets|dogs|Rex”
   * @param {(name: string) => string} labelOf the label of what is called so
   * @returns {Paths} the same map where they are below nothing
   */
  with(tags, labelOf) {
    const fresh = tags.flatMap((tag) => {
      const path = readPath(tag);
      return path === null ? [] : [/** @type {const} */ ([labelOf(leafOf(path)), path])];
    });
    const news = fresh.filter(([label, path]) => this.get(label) !== path);
    return news.length === 0 ? this.#given : new Map([...this.#given, ...news].slice(-MOST));
  }

  /** @param {Paths} given in place of what was said by hand */
  put(given) {
    if (given === this.#given) return;
    this.#given = new Map(given);
    keepText(PLACE, given.size === 0 ? null : JSON.stringify([...given]));
  }
}

/** @param {string} text @returns {string | null} a tag with those that it is below; null where there are none */
export function readPath(text) {
  const parts = text.split(BELOW).map((part) => part.trim());
  const names = parts.filter((part) => part !== '');
  return names.length > 1 ? names.join(BELOW) : null;
}

/** @returns {Paths} */
function kept() {
  try {
    const pairs = JSON.parse(keptText(PLACE) ?? '[]');
    const isRight = (/** @type {any} */ pair) =>
      pair?.length === 2 &&
      pair.every((/** @type {unknown} */ one) => typeof one === 'string') &&
      readPath(pair[1]);
    return new Map(Array.isArray(pairs) ? pairs.filter(isRight) : []);
  } catch {
    return new Map();
  }
}
