import assert from 'node:assert/strict';
import test from 'node:test';
import { loadVocabulary } from '../../pkg/src/node.js';
import { Corrections } from '../../www/corrections.js';
import { edit } from '../../www/editing.js';
import { TagNames } from '../../www/tag-names.js';
import { TagPaths } from '../../www/tag-paths.js';

/** What people do to several pictures, over stand-ins for the elements. */

const vocabulary = await loadVocabulary();

/** @param {EventTarget} host @param {string} type @param {unknown} [detail] */
const tell = (host, type, detail) => host.dispatchEvent(new CustomEvent(type, { detail }));

/** Pictures that have tags, all of them selected. @param {string[][]} found by a model */
function begin(...found) {
  const corrections = new Corrections();
  /** What is known of the pictures besides. @type {{ found: any, filed: any }} */
  const words = { found: null, filed: undefined };
  const pictures = found.map((_, i) => /** @type {any} */ ({ id: `picture-${i}`, name: `${i}.png` }));
  const answers = found.map((labels) => ({
    tags: labels.map((label, index) => ({ label, score: 0.5, index })),
    sure: true,
  }));
  const session = Object.assign(new EventTarget(), {
    pictures,
    corrections,
    paths: new TagPaths(),
    answerOf: (/** @type {any} */ one) => corrections.answer(one, answers[pictures.indexOf(one)] ?? null),
    captionsOf: (/** @type {any} */ one) => corrections.captions(one, words.found),
    fileWords: { of: () => words.filed },
    lessons: { examples: new Map(), with: () => new Map(), put() {} },
    countTaught: () => 0,
  });
  const names = new TagNames();
  names.use({ vocabulary: null, language: 'en', others: new Map() });
  names.learn(['dog', 'cat']);
  /** @type {{ said: string, undo: boolean }} */
  const log = { said: '', undo: false };
  const line = Object.assign(new EventTarget(), {
    say: (/** @type {string} */ said, /** @type {any} */ { undo }) => Object.assign(log, { said, undo }),
  });
  const bar = Object.assign(new EventTarget(), { show() {} });
  /** @type {string[]} */
  const merged = [];
  const list = new EventTarget();
  const editing = edit(
    /** @type {any} */ ({
      session,
      names,
      bar,
      line,
      gallery: { selected: new Set(pictures) },
      pictures: list,
      select: new EventTarget(),
      onRemoved() {},
      onEmpty() {},
      onMerged: (/** @type {string} */ from, /** @type {string} */ to) => merged.push(`${from} to ${to}`),
    }),
  );
  const tags = () => pictures.map((one) => session.answerOf(one)?.tags.map(({ label }) => label));
  return { editing, session, corrections, pictures, list, names, bar, line, log, merged, tags, words };
}

test('what is no animal is no dog either, and all comes back in one step', () => {
  const { pictures, list, names, log, tags, line, bar } = begin(['poodle', 'dog', 'animal', 'hat'], ['cat']);
  names.use({ vocabulary, language: 'en', others: new Map() });
  tell(list, 'correct', { pictures: [pictures[0]], remove: 'animal' });
  assert.equal(log.said, 'Took “animal”, “poodle”, “dog” away from 0.png.');
  assert.deepEqual(tags(), [['hat'], ['cat']]);
  tell(line, 'undo');
  assert.deepEqual(tags()[0], ['poodle', 'dog', 'animal', 'hat']);
  tell(list, 'correct', { pictures: [pictures[0]], remove: 'poodle' });
  assert.deepEqual(tags()[0], ['dog', 'animal', 'hat'], 'it may be another dog');
  tell(list, 'correct', { pictures: [pictures[0]], agree: 'dog' });
  tell(list, 'correct', { pictures: [pictures[0]], remove: 'animal' });
  assert.deepEqual(tags()[0], ['dog', 'hat'], 'somebody has agreed to the dog: the word is not wanted');
  tell(line, 'undo');
  tell(line, 'undo');
  tell(bar, 'correct-selected', { remove: 'animal' });
  assert.deepEqual(tags()[0], ['dog', 'hat'], 'of several pictures a word goes, right or wrong');
});

