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
 * @property {Tag[]} tags those that are an answer: they alone count in filters, in searches and in what is saved
 * @property {Tag[]} [compared] the best of the others: a card shows how they compare, and nothing else knows of them
 * @property {boolean} sure whether the best of them is more than a guess; where it is not, there are no tags
 * @property {import('./doubt.js').Doubt | null} [doubt] where somebody's own labels are answered, though the picture seems to show none of them
 *
 * @typedef {Question & { labels: readonly import('./labels.js').Label[], judged: boolean,
 *   beside: readonly import('./labels.js').Label[] }} Asked `judged`: whether the page chose the labels, and so can tell
 *   guesses from answers. `beside`: what somebody's own labels are compared with, where the tagger can tell
 */

import { doubtsOf } from './doubt.js';
import { askedAs, keyOf, nameOf } from './labels.js';

/** Tags kept for each picture, and how many there may be with all that they imply. */
const TAGS_SHOWN = 5;
const MOST_SHOWN = 7;
/** Of the page's many labels, what scores less is noise. */
const WORTH_SHOWING = 0.05;
/**
 * And what scores less than this is left out of every sum: of 250 photographs that changed no answer, and no score by a thousandth. Five of
 * six labels go.
 */
const NOISE = 1e-5;
/**
 * Labels share one score: what has a fifth of it or more is an answer. So a picture may show several of them, at most five; where the
 * score is spread thinner, none of them is more than a guess.
 */
const ANSWERING = 0.2;
/** The score of a label for itself from which on it is likelier than "none of these": see `TagOptions.scores` of the package. */
const LIKELIER = 0.5;

/**
 * @param {Tagger} tagger
 * @param {Float32Array[]} embeddings of pictures
 * @param {Asked} asked
 * @param {{ signal: AbortSignal, onProgress: (progress: import('ocelli').ProgressEvent) => void }} options
 * @returns {Promise<TagAnswer[]>} of each, the best, and all that they imply
 */
export async function tagWith(tagger, embeddings, asked, { signal, onProgress }) {
  const { labels, template, templates, scores, none } = asked;
  const put = askedAs(labels, asked.vocabulary ?? null);
  const found = await tagger.tag(embeddings, put, {
    template: templates ?? template,
    ...(scores && { scores }),
    ...(none && { none: true }),
    // Of the page's own thousand labels most say nothing, not even together.
    ...(asked.judged && scores !== 'independent' && { threshold: NOISE }),
    signal,
    onProgress,
  });
  const all = put.every((label, place) => label === labels[place])
    ? found
    : found.map((tags) => named(tags, labels));
  // What somebody asks, of all labels at once, can be doubted.
  const whole = scores !== 'independent' && !none && !(asked.vocabulary && asked.judged);
  const doubts = whole ? await doubtsOf(tagger, embeddings, { ...asked, labels: put }, signal) : [];
  const above = aboveOf(asked, put);
  return embeddings.map((_, i) => answerOf(tagger, asked, all[i] ?? [], doubts[i] ?? null, above));
}

/**
 * Which of somebody's own labels each of them implies, as the vocabulary knows: a dalmatian is one of the dogs.
 * @param {Asked} asked
 * @param {readonly import('./labels.js').Label[]} put the labels as the model is asked
 * @returns {number[][]} places of those above each
 */
function aboveOf({ vocabulary, judged, scores, none }, put) {
  if (!vocabulary || judged || none || scores === 'independent') return [];
  const places = new Map(put.map((label, place) => [nameOf(label), place]));
  return put.map((label) => vocabulary.implied(nameOf(label)).flatMap((one) => places.get(one) ?? []));
}

/**
 * Tags with those that they imply behind them, which have the scores of all that imply them as well.
 * @param {Tag[]} tags
 * @param {Tag[]} all that there are scores of
 * @param {readonly (readonly number[])[]} above places of the labels above each
 */
function withAbove(tags, all, above) {
  const there = new Set(tags.map(({ index }) => index));
  const more = new Set(tags.flatMap(({ index }) => above[index] ?? []).filter((place) => !there.has(place)));
  const implied = all.filter(({ index }) => more.has(index));
  const sumOf = (/** @type {Tag} */ tag) =>
    all.reduce((sum, { index, score }) => sum + (above[index]?.includes(tag.index) ? score : 0), tag.score);
  return [...tags, ...implied.map((tag) => ({ ...tag, score: Math.min(1, sumOf(tag)) }))];
}

/** What is found, called as it was asked. @param {Tag[]} tags @param {Asked['labels']} labels @returns {Tag[]} */
function named(tags, labels) {
  return tags.map((tag) => {
    const label = labels[tag.index];
    return label === undefined ? tag : { ...tag, label: nameOf(label) };
  });
}

/**
 * @param {Tagger} tagger
 * @param {Asked} asked
 * @param {Tag[]} all of a picture's tags, best first
 * @param {import('./doubt.js').Doubt | null} doubt
 * @param {readonly (readonly number[])[]} above places of the labels above each of somebody's own
 * @returns {TagAnswer}
 */
