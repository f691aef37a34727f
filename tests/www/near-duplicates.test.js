import assert from 'node:assert/strict';
import test from 'node:test';
import { fileLines } from '../../www/near-duplicates.js';

/** What tells files apart that are nearly the same. */

/** @param {string} path @param {number} size */
const picture = (path, size) => /** @type {any} */ ({ path, name: path.split('/').at(-1), size });
const unknown = { pixelsOf: () => null };

test('each file says its name and size, its pixels where they are known, and whether it stays', () => {
  const [large, small] = [picture('sea.jpg', 2_400_000), picture('sea-2.jpg', 31_000)];
  const groups = new Map([large, small].map((one) => [one, 0]));
  const known = { pixelsOf: () => ({ width: 4000, height: 3000 }) };
  assert.deepEqual(fileLines(large, groups, known, true), {
    lines: ['Stays: largest', 'sea.jpg', '2.4 MB', '4,000 × 3,000'],
    said: 'Stays: largest, 2.4 MB, 4,000 × 3,000',
  });
  assert.deepEqual(fileLines(small, groups, unknown, false).lines, ['sea-2.jpg', '31 kB']);
  assert.equal(fileLines(large, groups, unknown, false).lines[0], 'Largest', 'whatever becomes of it');
});

test('where names are the same, folders tell them apart; none of equal files is the largest', () => {
  const [one, other] = [picture('2019/sea.jpg', 500), picture('copies/sea.jpg', 500)];
  const groups = new Map([
    [one, 0],
    [other, 0],
    [picture('elsewhere/lake.jpg', 9000), 1],
  ]);
  assert.deepEqual(fileLines(one, groups, unknown, true).lines, ['Stays', 'sea.jpg', '1 kB', '2019']);
  assert.deepEqual(fileLines(other, groups, unknown, false).lines, ['sea.jpg', '1 kB', 'copies']);
});
