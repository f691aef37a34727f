// What files say becomes what people say, as far as it is news.

import './support/dom.js';
import assert from 'node:assert/strict';
import test from 'node:test';
import { downloadsOf, filesOf } from '../../www/export.js';
import { mergedXmp } from '../../www/files/xmp-merge.js';
import { FileWords } from '../../www/file-words.js';
import { importer } from '../../www/importing.js';
import { withLostSidecar } from '../../www/lost-sidecars.js';
import { TagPaths } from '../../www/tag-paths.js';

/** @template T @param {AsyncIterable<T>} some @returns {Promise<T[]>} */
async function allOf(some) {
  const all = [];
  for await (const one of some) all.push(one);
  return all;
}

/** Reads files about `a.jpg`, and tells what changes. @param {File | File[]} files @param {object} [known] */
async function read(
  files,
  {
    tags = ['dog', 'sea'],
    caption = 'a dog by the sea, at night',
    gone = [],
    own = [],
    written = null,
    paths = new TagPaths(),
    gently = false,
    words: fileWords = new FileWords(),
    picture = /** @type {any} */ ({ name: 'a.jpg', path: 'a.jpg' }),
  } = {},
) {
  const lane = { status: 'ready', jobs: new Map() };
  let confirmed;
  let withdrawn;
  const session = {
    pictures: [picture],
    tags: lane,
    captions: lane,
    answerOf: () => ({ tags: tags.map((label) => ({ label })) }),
    captionsOf: () => [{ caption }],
    corrections: {
      of: () => ({ own, gone, caption: written }),
      confirm: (/** @type {Map<any, string[]>} */ of) => (confirmed = of.get(picture)),
      withdraw: (/** @type {Map<any, object>} */ of) => (withdrawn = of.get(picture)),
    },
    fileWords,
    paths,
  };
  const words = new Set(['dog', 'sea', 'boat', 'Rex']);
  const names = {
    knows: (/** @type {string} */ name) => words.has(name),
    labelOf: String,
    isBelow: (/** @type {string} */ label) => label === 'dog',
    isCalled: (/** @type {string} */ label, /** @type {string} */ name) => label === name,
  };
  let change;
  const correct = (_, changes, { done }) => {
    change = changes.get(picture);
    done();
  };
  const take = importer(/** @type {any} */ ({ session, names, correct }));
  const line = await take([files].flat(), { gently });
  return { line, change, confirmed, withdrawn, picture, sidecar: await fileWords.sidecarOf(picture)?.text() };
}

const html = (alt) => new File([`<img src="a.jpg" alt="${alt}" />`], 'ocelli.html');

test('a text in the place of a picture is its caption, unless it is a list of tags', async () => {
  const nothing = 'The files say nothing that is not known here.';
  assert.equal((await read(html('a dog by the sea, at night'))).line, nothing);
  assert.equal((await read(html('dog, sea'))).line, nothing);
  assert.deepEqual((await read(html('sea, boat, Rex'))).change, { add: ['boat', 'Rex'], remove: [] });
  const sentence = 'Rex, whom we lost there, with a boat';
  assert.deepEqual((await read(html(sentence))).change, { add: [], remove: [], caption: sentence });
  const markdown = new File(['![boat, sea](a.jpg)\n'], 'ocelli.md');
  assert.deepEqual((await read(markdown)).change, { add: ['boat'], remove: [] });
});

test('what somebody has said since is not undone by files that come again with their folder', async () => {
  const table = new File(['picture,tags,caption,rejected\na.jpg,boat; Rex,old words,sea\n'], 'ocelli.csv');
  const since = { own: ['sea'], gone: ['boat'], caption: 'new words', written: 'new words' };
  assert.deepEqual((await read(table, since)).change, {
    add: ['boat', 'Rex'],
    remove: ['sea'],
    caption: 'old words',
  });
  assert.deepEqual((await read(table, { ...since, gently: true })).change, { add: ['Rex'], remove: [] });
  const silent = { caption: 'of a model', gently: true };
  assert.equal((await read(table, silent)).change?.caption, 'old words');
});

