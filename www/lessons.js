/**
 * What people have taught: labels, by pictures that show them. A tagger learns them from what it knows of these pictures, in no time.
 *
 * @typedef {import('ocelli').Tagger} Tagger
 * @typedef {import('ocelli').Teacher} Teacher
 * @typedef {import('./session.js').Picture} Picture
 */

/** Pictures that a label is learnt from at most: with more nothing is learnt that some of them do not tell. */
const MOST = 64;

/** Dispatches `change` when something was taught or forgotten. */
export class Lessons extends EventTarget {
  /** Pictures of each label; never changed, but replaced. @type {ReadonlyMap<string, readonly Picture[]>} */
  #examples = new Map();
  /** What a tagger has learnt of them. @type {{ tagger: Tagger, examples: ReadonlyMap<string, readonly Picture[]>, sentences: string, teacher: Promise<Teacher | null> } | null} */
  #learnt = null;
  #embed;

  /** @param {(tagger: Tagger, picture: Picture) => Promise<Float32Array | null>} embed null for what cannot be read */
  constructor(embed) {
    super();
    this.#embed = embed;
  }

  get examples() {
    return this.#examples;
  }

  /** @param {ReadonlyMap<string, readonly Picture[]>} examples in place of what was taught */
  put(examples) {
    this.#examples = examples;
    this.dispatchEvent(new Event('change'));
  }

  /** What is taught once a label is, too. @param {string} label @param {readonly Picture[]} pictures */
  with(label, pictures) {
    return new Map([
      ...this.#examples,
      [label, [...new Set([...(this.#examples.get(label) ?? []), ...pictures])]],
    ]);
  }

  /**
   * @param {Tagger} tagger
   * @param {string | readonly string[]} template the sentences that labels are put into
   * @returns {Promise<Teacher | null>} null where nothing was taught
   */
  teacher(tagger, template) {
    if (this.#examples.size === 0) return Promise.resolve(null);
    const sentences = [template].flat().join('\n');
    const learnt = this.#learnt;
    if (learnt?.tagger === tagger && learnt.examples === this.#examples && learnt.sentences === sentences) {
      return learnt.teacher;
    }
    const teacher = this.#learn(tagger, template);
    this.#learnt = { tagger, examples: this.#examples, sentences, teacher };
    // What went wrong once may go well the next time.
    teacher.catch(() => (this.#learnt = null));
    return teacher;
  }

  /** @param {Tagger} tagger @param {string | readonly string[]} template @returns {Promise<Teacher | null>} */
  async #learn(tagger, template) {
    /** @type {Map<Picture, number>} */
    const uses = new Map();
    for (const picture of [...this.#examples.values()].flat()) {
      uses.set(picture, (uses.get(picture) ?? 0) + 1);
    }
    /** @type {Map<string, Float32Array[]>} */
    const examples = new Map();
    for (const [label, pictures] of this.#examples) {
      // What shows two of them tells neither from the other.
      const telling = pictures.filter((picture) => uses.get(picture) === 1).slice(-MOST);
      const found = await Promise.all(telling.map((picture) => this.#embed(tagger, picture)));
      const known = found.filter((one) => one !== null);
      if (known.length > 0) examples.set(label, known);
    }
    return examples.size === 0 ? null : tagger.teach(examples, { template });
  }
}
