/**
 * What is asked of a tagger about the pictures, and what becomes of its answers.
 *
 * @typedef {import('ocelli').Tagger} Tagger
 * @typedef {import('./session.js').Tag} Tag
 *
 * @typedef {object} Question what tagging asks
 * @property {readonly import('./labels.js').Label[] | null} labels null for those of the vocabulary that the tagger can know
 * @property {readonly import('./labels.js').Label[]} [extra] somebody's own beside those of the vocabulary
 * @property {string} template the sentence around each label
 * @property {readonly string[] | null} [templates] several sentences, in place of the one
 * @property {'softmax' | 'independent'} [scores]
 * @property {boolean} [none] whether "none of these" is among the answers
 * @property {import('ocelli').Vocabulary | null} [vocabulary] where the labels come from, if their parents are known
 *
 * @typedef {object} TagAnswer
 * @property {Tag[]} tags
 * @property {boolean} sure whether the best of them is more than a guess; where it is not, there are no tags
 * @property {import('./doubt.js').Doubt | null} [doubt] where somebody's own labels are answered, though the picture seems to show none of them
 *
 * @typedef {Question & { labels: readonly import('./labels.js').Label[], judged: boolean,
 *   beside: readonly import('./labels.js').Label[] }} Asked `judged`: whether the page chose the labels, and so can tell
 *   guesses from answers. `beside`: what somebody's own labels are compared with, where the tagger can tell
 */

import { doubtsOf } from './doubt.js';
import { nameOf } from './labels.js';

/** Tags kept for each picture, and how many there may be with all that they imply. */
const TAGS_SHOWN = 5;
const MOST_SHOWN = 7;
/** Beside a sure answer, what scores less is noise. */
const WORTH_SHOWING = 0.05;

/**
 * @param {Tagger} tagger
 * @param {Float32Array[]} embeddings of pictures
 * @param {Asked} asked
 * @param {{ signal: AbortSignal, onProgress: (progress: import('ocelli').ProgressEvent) => void }} options
 * @returns {Promise<TagAnswer[]>} of each, the best, and all that they imply
 */
export async function tagWith(tagger, embeddings, asked, { signal, onProgress }) {
  const { labels, template, templates, scores, none } = asked;
  const all = await tagger.tag(embeddings, labels, {
    template: templates ?? template,
    ...(scores && { scores }),
    ...(none && { none: true }),
    signal,
    onProgress,
  });
  // What somebody asks, of all labels at once, can be doubted.
  const whole = scores !== 'independent' && !none && !(asked.vocabulary && asked.judged);
  const doubts = whole ? await doubtsOf(tagger, embeddings, asked, signal) : [];
  return embeddings.map((_, i) => answerOf(tagger, asked, all[i] ?? [], doubts[i] ?? null));
}

/**
 * @param {Tagger} tagger
 * @param {Asked} asked
 * @param {Tag[]} all of a picture's tags, best first
 * @param {import('./doubt.js').Doubt | null} doubt
 * @returns {TagAnswer}
 */
function answerOf(tagger, asked, all, doubt) {
  const { templates, scores, none, vocabulary } = asked;
  const { sureThreshold } = tagger.calibration;
  // The threshold was measured with one sentence around each label, and one right label among all.
  const judged =
    asked.judged && vocabulary && sureThreshold !== null && scores !== 'independent' && !templates;
  const shown = all.filter(({ label }) => label !== null || none).slice(0, TAGS_SHOWN);
  const surest = judged ? vocabulary.surest(all, sureThreshold) : (shown[0] ?? null);
  if (judged && surest === null) return { tags: [], sure: false };
  // A kind that is a guess is left out, and what it surely is, shown.
  const answers = judged && surest && surest.label !== shown[0]?.label ? [surest] : shown;
  const among = scores === 'independent' ? {} : { among: all };
  // What somebody asks is answered as asked; what the page asks, with all that it implies.
  if (!vocabulary || !asked.judged) return { tags: answers, sure: true, doubt };
  const worth = judged
    ? answers.filter(({ score }, place) => place === 0 || score >= WORTH_SHOWING)
    : answers;
  // So many as are seen at a glance.
  return { tags: vocabulary.withParents(worth, among).slice(0, MOST_SHOWN), sure: true };
}

/**
 * @param {readonly import('./labels.js').Label[]} labels
 * @param {readonly import('./labels.js').Label[]} extra
 * @returns {readonly import('./labels.js').Label[]} both, each once
 */
export function withExtra(labels, extra) {
  if (extra.length === 0) return labels;
  const there = new Set(labels.map(nameOf));
  return [...labels, ...extra.filter((one) => !there.has(nameOf(one)))];
}

/** @type {WeakMap<TagAnswer, { threshold: number, answer: TagAnswer }>} */
const cut = new WeakMap();

/**
 * An answer without the tags that score less, but for those that people or files have given. The same as long as the threshold is.
 * @param {TagAnswer | null} answer
 * @param {number} threshold
 * @returns {TagAnswer | null}
 */
export function above(answer, threshold) {
  if (!answer || threshold <= 0) return answer;
  const known = cut.get(answer);
  if (known?.threshold === threshold) return known.answer;
  const tags = answer.tags.filter(
    ({ score, own, taught, filed }) => own || taught || filed || score >= threshold,
  );
  const left = { ...answer, tags };
  cut.set(answer, { threshold, answer: left });
  return left;
}

/** @type {WeakMap<TagAnswer, { filed: readonly string[], answer: TagAnswer }>} */
const joined = new WeakMap();

/**
 * An answer with the keywords of the picture's file behind what people say themselves. The same as long as they are.
 * @param {TagAnswer} answer
 * @param {readonly string[]} filed
 * @returns {TagAnswer}
 */
export function withFiled(answer, filed) {
  if (filed.length === 0) return answer;
  const known = joined.get(answer);
  if (known?.filed === filed) return known.answer;
  const there = new Set(answer.tags.map(({ label }) => label?.toLowerCase()));
  const fresh = filed.filter((label) => !there.has(label.toLowerCase()));
  const tags = [
    ...answer.tags.filter(({ own }) => own),
    ...fresh.map((label) => ({ label, score: 1, index: -1, filed: true })),
    ...answer.tags.filter(({ own }) => !own),
  ];
  const longer = { ...answer, tags, sure: true };
  joined.set(answer, { filed, answer: longer });
  return longer;
}

/** @type {WeakMap<TagAnswer, { words: readonly string[], answer: TagAnswer }>} */
const lengthened = new WeakMap();

/**
 * An answer with words that were taught, behind what people say themselves. The same as long as the words are.
 * @param {TagAnswer} answer
 * @param {readonly string[]} words
 * @returns {TagAnswer}
 */
export function withWords(answer, words) {
  if (words.length === 0) return answer;
  const known = lengthened.get(answer);
  if (known?.words.join('\n') === words.join('\n')) return known.answer;
  const rest = answer.tags.filter(({ own }) => !own);
  const own = answer.tags.filter((tag) => tag.own);
  const fresh = words.filter((label) => !own.some((tag) => tag.label === label));
  const tags = [
    ...own,
    ...fresh.map((label) => ({ label, score: 1, index: -1, taught: true })),
    ...rest.filter(({ label }) => label === null || !fresh.includes(label)),
  ];
  const longer = { ...answer, tags, sure: true };
  lengthened.set(answer, { words, answer: longer });
  return longer;
}