test('a sidecar that is read anew takes the place of one of an earlier visit, or of another tab', () => {
  const words = new FileWords();
  const picture = /** @type {any} */ ({});
  const [old, fresh, exact] = ['old', 'fresh', 'exact'].map((text) => new Blob([text]));
  words.restore(picture, { sidecar: old });
  words.putSidecar(picture, { sidecar: fresh, isExact: false });
  assert.equal(words.sidecarOf(picture), fresh);
  words.restore(picture, { sidecar: fresh });
  words.putSidecar(picture, { sidecar: old, isExact: false });
  assert.equal(words.sidecarOf(picture), old, 'also once it was written');
  words.putSidecar(picture, { sidecar: exact, isExact: true });
  words.restore(picture, { sidecar: exact });
  words.putSidecar(picture, { sidecar: old, isExact: false });
  assert.equal(words.sidecarOf(picture), exact);
});

test('of two sidecars the one that would be written over is kept, and what one of them rejects is gone', async () => {
  const ours = mergedXmp(null, { subjects: ['boat'], rejected: ['Rex'] });
  const theirs = mergedXmp(null, { subjects: ['Rex', 'boat'] });
  const files = [new File([ours], 'a.jpg.xmp'), new File([theirs], 'a.xmp')];
  for (const order of [files, [...files].reverse()]) {
    const { change, sidecar } = await read(order);
    assert.deepEqual([...new Set(change?.add)], ['boat']);
    assert.deepEqual(change?.remove, ['Rex']);
    assert.equal(sidecar, ours);
  }
  const rated = theirs.replaceAll('boat', 'sea').replaceAll('Rex', 'dog');
  assert.equal((await read(new File([rated], 'a.xmp'))).sidecar, rated, 'also where it says nothing new');
});

test('a sidecar that comes with its folder is heard anew each time, and is nobody’s correction', async () => {
  const packet = (/** @type {object} */ content) => new File([mergedXmp(null, content)], 'a.jpg.xmp');
  const words = new FileWords();
  const first = packet({
    subjects: ['boat', 'Rex'],
    confirmed: ['Rex'],
    description: 'At sea',
    descriptionIsOwn: true,
  });
  const heard = await read(first, { gently: true, words });
  assert.equal(heard.change, undefined);
  assert.match(heard.line, /^Read what files say of 1 picture\./);
  assert.deepEqual(heard.confirmed, ['Rex']);
  const told = (/** @type {FileWords} */ from) => from.of(heard.picture);
  assert.deepEqual(told(words), {
    tags: ['boat', 'Rex'],
    own: ['Rex'],
    caption: 'At sea',
    captionIsOwn: true,
  });
  const again = await read(first, { gently: true, words, picture: heard.picture });
  assert.equal(again.line, 'The files say nothing that is not known here.');
  // On the next visit another program has taken a keyword out, and written another caption.
  const next = new FileWords();
  next.restore(heard.picture, { filed: told(words), sidecar: first });
  const later = packet({ subjects: ['Rex'], description: 'At home' });
  await read(later, { gently: true, words: next, picture: heard.picture });
  assert.deepEqual(told(next)?.tags, ['Rex']);
  assert.equal(told(next)?.caption, 'At home');
  assert.equal(told(next)?.captionIsOwn, undefined);
  // What is said to be read is what people say.
  assert.deepEqual((await read(first)).change?.add, ['Rex', 'boat']);
});

