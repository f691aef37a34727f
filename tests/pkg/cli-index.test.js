// `ocelli index` and `ocelli search`, run as a shell runs them.

import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { pathToFileURL } from 'node:url';
import { parquetReadObjects } from 'hyparquet';
import { Index } from '../../pkg/dist/node.js';
import { folderOf, lines, ocelli, SAMPLES, skip } from './support/cli.js';

test('an index is made, brought up to date, and searched by words and by pictures', { skip }, async (t) => {
  const cwd = folderOf(t);
  cpSync(SAMPLES, path.join(cwd, 'photos'), { recursive: true });
  rmSync(path.join(cwd, 'photos/README.md'), { force: true });
  const file = path.join(cwd, 'photos.ocelli');
  const run = (...args) => ocelli(args, { cwd });
  const make = () => run('index', 'photos', '--out', 'photos.ocelli', '--threads', '1');
  assert.match((await make()).out, /^photos\.ocelli: 8 pictures, 0\.0 MB\n$/);

  const found = await run('search', 'a cat', '--index', 'photos.ocelli');
  assert.deepEqual([found.code, found.err], [0, '']);
  assert.match(found.out, /^photos\/cat\.webp: 0\.\d{3}\n$/);
  // Unlike grep's, as the code 1 is for pictures that could not be read.
  const none = await run('search', 'a submarine', '-i', 'photos.ocelli');
  assert.deepEqual([none.code, none.out], [0, '']);
  assert.match(none.err, /^ocelli: nothing in photos\.ocelli fits a submarine\.\n$/);
  assert.match((await run('search', '--help')).out, /Where nothing fits, .* the exit code is 0/);
  const all = lines((await run('search', 'a submarine', '-i', 'photos.ocelli', '--all', '--json')).out);
  assert.equal(all.length, 8);
  assert.ok(all.map((line) => JSON.parse(line)).every(({ standardScore }) => Number.isFinite(standardScore)));

  const alike = lines(
    (await run('search', 'photos/coffee.webp', '-i', 'photos.ocelli', '-n', '2', '--json')).out,
  );
  assert.equal(alike.length, 2);
  assert.equal(JSON.parse(alike[0]).path, 'photos/coffee.webp');
  // What looks like a file, and is none, is mistyped.
  for (const name of ['photos/missing.webp', 'a cat + missing.jpg', './photos', 'photos/new']) {
    const wrong = await run('search', name, '-i', 'photos.ocelli');
    assert.deepEqual([wrong.code, wrong.out], [2, ''], name);
    assert.match(wrong.err, /^ocelli: There is no file \S+\.\n/i);
  }
  const query = 'photos/coffee.webp + a cat - a cup of coffee';
  const both = await run('search', query, '-i', 'photos.ocelli', '-n', '2');
  assert.deepEqual(
    lines(both.out)
      .map((line) => line.split(':')[0])
      .sort(),
    ['photos/cat.webp', 'photos/coffee.webp'],
  );

  // What is new, what has changed, what is gone, and what is as it was.
  const before = readFileSync(file);
  assert.match((await make()).err, /photos\.ocelli is up to date: 8 pictures\./);
  assert.deepEqual(readFileSync(file), before);
  rmSync(path.join(cwd, 'photos/cat.webp'));
  cpSync(path.join(SAMPLES, 'cat.webp'), path.join(cwd, 'photos/new/kitten.webp'));
  cpSync(path.join(SAMPLES, 'coffee.webp'), path.join(cwd, 'photos/house.webp'));
  const later = Date.now() / 1000 + 60;
  utimesSync(path.join(cwd, 'photos/house.webp'), later, later);
  assert.match((await make()).out, /^photos\.ocelli: 8 pictures, 0\.0 MB; 1 is gone\n$/);
  assert.match((await run('search', 'a cat', '-i', 'photos.ocelli')).out, /^photos\/new\/kitten\.webp: /);
  const index = await Index.open(pathToFileURL(file), { threads: 1 });
  t.after(() => index.dispose());
  const [pair] = await index.duplicates({ threshold: 0.99 });
  assert.deepEqual(pair?.sort(), ['photos/coffee.webp', 'photos/house.webp']);

  const exported = await run('index', '--out', 'photos.ocelli', '--export', 'photos.parquet');
  assert.deepEqual([exported.code, exported.err], [0, '']);
  const rows = await parquetReadObjects({
    file: Uint8Array.from(readFileSync(path.join(cwd, 'photos.parquet'))).buffer,
  });
  assert.deepEqual(rows.map(({ id }) => id).sort(), (await index.ids()).sort());
});

