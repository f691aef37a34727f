// What two have said at the same time, joined.

import assert from 'node:assert/strict';
import test from 'node:test';
import { joinedMap, joinedSaid, joinedWords } from '../../www/joining.js';

/** @param {string} own @param {string} [gone] @param {string | null} [caption] labels with spaces between them */
const said = (own, gone = '', caption = null) => ({
  own: own.split(' ').filter(Boolean),
  gone: gone.split(' ').filter(Boolean),
  caption,
});

test('tags that either has given stay, and what one has taken away goes unless the other gives it', () => {
  const before = said('dog cat', 'wolf');
  for (const [here, there, joined] of [
    [said('dog cat one', 'wolf'), said('dog cat two', 'wolf'), said('dog cat two one', 'wolf')],
    [said('dog', 'wolf cat'), said('dog cat two', 'wolf'), said('dog two', 'cat wolf')],
    [said('dog cat wolf'), said('dog cat', 'wolf fox'), said('dog cat wolf', 'fox')],
    [said('dog cat fox', 'wolf'), said('dog cat', 'wolf fox'), said('dog cat fox', 'wolf')],
    [said('cat', 'wolf'), said('cat', 'wolf dog'), said('cat', 'wolf dog')],
    [said('cat dog'), said('', 'wolf'), said('')],
  ]) {
    assert.deepEqual(joinedSaid(before, here, there), joined);
    const other = joinedSaid(before, there, here);
    assert.deepEqual(
      [other?.own.toSorted(), other?.gone.toSorted()],
      [joined.own.toSorted(), joined.gone.toSorted()],
    );
  }
  assert.deepEqual(joinedSaid(undefined, said('one'), said('two')), said('two one'));
});

test('of captions that both have changed that of here stays', () => {
  const before = said('', '', 'A dog');
  const [here, there] = [said('', '', 'Rex'), said('', '', 'Bello')];
  assert.equal(joinedSaid(before, here, there)?.caption, 'Rex');
  assert.equal(joinedSaid(before, said('a', '', 'A dog'), there)?.caption, 'Bello');
  assert.equal(joinedSaid(before, here, said('a', '', 'A dog'))?.caption, 'Rex');
});

test('what is the same in the end is the same object, so that nobody has any news', () => {
  const [before, here, there] = [said('a'), said('a b'), said('a b')];
  assert.equal(joinedSaid(before, here, there), there);
  assert.equal(joinedSaid(before, said('a'), there), there);
  assert.equal(joinedSaid(before, here, said('a')), here);
  assert.equal(joinedSaid(undefined, undefined, undefined), undefined);
  const more = said('a c b');
  assert.equal(joinedSaid(before, said('a b'), said('a c')) === more, false);
  assert.equal(joinedSaid(said('x'), said('a'), more), more, 'it says it all');
});

test('names and what was taught are joined one by one', () => {
  const map = (/** @type {Record<string, string>} */ all) => new Map(Object.entries(all));
  const joined = joinedMap(
    map({ a: '1', b: '2', c: '3' }),
    map({ a: 'one', c: '3' }),
    map({ b: '2', c: 'three', d: '4' }),
  );
  assert.deepEqual(joined, map({ a: 'one', c: 'three', d: '4' }));
  const words = (/** @type {string[]} */ ...taught) => ({ names: new Map(), taught });
  assert.deepEqual(joinedWords(words('a', 'b'), words('b', 'c'), words('a', 'b', 'd')), words('b', 'd', 'c'));
});