function answerOf(tagger, asked, all, doubt, above) {
  const { scores, none } = asked;
  const vocabulary = asked.judged ? asked.vocabulary : null;
  const { sureThreshold } = tagger.calibration;
  const shown = all.filter(({ label }) => label !== null || none).slice(0, TAGS_SHOWN);
  // The threshold was measured with one right label among all. With one sentence around each label, or the average of the 7 or 80
  // published ones, as many answers are sure, and as many of those right: of 500 photographs, the same within two in a hundred.
  if (vocabulary && sureThreshold !== null && scores !== 'independent') {
    return surelyOf(vocabulary, all, shown, sureThreshold);
  }
  const least = scores === 'independent' ? LIKELIER : vocabulary ? WORTH_SHOWING : ANSWERING;
  const found = doubt ? [] : answering(shown, least);
  const sure = found.length > 0 || scores === 'independent' || doubt !== null;
  const among = scores === 'independent' ? {} : { among: all };
  // What the page asks is answered with all that it implies; what somebody asks, with what they have asked of that.
  const tags = vocabulary
    ? vocabulary.withParents(found, among).slice(0, MOST_SHOWN)
    : withAbove(found, all, above);
  const labels = new Set(tags.map(({ label }) => label));
  const compared = shown.filter(({ label }) => !labels.has(label));
  return { tags, compared: compared.slice(0, MOST_SHOWN - tags.length), sure, doubt };
}

/**
 * Tags of the vocabulary, by a tagger whose scores tell what is sure.
 * @param {import('ocelli').Vocabulary} vocabulary
 * @param {Tag[]} all
 * @param {Tag[]} shown the best of them
 * @param {number} threshold
 * @returns {TagAnswer}
 */
function surelyOf(vocabulary, all, shown, threshold) {
  const surest = vocabulary.surest(all, threshold);
  if (surest === null) return { tags: [], sure: false };
  // Kinds that are guesses are left out, and what it surely is, shown: by its own score, or by theirs together.
  const [first] = shown;
  const answers = first && surest.label === first.label && first.score >= threshold ? shown : [surest];
  const worth = answers.filter(({ score }, place) => place === 0 || score >= ANSWERING);
  // So many as are seen at a glance.
  const tags = vocabulary.withParents(worth, { among: all }).slice(0, MOST_SHOWN);
  const labels = new Set(tags.map(({ label }) => label));
  const others = answers.filter(({ label, score }) => score >= WORTH_SHOWING && !labels.has(label));
  return { tags, compared: others.slice(0, MOST_SHOWN - tags.length), sure: true };
}

/**
 * Those tags that are an answer: what scores less than "none of these" is none, and that itself is one where it comes first.
 * @param {Tag[]} tags best first
 * @param {number} least score
 */
function answering(tags, least) {
  const none = tags.findIndex(({ label }) => label === null);
  const likelier = none < 0 ? tags : tags.slice(0, Math.max(1, none));
  return likelier.filter(({ score }) => score >= least);
}

/**
 * @param {readonly import('./labels.js').Label[]} labels
 * @param {readonly import('./labels.js').Label[]} extra
 * @returns {readonly import('./labels.js').Label[]} both, each once
 */
export function withExtra(labels, extra) {
  if (extra.length === 0) return labels;
  const there = new Set(labels.map(keyOf));
  return [...labels, ...extra.filter((one) => !there.has(keyOf(one)))];
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
  const compared = answer.compared?.filter(({ score }) => score >= threshold);
  const left = { ...answer, tags, ...(compared && { compared }) };
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
  const longer = { ...answer, tags, ...comparedBeside(answer, tags), sure: true };
  joined.set(answer, { filed, answer: longer });
  return longer;
}

/** @type {WeakMap<TagAnswer, { gone: readonly string[], answer: TagAnswer }>} */
const reduced = new WeakMap();

/**
 * An answer without tags that the picture has not, but for those that people give it. The same as long as they are.
 * @param {TagAnswer} answer
 * @param {readonly string[]} gone
 * @returns {TagAnswer}
 */
export function without(answer, gone) {
  const isGone = (/** @type {Tag} */ { label, own }) => !own && label !== null && gone.includes(label);
  if (gone.length === 0 || !answer.tags.some(isGone)) return answer;
  const known = reduced.get(answer);
  if (known?.gone.join('\n') === gone.join('\n')) return known.answer;
  const shorter = { ...answer, tags: answer.tags.filter((tag) => !isGone(tag)) };
  reduced.set(answer, { gone, answer: shorter });
  return shorter;
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
  const longer = { ...answer, tags, ...comparedBeside(answer, tags), sure: true };
  lengthened.set(answer, { words, answer: longer });
  return longer;
}

/**
 * What is compared beside tags, without those that are tags now.
 * @param {TagAnswer | null} answer
 * @param {readonly Tag[]} tags
 * @param {readonly string[]} [gone] what somebody has taken away
 * @returns {Pick<TagAnswer, 'compared'>}
 */
export function comparedBeside(answer, tags, gone = []) {
  if (!answer?.compared) return {};
  const there = new Set([...tags.map(({ label }) => label), ...gone]);
  return { compared: answer.compared.filter(({ label }) => label === null || !there.has(label)) };
}
