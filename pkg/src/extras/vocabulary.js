/**
 * The vocabulary: everyday tags, their names in two languages, and what each of them implies. One comes with the
 * package, `vocabulary/everyday.tsv`; any other file of the same form will do.
 *
 * The form: UTF-8, a header line, then one tag a line, with tabs between its four columns. `tag` is the English name;
 * `hint` the sense that is meant where the word has several, as it follows the tag in a sentence ("a photo of a bat, a
 * type of animal."); `ja` the Japanese name; `parents` the tags that this one implies, with commas between them.
 * Only `tag` is never empty. Empty lines, and those that begin with `#`, are passed over.
 *
 * @typedef {object} VocabularyTag
 * @property {string} tag its English name
 * @property {string} hint the sense that is meant, or empty
 * @property {string} ja its Japanese name, or empty
 * @property {readonly string[]} parents the tags that it implies directly
 *
 * @typedef {object} KnowsLabels a `Tagger`, or what tells as it does which labels it can know
 * @property {(options: { signal: AbortSignal | null }) => Promise<readonly string[] | null>} knownLabels
 *
 * @typedef {object} VocabularyLabel
 * @property {string} label
 * @property {string} [hint] the sense that is meant, where the word has several
 */

import { packageFile } from '../files.js';
import { checkAddress, checkLanguage, checkTagger, checkTags, checkThreshold } from '../page/arguments.js';
import { readOptions } from '../page/options.js';
import { fetchText } from '../page/text-file.js';
import { errorFor } from '../shared/errors.js';

/** The largest file accepted. The one of the package has 56 kB. */
const MAX_BYTES = 1 << 20;
/** The most tags accepted: a tagger takes no more labels. */
const MAX_TAGS = 10_000;

/** @type {ReadonlySet<string>} */
const NOTHING = new Set();

const COLUMNS = ['tag', 'hint', 'ja', 'parents'];

/**
 * Fetches a vocabulary.
 *
 * @param {string | URL} [address] of the file; by default the one that comes with the package
 * @param {{ signal?: AbortSignal | null }} [options]
 * @returns {Promise<Vocabulary>}
 * @throws {NetworkError} `network`, `http-status`, `not-found`
 * @throws {AbortError} `aborted`
 * @throws {WorkerError} `unsupported-browser` on the server of a framework
 * @throws {OcelliError} `argument-invalid`, also where the file is no vocabulary
 */
export async function loadVocabulary(address = packageFile('vocabulary/everyday.tsv'), options = {}) {
  checkAddress(address, 'vocabulary');
  const { signal } = readOptions(options, ['signal']);
  return parseVocabulary(await fetchText(address, { what: 'vocabulary', limit: MAX_BYTES, signal }));
}

/**
 * The vocabulary that a text describes.
 *
 * @param {string} text
 * @returns {Vocabulary}
 * @throws {OcelliError} `argument-invalid`
 */
export function parseVocabulary(text) {
  if (typeof text !== 'string') throw invalid('The vocabulary must be a text.');
  if (text.length > MAX_BYTES) throw invalid(`The vocabulary is larger than ${MAX_BYTES >> 20} MB.`);
  /** @type {Map<string, VocabularyTag>} */
  const tags = new Map();
  let headed = false;
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line === '' || line.startsWith('#')) continue;
    if (!headed) {
      if (line !== COLUMNS.join('\t')) break;
      headed = true;
      continue;
    }
    const entry = parseLine(line, `Line ${index + 1} of the vocabulary`);
    if (tags.has(entry.tag)) throw invalid(`The vocabulary has the tag "${entry.tag}" twice.`);
    if (tags.size === MAX_TAGS) throw invalid(`The vocabulary has more than ${MAX_TAGS} tags.`);
    tags.set(entry.tag, entry);
  }
  if (!headed) throw invalid(`The vocabulary does not begin with the columns ${COLUMNS.join(', ')}.`);
  if (tags.size === 0) throw invalid('The vocabulary has no tags.');
  for (const { tag, parents } of tags.values()) {
    const stranger = parents.find((parent) => !tags.has(parent));
    if (stranger !== undefined) {
      throw invalid(`The tag "${tag}" has the parent "${stranger}", which is no tag of the vocabulary.`);
    }
  }
  return new Vocabulary(tags);
}

/** Tags, their names, and what they imply. It never changes. */
export class Vocabulary {
  /** @type {ReadonlyMap<string, VocabularyTag>} */
  #tags;
  /** @type {ReadonlyMap<string, number>} */
  #depths;
  /** What each tag implies, as far as somebody has asked. @type {Map<string, ReadonlySet<string>>} */
  #ancestors = new Map();

  /** @param {ReadonlyMap<string, VocabularyTag>} tags by name; every parent is among them */
  constructor(tags) {
    this.#tags = tags;
    this.#depths = measureDepths(tags);
    /**
     * All tags, in the file's order.
     *
     * @readonly
     * @type {readonly VocabularyTag[]}
     */
    this.tags = Object.freeze([...tags.values()]);
    /**
     * What a tagger is given, in the file's order.
     *
     * @readonly
     * @type {readonly VocabularyLabel[]}
     */
    this.labels = Object.freeze(
      this.tags.map(({ tag, hint }) => Object.freeze({ label: tag, ...(hint !== '' && { hint }) })),
    );
    Object.freeze(this);
  }