test('a sidecar that is there no more says nothing, but what its picture says stays', async () => {
  const filed = (/** @type {string[]} */ ...tags) => ({ tags, caption: '' });
  const picture = /** @type {any} */ ({ path: 'Trip/a.jpg', name: 'a.jpg' });
  const sidecar = new File([mergedXmp(null, { subjects: ['boat'] })], 'a.jpg.xmp');
  Object.defineProperty(sidecar, 'webkitRelativePath', { value: 'Trip/a.jpg.xmp' });
  const file = Object.defineProperty(new File(['picture'], 'a.jpg'), 'webkitRelativePath', {
    value: 'Trip/a.jpg',
  });
  const words = new FileWords();
  await read(sidecar, { gently: true, words, picture });
  assert.equal(words.placeOfSidecar(picture), 'Trip/a.jpg.xmp');
  const next = new FileWords();
  next.restore(picture, { filed: filed('boat', 'Rex'), sidecar, lies: 'Trip/a.jpg.xmp' });
  const lost = (
    /** @type {FileWords} */ fileWords,
    pictures = [file],
    answers = /** @type {File[]} */ ([]),
  ) => withLostSidecar(/** @type {any} */ ({ pictures: [picture], fileWords }), { pictures, answers });
  assert.deepEqual(lost(words), [picture]);
  assert.deepEqual(lost(next), [picture]);
  assert.deepEqual(lost(next, [file], [sidecar]), [], 'it is there');
  assert.deepEqual(lost(next, []), [], 'nobody has looked');
  const alone = new FileWords();
  await read(new File([await sidecar.text()], 'a.jpg.xmp'), { gently: true, words: alone, picture });
  assert.deepEqual(lost(alone), [], 'it came from elsewhere');
  const moved = { ...picture, path: 'Winter/a.jpg' };
  words.restore(moved, { sidecar, lies: 'Trip/a.jpg.xmp' });
  assert.deepEqual(
    withLostSidecar(/** @type {any} */ ({ pictures: [moved], fileWords: words }), {
      pictures: [file],
      answers: [],
    }),
    [],
    'it may lie where it lay',
  );
  for (const fileWords of [words, next]) {
    await fileWords.lose([picture]);
    assert.equal(fileWords.sidecarOf(picture), undefined);
  }
  assert.equal(words.of(picture), undefined);
  assert.deepEqual(next.of(picture)?.tags, ['Rex']);
});

test('a keyword that another program takes out of a sidecar is gone, and is back where that adds it', async () => {
  const picture = /** @type {any} */ ({ path: 'Trip/a.jpg', name: 'a.jpg' });
  const lies = 'Trip/a.jpg.xmp';
  /** @param {string[]} subjects @param {string[]} [rejected] @param {string} [path] */
  const beside = (subjects, rejected = [], path = lies) => {
    const packet = mergedXmp(null, { subjects: [...subjects, ...rejected] });
    const list = rejected.map((word) => `<rdf:li>${word}</rdf:li>`).join('');
    const said = `<ocelli:rejected xmlns:ocelli="https://github.com/ocelli/ocelli/ns/1.0/"><rdf:Bag>${list}</rdf:Bag></ocelli:rejected>`;
    const text = list === '' ? packet : packet.replace('</rdf:Description>', `${said}</rdf:Description>`);
    return Object.defineProperty(new File([text], 'a.jpg.xmp'), 'webkitRelativePath', { value: path });
  };
  /** @param {File} sidecar @param {File} before @param {object} filed */
  const nextVisit = async (sidecar, before, filed) => {
    const words = new FileWords();
    // The picture itself has them all.
    words.restore(picture, { filed: /** @type {any} */ (filed), sidecar: before, lies });
    await read(sidecar, { gently: true, words, picture });
    const { tags = [], gone = [], ...rest } = words.of(picture) ?? {};
    return { tags, gone, filed: { tags, gone, ...rest } };
  };
  const both = beside(['boat', 'Rex']);
  const without = await nextVisit(beside(['Rex']), both, { tags: ['boat', 'Rex'], caption: '' });
  assert.deepEqual([without.tags, without.gone], [['Rex'], ['boat']]);
  const still = await nextVisit(beside(['Rex']), beside(['Rex']), without.filed);
  assert.deepEqual([still.tags, still.gone], [['Rex'], ['boat']], 'it stays gone');
  const saved = beside(['Rex', 'boat'], ['boat']);
  const back = await nextVisit(saved, beside(['Rex']), still.filed);
  assert.deepEqual([back.tags, back.gone], [['Rex', 'boat'], []]);
  const later = await nextVisit(saved, saved, back.filed);
  assert.deepEqual([later.tags, later.gone], [['Rex', 'boat'], []], 'it stays back');
  const other = beside(['Rex'], [], 'Trip/a.xmp');
  const elsewhere = await nextVisit(other, both, { tags: ['boat', 'Rex'], caption: '' });
  assert.deepEqual(elsewhere.gone, [], 'another sidecar never had it');
});

