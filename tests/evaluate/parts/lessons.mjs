// What the page makes of a word that is taught by pictures (`www/lessons.js`, the very code): how many others of their kind get it,
// and how many of other kinds do.

import path from 'node:path';
import { grid } from '../../bench/lib/statistics.mjs';
import { Lessons } from '../../../www/lessons.js';
import { DATA, photographs } from '../lib/data.mjs';
import { sample, SEED, wilson } from '../lib/figures.mjs';

/** Photographs of a kind, as many as the rarest one has. */
const MOST = 6;
const EXAMPLES = [1, 2, 3, 4];
/** Photographs of other kinds that lie in the library beside those of the kind; null for all. */
const LIBRARIES = [null, 60, 20];

/** @typedef {{ label: string, file: string, embedding: Float32Array }} Photo */

/**
 * @param {any} tagger
 * @returns {Promise<string>} a table
 * @throws {import('../lib/data.mjs').Absent}
 */
export async function lessons(tagger) {
  const photos = await photosOf(tagger);
  const rows = LIBRARIES.flatMap((size) => EXAMPLES.map((count) => measure(photos, size, count)));
  const percent = (/** @type {number} */ share) => `${(100 * share).toFixed(0)} %`;
  const cells = rows.map(({ size, count, found, sought, wrong, others }) => [
    size === null ? 'all' : `${size}`,
    `${count}`,
    percent(found / sought),
    wilson(found, sought).map(percent).join(' to '),
    ((1000 * wrong) / others).toFixed(1),
  ]);
  const head = ['others in the library', 'examples', 'found of the kind', '95 %', 'wrong of 1,000'];
  const kinds = new Set(photos.map(({ label }) => label)).size;
  return `lessons: ${kinds} kinds, ${photos.length} photographs\n${grid([head, ...cells], [0, 1, 2, 3, 4])}`;
}

/** Photographs of Caltech 101's test part, some of each kind. @param {any} tagger @returns {Promise<Photo[]>} */
async function photosOf(tagger) {
  const all = photographs().pictures.filter(({ url }) => url.startsWith('photos/caltech101/'));
  const labels = [...new Set(all.map(({ label }) => label))].sort();
  const chosen = labels.flatMap((label) =>
    sample(
      all.filter((one) => one.label === label),
      MOST,
      SEED,
    ),
  );
  const photos = [];
  for (const { url, label } of chosen) {
    const file = path.join(DATA, url);
    const [embedding] = await tagger.embedImages([file]);
    photos.push({ label, file, embedding });
  }
  return photos;
}

/**
 * Teaches each kind as a word of its own, by the first of its photographs.
 *
 * @param {Photo[]} photos
 * @param {number | null} size of the library without the kind
 * @param {number} count of examples
 */
function measure(photos, size, count) {
  const figures = { size, count, found: 0, sought: 0, wrong: 0, others: 0 };
  for (const label of new Set(photos.map((photo) => photo.label))) {
    const kind = photos.filter((photo) => photo.label === label);
    const rest = photos.filter((photo) => photo.label !== label);
    const others = size === null ? rest : sample(rest, size, SEED);
    const given = new Lessons((_, picture) => /** @type {any} */ (picture).embedding);
    given.put(given.with('word', /** @type {any} */ (kind.slice(0, count))));
    const among = /** @type {any} */ ([...kind, ...others]);
    const getIt = (/** @type {Photo[]} */ some) =>
      some.filter(
        (photo) => given.of(/** @type {any} */ (null), /** @type {any} */ (photo), among).length > 0,
      );
    const sought = kind.slice(count);
    figures.sought += sought.length;
    figures.found += getIt(sought).length;
    figures.others += others.length;
    figures.wrong += getIt(others).length;
  }
  return figures;
}
