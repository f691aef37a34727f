// A page without a bundler: the package as it lies in a folder, from the page's own origin and from another one.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { ROOT } from '../../scripts/lib/run.mjs';
import { serve } from '../../scripts/serve.mjs';
import { openBrowser } from './support/site.js';
import { plain } from './support/pictures.js';

const PACKAGE = path.join(ROOT, 'pkg');

const browser = await openBrowser();
const folder = mkdtempSync(path.join(tmpdir(), 'ocelli-plain-'));
writeFileSync(path.join(folder, 'index.html'), '<!doctype html><title>plain</title>');
const site = await serve({ root: folder, mounts: { '/ocelli/': PACKAGE } });
// A content delivery network lets every page read its files.
const elsewhere = await serve({
  root: folder,
  mounts: { '/ocelli/': PACKAGE },
  headers: { 'Access-Control-Allow-Origin': '*' },
});
test.after(async () => {
  await browser.close();
  await site.close();
  await elsewhere.close();
  rmSync(folder, { recursive: true });
});

/** @param {string} address of the package's folder @param {string} [from] the page's own */
async function tag(address, from = site.url) {
  const page = await browser.newPage();
  await page.goto(from);
  const bytes = [...plain('blue.png').buffer];
  const found = await page.evaluate(
    async ({ address, bytes }) => {
      const { Tagger } = await import(`${address}src/index.js`);
      const tagger = await Tagger.load(`${address}models/ocelli/`, { threads: 1 });
      const tags = await tagger.tag(new Uint8Array(bytes), ['a cat', 'the sky', 'a car']);
      tagger.dispose();
      return tags;
    },
    { address, bytes },
  );
  await page.close();
  return found;
}

for (const [name, base] of [
  ['its own origin', site.url],
  ['another origin', elsewhere.url],
]) {
  test(`a plain page tags with the package from ${name}`, async () => {
    const tags = await tag(`${base}ocelli/`);
    assert.equal(tags.length, 3);
    assert.ok(Math.abs(tags.reduce((sum, { score }) => sum + score, 0) - 1) < 1e-4);
  });
}

test('a package without its worker says so', async (t) => {
  const mounts = { '/ocelli/src/worker/worker.js': () => null, '/ocelli/': PACKAGE };
  const broken = await serve({ root: folder, mounts });
  t.after(() => broken.close());
  await assert.rejects(
    tag(`${broken.url}ocelli/`, broken.url),
    /worker failed or its script could not be loaded/,
  );
});
