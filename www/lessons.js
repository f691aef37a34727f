/**
 * What people have taught: words, by pictures that show them. Another picture gets the word where it is much more like these than most
 * pictures are: by the cosine of its embedding with the mean of theirs (a prototype: Snell, Swersky and Zemel 2017), seen against the
 * median and the spread of the others that are here, so that it means the same for every model.
 *
 * @typedef {import('ocelli').Tagger} Tagger
 * @typedef {import('./session.js').Picture} Picture
 *
 * @typedef {object} Lesson what a tagger makes of the examples of a word
 * @property {Float32Array} prototype of length 1
 * @property {number} least the least cosine of a picture that gets the word
 */

import { dot } from './vectors.js';

/**
 * How many deviations above the median is much more alike. With 1 to 4 examples, of photographs that the model has never seen 65 to
 * 79 % of the others of a kind are above it in a library of 594 others, and of a thousand of other kinds about four
 * (`tests/evaluate/README.md`).
 */
const MUCH = 3.5;
/** From the median absolute deviation to the standard deviation, where most are spread as Gauss has it. */
const TO_DEVIATION = 1.4826;
/** With so few pictures nothing is known of how they are spread. */
const FEWEST = 8;
/** What is known of the spread serves until so many times as many pictures are known, and for some milliseconds at least. */
const GROWN = 1.1;
const SERVES = 2000;

/** Dispatches `change` when something was taught or forgotten. */
export class Lessons extends EventTarget {
  /** Pictures of each word; never changed, but replaced. @type {ReadonlyMap<string, readonly Picture[]>} */
  #examples = new Map();
  /** What was made of them. @type {{ tagger: Tagger, examples: ReadonlyMap<string, readonly Picture[]>, known: number, at: number, lessons: Map<string, Lesson> } | null} */
  #learnt = null;
  /** Words of each picture, as of the lessons that gave them. @type {WeakMap<Picture, { lessons: Map<string, Lesson>, embedding: Float32Array, words: string[] }>} */
  #words = new WeakMap();
  #known;

  /** @param {(tagger: Tagger, picture: Picture) => Float32Array | undefined} known what a tagger knows of a picture */
  constructor(known) {
    super();
    this.#known = known;
  }

  get examples() {
    return this.#examples;
  }

  /** @param {ReadonlyMap<string, readonly Picture[]>} examples in place of what was taught */
  put(examples) {
    this.#examples = examples;
    this.dispatchEvent(new Event('change'));
  }

  /** What is taught once a word is, too. @param {string} label @param {readonly Picture[]} pictures */
  with(label, pictures) {
    const all = [...(this.#examples.get(label) ?? []), ...pictures];
    return new Map([...this.#examples, [label, [...new Set(all)]]]);
  }

  /**
   * The words that a picture gets.
   * @param {Tagger} tagger
   * @param {Picture} picture
   * @param {readonly Picture[]} among all pictures
   * @returns {readonly string[]}
   */
  of(tagger, picture, among) {
    const embedding = this.#examples.size > 0 && this.#known(tagger, picture);
    if (!embedding) return [];
    const lessons = this.#learn(tagger, among);
    const before = this.#words.get(picture);
    if (before?.lessons === lessons && before.embedding === embedding) return before.words;
    const words = [...lessons]
      .filter(([, { prototype, least }]) => dot(prototype, embedding) >= least)
      .map(([label]) => label);
    this.#words.set(picture, { lessons, embedding, words });
    return words;
  }

  /** @param {Tagger} tagger @param {readonly Picture[]} among */
  #learn(tagger, among) {
    const learnt = this.#learnt;
    const same = learnt?.tagger === tagger && learnt.examples === this.#examples;
    const now = performance.now();
    if (same && (among.length < learnt.known * GROWN || now - learnt.at < SERVES)) return learnt.lessons;
    const all = new Map(
      among.flatMap((picture) => {
        const vector = this.#known(tagger, picture);
        return vector ? [/** @type {const} */ ([picture, vector])] : [];
      }),
    );
    if (same && all.size < learnt.known * GROWN) {
      learnt.at = now;
      return learnt.lessons;
    }
    /** @type {Map<string, Lesson>} */
    const lessons = new Map();
    for (const [label, pictures] of this.#examples) {
      const prototype = meanOf(pictures.flatMap((picture) => this.#known(tagger, picture) ?? []));
      // In a small library, examples among the others would make it seem usual to be like them.
      const examples = new Set(pictures);
      const others = [...all].filter(([picture]) => !examples.has(picture)).map(([, vector]) => vector);
      if (prototype && others.length >= FEWEST) {
        lessons.set(label, { prototype, least: leastOf(prototype, others) });
      }
    }
    this.#learnt = { tagger, examples: this.#examples, known: all.size, at: now, lessons };
    return lessons;
  }
}

/** @param {readonly Float32Array[]} vectors of length 1 @returns {Float32Array | null} their mean, of length 1 as well */
function meanOf(vectors) {
  const [first] = vectors;
  if (!first) return null;
  const sum = first.map((_, at) => vectors.reduce((total, vector) => total + (vector[at] ?? 0), 0));
  const length = Math.hypot(...sum);
  return length > 0 ? sum.map((value) => value / length) : null;
}

/** @param {Float32Array} prototype @param {readonly Float32Array[]} others */
function leastOf(prototype, others) {
  const cosines = others.map((vector) => dot(prototype, vector));
  const middle = medianOf(cosines);
  const deviation = TO_DEVIATION * medianOf(cosines.map((cosine) => Math.abs(cosine - middle)));
  return middle + MUCH * deviation;
}

/** @param {readonly number[]} values at least one */
function medianOf(values) {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
}
