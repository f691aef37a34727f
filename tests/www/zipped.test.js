// Pictures that were saved in an archive come back out of it, with what was written into them.

import './support/dom.js';
import assert from 'node:assert/strict';
import test from 'node:test';
import { strToU8, zipSync } from 'fflate';
import { downloadsOf } from '../../www/export.js';
import { FileWords } from '../../www/file-words.js';
import { picturesIn } from '../../www/files/zipped.js';
import { gatherFiles, pathOf } from '../../www/gather.js';
import { jpeg, JFIF, png, sampleWebp } from './support/files.js';

/** @param {Blob} archive */
async function read(archive) {
  const files = [];
  for await (const file of picturesIn(archive)) files.push(file);
  return files;
}

test('pictures come back with their names, keywords, confirmed and rejected tags and captions', async () => {
  const row = (/** @type {string} */ path, /** @type {Uint8Array} */ bytes, more = {}) => ({
    path,
    tags: ['犬', 'Sea & sun'],
    hierarchy: ['animal|dog'],
    own: ['Sea & sun', '犬'],
    gone: ['cat'],
    caption: 'Rex, at last',
    captionIsOwn: true,
    original: new Blob([bytes]),
    ...more,
  });
  const rows = [
    row('Trip/a <&> "b".jpg', jpeg(JFIF)),
    row('Trip/写真.png', png(), { own: [], gone: [], captionIsOwn: false }),
    row('c.webp', sampleWebp(), { tags: [], own: [], hierarchy: [], caption: '' }),
  ];
  const saved = [];
  for await (const { blob } of downloadsOf(rows, 'pictures')) saved.push(blob);
  assert.equal(saved.length, 1);
  const files = await read(saved[0] ?? new Blob());
  assert.deepEqual(files.map(pathOf), ['Trip/a <&> "b".jpg', 'Trip/写真.png', 'c.webp']);
  assert.deepEqual(
    files.map(({ name }) => name),
    ['a <&> "b".jpg', '写真.png', 'c.webp'],
  );
  const words = new FileWords();
  words.labelOf = (name) => ({ 犬: 'dog' })[name] ?? name;
  const pictures = files.map((file) => ({ file }));
  const spelled = new Map([['dog', '犬']]);
  const confirmed = await words.read(/** @type {any} */ (pictures));
  assert.deepEqual([...confirmed], [[pictures[0], ['Sea & sun', 'dog']]]);
  assert.deepEqual(
    pictures.map((picture) => words.of(/** @type {any} */ (picture))),
    [
      {
        tags: ['dog', 'Sea & sun'],
        spelled,
        own: ['Sea & sun', 'dog'],
        gone: ['cat'],
        paths: ['animal|dog'],
        caption: 'Rex, at last',
        captionIsOwn: true,
      },
      { tags: ['dog', 'Sea & sun'], spelled, paths: ['animal|dog'], caption: 'Rex, at last' },
      { tags: [], gone: ['cat'], caption: '' },
    ],
  );
  const [first] = /** @type {any[]} */ (pictures);
  assert.deepEqual([...words.pathsOf(first)], [['dog', 'animal|dog']]);
});

test('archives are told by their names, and only what is a picture comes out of them', async () => {
  const zip = zipSync({
    'a.png': png(),
    'a.png.xmp': strToU8('a sidecar'),
    '../../out.png': png(),
    '__MACOSX/._a.png': png(),
    'film.mp4': strToU8('no picture'),
  });
  const { pictures, answers } = gatherFiles([new File([zip], 'Holiday.ZIP'), new File([png()], 'b.png')]);
  assert.deepEqual(
    answers.map(({ name }) => name),
    ['Holiday.ZIP'],
  );
  assert.equal(pictures.length, 1);
  assert.deepEqual((await read(new Blob([zip]))).map(pathOf), ['a.png', 'out.png']);
});

test('archives that hold more than their length can be are refused before anything is unpacked', async () => {
  const zip = zipSync({ 'a.png': png(), 'b.png': png() });
  const view = new DataView(zip.buffer);
  const directory = view.getUint32(zip.length - 22 + 16, true);
  view.setUint32(directory + 24, 210_000_000, true);
  await assert.rejects(read(new Blob([zip])), { code: 'answers-too-large' });
  view.setUint32(directory + 24, 150_000_000, true);
  await assert.rejects(read(new Blob([zip])), { code: 'answers-damaged' });
});
