import './support/dom.js';
import assert from 'node:assert/strict';
import test from 'node:test';
import { filesOf } from '../../www/export.js';
import { writeInto } from '../../www/files/folder.js';
import { besideIn, placingIn, rowsWithin } from '../../www/files/places.js';
import { matcher } from '../../www/files/match.js';
import { readXmp } from '../../www/files/xmp-merge.js';

/** A folder of a browser's, as far as files are written into it. */
class Folder {
  /** @type {Map<string, Folder | string>} */
  entries = new Map();
  /** What fails, and how. @type {Map<string, Error>} */
  broken = new Map();

  /** @param {string} name @param {boolean} isFree whether files are called whatever somebody likes */
  constructor(name = 'chosen', isFree = false) {
    this.name = name;
    this.isFree = isFree;
  }

  /** @param {string} name */
  check(name) {
    const isRefused = /[<>:"|?*]|[. ]$|^con\./.test(name);
    if (isRefused && !this.isFree) throw new TypeError('Name is not allowed.');
  }

  async getDirectoryHandle(name, { create = false } = {}) {
    this.check(name);
    if (!this.entries.has(name) && create) this.entries.set(name, new Folder(name, this.isFree));
    const there = this.entries.get(name);
    if (!(there instanceof Folder)) throw new DOMException('none', 'NotFoundError');
    return there;
  }

  async isSameEntry(other) {
    return this === other;
  }

  /** @param {Folder} other @returns {Promise<string[] | null>} */
  async resolve(other) {
    if (this === other) return [];
    for (const [name, entry] of this.entries) {
      const path = entry instanceof Folder ? await entry.resolve(other) : null;
      if (path) return [name, ...path];
    }
    return null;
  }

  async getFileHandle(name, { create = false } = {}) {
    this.check(name);
    const there = this.entries.get(name);
    if (there instanceof Folder) throw new DOMException('a folder', 'TypeMismatchError');
    if (there === undefined && !create) throw new DOMException('none', 'NotFoundError');
    if (there === undefined) this.entries.set(name, '');
    return {
      getFile: async () => new File([String(this.entries.get(name))], name),
      createWritable: async () => {
        let fresh = '';
        return {
          write: async (/** @type {Blob} */ blob) => {
            const error = this.broken.get(name);
            if (error) throw error;
            fresh = await blob.text();
          },
          close: async () => void this.entries.set(name, fresh),
          abort: async () => {},
        };
      },
    };
  }

  /** @returns {Record<string, string>} all files below, by their paths */
  get all() {
    return Object.fromEntries(
      [...this.entries].flatMap(([name, entry]) =>
        entry instanceof Folder
          ? Object.entries(entry.all).map(([path, text]) => [`${name}/${path}`, text])
          : [[name, entry]],
      ),
    );
  }
}

/** @param {Record<string, string>} files @param {object} [more] */
async function* entriesOf(files, more) {
  for (const [name, text] of Object.entries(files)) yield { name, blob: new Blob([text]), ...more };
}

/** @param {string} path */
const row = (path) => ({ path, tags: ['dog'], hierarchy: [], caption: 'ours' });

test('files come with their folders, and none gets out of the one that was chosen', async () => {
  const folder = new Folder();
  const names = [
    'a.txt',
    'd/e/b.txt',
    '../../c.txt',
    '/d/./x.txt',
    'C:\\d\\con.txt',
    'q?/ends. ',
    '<|>*".txt',
  ];
  /** @type {number[]} */
  const told = [];
  const result = await writeInto(folder, entriesOf(Object.fromEntries(names.map((name) => [name, name]))), {
    onProgress: (done) => told.push(done),
  });
  assert.deepEqual(result, { written: 7, kept: [], refused: [] });
  assert.deepEqual(told, [1, 2, 3, 4, 5, 6, 7]);
  assert.deepEqual(Object.keys(folder.all).toSorted(), [
    ...['C_/d/con_.txt', '_____.txt', 'a.txt', 'c.txt', 'd/e/b.txt', 'd/x.txt', 'q_/ends__'],
  ]);
});

test('files keep their own names where they can, and otherwise change as their pictures do', async () => {
  const rows = ['My: trip/<&>?.jpg', 'My: trip/ends.'].map((path) => ({
    ...row(path),
    original: new Blob(['a picture of no known kind']),
  }));
  const free = new Folder('chosen', true);
  await writeInto(free, filesOf(rows, 'pictures'));
  assert.deepEqual(Object.keys(free.all), [
    'My: trip/<&>?.jpg',
    'My: trip/<&>?.jpg.xmp',
    'My: trip/ends.',
    'My: trip/ends..xmp',
  ]);
  const strict = new Folder();
  await writeInto(strict, filesOf(rows, 'pictures'));
  assert.deepEqual(Object.keys(strict.all).slice(0, 2), ['My_ trip/_&__.jpg', 'My_ trip/_&__.jpg.xmp']);
  // However a name was changed, what is said finds its picture.
  for (const { all } of [free, strict]) {
    const names = Object.keys(all);
    const find = matcher(
      names.filter((name) => !name.endsWith('.xmp')).map((path) => ({ path, name: path })),
    );
    for (const name of names.filter((one) => one.endsWith('.xmp'))) {
      assert.ok(find({ path: name.slice(0, -'.xmp'.length), exact: true }), name);
    }
  }
});

test('a file that is there stays, unless it may be replaced', async () => {
  const folder = new Folder();
  folder.entries
    .set('a.txt', 'theirs')
    .set('same.txt', 'same')
    .set('empty.txt', '')
    .set('folder', new Folder());
  const files = { 'a.txt': 'ours', 'same.txt': 'same', 'empty.txt': 'x', folder: 'a file' };
  const result = await writeInto(folder, entriesOf(files));
  assert.deepEqual(result, { written: 2, kept: ['a.txt'], refused: ['folder'] });
  assert.equal(folder.all['a.txt'], 'theirs');
  await writeInto(folder, entriesOf(files, { replace: true }));
  assert.equal(folder.all['a.txt'], 'ours');
});

test('what one run has written is not replaced by the same run', async () => {
  const folder = new Folder();
  const result = await writeInto(folder, entriesOf({ 'a?.txt': '1', 'A_.txt': '2' }, { replace: true }));
  assert.deepEqual(result, { written: 1, kept: [], refused: ['A_.txt'] });
});

test('sidecars are joined with those that are there; damaged ones are left alone', async () => {
  const folder = new Folder();
  await writeInto(folder, filesOf([{ ...row('a.jpg'), tags: ['Rex'], caption: 'theirs' }], 'xmp'));
  folder.entries.set('b.jpg.xmp', '<damaged');
  const rows = [row('a.jpg'), row('b.jpg')];
  const kept = await writeInto(folder, filesOf(rows, 'xmp', { keepCaption: true }));
  assert.deepEqual(kept, { written: 1, kept: ['b.jpg.xmp'], refused: [] });
  assert.deepEqual(readXmp(folder.all['a.jpg.xmp'] ?? ''), {
    tags: ['Rex', 'dog'],
    hierarchy: [],
    caption: 'theirs',
  });
  await writeInto(folder, filesOf(rows, 'xmp'));
  assert.equal(readXmp(folder.all['a.jpg.xmp'] ?? '').caption, 'ours');
  assert.equal(folder.all['b.jpg.xmp'], '<damaged');
});

test('pictures are never written over', async () => {
  const folder = new Folder();
  folder.entries.set('a.gif', 'the original');
  const rows = [{ ...row('a.gif'), original: new Blob(['another']) }];
  const result = await writeInto(folder, filesOf(rows, 'pictures'));
  assert.deepEqual(result, { written: 1, kept: ['a.gif'], refused: [] });
  assert.equal(folder.all['a.gif'], 'the original');
});

test('whoever chooses the folder of the pictures gets files beside them', async () => {
  const within = new Folder('Holiday');
  await writeInto(within, entriesOf({ 'Holiday/a.txt': '', 'Holiday/d/b.txt': '', 'Other/c.txt': '' }));
  assert.deepEqual(Object.keys(within.all), ['a.txt', 'd/b.txt', 'Other/c.txt']);
  const above = new Folder('Holiday');
  above.entries.set('Holiday', new Folder('Holiday'));
  await writeInto(above, entriesOf({ 'Holiday/a.txt': '' }));
  assert.deepEqual(Object.keys(above.all), ['Holiday/a.txt']);
});

/** Folders in each other, the first the one above all. @param {string} path @returns {Folder[]} */
function nested(path) {
  const folders = path.split('/').map((name) => new Folder(name));
  for (const [i, folder] of folders.slice(1).entries()) folders[i]?.entries.set(folder.name, folder);
  return folders;
}

/** @param {Folder} chosen @param {Folder[]} opened */
async function placingFor(chosen, opened) {
  const placing = await placingIn(/** @type {any} */ (chosen), /** @type {any[]} */ (opened));
  return (/** @type {string} */ path) => placing(path.split('/'))?.join('/') ?? null;
}

test('a folder above or below the one that pictures came with has its files beside them as well', async () => {
  const [home, holiday, rome, forum] = nested('home/Holiday/Rome/Forum');
  const paths = ['Holiday/a.jpg', 'Holiday/Rome/b.jpg', 'Holiday/Rome/Forum/c.jpg', 'Other/d.jpg', 'Holiday'];
  const places = async (/** @type {Folder} */ chosen, opened = [holiday]) =>
    paths.map(await placingFor(chosen, opened));
  assert.deepEqual(await places(home), [...paths.slice(0, 4), 'Holiday']);
  assert.deepEqual(await places(holiday), [
    'a.jpg',
    'Rome/b.jpg',
    'Rome/Forum/c.jpg',
    'Other/d.jpg',
    'Holiday',
  ]);
  assert.deepEqual(await places(rome), [null, 'b.jpg', 'Forum/c.jpg', 'Other/d.jpg', 'Holiday']);
  assert.deepEqual(await places(forum), [null, null, 'c.jpg', 'Other/d.jpg', 'Holiday']);
  const [, , deep] = nested('disk/Pictures/Holiday');
  assert.deepEqual(await places(deep), await places(holiday), 'known by its name alone');
  const [disk, , below] = nested('disk/Pictures/Holiday');
  assert.equal((await places(disk, [below, below]))[1], 'Pictures/Holiday/Rome/b.jpg');
  assert.equal((await places(disk, [below, holiday]))[1], 'Holiday/Rome/b.jpg', 'of two nobody knows which');
});

test('of a part of the folder only its own pictures are written, but all into a folder for what is saved', async () => {
  const [, holiday, rome] = nested('home/Holiday/Rome');
  const rows = ['Holiday/a.jpg', 'Holiday/Rome/b.jpg'].map(row);
  const within = async (/** @type {Folder} */ chosen) =>
    rowsWithin(rows, await placingIn(/** @type {any} */ (chosen), /** @type {any[]} */ ([holiday])));
  assert.deepEqual(await within(rome), [rows[1]]);
  assert.deepEqual(await within(holiday), rows);
  const saved = new Folder('saved');
  holiday.entries.set('saved', saved);
  assert.deepEqual(await within(saved), rows);
  const placing = await placingIn(/** @type {any} */ (saved), /** @type {any[]} */ ([holiday]));
  await writeInto(saved, entriesOf({ 'Holiday/a.jpg.xmp': '' }), { placing });
  assert.deepEqual(Object.keys(saved.all), ['Holiday/a.jpg.xmp']);
  const beside = async (/** @type {Folder} */ chosen) => {
    const isBeside = await besideIn(/** @type {any} */ (chosen), /** @type {any[]} */ ([holiday]));
    return [...rows.map(({ path }) => path), 'c.jpg'].map(isBeside);
  };
  assert.deepEqual(await beside(holiday), [true, true, false]);
  assert.deepEqual(await beside(rome), [false, true, false]);
  for (const elsewhere of [saved, new Folder('Holiday')]) {
    assert.deepEqual(await beside(elsewhere), [false, false, false]);
  }
});

test('of each file that is written it is told what it holds now', async () => {
  const folder = new Folder();
  await writeInto(folder, filesOf([{ ...row('a.jpg'), tags: ['theirs'] }], 'xmp'));
  /** @type {Map<string, Blob>} */
  const told = new Map();
  const onWritten = ({ of }, blob) => told.set(of, blob);
  const rows = ['a.jpg', 'b.jpg'].map((path) => ({ ...row(path), tags: ['Rex'] }));
  await writeInto(folder, filesOf(rows, 'xmp'), { onWritten });
  assert.deepEqual([...told.keys()], ['a.jpg', 'b.jpg']);
  const tags = await Promise.all([...told.values()].map(async (blob) => readXmp(await blob.text()).tags));
  assert.deepEqual(tags, [['theirs', 'Rex'], ['Rex']]);
  assert.equal(await told.get('a.jpg')?.text(), folder.all['a.jpg.xmp']);
  told.clear();
  await writeInto(folder, entriesOf({ 'a.jpg.xmp': 'other' }), { onWritten });
  assert.equal(told.size, 0, 'what is left as it is was not written');
});

test('one file that fails is told; a folder that fails ends it, and so does whoever stops it', async () => {
  const folder = new Folder();
  folder.broken.set('b', new TypeError('Name is not allowed.'));
  const files = { a: '1', b: '2', c: '3' };
  assert.deepEqual(await writeInto(folder, entriesOf(files)), { written: 2, kept: [], refused: ['b'] });
  for (const [name, sentence] of [
    ['NotAllowedError', /may not write/],
    ['QuotaExceededError', /no more room/],
  ]) {
    const other = new Folder();
    other.broken.set('b', new DOMException('', name));
    await assert.rejects(writeInto(other, entriesOf(files)), { code: 'folder-refused', message: sentence });
  }
  const stop = new AbortController();
  const options = { signal: stop.signal, onProgress: () => stop.abort() };
  const stopped = new Folder();
  await assert.rejects(writeInto(stopped, entriesOf(files), options), { name: 'AbortError' });
  assert.deepEqual(Object.keys(stopped.all), ['a']);
});
