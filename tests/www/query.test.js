// What is typed to find pictures.

import assert from 'node:assert/strict';
import test from 'node:test';
import { wordsOf, written } from '../../www/query.js';

test('signs may touch the words behind them, and words may have lines in them', () => {
  const asked = (/** @type {string} */ query) => written(wordsOf(query));
  assert.equal(asked(' food -pizza +table'), 'food + table - pizza');
  assert.equal(asked('a t-shirt - jeans'), 'a t-shirt - jeans');
  assert.equal(asked('-dog + beach'), 'beach - dog', 'what is wanted comes first');
  assert.equal(asked('+ dog'), 'dog');
});

test('the words of a query are those that are to be there, and those that are not', () => {
  assert.deepEqual(wordsOf('a beach at sunset'), { wanted: ['a beach at sunset'], absent: [] });
  assert.deepEqual(wordsOf('beach + sunset -people'), { wanted: ['beach', 'sunset'], absent: ['people'] });
  assert.deepEqual(wordsOf('- dog'), { wanted: [], absent: ['dog'] });
  assert.deepEqual(wordsOf(''), { wanted: [], absent: [] });
});
