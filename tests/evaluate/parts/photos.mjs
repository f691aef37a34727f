// Photographs of 159 kinds, the test part: which label is first; and whether "none of these" tells lists that lack the
// right label from those that have it.

import { BACKGROUND } from '../../../pkg/src/worker/background.js';
import { photographs } from '../lib/data.mjs';
import { areaUnderCurve, dot, rankOf, sample, SEED, seeded } from '../lib/figures.mjs';
import { photo } from '../lib/texts.mjs';

/** Photographs that "none of these" is measured with, each twice. */
const NONE_PICTURES = 1000;
/** Labels of a list. */
const NONE_LENGTH = 100;

/** @param {import('../run.mjs').Context} context */
export async function photos({ model, report, limit }) {
  const { labels, pictures: all } = photographs();
  const pictures = limit ? sample(all, limit, SEED) : all;
  const texts = await model.texts(labels.map((label) => photo(label)));
  const images = await model.images(pictures.map(({ url }) => url));
  const ranks = images.map((image, i) =>
    rankOf(
      texts.map((text) => dot(image, text)),
      labels.indexOf(pictures[i]?.label ?? ''),
    ),
  );
  report.share(
    '159 labels, test part, first',
    ranks.map((rank) => rank === 0),
    { floor: 0.8, aim: 0.87 },
  );
  report.share(
    '159 labels, test part, in five',
    ranks.map((rank) => rank < 5),
  );
}

/** @param {import('../run.mjs').Context} context */
export async function none({ model, report, limit }) {
  const { labels, pictures: all } = photographs();
  const pictures = sample(all, Math.min(limit || NONE_PICTURES, NONE_PICTURES), SEED);
  const { calibration, logitScale } = await model.info();
  const texts = await model.texts(labels.map((label) => photo(label)));
  const background = await model.texts([...BACKGROUND]);
  const images = await model.images(pictures.map(({ url }) => url));
  const random = seeded(SEED);
  /** @type {{ lacking: number[], having: number[], firstLacking: number, firstHaving: number }} */
  const found = { lacking: [], having: [], firstLacking: 0, firstHaving: 0 };
  for (const [i, image] of images.entries()) {
    const right = labels.indexOf(pictures[i]?.label ?? '');
    const logits = texts.map((text) => logitScale * dot(image, text));
    const level =
      background.reduce((sum, text) => sum + logitScale * dot(image, text), 0) / background.length +
      calibration.noneOffset;
    const others = logits.filter((_, label) => label !== right);
    const list = sample(others, NONE_LENGTH, Math.floor(random() * 2 ** 32));
    const lists = { lacking: list, having: [...list.slice(1), /** @type {number} */ (logits[right])] };
    found.lacking.push(noneScore(lists.lacking, level, calibration.temperature));
    found.having.push(noneScore(lists.having, level, calibration.temperature));
    found.firstLacking += Number(level > Math.max(...lists.lacking));
    found.firstHaving += Number(level > Math.max(...lists.having));
  }
  const { area, interval } = areaUnderCurve(found.lacking, found.having);
  report.add({
    what: '"none of these", label absent among 100, area under the curve',
    figure: area,
    interval,
    count: images.length,
    floor: 0.88,
    aim: 0.94,
  });
  report.details.noneFirst = {
    labelAbsent: found.firstLacking / images.length,
    labelThere: found.firstHaving / images.length,
  };
}

/** The score of "none of these". @param {number[]} logits @param {number} level @param {number} temperature */
function noneScore(logits, level, temperature) {
  const top = Math.max(level, ...logits);
  const share = (/** @type {number} */ logit) => Math.exp((logit - top) / temperature);
  return share(level) / (share(level) + logits.reduce((sum, logit) => sum + share(logit), 0));
}
