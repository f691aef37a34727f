// Pictures of a map: none hides another, and each stays near where it belongs.

import assert from 'node:assert/strict';
import test from 'node:test';
import { cellsOf, evened } from '../../www/map-cells.js';

/** All in one go. @param {Parameters<typeof cellsOf>} how */
function cells(...how) {
  const work = cellsOf(...how);
  for (let rests = 0; ; rests++) {
    const { done, value } = work.next();
    if (done) return { found: value, rests };
  }
}

test('each gets a cell of its own, the nearest that is free', () => {
  const corner = Array.from({ length: 9 }, () => ({ x: 0, y: 0 }));
  const { found } = cells([...corner, { x: 1, y: 1 }], 10, 10);
  assert.equal(new Set(found).size, 10);
  assert.equal(found[0], 0);
  assert.equal(found[9], 99);
  assert.ok(
    [...found.subarray(0, 9)].every((cell) => cell % 10 <= 3 && cell < 40),
    `${found}`,
  );
});

test('where there are more pictures than cells, they share', () => {
  const { found } = cells(
    Array.from({ length: 7 }, (_, i) => ({ x: i / 6, y: 0 })),
    2,
    2,
  );
  assert.deepEqual([...new Set(found)].sort(), [0, 1, 2, 3]);
});

test('thousands in one place are spread, with rests', () => {
  const { found, rests } = cells(
    Array.from({ length: 2000 }, () => ({ x: 0.5, y: 0.5 })),
    60,
    60,
  );
  assert.equal(new Set(found).size, 2000);
  assert.ok(rests >= 60);
});

test('one far away does not press the others together', () => {
  const [a = 0, b = 0, c = 0, far = 0] = evened([0, 1, 2, 1000]);
  assert.deepEqual([a, far], [0, 1]);
  assert.ok(b > 0.15 && c > 0.3 && c < far);
  assert.deepEqual(evened([3, 3]), [0.5, 0.5]);
  assert.deepEqual(evened([]), []);
});
