// Pictures in Node: files by their paths.

import assert from 'node:assert/strict';
import { mkdtempSync, openAsBlob, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { pathToFileURL } from 'node:url';
import '../../pkg/src/node/platform.js';
import { readImage } from '../../pkg/src/page/image-input.js';

/** A folder with one file, `here.png`. @param {import('node:test').TestContext} t */
function folderOf(t) {
  const folder = mkdtempSync(path.join(tmpdir(), 'ocelli node '));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(path.join(folder, 'here.png'), 'not really a PNG');
  return folder;
}

test('a file is read by its path and by its address', async (t) => {
  const file = path.join(folderOf(t), 'here.png');
  for (const image of [file, path.relative('.', file), pathToFileURL(file), pathToFileURL(file).href]) {
    const { source } = await readImage(image);
    assert.equal(await source.blob.text(), 'not really a PNG');
  }
});

test('a file that is not there is named by its whole path', async (t) => {
  const file = path.join(folderOf(t), 'büro 1.png');
  for (const image of [file, path.relative('.', file), pathToFileURL(file)]) {
    await assert.rejects(readImage(image), {
      name: 'ImageError',
      code: 'image-unreadable',
      message: `There is no file ${file.replaceAll('\\', '/')}.`,
    });
  }
});

test('what is out of reach is no matter of sites in Node', async () => {
  await assert.rejects(readImage('http://127.0.0.1:9/x.png'), {
    message: 'The picture at http://127.0.0.1:9/x.png could not be fetched: 127.0.0.1:9 is out of reach.',
  });
  const base64 = Buffer.alloc(3000).toString('base64');
  await assert.rejects(readImage(base64), { message: /^The picture is given as Base64/ });
});

test('a blob that is a file is read before it is sent, and keeps its key', async (t) => {
  const file = path.join(folderOf(t), 'here.png');
  const blob = await openAsBlob(file, { type: 'image/png' });
  assert.throws(() => structuredClone(blob), 'or this test proves nothing');
  const { source } = await readImage(blob);
  const sent = structuredClone(source);
  assert.deepEqual([await sent.blob.text(), sent.blob.type], ['not really a PNG', 'image/png']);
  assert.equal((await readImage(blob)).source.key, source.key);
  const plain = new Blob(['x']);
  assert.equal((await readImage(plain)).source.blob, plain, 'others are sent as they are');
  rmSync(file);
  await assert.rejects(readImage(blob), {
    code: 'image-unreadable',
    message: 'The picture could not be read any more.',
  });
});
