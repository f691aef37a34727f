/**
 * What is asked of taggers about every picture, and the labels that each of them can be asked with.
 *
 * @typedef {import('./tagging.js').Question} Question
 * @typedef {import('./tagging.js').Asked} Asked
 * @typedef {import('ocelli').Tagger} Tagger
 * @typedef {readonly import('./labels.js').Label[]} Labels
 */

import { askedAs, EVERYDAY } from './labels.js';
import { withExtra } from './tagging.js';

/** @type {Labels} */
const NONE = [];

export class TagQuestion {
  /** @type {Question | Promise<Question>} a promise while the first labels are on their way */
  current;
  /** @type {WeakMap<Tagger, Promise<readonly import('./labels.js').Label[]>>} */
  #knownLabels = new WeakMap();

  /** @type {{ known: Labels, extra: Labels, all: Labels } | null} */
  #last = null;

  /** @param {Question | Promise<Question>} question */
  constructor(question) {
    this.current = question;
  }

  /**
   * What a tagger is asked now, with all of its labels.
   * @param {Tagger} tagger
   * @returns {Promise<Asked>}
   */
  async of(tagger) {
    const question = await this.current;
    const { labels, vocabulary, extra = NONE } = question;
    const known = vocabulary ? () => this.#labelsOf(tagger, vocabulary) : null;
    if (labels !== null) {
      const beside = known && tagger.calibration.sureThreshold !== null ? await known() : [];
      return { ...question, labels, judged: false, beside };
    }
    if (!known) throw new Error('a question without labels has a vocabulary');
    return { ...question, labels: this.#joined(await known(), extra), judged: true, beside: [] };
  }

  /** Labels with somebody's own, the same as long as both are. @param {Labels} known @param {Labels} extra */
  #joined(known, extra) {
    if (this.#last?.known !== known || this.#last.extra !== extra) {
      this.#last = { known, extra, all: withExtra(known, extra) };
    }
    return this.#last.all;
  }

  /** The labels that the page begins with. @param {Tagger} tagger */
  async firstOf(tagger) {
    const { vocabulary } = await this.current;
    return vocabulary ? this.#labelsOf(tagger, vocabulary) : EVERYDAY;
  }

  /**
   * The labels of the vocabulary that a tagger can know.
   * @param {Tagger} tagger
   * @param {import('ocelli').Vocabulary} vocabulary
   */
  #labelsOf(tagger, vocabulary) {
    // A list that cannot be had costs time, and no answer.
    const labels =
      this.#knownLabels.get(tagger) ?? vocabulary.labelsFor(tagger).catch(() => vocabulary.labels);
    this.#knownLabels.set(tagger, labels);
    return labels;
  }

  /**
   * Reads the labels before the first picture comes.
   * @param {Tagger} tagger
   * @param {{ signal: AbortSignal, onProgress: (progress: import('ocelli').ProgressEvent) => void }} options
   */
  async prepare(tagger, { signal, onProgress }) {
    try {
      const { labels, vocabulary = null, template, templates } = await this.of(tagger);
      await tagger.prepare(askedAs(labels, vocabulary), {
        template: templates ?? template,
        signal,
        onProgress,
      });
    } catch {
      // Tagging tells what is wrong, if anything is.
    }
  }
}
