// What is typed to find pictures.

import assert from 'node:assert/strict';
import test from 'node:test';
import { spaced, wordsOf } from '../../www/query.js';

test('signs may touch the words behind them, and words may have lines in them', () => {
  assert.equal(spaced(' food -pizza +table'), 'food - pizza + table');
  assert.equal(spaced('a t-shirt - jeans'), 'a t-shirt - jeans');
  assert.equal(spaced('-dog'), '- dog');
});

test('the words of a query are those that are to be there, and those that are not', () => {
  assert.deepEqual(wordsOf('a beach at sunset'), { wanted: ['a beach at sunset'], absent: [] });
  assert.deepEqual(wordsOf('beach + sunset -people'), { wanted: ['beach', 'sunset'], absent: ['people'] });
  assert.deepEqual(wordsOf('- dog'), { wanted: [], absent: ['dog'] });
  assert.deepEqual(wordsOf(''), { wanted: [], absent: [] });
});
