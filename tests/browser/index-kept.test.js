// Indexes that are kept in the browser's own storage: the next visit finds them as they were, and what is damaged is told of
// and costs nothing else.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { ROOT } from '../../scripts/lib/run.mjs';
import { serve } from '../../scripts/serve.mjs';
import { openBrowser } from './support/browser.js';
import { assertSentence, PATIENCE } from './support/site.js';

const NAME = 'holidays/2024';

const browser = await openBrowser();
const folder = mkdtempSync(path.join(tmpdir(), 'ocelli-kept-'));
// What is asked of the package on each visit lies in the page, so that a test sees only answers.
writeFileSync(
  path.join(folder, 'index.html'),
  `<!doctype html><title>kept</title><script type="module">
    import * as ocelli from '/ocelli/dist/index.js';
    const { Index } = ocelli;
    globalThis.ocelli = ocelli;
    globalThis.refusal = (name) => Index.open({ name }).then(
      () => null,
      ({ name, code, message }) => ({ name, code, message }),
    );
    /** The vectors 0, 1, ... up to a count, each in a direction of its own. */
    globalThis.keepVectors = async (name, count) => {
      const index = await Index.create();
      const vector = (at) => Array.from({ length: 16 }, (_, i) => Math.cos((at + 1) * (i + 1)));
      await index.addVectors(Array.from({ length: count }, (_, at) => ({ id: String(at), vector: vector(at) })));
      await index.keep(name);
      index.dispose();
    };
    globalThis.sizeOf = async (name) => {
      const index = await Index.open({ name });
      index.dispose();
      return index.size;
    };
    globalThis.files = async () => {
      const root = await navigator.storage.getDirectory();
      const folder = await root.getDirectoryHandle('ocelli-indexes', { create: true });
      const all = [];
      for await (const [name, handle] of folder.entries()) all.push([name, (await handle.getFile()).size]);
      return all.sort();
    };
    globalThis.write = async (name, change) => {
      const root = await navigator.storage.getDirectory();
      const handle = await (await root.getDirectoryHandle('ocelli-indexes')).getFileHandle(name, { create: true });
      const writable = await handle.createWritable();
      await writable.write(change);
      await writable.close();
    };
  </script>`,
);
const mounts = { '/ocelli/': path.join(ROOT, 'pkg'), '/samples/': path.join(ROOT, 'www/samples') };
const site = await serve({ root: folder, mounts });
test.after(async () => {
  await browser.close();
  await site.close();
  rmSync(folder, { recursive: true });
});

/** A first visit, and the next ones. @param {import('node:test').TestContext} t */
async function visits(t) {
  const context = await browser.newContext();
  t.after(() => context.close());
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  const arrive = async () => {
    await page.goto(site.url);
    await page.waitForFunction(() => globalThis.files !== undefined);
  };
  await arrive();
  return { page, again: arrive };
}

