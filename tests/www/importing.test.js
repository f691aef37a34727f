// What files say becomes what people say, as far as it is news.

import './support/dom.js';
import assert from 'node:assert/strict';
import test from 'node:test';
import { importer } from '../../www/importing.js';

/** Reads a file about `a.jpg`, and tells what changes. @param {File} file @param {object} [known] */
async function read(
  file,
  { tags = ['dog', 'sea'], caption = 'a dog by the sea, at night', gone = [], own = [] } = {},
) {
  const picture = { name: 'a.jpg', path: 'a.jpg' };
  const lane = { status: 'ready', jobs: new Map() };
  const session = {
    pictures: [picture],
    tags: lane,
    captions: lane,
    answerOf: () => ({ tags: tags.map((label) => ({ label })) }),
    captionsOf: () => [{ caption }],
    corrections: { of: () => ({ own, gone, caption: null }) },
  };
  const words = new Set(['dog', 'sea', 'boat', 'Rex']);
  const names = { knows: (name) => words.has(name), labelOf: (name) => name };
  let change;
  const correct = (_, changes) => (change = changes.get(picture));
  const take = importer(/** @type {any} */ ({ session, names, correct }));
  return { line: await take([file]), change };
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
  });
  const names = { knows: () => true, labelOf: (/** @type {string} */ name) => name };
  const correct = () => assert.fail('nothing is new');
  const take = importer(/** @type {any} */ ({ session, names, correct }));
  const line = take([new File(['picture,tags,caption,rejected\na.jpg,dog,,\n'], 'ocelli.csv')]);
  setTimeout(() => {
    job.status = 'done';
    session.dispatchEvent(new Event('change'));
  }, 20);
  assert.equal(await line, 'The files say nothing that is not known here.');
});
