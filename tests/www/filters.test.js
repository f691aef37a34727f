import assert from 'node:assert/strict';
import test from 'node:test';
import { ALL, choicesOf, filterOf } from '../../www/filters.js';

/** Pictures of a session, by what is known of them. */
const PICTURES = [
  { id: '1', path: 'Trip/day 1/a.jpg', taken: Date.UTC(2019, 5, 5), tags: ['dog', 'animal'] },
  { id: '2', path: 'Trip/day 10/b.jpg', taken: Date.UTC(2021, 5, 5), tags: ['cat', 'animal'], said: true },
  { id: '3', path: 'Trip/c.jpg', taken: Date.UTC(2021, 5, 5), tags: [], sure: false },
  { id: '4', path: 'd.jpg', taken: 0, tags: null, caption: null, failed: true },
];

const session = /** @type {any} */ ({
  answerOf: ({ tags, sure = true }) => tags && { tags: tags.map((label) => ({ label, score: 1 })), sure },
  captionsOf: ({ caption = 'a caption' }) => caption && [{ caption }],
  hasFailed: ({ failed = false }) => failed,
  corrections: { of: ({ said }) => said },
  fileWords: { of: ({ filed }) => filed },
});

const left = (chosen) =>
  PICTURES.filter(filterOf(session, { ...ALL, ...chosen }) ?? (() => true))
    .map(({ id }) => id)
    .join('');

test('pictures are those with all of the tags, of the folder and below it, and of the year', () => {
  assert.equal(filterOf(session, ALL), null);
  assert.equal(left({ labels: new Set(['animal']) }), '12');
  assert.equal(left({ labels: new Set(['animal', 'cat']) }), '2');
  assert.equal(left({ folder: 'Trip' }), '123');
  assert.equal(left({ folder: 'Trip/day 1' }), '1', 'day 10 is another');
  assert.equal(left({ year: '2021' }), '23');
  assert.equal(left({ year: '2021', labels: new Set(['dog']) }), '');
});

test('what is still to be said tells them apart, too', () => {
  assert.equal(left({ want: 'unsure' }), '3');
  assert.equal(left({ want: 'untagged' }), '34');
  assert.equal(left({ want: 'uncaptioned' }), '4');
  assert.equal(left({ want: 'corrected' }), '2');
  assert.equal(left({ want: 'failed' }), '4');
});

test('choices are counted, the most frequent and the latest first', () => {
  const { labels, wants, folders, years } = choicesOf(session, /** @type {any} */ (PICTURES), ALL);
  assert.deepEqual(labels, [
    { value: 'animal', count: 2 },
    { value: 'cat', count: 1 },
    { value: 'dog', count: 1 },
  ]);
  assert.deepEqual(wants, { unsure: 1, untagged: 2, uncaptioned: 1, corrected: 1, failed: 1 });
  assert.deepEqual(
    folders.map(({ value }) => value),
    ['Trip', 'Trip/day 1', 'Trip/day 10'],
  );
  assert.deepEqual(years, [
    { value: '2021', count: 2 },
    { value: '2019', count: 1 },
  ]);
});

test('choices are counted among what all else that is chosen leaves', () => {
  const chosen = { ...ALL, folder: 'Trip', labels: new Set(['cat']) };
  const { labels, wants, folders, years } = choicesOf(session, /** @type {any} */ (PICTURES), chosen);
  assert.deepEqual(labels, [
    { value: 'animal', count: 1 },
    { value: 'cat', count: 1 },
  ]);
  assert.deepEqual(wants, { unsure: 0, untagged: 0, uncaptioned: 0, corrected: 1, failed: 0 });
  assert.deepEqual(folders, [
    { value: 'Trip', count: 1 },
    { value: 'Trip/day 1', count: 0 },
    { value: 'Trip/day 10', count: 1 },
  ]);
  assert.deepEqual(years, [
    { value: '2021', count: 1 },
    { value: '2019', count: 0 },
  ]);
});

test('the year is that in which the camera says that it was taken, and else that of the file', () => {
  const copied = {
    ...PICTURES[0],
    filed: { tags: [], caption: '', taken: new Date(2012, 11, 31).getTime() },
  };
  const of = (/** @type {string} */ year) =>
    filterOf(session, { ...ALL, year })?.(/** @type {any} */ (copied));
  assert.deepEqual([of('2012'), of('2019')], [true, false]);
});
