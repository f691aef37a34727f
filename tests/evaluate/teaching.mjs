// Measures what a few examples teach the built-in model: `npm run evaluate:teaching`, after `npm run build`. See README.md.
//
// `photos`: photographs of 159 kinds, all of which the model was trained on: examples are of their training part, what is
// told is their test part. `pictograms`: line drawings in the style of user interfaces, which the model never saw, of things
// that its list of labels does not have: examples are of some icon sets, what is told is of others. Numbers are shares of
// pictures whose first label is right, of all labels: the mean of several draws of examples. `lessons`: words that the page is
// taught, by likeness alone (parts/lessons.mjs).

import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { duration, Failure, main, ROOT, say } from '../../scripts/lib/run.mjs';
import { Absent, DATA, readTable } from './lib/data.mjs';
import { dot, sample, SEED, seeded } from './lib/figures.mjs';
import { pictograms } from './lib/pictograms.mjs';
import { lessons } from './parts/lessons.mjs';

const COUNTS = [1, 2, 4, 8, 16];
const DRAWS = 3;
/** Photographs of a label: those that examples are drawn from, and those that are told. */
const MOST_PHOTOS = { train: 16, test: 8 };

/**
 * @typedef {object} Case a picture
 * @property {string} label
 * @property {string | Uint8Array} image
 * @property {string} group what examples are drawn from
 *
 * @typedef {object} Task
 * @property {string} name
 * @property {Case[]} cases
 * @property {(random: () => number) => (one: Case) => boolean} draw which of the cases examples are drawn from; the others
 *   are told
 */

/** @returns {Task} */
function photos() {
  const file = path.join(DATA, 'photos.csv');
  if (!existsSync(file)) throw new Absent('the list of photographs is not here');
  const cases = readTable(readFileSync(file, 'utf8'), ',').map(
    ({ path: name = '', label = '', split = '' }) => ({
      label,
      image: path.join(DATA, 'photos', name),
      group: split,
    }),
  );
  const kept = [...new Set(cases.map(({ label }) => label))].flatMap((label) =>
    Object.entries(MOST_PHOTOS).flatMap(([split, most]) =>
      sample(
        cases.filter((one) => one.label === label && one.group === split),
        most,
        SEED,
      ),
    ),
  );
  return { name: 'photos', cases: kept, draw: () => (one) => one.group === 'train' };
}

/** @returns {Promise<Task>} */
async function drawings() {
  const cases = await pictograms();
  if (!cases) throw new Absent('the icon sets are not here');
  const styles = [...new Set(cases.map(({ group }) => group))].sort();
  // Half of the icon sets lend examples, and the other half are told.
  const draw = (/** @type {() => number} */ random) => {
    const lending = new Set(sample(styles, Math.floor(styles.length / 2), Math.floor(random() * 2 ** 32)));
    return (/** @type {Case} */ one) => lending.has(one.group);
  };
  return { name: 'pictograms', cases, draw };
}

/**
 * Of each picture its embedding, and the logarithm of each label's score.
 *
 * @param {any} tagger @param {Task} task @param {string[]} labels
 */
async function look(tagger, { cases, name }, labels) {
  const seen = [];
  const started = performance.now();
  for (const [i, { image }] of cases.entries()) {
    const [embedding] = await tagger.embedImages([image]);
    const tags = await tagger.tag(image, labels);
    const logits = new Float64Array(labels.length);
    for (const { index, score } of tags) logits[index] = Math.log(Math.max(score, Number.MIN_VALUE));
    seen.push({ embedding, logits });
    if (i % 1000 === 999) {
      say(`${name}: ${i + 1} of ${cases.length} in ${duration(performance.now() - started)}`);
    }
  }
  return seen;
}