test('whoever empties the caption of a file has the model’s, and whoever empties that, the file’s', () => {
  const { corrections, pictures, list, log, words } = begin(['fox']);
  Object.assign(words, { found: [{ caption: 'a fox' }], filed: { tags: [], caption: 'Anna at the sea' } });
  tell(list, 'correct', { pictures, caption: ' ' });
  assert.equal(corrections.of(pictures[0])?.caption, 'a fox');
  tell(list, 'correct', { pictures, caption: '' });
  assert.equal(corrections.of(pictures[0])?.caption ?? null, null);
  assert.equal(log.said, 'Without a caption of yours, the file’s is there again: 0.png.');
  Object.assign(words, { filed: undefined });
  tell(list, 'correct', { pictures, caption: '' });
  assert.equal(log.said, 'Without a caption of yours, the page’s own is there again: 0.png.');
});

test('tags are taken away from those pictures that have them', () => {
  const { bar, line, log, corrections, pictures, tags } = begin(['dog', 'cat'], ['Dog'], ['cat']);
  tell(bar, 'correct-selected', { remove: 'DOG, wolf' });
  assert.equal(log.said, 'Took “dog”, “Dog” away from 2 pictures. None of the 3 pictures has “wolf”.');
  assert.deepEqual(tags(), [['cat'], [], ['cat']]);
  assert.equal(corrections.of(pictures[2]), undefined, 'nothing is said of it');
  assert.ok(!corrections.of(pictures[0])?.gone.includes('wolf'));
  tell(line, 'undo');
  assert.deepEqual(tags(), [['dog', 'cat'], ['Dog'], ['cat']]);
});

test('what no picture has is not taken away, and there is nothing to take back', () => {
  const { bar, log, corrections, pictures } = begin(['cat'], ['cat'], []);
  tell(bar, 'correct-selected', { remove: 'dog' });
  assert.deepEqual(log, { said: 'None of the 3 pictures has “dog”.', undo: false });
  assert.ok(pictures.every((one) => corrections.of(one) === undefined));
});

test('a tag that becomes another takes with it whoever has chosen it, there and back', () => {
  const { editing, line, merged, tags } = begin(['dog'], ['cat'], ['dog']);
  editing.rename('dog', 'Cat');
  assert.deepEqual(tags(), [['cat'], ['cat'], ['cat']]);
  assert.deepEqual(merged, ['dog to cat']);
  tell(line, 'undo');
  assert.deepEqual(tags(), [['dog'], ['cat'], ['dog']]);
  assert.deepEqual(merged, ['dog to cat', 'cat to dog']);
  editing.rename('dog', 'Rex');
  assert.equal(merged.length, 2, 'another name is no other tag');
});

test('a tag that is typed below others is that tag, and lies there', () => {
  const { bar, line, log, editing, session, tags } = begin(['dog'], []);
  const { paths } = session;
  tell(bar, 'correct-selected', { add: 'pets | Minka, pets|dogs|Dog' });
  assert.equal(log.said, 'Added “Minka”, “dog” to 2 pictures.');
  assert.deepEqual(tags(), [
    ['Minka', 'dog'],
    ['Minka', 'dog'],
  ]);
  assert.deepEqual([paths.get('Minka'), paths.get('dog')], ['pets|Minka', 'pets|dogs|Dog']);
  tell(line, 'undo');
  assert.equal(paths.get('Minka'), undefined);
  tell(line, 'redo');
  editing.rename('Minka', 'family|Minka');
  assert.equal(log.said, '“Minka” is called “Minka” now, below “family”.');
  assert.equal(paths.get('Minka'), 'family|Minka');
  tell(bar, 'teach-selected', 'friends|Rex');
  assert.equal(paths.get('Rex'), 'friends|Rex');
  tell(bar, 'correct-selected', { remove: 'pets|Minka' });
  assert.deepEqual(tags()[1]?.includes('Minka'), false);
  paths.ask(new Map([['Rex', 'staff|Rex']]));
  assert.equal(paths.get('Rex'), 'staff|Rex', 'what was said last');
});

test('a step is taken back and again beside what was said meanwhile', () => {
  const { bar, line, editing, corrections, pictures, tags } = begin([], ['cat']);
  tell(bar, 'correct-selected', { add: 'one' });
  editing.rename('cat', 'Felix');
  // As another tab has told.
  const [first] = pictures;
  corrections.put(first, corrections.changed(first, { add: ['two'] }));
  corrections.rename(new Map([...corrections.names, ['dog', 'Bello']]));
  tell(line, 'undo');
  assert.deepEqual([...corrections.names], [['dog', 'Bello']]);
  tell(line, 'undo');
  assert.deepEqual(tags(), [['two'], ['cat']]);
  tell(line, 'redo');
  assert.deepEqual(tags(), [
    ['two', 'one'],
    ['one', 'cat'],
  ]);
});
