// Everyday pictures, one of each of 250 kinds: their own name, the tags that the page asks, how far percentages can be
// trusted, and what captions name.

import { Absent, everyday, heldOut, imagenet } from '../lib/data.mjs';
import { calibrationError, dot, rankOf, sample, SEED } from '../lib/figures.mjs';
import { names as isNamed, photo } from '../lib/texts.mjs';

/** Tags that fit too many pictures to count. */
const TOO_BROAD = ['animal', 'mammal'];

/** The shown percentage may be this far from the share that is right. */
const MAX_CALIBRATION_ERROR = 0.08;

/** @typedef {ReturnType<typeof everyday>[number]} Picture */

/** @param {import('../run.mjs').Context} context */
export async function names({ model, report }) {
  const kinds = imagenet();
  const pictures = everyday();
  const ranks = await ranksAmongNames(model, pictures, kinds, false);
  report.share(
    'everyday: own name among 1,000 names, first',
    ranks.map((rank) => rank === 0),
    { floor: 0.77, aim: 0.85 },
  );
  report.share(
    'everyday: own name among 1,000 names, in five',
    ranks.map((rank) => rank < 5),
  );
  const hinted = await ranksAmongNames(model, pictures, kinds, true);
  report.share(
    'everyday: name with hint among 1,000, first',
    hinted.map((rank) => rank === 0),
  );
}

/** @param {import('../run.mjs').Context} context */
export async function leftOut({ heldout, report }) {
  if (!heldout) throw new Absent('no --heldout folder was given');
  const out = heldOut();
  const pictures = everyday().filter(({ synset }) => out.has(synset));
  const ranks = await ranksAmongNames(heldout, pictures, imagenet(), true);
  report.share(
    'names left out: name with hint among 1,000, in five',
    ranks.map((rank) => rank < 5),
    { floor: 0.35, aim: 0.55 },
  );
  report.share(
    'names left out: name with hint among 1,000, first',
    ranks.map((rank) => rank === 0),
  );
}

/**
 * @param {import('../lib/model.mjs').MeasuredModel} model
 * @param {Picture[]} pictures
 * @param {ReturnType<typeof imagenet>} kinds
 * @param {boolean} hinted
 */
async function ranksAmongNames(model, pictures, kinds, hinted) {
  const texts = await model.texts(kinds.map(({ name, hint }) => photo(name, hinted ? hint : '')));
  const images = await model.images(pictures.map(({ url }) => url));
  return images.map((image, i) => {
    const right = kinds.findIndex(({ synset }) => synset === pictures[i]?.synset);
    return rankOf(
      texts.map((text) => dot(image, text)),
      right,
    );
  });
}

/** @param {import('../run.mjs').Context} context */
export async function tags({ model, report }) {
  const pictures = everyday();
  const accepted = await acceptedTags(model, pictures);
  const { pictures: answers, labels } = await model.tags(
    pictures.map(({ url }) => url),
    5,
  );
  const asked = new Set(labels);
  const judged = pictures
    .map((picture, i) => ({
      url: picture.url,
      answer: answers[i] ?? { best: [], shown: null },
      right: new Set([...(accepted[i] ?? [])].filter((tag) => asked.has(tag))),
      all: accepted[i] ?? new Set(),
    }))
    .filter(({ right }) => [...right].some((tag) => !TOO_BROAD.includes(tag)));
  const counts = (/** @type {Set<string>} */ right, /** @type {string | undefined} */ label) =>
    label !== undefined && right.has(label) && !TOO_BROAD.includes(label);
  report.share(
    'everyday: a right tag or parent, first',
    judged.map(({ right, answer }) => counts(right, answer.best[0]?.label)),
    { floor: 0.7, aim: 0.83 },
  );
  report.share(
    'everyday: a right tag or parent, in five',
    judged.map(({ right, answer }) => answer.best.some(({ label }) => counts(right, label))),
    { floor: 0.9, aim: 0.96 },
  );
  calibration(report, judged);
  report.details.everyday = {
    tagsAsked: labels.length,
    withoutRightTag: pictures.length - judged.length,
    answers: judged.map(({ url, answer, right }) => ({ url, right: [...right], ...answer })),
  };
}

/**
 * Broad words among few, as people ask: one that is right, and five that are not, three of them broad as well.
 *
 * @param {import('../run.mjs').Context} context
 */
