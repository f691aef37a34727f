import assert from 'node:assert/strict';
import test from 'node:test';
import { GridRows } from '../../www/grid-rows.js';

test('tiles fill rows, of which those on screen are found', () => {
  const rows = new GridRows(10, 4, 100);
  assert.equal(rows.height(8), 292);
  assert.deepEqual(rows.cornerOf(5), { x: 100, y: 100 });
  assert.deepEqual(rows.between(0, 50), [0, 4]);
  assert.deepEqual(rows.between(120, 250), [4, 10]);
  assert.deepEqual(rows.between(0, 50, 1), [0, 8]);
  assert.deepEqual(rows.between(900, 1000), [0, 0]);
  assert.deepEqual(new GridRows(0, 4, 100).between(0, 100), [0, 0]);
  assert.equal(new GridRows(0, 4, 100).height(8), 0);
});

test('each group begins a row, apart from the one above', () => {
  const begins = new Set([0, 2, 6]);
  const rows = new GridRows(9, 4, 100, (place) => begins.has(place));
  const corners = Array.from({ length: 9 }, (_, place) => rows.cornerOf(place));
  assert.deepEqual(
    corners.map(({ x }) => x),
    [0, 100, 0, 100, 200, 300, 0, 100, 200],
  );
  const tops = [0, 2, 6].map((place) => corners[place]?.y ?? 0);
  assert.ok((tops[1] ?? 0) > 100 && (tops[2] ?? 0) - (tops[1] ?? 0) > 100, String(tops));
  assert.deepEqual(rows.between(0, 99), [0, 2]);
  assert.deepEqual(rows.between(0, 1000), [0, 9]);
});

test('keys lead up and down, and no further than there are rows', () => {
  const rows = new GridRows(10, 4, 100);
  assert.equal(rows.beside(1, 1), 5);
  assert.equal(rows.beside(7, 1), 9, 'into a last row that is not full');
  assert.equal(rows.beside(9, 1), 9);
  assert.equal(rows.beside(1, -1), 1);
  assert.equal(rows.beside(1, 7), 9, 'a page');
  const begins = new Set([0, 2]);
  const grouped = new GridRows(6, 4, 100, (place) => begins.has(place));
  assert.equal(grouped.beside(5, -1), 1);
  assert.equal(grouped.beside(1, 1), 3);
});