test('pictures that were removed leave the index, also where none is left', { skip }, async (t) => {
  const cwd = folderOf(t);
  for (const folder of ['photos/new', 'old']) mkdirSync(path.join(cwd, folder), { recursive: true });
  for (const name of ['photos/cat.webp', 'photos/new/coffee.webp', 'old/house.webp']) {
    cpSync(path.join(SAMPLES, path.basename(name)), path.join(cwd, name));
  }
  const make = (...names) => ocelli(['index', ...names, '--out', 'a.ocelli', '--threads', '1'], { cwd });
  const empty = await make('photos/none/*.webp');
  assert.deepEqual([empty.code, empty.out], [2, '']);
  assert.match(empty.err, /There is no picture in photos\/none/);
  assert.match((await make('photos', 'old')).out, /^a\.ocelli: 3 pictures,/);

  // A picture by its name, a folder that is empty, again, and one that is not there any more.
  rmSync(path.join(cwd, 'photos/cat.webp'));
  const one = await make('./photos/cat.webp');
  assert.deepEqual([one.code, one.err], [0, '']);
  assert.match(one.out, /^a\.ocelli: 2 pictures, 0\.0 MB; 1 is gone\n$/);
  rmSync(path.join(cwd, 'photos/new/coffee.webp'));
  const emptied = await make('photos');
  assert.deepEqual([emptied.code, emptied.err], [0, '']);
  assert.match(emptied.out, /^a\.ocelli: 1 picture, 0\.0 MB; 1 is gone\n$/);
  const again = await make('photos');
  assert.deepEqual([again.code, again.out], [0, '']);
  assert.match(again.err, /a\.ocelli is up to date: 1 picture\./);
  const other = await make('photos/*.webp');
  assert.equal(other.code, 2, 'a glob that finds nothing may be mistyped');
  // What lies elsewhere may only be out of reach.
  rmSync(path.join(cwd, 'old'), { recursive: true });
  assert.match((await make('photos')).err, /a\.ocelli is up to date: 1 picture\./);
  rmSync(path.join(cwd, 'photos'), { recursive: true });
  assert.match((await make('old')).out, /^a\.ocelli: 0 pictures, 0\.0 MB; 1 is gone\n$/);
  assert.equal((await make('photos')).code, 1, 'of that folder the index has nothing any more');
  const found = await ocelli(['search', 'a cat', '--index', 'a.ocelli'], { cwd });
  assert.deepEqual([found.code, found.out], [0, '']);

  // What was empty is filled again.
  cpSync(path.join(SAMPLES, 'cat.webp'), path.join(cwd, 'cat.webp'));
  assert.match((await make('cat.webp')).out, /^a\.ocelli: 1 picture,/);
});

test(
  'a damaged picture is told of, a damaged index is left as it is, and so is one of another model',
  { skip },
  async (t) => {
    const cwd = folderOf(t);
    mkdirSync(path.join(cwd, 'photos'));
    cpSync(path.join(SAMPLES, 'cat.webp'), path.join(cwd, 'photos/cat.webp'));
    writeFileSync(path.join(cwd, 'photos/broken.jpg'), 'no picture');
    const run = (...args) => ocelli(args, { cwd });
    const made = await run('index', 'photos', '--out', 'a.ocelli', '--threads', '1');
    assert.equal(made.code, 1);
    assert.match(made.err, /photos\/broken\.jpg: .*\n.*1 of 2 pictures failed/);
    assert.match(made.out, /^a\.ocelli: 1 pictures?,/);

    writeFileSync(
      path.join(cwd, 'damaged.ocelli'),
      readFileSync(path.join(cwd, 'a.ocelli')).subarray(0, 300),
    );
    for (const args of [
      ['index', 'photos', '--out', 'damaged.ocelli'],
      ['search', 'cat', '--index', 'damaged.ocelli'],
    ]) {
      const { code, err } = await run(...args);
      assert.equal(code, 3);
      assert.match(err, /^ocelli: damaged\.ocelli: The index is damaged: its file ends too early/);
    }
    for (const query of ['photos/broken.jpg', 'cat + photos/broken.jpg']) {
      const { code, out, err } = await run('search', query, '--index', 'a.ocelli');
      assert.deepEqual([code, out], [3, '']);
      assert.match(err, /^ocelli: photos\/broken\.jpg: The file is not a picture in .*\.\n$/);
    }
    assert.equal(readFileSync(path.join(cwd, 'damaged.ocelli')).length, 300);
    const index = await Index.create({ threads: 1 });
    t.after(() => index.dispose());
    await index.addVectors([{ id: 'a', vector: [1, 0, 0] }]);
    const other = new Uint8Array(await (await index.save()).arrayBuffer());
    writeFileSync(path.join(cwd, 'other.ocelli'), other);
    const unnamed = await run('search', 'cat', '--index', 'other.ocelli');
    assert.equal(unnamed.code, 2);
    assert.match(unnamed.err, /a model that it does not name/);
    const narrow = await run('search', 'cat', '--index', 'other.ocelli', '--model', 'ocelli');
    assert.equal(narrow.code, 3);
    assert.match(narrow.err, /have 3 numbers/);

    for (const [args, message] of [
      [['index', 'photos'], /Give --out FILE/],
      [['index', '--out', 'x'], /Which pictures\?/],
      [['index', '--out', 'none.ocelli', '--export', 'a.npy'], /no index none\.ocelli to be exported/],
      [['index', '--out', 'a.ocelli', '--export', 'a.csv'], /--export ends with/],
      [['index', 'photos', '--out', '-'], /is written to a file/],
      [['search', 'cat'], /Give --index FILE/],
      [['search', '--index', 'a.ocelli'], /What is looked for\?/],
      [['search', 'cat', '--index', 'none.ocelli'], /There is no index none\.ocelli/],
    ]) {
      const { code, err } = await run(...args);
      assert.equal(code, 2, args.join(' '));
      assert.match(err, message);
    }
  },
);

test('an index that is not there is told of by its path', async (t) => {
  const file = path.join(folderOf(t), 'my photos.ocelli');
  for (const given of [file, pathToFileURL(file)]) {
    await assert.rejects(Index.open(given), (error) => {
      assert.deepEqual([error.name, error.code], ['NetworkError', 'not-found']);
      assert.equal(error.message, `There is no index at ${file}.`);
      return true;
    });
  }
});
