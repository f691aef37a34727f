import assert from 'node:assert/strict';
import test from 'node:test';
import { Corrections, readCaption, readSaid, readTags, withoutNaming } from '../../www/corrections.js';
import { History } from '../../www/history.js';
import { TagNames } from '../../www/tag-names.js';

const picture = /** @type {any} */ ({ id: 'picture-1' });
const answer = {
  tags: [
    { label: 'dog', score: 0.6, index: 1 },
    { label: 'cat', score: 0.2, index: 0 },
  ],
  sure: true,
  doubt: { likely: 'wolf' },
};

/** Says something of the picture. @param {Corrections} corrections @param {import('../../www/corrections.js').Change} change */
const say = (corrections, change) => corrections.put(picture, corrections.changed(picture, change));

const labels = (/** @type {any} */ found) => found.tags.map((/** @type {any} */ { label }) => label);

test('what people say comes first, and what they take away stays away', () => {
  const corrections = new Corrections();
  assert.equal(corrections.answer(picture, answer), answer, 'nothing was said');
  say(corrections, { add: ['beagle', 'cat'], remove: ['dog'] });
  const found = corrections.answer(picture, answer);
  assert.deepEqual(labels(found), ['beagle', 'cat']);
  assert.equal(found?.doubt, null);
  assert.equal(corrections.answer(picture, answer), found, 'the same as long as nothing changes');
  say(corrections, { add: ['dog'] });
  assert.deepEqual(labels(corrections.answer(picture, answer)), ['beagle', 'cat', 'dog']);
  say(corrections, { unsay: ['beagle', 'cat', 'dog'] });
  assert.deepEqual(labels(corrections.answer(picture, answer)), ['dog', 'cat'], 'the model’s again');
});

test('a picture of which a model was not sure, or knows nothing yet, is what people say it is', () => {
  const corrections = new Corrections();
  say(corrections, { remove: ['cat'] });
  assert.equal(corrections.answer(picture, null), null);
  assert.equal(corrections.answer(picture, { tags: [], sure: false })?.sure, false);
  say(corrections, { add: ['our cat'] });
  assert.deepEqual(labels(corrections.answer(picture, null)), ['our cat']);
  assert.equal(corrections.answer(picture, { tags: [], sure: false })?.sure, true);
});

test('a caption of one’s own takes the place of the model’s, and gives it back', () => {
  const corrections = new Corrections();
  const found = [{ caption: 'a dog' }, { caption: 'a cat' }];
  say(corrections, { caption: 'Rex' });
  assert.deepEqual(corrections.captions(picture, found), [{ caption: 'Rex' }]);
  assert.equal(corrections.captions(picture, found), corrections.captions(picture, found));
  say(corrections, { caption: null });
  assert.equal(corrections.captions(picture, found), found);
});

test('what is typed becomes tags without what no file can hold', () => {
  assert.deepEqual(readTags(' Grandma’s garden, 犬;dog\n dog,, \u0007bell '), [
    'Grandma’s garden',
    '犬',
    'dog',
    'bell',
  ]);
  assert.deepEqual(readTags('x'.repeat(500)), ['x'.repeat(120)]);
  assert.deepEqual(readTags(' , '), []);
  assert.equal(readCaption('two\nlines '), 'two\nlines');
  assert.equal(readCaption('  '), null);
});

test('what was kept is read back, and nothing else', () => {
  const said = { own: ['a'], gone: [], caption: null };
  assert.deepEqual(readSaid(said), said);
  for (const damaged of [null, 3, {}, { own: [1], gone: [] }, { own: ['a'] }]) {
    assert.equal(readSaid(damaged), undefined);
  }
});

test('steps are taken back and again, and a new one ends what was taken back', () => {
  const history = new History();
  /** @type {string[]} */
  const log = [];
  const step = (/** @type {string} */ title) => ({
    title,
    apply: () => void log.push(`+${title}`),
    revert: () => void log.push(`-${title}`),
  });
  history.take(step('a'));
  history.take(step('b'));
  assert.equal(history.undo(), 'b');
  assert.equal(history.redo(), 'b');
  history.undo();
  history.take(step('c'));
  assert.equal(history.redo(), null);
  assert.equal(history.undo(), 'c');
  assert.equal(history.undo(), 'a');
  assert.equal(history.undo(), null);
  assert.deepEqual(log, ['+a', '+b', '-b', '+b', '-b', '+c', '-c', '-a']);
});

test('names stand for labels in every language, and as people have called them', () => {
  const names = new TagNames();
  const japanese = new Map([
    ['dog', '犬'],
    ['cat', '猫'],
  ]);
  const vocabulary = /** @type {any} */ ({
    labels: [{ label: 'dog' }, { label: 'cat' }, { label: 'hot dog' }],
    name: (/** @type {string} */ label, /** @type {string} */ language) =>
      (language === 'ja' && japanese.get(label)) || label,
  });
  names.use({ vocabulary, language: 'ja', others: new Map([['cat', 'Minka']]) });
  names.learn(['Grandma’s garden']);
  assert.equal(names.nameOf('dog'), '犬');
  assert.equal(names.nameOf('cat'), 'Minka');
  assert.equal(names.nameOf('Grandma’s garden'), 'Grandma’s garden');
  assert.equal(names.labelOf('犬'), 'dog');
  assert.equal(names.labelOf('DOG'), 'dog');
  assert.equal(names.labelOf('minka'), 'cat');
  assert.equal(names.labelOf('something else'), 'something else');
  assert.deepEqual(names.propose('dog'), ['犬', 'hot dog']);
  assert.deepEqual(names.propose('gran'), ['Grandma’s garden']);
});

test('a caption that names what the picture has not is none', () => {
  const found = ['two insects on a leaf', 'a ball', 'an insectarium'].map((caption) => ({ caption }));
  assert.equal(withoutNaming(found, []), found);
  const left = withoutNaming(found, ['dog', 'insect']);
  assert.deepEqual(left, found.slice(1));
  assert.equal(withoutNaming(found, ['dog', 'insect']), left, 'the same as long as nothing changes');
  assert.deepEqual(withoutNaming(found, ['insect', 'ball', 'insectarium']), []);
});