export async function broad({ model, report }) {
  const pictures = everyday();
  const accepted = await acceptedTags(model, pictures);
  const implied = await model.implied();
  const all = Object.keys(implied);
  const isBroad = (/** @type {string} */ tag) =>
    !TOO_BROAD.includes(tag) && all.filter((other) => implied[other]?.includes(tag)).length >= 3;
  const broadTags = all.filter(isBroad);
  const questions = pictures.flatMap(({ url }, i) => {
    const right = accepted[i] ?? new Set();
    const unrelated = (/** @type {string} */ tag) =>
      !TOO_BROAD.includes(tag) && !right.has(tag) && !implied[tag]?.some((parent) => right.has(parent));
    return broadTags
      .filter((tag) => right.has(tag))
      .map((tag, j) => {
        const wrong = sample(broadTags.filter(unrelated), 3, SEED + 100 * i + j);
        const rest = all.filter((other) => unrelated(other) && !wrong.includes(other));
        return { url, labels: [tag, ...wrong, ...sample(rest, 2, SEED - 100 * i - j)] };
      });
  });
  const answers = await model.choices(questions);
  const wrong = await model.choices(questions.map(({ url, labels }) => ({ url, labels: labels.slice(1) })));
  const first = (/** @type {boolean} */ none) =>
    answers.map(
      (tags, i) =>
        (tags.find(({ label }) => none || label !== null)?.label ?? null) === questions[i]?.labels[0],
    );
  report.share('everyday: a broad tag first among six', first(false), { floor: 0.9 });
  report.share('everyday: the same, beside "none of these"', first(true));
  report.share(
    'everyday: "none of these" first among the five wrong ones',
    wrong.map((tags) => tags[0]?.label === null),
  );
}

/**
 * How far the percentages that the page shows can be trusted: those of the first tag, with all tags that imply it, where
 * the page is sure of one. Whoever is shown "animal 97 %" over a dog is told the truth: here everything that is
 * right counts, however broad.
 *
 * @param {import('../lib/report.mjs').Report} report
 * @param {{ answer: { shown: { label: string, score: number } | null }, all: Set<string> }[]} judged
 */
function calibration(report, judged) {
  const shown = judged.flatMap(({ answer, all }) =>
    answer.shown ? [{ confidence: answer.shown.score, right: all.has(answer.shown.label) }] : [],
  );
  report.share(
    'everyday: "not sure"',
    judged.map(({ answer }) => answer.shown === null),
  );
  if (shown.length === 0) return;
  report.share(
    'everyday: right where sure',
    shown.map(({ right }) => right),
  );
  report.add({
    what: 'everyday: expected calibration error of the first tag shown',
    figure: calibrationError(shown),
    count: shown.length,
    floor: MAX_CALIBRATION_ERROR,
    low: true,
  });
}

/** @param {import('../run.mjs').Context} context */
export async function captions({ model, report }) {
  const pictures = everyday();
  const accepted = await acceptedTags(model, pictures);
  const said = await model.captions(pictures.map(({ url }) => url));
  const found = pictures.map(({ names: own }, i) => {
    const caption = said[i] ?? '';
    const named = own.some((name) => isNamed(caption, name));
    const tagged = [...(accepted[i] ?? [])].some((tag) => !TOO_BROAD.includes(tag) && isNamed(caption, tag));
    return { named, tagged };
  });
  report.share(
    'everyday: captions name the thing',
    found.map(({ named, tagged }) => named || tagged),
    { floor: 0.62, aim: 0.8 },
  );
  report.share(
    'everyday: captions with a name of the kind',
    found.map(({ named }) => named),
  );
  report.share(
    'everyday: captions with an accepted tag',
    found.map(({ tagged }) => tagged),
  );
  report.details.captions = pictures.map(({ url, names: own }, i) => ({
    url,
    names: own,
    caption: said[i],
    ...found[i],
  }));
}

/**
 * The tags that are right for each picture: those of its list, those of its kind, and all that these imply.
 * @param {import('../lib/model.mjs').MeasuredModel} model
 * @param {Picture[]} pictures
 * @returns {Promise<Set<string>[]>}
 */
async function acceptedTags(model, pictures) {
  const implied = await model.implied();
  const bySynset = new Map(kindsIfThere().map(({ synset, tags: own }) => [synset, own]));
  return pictures.map(({ synset, tags: listed }) => {
    const direct = [...listed, ...(bySynset.get(synset) ?? [])];
    return new Set(direct.flatMap((tag) => [tag, ...(implied[tag] ?? [])]));
  });
}

function kindsIfThere() {
  try {
    return imagenet();
  } catch (error) {
    if (error instanceof Absent) return [];
    throw error;
  }
}