  /**
   * What a tagger should be asked: the labels that it can know. Of a model with a list of what it knows, as the built-in
   * one, these are the labels on the list; of any other model, all.
   *
   * @param {KnowsLabels} tagger
   * @param {{ signal?: AbortSignal | null }} [options]
   * @returns {Promise<readonly VocabularyLabel[]>} in the file's order
   * @throws {ModelError} `config-invalid`: the model's list is none
   * @throws {AbortError} `aborted`
   * @throws {OcelliError} `argument-invalid`
   */
  async labelsFor(tagger, options = {}) {
    const { signal } = readOptions(options, ['signal']);
    checkTagger(tagger);
    const known = await tagger.knownLabels({ signal: signal ?? null });
    if (known === null) return this.labels;
    const names = new Set(known);
    return Object.freeze(this.labels.filter(({ label }) => names.has(label)));
  }

  /**
   * The most particular answer that a tagger is sure of. That is its best tag, or else the nearest of the tags which the
   * best one implies, whose own score, together with those of all tags that imply it, reaches the threshold: four kinds of
   * terrier with a fifth each are surely a dog. The scores have to be those of one right
   * label among all (`softmax`), and all of them.
   *
   * @param {readonly import('../page/tagger.js').Tag<string | null>[]} tags a tagger's answer, not cut short
   * @param {number} threshold such as `tagger.calibration.sureThreshold`
   * @returns {import('../page/tagger.js').Tag | null} `index` is -1 where it was not in the list; null where nothing is
   *   sure
   * @throws {OcelliError} `argument-invalid`
   */
  surest(tags, threshold) {
    checkTags(tags);
    checkThreshold(threshold);
    const best = tags.reduce(
      (first, tag) => (first === null || tag.score > first.score ? tag : first),
      /** @type {import('../page/tagger.js').Tag<string | null> | null} */ (null),
    );
    if (best === null || best.label === null) return null;
    const possible = [best.label, ...this.#impliedBy(best.label)];
    const sums = this.#sums(tags, possible);
    for (const label of possible) {
      const score = Math.min(1, sums.get(label) ?? 0);
      if (score >= threshold) {
        return { label, score, index: tags.find((tag) => tag.label === label)?.index ?? -1 };
      }
    }
    return null;
  }

  /**
   * The scores of some tags, each together with those of all that imply it.
   *
   * @param {readonly import('../page/tagger.js').Tag<string | null>[]} tags
   * @param {Iterable<string>} wanted
   * @returns {ReadonlyMap<string, number>}
   */
  #sums(tags, wanted) {
    const sums = new Map([...wanted].map((label) => [label, 0]));
    const add = (/** @type {string} */ label, /** @type {number} */ score) => {
      const sum = sums.get(label);
      if (sum !== undefined) sums.set(label, sum + score);
    };
    for (const { label, score } of tags) {
      if (label === null) continue;
      add(label, score);
      for (const other of this.#impliedBy(label)) add(other, score);
    }
    return sums;
  }

  /**
   * A tag's name in a language. Where there is none, it is the tag itself.
   *
   * @param {string} tag
   * @param {'en' | 'ja'} language
   * @returns {string}
   */
  name(tag, language) {
    checkLanguage(language);
    return (language === 'ja' && this.#tags.get(tag)?.ja) || tag;
  }

  /**
   * Everything that a tag implies: its parents, then theirs, and so on, each once. Nothing for a tag that is not in the
   * vocabulary.
   *
   * @param {string} tag
   * @returns {string[]}
   */
  implied(tag) {
    return [...this.#impliedBy(tag)];
  }

  /** @param {string} tag @returns {ReadonlySet<string>} */
  #impliedBy(tag) {
    const known = this.#ancestors.get(tag);
    if (known) return known;
    if (!this.#tags.has(tag)) return NOTHING;
    const found = new Set([tag]);
    // A set goes on with what is added while it is walked through.
    for (const next of found) {
      for (const parent of this.#tags.get(next)?.parents ?? []) found.add(parent);
    }
    found.delete(tag);
    this.#ancestors.set(tag, found);
    return found;
  }

  /**
   * A tagger's answer without the tags that a better one implies: where "cat" comes first, neither "mammal" nor "animal"
   * says anything more. What is left keeps its order and its scores.
   *
   * @template {string | null} L
   * @param {readonly import('../page/tagger.js').Tag<L>[]} tags
   * @returns {import('../page/tagger.js').Tag<L>[]}
   * @throws {OcelliError} `argument-invalid`
   * @example
   * const tags = vocabulary.withoutImplied(await tagger.tag(file, labels, { threshold: 0.01 })).slice(0, 5);
   */
  withoutImplied(tags) {
    checkTags(tags);
    const ordered = [...tags].sort((a, b) => b.score - a.score);
    const implied = new Set();
    return ordered.filter(({ label }) => {
      if (label === null) return true;
      if (implied.has(label)) return false;
      for (const other of this.#impliedBy(label)) implied.add(other);
      return true;
    });
  }

  /**
   * A tagger's answer together with all that its tags imply.
   *
   * A tag scores at least as much as each present tag that implies it: what is surely a beagle is as surely a dog.
   * Scores are not added up, so that none passes 1 and each is still that of a label; together they pass 1. Best come
   * first; among equals the more particular first, so that each tag stands before what it implies, and then as given.
   * Labels that are not in the vocabulary, and "none of these", stay as they are. Cut the answer short (`slice`, `topK`) before rather than
   * after this call, or parents take the places of other finds.
   *
   * With `among`, the answer that `tags` were taken from, each percentage is the tag's own together with those of all
   * tags of the whole answer that imply it: the right one where the scores are of one right label among all (`softmax`).
   * The order stays the same, so that what is particular stands before what it implies.
   *
   * @template {string | null} L
   * @param {readonly import('../page/tagger.js').Tag<L>[]} tags
   * @param {{ among?: readonly import('../page/tagger.js').Tag<string | null>[] }} [options]
   * @returns {import('../page/tagger.js').Tag<L | string>[]} new ones; `index` is -1 for those that were not in the
   *   list
   * @throws {OcelliError} `argument-invalid`
   */
  withParents(tags, options = {}) {
    checkTags(tags);
    const { among } = readOptions(options, ['among']);
    if (among !== undefined) checkTags(among);
    /** @type {Map<string, number>} */
    const scores = new Map();
    const raise = (/** @type {string} */ tag, /** @type {number} */ score) =>
      scores.set(tag, Math.max(score, scores.get(tag) ?? score));
    for (const { label, score } of tags) if (label !== null) raise(label, score);
    const given = new Set(scores.keys());
    // From the most particular tags on: whatever raises a tag has been raised itself before.
    for (const tag of [...this.#depths.keys()].reverse()) {
      const score = scores.get(tag);
      if (score === undefined) continue;
      for (const parent of this.#tags.get(tag)?.parents ?? []) raise(parent, score);
    }
    const raised = tags.map((tag) => ({ ...tag, score: scores.get(tag.label ?? '') ?? tag.score }));
    const added = [...scores]
      .filter(([label]) => !given.has(label))
      .map(([label, score]) => ({ label, score, index: -1 }));
    const depth = (/** @type {{ label: string | null }} */ { label }) => this.#depths.get(label ?? '') ?? 0;
    const ordered = [...raised, ...added].sort((a, b) => b.score - a.score || depth(b) - depth(a));
    if (among === undefined) return ordered;
    const sums = this.#sums(among, scores.keys());
    const sum = (/** @type {string} */ label) => Math.min(1, sums.get(label) ?? 0);
    return ordered.map((tag) => (tag.label === null ? tag : { ...tag, score: sum(tag.label) }));
  }
}

/**
 * How many steps each tag is below those without parents, by the longest way. Every tag comes after its parents.
 *
 * @param {ReadonlyMap<string, VocabularyTag>} tags
 * @returns {Map<string, number>}
 */
function measureDepths(tags) {
  /** @type {Map<string, string[]>} */
  const children = new Map();
  /** @type {Map<string, number>} */
  const waiting = new Map();
  /** @type {string[]} */
  let level = [];
  for (const { tag, parents } of tags.values()) {
    if (parents.length === 0) level.push(tag);
    waiting.set(tag, parents.length);
    for (const parent of parents) {
      const known = children.get(parent);
      if (known) known.push(tag);
      else children.set(parent, [tag]);
    }
  }
  /** @type {Map<string, number>} */
  const depths = new Map();
  for (let depth = 0; level.length > 0; depth += 1) {
    const next = [];
    for (const tag of level) {
      depths.set(tag, depth);
      for (const child of children.get(tag) ?? []) {
        const left = (waiting.get(child) ?? 0) - 1;
        waiting.set(child, left);
        if (left === 0) next.push(child);
      }
    }
    level = next;
  }
  for (const tag of tags.keys()) {
    if (!depths.has(tag)) throw invalid(`The parents of the tag "${tag}" lead round in a circle.`);
  }
  return depths;
}

/**
 * @param {string} line
 * @param {string} where
 * @returns {VocabularyTag}
 */
function parseLine(line, where) {
  const cells = line.split('\t');
  if (cells.length !== COLUMNS.length) {
    throw invalid(`${where} does not have ${COLUMNS.length} columns, but ${cells.length}.`);
  }
  if (cells.some((cell) => cell !== cell.trim())) throw invalid(`${where} has spaces around a cell.`);
  const [tag, hint, ja, parents] = /** @type {[string, string, string, string]} */ (cells);
  if (tag === '') throw invalid(`${where} has no tag.`);
  return Object.freeze({ tag, hint, ja, parents: Object.freeze(parents === '' ? [] : parents.split(',')) });
}

/** @param {string} sentence */
function invalid(sentence) {
  return errorFor('argument-invalid', sentence);
}