test('what somebody has said here and saved is taken back where another program takes it out of the sidecar', async () => {
  const picture = /** @type {any} */ ({ path: 'Trip/a.jpg', name: 'a.jpg' });
  const lies = 'Trip/a.jpg.xmp';
  const content = {
    subjects: ['Rex', 'Minka', 'boat'],
    confirmed: ['Rex', 'Minka'],
    description: 'Both by the sea',
    descriptionIsOwn: true,
  };
  const text = mergedXmp(null, content);
  /** @param {(text: string) => string} edit @param {boolean} [isWritten] whether the page has written it */
  const reopened = async (edit, isWritten = true, written = 'Both by the sea') => {
    const words = new FileWords();
    const sidecar = new File([text], 'a.jpg.xmp');
    if (isWritten) words.putSidecar(picture, { sidecar, isExact: true, lies });
    const edited = new File([edit(text)], 'a.jpg.xmp');
    Object.defineProperty(edited, 'webkitRelativePath', { value: lies });
    const known = await read(edited, { gently: true, words, picture, own: ['Rex', 'Minka'], written });
    return { ...known, gone: words.of(picture)?.gone ?? [] };
  };
  const without = (/** @type {string} */ word) => (/** @type {string} */ packet) =>
    packet.replaceAll(`<rdf:li>${word}</rdf:li>`, '');
  const rex = await reopened(without('Rex'));
  assert.deepEqual([rex.withdrawn, rex.gone], [{ labels: ['Rex'], caption: false }, ['Rex']]);
  const boat = await reopened(without('boat'));
  assert.deepEqual([boat.withdrawn, boat.gone], [undefined, ['boat']], 'nobody had said it');
  const other = await reopened((packet) => packet.replace('by the sea', 'at home'));
  assert.deepEqual(other.withdrawn, { labels: [], caption: true });
  const since = await reopened((packet) => packet.replace('by the sea', 'at home'), true, 'At night');
  assert.equal(since.withdrawn, undefined, 'what was said since stays');
  assert.equal((await reopened(String)).withdrawn, undefined, 'as it was written');
  const strange = await reopened(without('Rex'), false);
  assert.deepEqual([strange.withdrawn, strange.gone], [undefined, []], 'a sidecar of others never had it');
});

test('a note beside pictures is of none', async () => {
  assert.equal((await read(new File(['milk'], 'list.txt'), { gently: true })).line, '');
  assert.match((await read(new File(['milk'], 'list.txt'))).line, /is not here/);
});

test('a tag that is wrong in a table is wrong here, and none of those that are right', async () => {
  const table = (tags, rejected) =>
    new File([`picture,tags,caption,rejected\na.jpg,${tags},,${rejected}\n`], 'ocelli.csv');
  assert.deepEqual((await read(table('boat; sea', 'dog; boat'))).change, {
    add: [],
    remove: ['dog', 'boat'],
  });
  assert.equal((await read(table('dog', 'boat'), { gone: ['boat'] })).change, undefined);
});

test('files that speak of pictures that are not here say what is to be done', async () => {
  const table = (/** @type {string} */ lines) => new File([`picture,tags\n${lines}`], 'mine.csv');
  assert.equal(
    (await read(table('x.jpg,dog\ny.jpg,dog\n'))).line,
    '2 pictures that they speak of are not here. Open the pictures first, then this file.',
  );
  assert.equal(
    (await read(table('x.jpg,dog\n'))).line,
    '1 picture that they speak of is not here. Open the picture first, then this file.',
  );
  assert.equal(
    (await read(table('a.jpg,boat\nx.jpg,dog\n'))).line,
    'Read what files say of 1 picture. 1 picture that they speak of is not here.',
    'others of the folder may be left out on purpose',
  );
});

test('what people have confirmed is theirs again, though a model finds it here, too', async () => {
  const list = new File(
    [JSON.stringify([{ picture: 'a.jpg', tags: ['Rex', 'sea', 'dog', 'boat'], own: ['Rex', 'sea'] }])],
    'ocelli.json',
  );
  assert.deepEqual((await read(list)).change, { add: ['Rex', 'sea', 'boat'], remove: [] });
  const known = { tags: ['Rex', 'sea', 'dog', 'boat'], own: ['Rex', 'sea'] };
  assert.equal((await read(list, known)).change, undefined);
});

