import assert from 'node:assert/strict';
import test from 'node:test';
import { linesBeside, readLabels, readPaths, repeatedIn } from '../../www/labels.js';
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