test('an index of pictures answers as before on the next visit, until it is forgotten', async (t) => {
  const { page, again } = await visits(t);
  const first = await page.evaluate(async (name) => {
    const { Index } = globalThis.ocelli;
    const index = await Index.create({ model: 'ocelli' });
    const pictures = ['cat', 'coffee', 'house', 'ladybug', 'umbrella'];
    await index.add(pictures.map((id) => ({ id, image: `/samples/${id}.webp` })));
    const answers = {
      cat: await index.search('a cat'),
      all: await index.search('a house - an animal', { cutoff: null }),
      alike: await index.search({ id: 'coffee' }),
    };
    await index.keep(name);
    index.dispose();
    return { answers, kept: await Index.kept() };
  }, NAME);
  assert.deepEqual([first.answers.cat[0]?.id, first.answers.all.length], ['cat', 5]);
  assert.deepEqual(first.kept, [NAME]);

  await again();
  const second = await page.evaluate(async (name) => {
    const { Index } = globalThis.ocelli;
    const progress = [];
    const index = await Index.open(
      { name },
      { model: 'ocelli', onProgress: ({ phase }) => void progress.push(phase) },
    );
    const answers = {
      cat: await index.search('a cat'),
      all: await index.search('a house - an animal', { cutoff: null }),
      alike: await index.search({ id: 'coffee' }),
    };
    const about = { size: index.size, model: index.model.id, phase: progress.at(-1) };
    // More of it, kept in the place of what was there.
    await index.add([{ id: 'mushroom', image: '/samples/mushroom.webp' }]);
    await index.keep(name);
    index.dispose();
    return { answers, about, files: await globalThis.files() };
  }, NAME);
  assert.deepEqual(second.answers, first.answers);
  assert.deepEqual(second.about, { size: 5, model: 'ocelli', phase: 'cache' });
  assert.deepEqual(
    second.files.map(([name]) => name),
    ['holidays%2F2024.2.ocelli'],
  );

  await again();
  const [size, refused, kept, files] = await page.evaluate(async (name) => {
    const { Index } = globalThis.ocelli;
    const size = await globalThis.sizeOf(name);
    await Index.forget(name);
    return [size, await globalThis.refusal(name), await Index.kept(), await globalThis.files()];
  }, NAME);
  assert.deepEqual([size, kept, files], [6, [], []]);
  assert.equal(refused?.code, 'index-missing');
  assertSentence(refused?.message ?? '');
});

test('what was written halfway leaves the index before it', async (t) => {
  const { page, again } = await visits(t);
  await page.evaluate(() => globalThis.keepVectors('a', 4));
  const [[file, size]] = await page.evaluate(() => globalThis.files());
  assert.equal(file, 'a.1.ocelli');
  // A tab that was closed while it kept the next one.
  await page.evaluate(async () => {
    const root = await navigator.storage.getDirectory();
    const handle = await (await root.getDirectoryHandle('ocelli-indexes')).getFileHandle('a.1.ocelli');
    await globalThis.write('a.2.ocelli', (await handle.getFile()).slice(0, 60));
  });
  await again();
  const found = await page.evaluate(async () => [await globalThis.sizeOf('a'), await globalThis.files()]);
  assert.deepEqual(found, [
    4,
    [
      ['a.1.ocelli', size],
      ['a.2.ocelli', 60],
    ],
  ]);
  const kept = await page.evaluate(async () => {
    await globalThis.keepVectors('a', 5);
    return [await globalThis.sizeOf('a'), (await globalThis.files()).map(([name]) => name)];
  });
  assert.deepEqual(kept, [5, ['a.3.ocelli']], 'and both go when the next one is whole');
});

test('a damaged index is refused with a sentence, and nothing is lost', async (t) => {
  const { page, again } = await visits(t);
  await page.evaluate(async () => {
    await globalThis.keepVectors('damaged', 4);
    await globalThis.keepVectors('whole', 7);
  });
  const before = await page.evaluate(() => globalThis.files());
  await page.evaluate(async () => {
    const root = await navigator.storage.getDirectory();
    const handle = await (await root.getDirectoryHandle('ocelli-indexes')).getFileHandle('damaged.1.ocelli');
    const bytes = new Uint8Array(await (await handle.getFile()).arrayBuffer());
    bytes[bytes.length >> 1] ^= 1;
    await globalThis.write('damaged.1.ocelli', bytes);
  });
  await again();
  const after = await page.evaluate(async () => ({
    refused: await globalThis.refusal('damaged'),
    again: await globalThis.refusal('damaged'),
    whole: await globalThis.sizeOf('whole'),
    kept: await globalThis.ocelli.Index.kept(),
    files: await globalThis.files(),
  }));
  assert.deepEqual([after.refused?.name, after.refused?.code], ['IndexError', 'index-invalid']);
  assertSentence(after.refused?.message ?? '');
  assert.deepEqual(after.again, after.refused);
  assert.deepEqual([after.whole, after.kept, after.files], [7, ['damaged', 'whole'], before]);
  const mended = await page.evaluate(async () => {
    await globalThis.keepVectors('damaged', 3);
    return globalThis.sizeOf('damaged');
  });
  assert.equal(mended, 3, 'the name can be used again');
});