/** @param {any} tagger @param {Task} task */
async function measure(tagger, task) {
  const labels = [...new Set(task.cases.map(({ label }) => label))].sort();
  const seen = await look(tagger, task, labels);
  const right = task.cases.map(({ label }) => labels.indexOf(label));
  /** @type {Record<string, number[]>} */
  const rows = {};
  for (let drawn = 0; drawn < DRAWS; drawn++) {
    const random = seeded(SEED + drawn);
    const lends = task.draw(random);
    const tested = task.cases.flatMap((one, i) => (lends(one) ? [] : [i]));
    const told = (/** @type {(i: number) => ArrayLike<number>} */ logitsOf) =>
      tested.filter((i) => best(logitsOf(i)) === right[i]).length / tested.length;
    (rows['no example'] ??= []).push(told((i) => seen[i].logits));
    for (const count of COUNTS) {
      const lists = labels.map((label) => {
        const all = task.cases.flatMap((one, i) => (one.label === label && lends(one) ? [i] : []));
        return sample(all, count, Math.floor(random() * 2 ** 32));
      });
      if (Math.max(...lists.map(({ length }) => length)) < count) continue;
      const examples = lists.map((list, i) => [labels[i], list.map((place) => seen[place].embedding)]);
      const teacher = await tagger.teach(Object.fromEntries(examples.filter(([, list]) => list.length > 0)));
      const { places, weights, kept } = teacher.rowsFor(labels);
      const width = weights.length / places.length;
      const share = told((i) => {
        const logits = Float64Array.from(seen[i].logits);
        places.forEach((/** @type {number} */ place, /** @type {number} */ row) => {
          logits[place] =
            kept * Number(logits[place]) +
            dot(seen[i].embedding, weights.subarray(row * width, (row + 1) * width));
        });
        return logits;
      });
      (rows[`${count} a label`] ??= []).push(share);
      say(
        `${task.name}, draw ${drawn + 1}, ${count} a label: ${share.toFixed(4)}`,
        `kept ${teacher.kept}, strength ${teacher.strength}`,
      );
    }
  }
  return { name: task.name, labels: labels.length, pictures: task.cases.length, rows };
}

/** @param {ArrayLike<number>} logits the place of the largest */
function best(logits) {
  let at = 0;
  for (let i = 1; i < logits.length; i++) if (Number(logits[i]) > Number(logits[at])) at = i;
  return at;
}

/** @param {Task} task @param {any} tagger */
async function table(task, tagger) {
  const { labels, pictures, rows } = await measure(tagger, task);
  const lines = Object.entries(rows).map(([what, shares]) => {
    const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
    return `${what.padEnd(12)} ${(100 * mean).toFixed(1)} %   (${shares.map((one) => (100 * one).toFixed(1)).join(', ')})`;
  });
  return [`${task.name}: ${labels} labels, ${pictures} pictures, mean of ${DRAWS} draws`, ...lines].join(
    '\n',
  );
}

/** Each makes a table; or throws `Absent`. @type {Record<string, (tagger: any) => Promise<string>>} */
const PARTS = {
  pictograms: async (tagger) => table(await drawings(), tagger),
  photos: async (tagger) => table(photos(), tagger),
  lessons,
};

await main(import.meta, async (args) => {
  const { values } = parseArgs({ args, options: { only: { type: 'string' } } });
  const chosen = values.only?.split(',') ?? Object.keys(PARTS);
  const unknown = chosen.find((name) => !Object.hasOwn(PARTS, name));
  if (unknown !== undefined) {
    throw new Failure(`There is no part \`${unknown}\`; the parts are ${Object.keys(PARTS).join(', ')}.`);
  }
  const dist = path.join(ROOT, 'pkg/dist/node.js');
  if (!existsSync(dist)) throw new Failure('The package is not built: run `npm run build` first.');
  const { Tagger } = await import(dist);
  const tagger = await Tagger.load('ocelli');
  try {
    for (const name of chosen) {
      try {
        console.log(`\n${await PARTS[name]?.(tagger)}`);
      } catch (error) {
        if (!(error instanceof Absent)) throw error;
        say(`${name}: skipped, ${error.message} (tests/evaluate/README.md).`);
      }
    }
  } finally {
    tagger.dispose();
  }
});