test('what a model is about to find is waited for, and no news then', async () => {
  const picture = { name: 'a.jpg', path: 'a.jpg' };
  const job = { status: 'running' };
  const lane = (/** @type {Map<any, any>} */ jobs) => ({ status: 'ready', jobs });
  const session = Object.assign(new EventTarget(), {
    pictures: [picture],
    tags: lane(new Map([[picture, job]])),
    captions: lane(new Map()),
    answerOf: () => (job.status === 'done' ? { tags: [{ label: 'dog' }] } : null),
    captionsOf: () => null,
    corrections: { of: () => undefined },
    fileWords: new FileWords(),
    paths: new TagPaths(),
  });
  const names = { isBelow: () => false, knows: () => true, labelOf: (/** @type {string} */ name) => name };
  const correct = () => assert.fail('nothing is new');
  const take = importer(/** @type {any} */ ({ session, names, correct }));
  const line = take([new File(['picture,tags,caption,rejected\na.jpg,dog,,\n'], 'ocelli.csv')]);
  setTimeout(() => {
    job.status = 'done';
    session.dispatchEvent(new Event('change'));
  }, 20);
  assert.equal(await line, 'The files say nothing that is not known here.');
});

test('texts that were saved here come back as they were, whatever the caption is', async () => {
  for (const [caption, options] of /** @type {[string, import('../../www/export.js').Options][]} */ ([
    ['our dolphin trip', {}],
    ['a dog', {}],
    ['Rex, whom we lost, boat and all, there', {}],
    ['うちのイルカの旅、海で', {}],
    ['We went out. It rained', { separator: '. ' }],
    ['We went out', { separator: '\n' }],
    ['sks', { prefix: 'sks, ', suffix: ', sks' }],
  ])) {
    const row = { path: 'a.jpg', tags: ['Madeira', 'dog', 'sea'], hierarchy: [], caption };
    const [{ name, blob }] = await allOf(downloadsOf([row], 'txt', options));
    const { line, change } = await read(new File([blob], name));
    assert.deepEqual(change, { add: ['Madeira'], remove: [], caption }, caption);
    assert.equal(line, 'Read what files say of 1 picture.');
  }
});

test('a text that somebody has changed counts for more than what a list says of it', async () => {
  const row = { path: 'a.jpg', tags: ['dog'], hierarchy: [], caption: 'our trip to the sea' };
  const files = await allOf(filesOf([row], 'txt'));
  const [, list] = files.map(({ name, blob }) => new File([blob], name));
  const { change } = await read([new File(['our second trip there, dog'], 'a.txt'), list]);
  assert.deepEqual(change, { add: [], remove: [], caption: 'our second trip there' });
  assert.equal((await read([list])).change?.caption, 'our trip to the sea', 'it speaks for itself');
  const others = new File(
    ['{"file_name": "a.jpg", "text": "our third trip there, boat"}\n'],
    'metadata.jsonl',
  );
  assert.deepEqual((await read([others])).change, {
    add: ['boat'],
    remove: [],
    caption: 'our third trip there',
  });
});

test('where the caption of a text may end elsewhere, that is said', async () => {
  const { line, change } = await read(new File(['our dolphin trip, Madeira, dog'], 'a.txt'));
  assert.deepEqual(change, { add: ['Madeira'], remove: [], caption: 'our dolphin trip' });
  assert.match(line, /In the texts of 1 picture it could not be told for certain where the caption ends: /);
  assert.doesNotMatch((await read(new File(['our dolphin trip, dog'], 'a.txt'))).line, /certain/);
});

test('tags that are below others come back so, beyond what the vocabulary says', async () => {
  const row = {
    path: 'a.jpg',
    tags: ['Minka', 'dog'],
    hierarchy: ['pets|cats|Minka', 'animal|dog'],
    paths: ['pets|cats|Minka'],
    caption: '',
  };
  for (const format of /** @type {const} */ (['xmp', 'json', 'csv'])) {
    const paths = new TagPaths();
    const [{ name, blob }] = await allOf(filesOf([row], format));
    const { change } = await read(new File([blob], name), { paths });
    assert.deepEqual(
      [change, [...paths.given]],
      [{ add: ['Minka'], remove: [] }, [['Minka', 'pets|cats|Minka']]],
    );
    const again = await read(new File([blob], name), { paths, tags: ['Minka', 'dog'] });
    assert.equal(again.line, 'The files say nothing that is not known here.', format);
  }
  const paths = new TagPaths();
  const table = new File(['picture,tags\na.jpg,pets | Minka; sea'], 'mine.csv');
  assert.deepEqual((await read(table, { paths })).change, { add: ['Minka'], remove: [] });
  assert.equal(paths.get('Minka'), 'pets|Minka');
});
