/**
 * Doubts about labels of somebody's own.
 *
 * @typedef {import('./session.js').Asked} Asked
 * @typedef {import('./session.js').Tagger} Tagger
 *
 * @typedef {object} Doubt
 * @property {string | null} likely the tag of the vocabulary that a picture rather seems to show; null where that is unsure
 */

import { TEMPLATE } from './labels.js';
import { dot } from './vectors.js';

/**
 * The cosine of two words from which on they mean the same: of the built-in model, "motorbike" and "motorcycle" have 0.75,
 * "sofa" and "couch" 0.44, "cat" and "dog" 0.22.
 */
const SAME_THING = 0.4;

/**
 * Whether a picture shows none of somebody's own labels: one of several is always the best, however little it fits. They
 * are compared once more, among all that the tagger can know.
 *
 * @param {Tagger} tagger
 * @param {Float32Array} embedding of the picture
 * @param {Asked} asked
 * @param {AbortSignal} signal
 * @returns {Promise<Doubt | null>}
 */
export async function doubtOf(tagger, embedding, { labels, beside, vocabulary }, signal) {
  const { sureThreshold } = tagger.calibration;
  if (!vocabulary || sureThreshold === null || beside.length === 0) return null;
  const name = (/** @type {import('./labels.js').Label} */ label) =>
    typeof label === 'string' ? label : label.label;
  const own = new Set(labels.map(name));
  const others = beside.filter((label) => !own.has(name(label)));
  const all = await tagger.tag(embedding, [...labels, ...others], { signal });
  // A poodle is the dog that was asked for.
  const fits = (/** @type {string} */ label) =>
    own.has(label) || vocabulary.implied(label).some((tag) => own.has(tag));
  const share = all.reduce((sum, { label, score }) => sum + (fits(label) ? score : 0), 0);
  if (share >= sureThreshold) return null;
  const likely = vocabulary.surest(all, sureThreshold)?.label ?? null;
  const best = all.find(({ label }) => own.has(label))?.label;
  // A motorbike is a motorcycle by another name.
  const same = likely && best !== undefined && (await likeness(tagger, [likely, best], signal)) >= SAME_THING;
  return same ? null : { likely };
}

/** The cosine of two words. @param {Tagger} tagger @param {[string, string]} words @param {AbortSignal} signal */
async function likeness(tagger, words, signal) {
  const texts = words.map((word) => TEMPLATE.replace('{}', word));
  const [a, b] = await tagger.embedTexts(texts, { signal });
  return a && b ? dot(a, b) : 0;
}
