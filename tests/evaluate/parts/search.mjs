// What a search with the cut-off finds: of labels that are there, the right photographs; of what is in no photograph, nothing.

import { BACKGROUND, CUTOFF } from '../../../pkg/src/page/index-background.js';
import { photographs } from '../lib/data.mjs';
import { dot, sample, SEED } from '../lib/figures.mjs';

/** Photographs that are searched. */
const PICTURES = 1200;
/** What is in none of them. */
const ABSENT = [
  ...[
    'a volcano eruption',
    'an x-ray of a hand',
    'a rocket launch',
    'a sushi plate',
    'a wedding cake',
    'a polar bear',
  ],
  ...[
    'a ski slope',
    'a swimming pool',
    'a parking meter',
    'a traffic light',
    'a giraffe',
    'a zebra',
    'a tennis match',
  ],
  ...[
    'the eiffel tower',
    'a birthday party',
    'a hospital bed',
    'a church interior',
    'a snowstorm',
    'a beach at sunset',
  ],
  ...[
    'fireworks',
    'a toothbrush',
    'a bathtub',
    'a refrigerator',
    'a train station',
    'a school bus',
    'a football stadium',
  ],
  ...[
    'a hot air balloon',
    'a skyscraper',
    'a waterfall',
    'a desert',
    'a jellyfish',
    'a hamburger',
    'a violin',
  ],
  ...[
    'a lighthouse',
    'a windmill in a field',
    'a tractor',
    'a fire truck',
    'an astronaut',
    'a baby',
    'a bride',
  ],
];

/** @param {import('../run.mjs').Context} context */
export async function search({ model, report, limit }) {
  const { labels, pictures: all } = photographs();
  const pictures = sample(all, limit || PICTURES, SEED);
  const images = await model.images(pictures.map(({ url }) => url));
  const background = await model.texts([...BACKGROUND]);
  const moments = images.map((image) => momentsOf(background.map((text) => dot(image, text))));
  const standard = (/** @type {number[]} */ text) =>
    images.map((image, i) => (dot(image, text) - (moments[i]?.mean ?? 0)) / (moments[i]?.deviation ?? 1));
  const found = (await model.texts(labels)).map((text) => standard(text));
  report.share(
    'search by label, right photographs above the cut-off',
    pictures.map(({ label }, i) => (found[labels.indexOf(label)]?.[i] ?? 0) >= CUTOFF),
  );
  const best = (await model.texts(ABSENT)).map((text) => Math.max(...standard(text)));
  report.share(
    'search for what is in none, nothing found',
    best.map((score) => score < CUTOFF),
  );
}

/** @param {number[]} values */
function momentsOf(values) {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length;
  return { mean, deviation: Math.sqrt(variance) };
}
