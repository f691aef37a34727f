import assert from 'node:assert/strict';
import test from 'node:test';
import { askedAs, linesBeside, readLabels, readPaths, repeatedIn } from '../../www/labels.js';
import { withExtra } from '../../www/tagging.js';

test('a label is taken once, however its capitals and spaces are, and a word in two senses twice', () => {
  const text = 'dog\nhot  dog\n Dog \nbat: a type of animal\nhot dog\nbat: used in baseball\nDOG\n';
  assert.deepEqual(readLabels(text), [
    'dog',
    'hot  dog',
    { label: 'bat', hint: 'a type of animal' },
    { label: 'bat', hint: 'used in baseball' },
  ]);
  assert.deepEqual(repeatedIn(text), ['dog', 'hot  dog']);
  assert.deepEqual(repeatedIn('dog\ncat'), []);
});

test('what is below another label is the same label', () => {
  const text = 'pets|dogs|Rex\nRex';
  assert.deepEqual(readLabels(text), ['Rex']);
  assert.equal(readPaths(text).get('Rex'), 'pets|dogs|Rex');
});

test('what is added to a list is not in it under other capitals', () => {
  assert.deepEqual(withExtra(['dog', { label: 'bat', hint: 'a type of animal' }], ['Dog', 'zebra', 'BAT']), [
    'dog',
    { label: 'bat', hint: 'a type of animal' },
    'zebra',
  ]);
  assert.equal(linesBeside('dog\nDog\nzebra', ['dog']), 'zebra');
});

test('models are asked about one of several things, where that is another label', () => {
  const listed = /** @type {any} */ ({
    labels: ['bird', 'dog', 'bus', 'scissors'].map((label) => ({ label })),
  });
  const ask = (/** @type {import('../../www/labels.js').Label[]} */ ...labels) => askedAs(labels, listed);
  assert.deepEqual(ask('birds', 'dog', 'buses', 'scissors'), ['bird', 'dog', 'bus', 'scissors']);
  assert.deepEqual(ask('dogs', 'dog'), ['dogs', 'dog'], 'no label twice');
  assert.deepEqual(ask('Dogs', 'doges', 'grandmas'), ['dog', 'doges', 'grandmas']);
  assert.deepEqual(ask({ label: 'dogs', hint: 'pets' }), [{ label: 'dog', hint: 'pets' }]);
  assert.deepEqual(askedAs(['dogs'], null), ['dogs']);
});
