// Hints, drawings, composed scenes, and the reference in PyTorch.

import { hints as hintRows, made, photographs, reference as readReference } from '../lib/data.mjs';
import { dot, rankOf, sample, SEED } from '../lib/figures.mjs';
import { names as isNamed, photo } from '../lib/texts.mjs';

/** @param {import('../run.mjs').Context} context */
export async function hints({ model, report }) {
  const rows = hintRows();
  const texts = await model.texts(rows.map(({ word, hint }) => photo(word, hint)));
  const images = await model.images(rows.map(({ url }) => url));
  const right = rows.map(({ word }, i) => {
    const senses = rows.flatMap((other, place) => (other.word === word ? [place] : []));
    const scores = senses.map((place) => dot(images[i] ?? [], texts[place] ?? []));
    return rankOf(scores, senses.indexOf(i)) === 0;
  });
  report.share('hints: the right sense first of two', right, { floor: 0.8, aim: 0.95 });
  report.details.hints = rows.map((row, i) => ({ ...row, right: right[i] }));
}

/**
 * `drawings.json`: `{ "names": [...], "changed": [{ "file", "name" }], "unseen": [...] }`.
 * @param {import('../run.mjs').Context} context
 */
export async function drawings({ model, report, limit }) {
  const { names, changed, unseen } = made('drawings.json');
  const texts = await model.texts(names.map((/** @type {string} */ name) => photo(name)));
  /** @param {{ file: string, name: string }[]} all */
  const ranks = async (all) => {
    // They are sorted by style.
    const pictures = limit ? sample(all, limit, SEED) : all;
    const images = await model.images(pictures.map(({ file }) => `made/${file}`));
    return images.map((image, i) =>
      rankOf(
        texts.map((text) => dot(image, text)),
        names.indexOf(pictures[i]?.name),
      ),
    );
  };
  report.share(
    'drawings, four styles, changed, first',
    (await ranks(changed)).map((rank) => rank === 0),
    { floor: 0.615, aim: 0.8 },
  );
  report.share(
    'drawings, unseen style, in five',
    (await ranks(unseen)).map((rank) => rank < 5),
    { floor: 0.594, aim: 0.7 },
  );
}

/**
 * `scenes.json`: `[{ "file", "things": [...] }]`.
 * @param {import('../run.mjs').Context} context
 */
export async function scenes({ model, report, limit }) {
  /** @type {{ file: string, things: string[] }[]} */
  const all = made('scenes.json');
  const pictures = limit ? all.slice(0, limit) : all;
  const said = await model.captions(pictures.map(({ file }) => `made/${file}`));
  report.share(
    'composed scenes, every thing named',
    pictures.map(({ things }, i) => things.every((thing) => isNamed(said[i] ?? '', thing))),
    { floor: 0.51, aim: 0.75 },
  );
  report.details.scenes = pictures.map((picture, i) => ({ ...picture, caption: said[i] }));
}

/**
 * `{ "photos": { "<path below photos/>": "<first of the 159 labels>" }, "everyday": { "<file>": "<first tag asked>" } }`.
 * @param {import('../run.mjs').Context} context
 */
export async function reference({ model, report, referenceFile, limit }) {
  const expected = readReference(referenceFile);
  /** @type {boolean[]} */
  const same = [];
  const { labels, pictures } = photographs();
  const known = pictures.filter(({ url }) => expected.photos?.[url.replace(/^photos\//, '')] !== undefined);
  const chosen = limit ? known.slice(0, limit) : known;
  if (chosen.length > 0) {
    const texts = await model.texts(labels.map((label) => photo(label)));
    const images = await model.images(chosen.map(({ url }) => url));
    for (const [i, image] of images.entries()) {
      const scores = texts.map((text) => dot(image, text));
      const first = labels[scores.indexOf(Math.max(...scores))];
      same.push(first === expected.photos[(chosen[i]?.url ?? '').replace(/^photos\//, '')]);
    }
  }
  const files = Object.keys(expected.everyday ?? {});
  if (files.length > 0) {
    const { pictures: answers } = await model.tags(
      files.map((file) => `everyday/pictures/${file}`),
      1,
    );
    files.forEach((file, i) => same.push(answers[i]?.best[0]?.label === expected.everyday[file]));
  }
  report.share('int8 in the browser against PyTorch f32, same first tag', same, { floor: 0.98, aim: 0.995 });
}
