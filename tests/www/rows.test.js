import assert from 'node:assert/strict';
import test from 'node:test';
import { loadVocabulary } from '../../pkg/src/node.js';
import { FileWords } from '../../www/file-words.js';
import { partOf, rowsOf, save } from '../../www/save.js';

/** What is saved of pictures. */

const vocabulary = await loadVocabulary();

/** @param {{ tags: string[], compared?: string[], gone?: string[], paths?: [string, string][], all?: boolean }} known */
function rowOf({ tags, compared = [], gone = [], paths = [], all = false }) {
  const scored = (/** @type {string[]} */ labels) => labels.map((label) => ({ label, score: 0.1, index: 0 }));
  const session = {
    pictures: [{ path: 'a.jpg' }],
    paths: new Map(paths),
    answerOf: () => ({ tags: scored(tags), compared: scored(compared), sure: true }),
    captionsOf: () => null,
    corrections: { of: () => ({ own: [], gone, caption: null }) },
    fileWords: new FileWords(),
    captions: { jobs: new Map() },
  };
  const [row] = rowsOf(/** @type {any} */ (session), session.pictures, { naming: String, vocabulary, all });
  return row;
}

test('what is only compared is not saved', () => {
  assert.deepEqual(rowOf({ tags: ['dog'], compared: ['cat'] })?.tags, ['dog']);
  assert.equal(rowOf({ tags: [], compared: ['cat'] }), undefined);
  assert.deepEqual(rowOf({ tags: [], compared: ['cat'], all: true })?.tags, []);
});

test('a caption that says nothing is none in a file, unless somebody has written it', () => {
  const of = (/** @type {string | null} */ own) => {
    const session = {
      paths: new Map(),
      answerOf: () => ({ tags: [{ label: 'dog' }], sure: true }),
      captionsOf: () => [{ caption: own ?? 'something' }],
      corrections: { of: () => ({ own: [], gone: [], caption: own }) },
      fileWords: new FileWords(),
      captions: { jobs: new Map() },
    };
    const pictures = /** @type {any} */ ([{ path: 'a.jpg' }]);
    return rowsOf(/** @type {any} */ (session), pictures, { naming: String, vocabulary })[0]?.caption;
  };
  assert.deepEqual([of(null), of('something'), of('something blue')], ['', 'something', 'something blue']);
});

test('the model’s caption in the place of one that was emptied is nobody’s word', () => {
  const [picture] = /** @type {any[]} */ ([{ path: 'a.jpg' }]);
  const of = (/** @type {string} */ caption) => {
    const session = {
      paths: new Map(),
      answerOf: () => ({ tags: [{ label: 'dog' }], sure: true }),
      captionsOf: () => [{ caption }],
      corrections: { of: () => ({ own: [], gone: [], caption }) },
      fileWords: new FileWords(),
      captions: { jobs: new Map([[picture, { result: [{ caption: 'a dog' }] }]]) },
    };
    const [row] = rowsOf(/** @type {any} */ (session), [picture], { naming: String, vocabulary });
    return [row?.caption, row?.captionIsOwn, row?.captionIsSaid];
  };
  assert.deepEqual(of('a dog'), ['a dog', false, true]);
  assert.deepEqual(of('Rex'), ['Rex', true, true]);
});

test('what people have given or agreed to is told from what models find, in its order', () => {
  const tags = [
    { label: 'Rex', own: true },
    { label: 'dog', own: true },
    { label: 'garden', filed: true },
    { label: 'sea' },
  ];
  const session = {
    pictures: [{ path: 'a.jpg' }],
    paths: new Map(),
    answerOf: () => ({ tags, sure: true }),
    captionsOf: () => null,
    corrections: { of: () => ({ own: ['Rex', 'dog'], gone: [], caption: null }) },
    fileWords: new FileWords(),
    captions: { jobs: new Map() },
  };
  const [row] = rowsOf(/** @type {any} */ (session), session.pictures, { naming: String, vocabulary });
  assert.deepEqual([row?.own, row?.tags.length], [['Rex', 'dog'], 4]);
});

test('whoever has only small copies is told which folder to open again', async () => {
  const row = { path: 'Trip/a.jpg', tags: ['dog'], hierarchy: [], caption: '', original: null };
  const order = /** @type {const} */ ({ format: 'pictures', folder: null, options: {} });
  const { signal } = new AbortController();
  const line = (/** @type {string[]} */ names) => {
    const closed = names.map((name) => /** @type {any} */ ({ name }));
    return save([row], { ...order, signal }, () => {}, { all: closed, closed });
  };
  const gone = 'There was nothing to save. 1 picture left out: only small copies of earlier visits are here.';
  const chosen = `${gone} Choose the pictures again, and their files are here to be saved.`;
  assert.equal(await line([]), chosen);
  assert.equal(await line(['Tri', 'Other']), chosen, 'another folder helps nothing');
  assert.equal(
    await line(['Other', 'Trip']),
    `${gone} Open the folder “Trip” again, and their files are here to be saved.`,
  );
});

test('whoever saves before all is known is told of how many pictures nothing is', async () => {
  const row = { path: 'a.jpg', tags: ['dog'], hierarchy: [], caption: '', original: null };
  const { signal } = new AbortController();
  const order = /** @type {const} */ ({ format: 'pictures', folder: null, options: {}, others: 3 });
  assert.match(await save([row], { ...order, signal }, () => {}), / Nothing is known of 3 other pictures\. /);
});

test('what somebody has taken away is not above another tag either', () => {
  const [whole] = rowOf({ tags: ['poodle'] })?.hierarchy ?? [];
  assert.match(whole ?? '', /\|dog\|poodle$/, 'or this proves nothing');
  assert.equal(rowOf({ tags: ['poodle'], gone: ['dog'] })?.hierarchy[0], whole?.replace('|dog', ''));
  const paths = /** @type {[string, string][]} */ ([['Rex', 'pets|dogs|Rex']]);
  assert.equal(rowOf({ tags: ['Rex'], paths })?.hierarchy[0], 'pets|dogs|Rex');
  assert.equal(rowOf({ tags: ['Rex'], gone: ['pets'], paths })?.hierarchy[0], 'dogs|Rex');
});

test('what is below others by hand is saved under its own name, with those above it beside', () => {
  const paths = /** @type {[string, string][]} */ ([['Minka', 'pets|Minka']]);
  const row = rowOf({ tags: ['Minka', 'dog'], paths });
  assert.deepEqual(
    [row?.tags, row?.hierarchy[0], row?.paths],
    [['Minka', 'dog'], 'pets|Minka', ['pets|Minka']],
  );
  const older = rowOf({ tags: ['pets|Minka'] });
  assert.deepEqual(
    [older?.tags, older?.hierarchy, older?.paths],
    [['Minka'], ['pets|Minka'], ['pets|Minka']],
  );
  assert.equal(rowOf({ tags: ['dog'] })?.paths, undefined);
});

test('of pictures those are meant that are selected, or else shown, where these are not all', () => {
  const pictures = /** @type {any[]} */ (['a', 'b', 'c']);
  const of = (/** @type {any[] | null} */ selected, shown = pictures) =>
    partOf(selected && new Set(selected), { pictures, shown });
  assert.equal(of(null), null);
  assert.equal(of([]), null);
  assert.deepEqual(of(['a', 'c'], ['a']), { which: 'selected', size: 2, all: 3 });
  assert.deepEqual(of([], ['b']), { which: 'shown', size: 1, all: 3 });
});
