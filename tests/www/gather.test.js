// What becomes of files that are given: pictures, and what says something of them.

import './support/dom.js';
import assert from 'node:assert/strict';
import test from 'node:test';
import { downloadsOf } from '../../www/export.js';
import { isAnswersPath } from '../../www/files/paths.js';
import { gatherFiles, gatherPicked } from '../../www/gather.js';

/** @param {string} name @param {string} [type] */
const file = (name, type = '') => new File(['x'], name, { type });

/** Their names, by what they are taken for. @param {import('../../www/gather.js').Gathered} gathered */
const sorted = ({ pictures, answers, others }) => ({
  pictures: pictures.map(({ name }) => name),
  answers: answers.map(({ name }) => name),
  others,
});

test('whatever is saved here is taken for answers when it is given by itself, renamed too', async () => {
  const row = { path: 'a.jpg', tags: ['dog'], hierarchy: [], caption: 'a dog', original: file('a.jpg') };
  const formats = /** @type {const} */ (['xmp', 'pictures', 'csv', 'json', 'txt', 'html', 'markdown']);
  for (const format of formats) {
    for await (const { name, blob } of downloadsOf([row], format)) {
      for (const called of [name, `Summer, the best${/\.[^.]+$/.exec(name)?.[0]}`]) {
        const given = new File([blob], called, { type: blob.type });
        assert.deepEqual(sorted(gatherFiles([given])), { pictures: [], answers: [called], others: 0 });
      }
    }
  }
  const names = ['photo.txt', 'photo.jpg.xmp', 'photo.xmp'];
  assert.deepEqual(sorted(gatherFiles(names.map((name) => file(name)))).answers, names);
});

test('what is given by itself and is none of these is meant to be a picture', () => {
  const meant = [file('a.jpg'), file('letter.doc'), file('._a.xmp'), file('a.txt', 'image/png')];
  assert.deepEqual(sorted(gatherFiles(meant)).pictures, ['a.jpg', 'letter.doc', '._a.xmp', 'a.txt']);
});

test('of a folder only what is surely about pictures is read', () => {
  const names = ['a.jpg', 'a.jpg.xmp', 'a.jpg.txt', 'ocelli.json', 'ocelli (1).csv'];
  const others = ['package.json', 'readme.md', 'notes.txt', 'x.zip', '.a.jpg.xmp'];
  const gathered = gatherPicked([...names, ...others].map((name) => file(name)));
  assert.deepEqual(sorted(gathered), {
    pictures: ['a.jpg'],
    answers: names.slice(1),
    others: others.length,
  });
});

test('files are taken for answers by their names', () => {
  for (const name of ['a.jpg.xmp', 'a.XMP', 'ocelli.csv', 'ocelli (1).json', 'a.txt', 'x.zip']) {
    assert.ok(isAnswersPath(name), name);
  }
  for (const name of ['a.jpg', '._a.xmp', '._x.zip', 'xmp', 'a.doc']) assert.ok(!isAnswersPath(name), name);
});
