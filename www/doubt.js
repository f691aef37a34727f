/**
 * Doubts about labels of somebody's own.
 *
 * @typedef {import('./session.js').Asked} Asked
 * @typedef {import('./session.js').Tagger} Tagger
 *
 * @typedef {object} Doubt
 * @property {string | null} likely the tag of the vocabulary that a picture rather seems to show; null where that is unsure
 */

import { nameOf, TEMPLATE } from './labels.js';
import { dot } from './vectors.js';

/**
 * The cosine of two words from which on they mean the same: of the built-in model, "motorbike" and "motorcycle" have 0.75,
 * "sofa" and "couch" 0.44, "cat" and "dog" 0.22.
 */
const SAME_THING = 0.4;

/** A score that adds nothing to a sum of scores: of a thousand labels, most have less. */
const LEAST = 1e-4;

/**
 * Whether pictures show none of somebody's own labels: one of several is always the best, however little it fits. They
 * are compared once more, among all that the tagger can know.
 *
 * @param {Tagger} tagger
 * @param {Float32Array[]} embeddings of the pictures
 * @param {Asked} asked
 * @param {AbortSignal} signal
 * @returns {Promise<(Doubt | null)[]>} of each
 */
export async function doubtsOf(tagger, embeddings, { labels, beside, vocabulary }, signal) {
  const { sureThreshold } = tagger.calibration;
  if (!vocabulary || sureThreshold === null || beside.length === 0) return embeddings.map(() => null);
  const { all: among, own, fitting, listed } = comparisonOf(labels, beside, vocabulary);
  const answers = await tagger.tag(embeddings, among, { threshold: LEAST, signal });
  /** @type {(Doubt | null)[]} */
  const doubts = [];
  for (const all of answers) {
    const share = all.reduce((sum, { label, score }) => sum + (fitting.has(label) ? score : 0), 0);
    const likely = share >= sureThreshold ? null : (vocabulary.surest(all, sureThreshold)?.label ?? null);
    const best = all.find(({ label }) => own.has(label))?.label;
    // A motorbike is a motorcycle by another name. Of two that are listed, each is its own thing: "animal" and "food" have 0.51.
    const same =
      likely !== null &&
      best !== undefined &&
      !listed.has(best) &&
      (await likeness(tagger, likely, best, signal)) >= SAME_THING;
    doubts.push(share >= sureThreshold || same ? null : { likely });
  }
  return doubts;
}

/**
 * @typedef {object} Comparison
 * @property {Asked['labels']} all somebody's own, and behind them what they are compared with
 * @property {ReadonlySet<string>} own
 * @property {ReadonlySet<string>} fitting those, and their kinds: a poodle is the dog that was asked for
 * @property {ReadonlySet<string>} listed what the vocabulary has
 */

/** Put together once for all pictures. @type {WeakMap<Asked['labels'], { beside: Asked['beside'], comparison: Comparison }>} */
const comparisons = new WeakMap();

/**
 * @param {Asked['labels']} labels
 * @param {Asked['beside']} beside
 * @param {import('ocelli').Vocabulary} vocabulary
 * @returns {Comparison}
 */
function comparisonOf(labels, beside, vocabulary) {
  const known = comparisons.get(labels);
  if (known?.beside === beside) return known.comparison;
  const own = new Set(labels.map(nameOf));
  const others = beside.filter((label) => !own.has(nameOf(label)));
  const kinds = others.map(nameOf).filter((label) => vocabulary.implied(label).some((tag) => own.has(tag)));
  const comparison = {
    all: [...labels, ...others],
    own,
    fitting: new Set([...own, ...kinds]),
    listed: new Set(vocabulary.labels.map(({ label }) => label)),
  };
  comparisons.set(labels, { beside, comparison });
  return comparison;
}

/** Cosines of words that were asked for before. @type {WeakMap<Tagger, Map<string, number>>} */
const known = new WeakMap();

/** The cosine of two words. @param {Tagger} tagger @param {string} one @param {string} other @param {AbortSignal} signal */
async function likeness(tagger, one, other, signal) {
  const cosines = known.get(tagger) ?? new Map();
  known.set(tagger, cosines);
  const key = JSON.stringify([one, other]);
  const before = cosines.get(key);
  if (before !== undefined) return before;
  const texts = [one, other].map((word) => TEMPLATE.replace('{}', word));
  const [a, b] = await tagger.embedTexts(texts, { signal });
  const cosine = a && b ? dot(a, b) : 0;
  cosines.set(key, cosine);
  return cosine;
}
