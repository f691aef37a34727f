import assert from 'node:assert/strict';
import test from 'node:test';
import { calledSo, meantBy } from '../../www/called.js';
import { FileWords } from '../../www/file-words.js';
import { TagNames } from '../../www/tag-names.js';
import { loadVocabulary } from '../../pkg/src/node.js';

/** By which words pictures are found. */

const names = new TagNames();
names.use({ vocabulary: await loadVocabulary(), language: 'en', others: new Map() });

/** @param {Record<string, { tags?: string[], caption?: string, filed?: string }>} pictures by their paths */
function begin(pictures) {
  const fileWords = new FileWords();
  const all = Object.entries(pictures).map(([path, { filed }]) => {
    const picture = /** @type {any} */ ({ path });
    if (filed) fileWords.put(picture, { tags: [], caption: filed });
    return picture;
  });
  const session = {
    pictures: all,
    fileWords,
    answerOf: (/** @type {any} */ { path }) => ({
      tags: (pictures[path]?.tags ?? []).map((label) => ({ label })),
    }),
    captionsOf: (/** @type {any} */ { path }) =>
      pictures[path]?.caption ? [{ caption: pictures[path]?.caption }] : null,
  };
  /** @param {string} text @param {{ byFile?: boolean }} [options] */
  return (text, options) =>
    calledSo(/** @type {any} */ (session), names, text, options).map(({ path }) => path);
}

test('several things are looked for as the one that the model knows', () => {
  for (const [word, label] of [
    ['people', 'person'],
    ['Dogs', 'dog'],
    ['flowers', 'flower'],
    ['ships', 'ship'],
    ['sunglasses', 'sunglasses'],
    ['a beach at sunset', 'a beach at sunset'],
    ['zork', 'zork'],
  ]) {
    assert.equal(meantBy(names, word), label);
  }
});

test('tags, captions, files and folders are what a picture is called by', () => {
  const found = begin({
    'Strand 2/IMG_1.jpg': { tags: ['person', 'face'], caption: 'two ferries on the sea' },
    'vacation/IMG_12.jpg': { tags: ['dog'], caption: 'a dog on a white ground', filed: 'Rex am Strand' },
    'Küche/犬.jpg': { tags: ['flower'] },
  });
  assert.deepEqual(found('people'), ['Strand 2/IMG_1.jpg']);
  assert.deepEqual(found('kuche'), ['Küche/犬.jpg'], 'marks of letters need not be typed');
  assert.deepEqual(found('ferry'), ['Strand 2/IMG_1.jpg']);
  assert.deepEqual(found('white ground'), ['vacation/IMG_12.jpg']);
  assert.deepEqual(found('strand'), ['Strand 2/IMG_1.jpg', 'vacation/IMG_12.jpg']);
  assert.deepEqual(found('Strand', { byFile: false }), ['vacation/IMG_12.jpg']);
  assert.deepEqual(found('IMG_1'), ['Strand 2/IMG_1.jpg'], 'and not 12');
  assert.deepEqual(found('cat'), [], 'no vacation');
  assert.deepEqual(found('ku\u0308che'), ['Küche/犬.jpg'], 'however its letters are made');
  assert.deepEqual(found('犬.jpg'), ['Küche/犬.jpg']);
  assert.deepEqual(found(' '), []);
});

test('a tag is found without the marks of its letters, which in other scripts make another letter', () => {
  const found = begin({ 'a.jpg': { tags: ['Großmutter'] }, 'b.jpg': { tags: ['かき'] } });
  for (const typed of ['großmutter', 'grossmutter', 'GROSSMUTTER']) assert.deepEqual(found(typed), ['a.jpg']);
  assert.deepEqual(found('がき'), []);
  assert.deepEqual(found('かき'), ['b.jpg']);
});
