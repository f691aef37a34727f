// A page without a bundler: the package as it lies in a folder, from the page's own origin and from another one.

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { ROOT } from '../../scripts/lib/run.mjs';
import { serve } from '../../scripts/serve.mjs';
import { openBrowser } from './support/browser.js';
import { DIST } from './support/site.js';
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

/**
 * @param {string} address of the package's folder
 * @param {{ from?: string, threads?: number }} [options] `from`: the page's own address
 */
async function tag(address, { from = site.url, threads = 1 } = {}) {
  const page = await browser.newPage();
  await page.goto(from);
  const bytes = [...plain('blue.png').buffer];
  const found = await page.evaluate(
    async ({ address, bytes, threads }) => {
      /** @type {unknown[]} what the worker said first */
      const first = [];
      const Plain = Worker;
      globalThis.Worker = class extends Plain {
        /** @param {[string | URL, WorkerOptions?]} given */
        constructor(...given) {
          super(...given);
          this.addEventListener('message', ({ data }) => first.push(data.type), { once: true });
        }
      };
      const { Tagger } = await import(`${address}dist/index.js`);
      const tagger = await Tagger.load('ocelli', { threads });
      const tags = await tagger.tag(new Uint8Array(bytes), ['a cat', 'the sky', 'a car']);
      const { runtime } = tagger;
      tagger.dispose();
      return { tags, first, threads: runtime.threads };
    },
    { address, bytes, threads },
  );
  await page.close();
  return found;
}

for (const [name, base] of [
  ['its own origin', site.url],
  ['another origin', elsewhere.url],
]) {
  for (const wanted of [1, 2]) {
    test(`a plain page tags with the package from ${name}, threads: ${wanted}`, async () => {
      const { tags, first, threads } = await tag(`${base}ocelli/`, { threads: wanted });
      assert.equal(tags.length, 3);
      assert.ok(Math.abs(tags.reduce((sum, { score }) => sum + score, 0) - 1) < 1e-4);
      assert.equal(first.shift(), 'started');
      assert.deepEqual(first, Array(threads - 1).fill('thread-ready'));
      // A build without the variants with threads has one.
      assert.ok(threads === wanted || !existsSync(path.join(PACKAGE, 'wasm/relaxed-threads_bg.wasm')));
    });
  }
}

test('the page of the README works as it stands', async (t) => {
  const readme = readFileSync(path.join(PACKAGE, 'README.md'), 'utf8');
  const html = /```html\n(.*?)```/s.exec(readme)?.[1] ?? '';
  const own = mkdtempSync(path.join(tmpdir(), 'ocelli-readme-'));
  writeFileSync(path.join(own, 'index.html'), html);
  const readmeSite = await serve({ root: own, mounts: { '/ocelli/': PACKAGE } });
  const page = await browser.newPage();
  t.after(async () => {
    await page.close();
    await readmeSite.close();
    rmSync(own, { recursive: true });
  });
  await page.goto(readmeSite.url, { waitUntil: 'networkidle' });
  const cat = path.join(ROOT, 'www/samples/cat.webp');
  const answer = page.locator('pre');
  // The page listens once its models are there.
  for (let tries = 0; tries < 30 && (await answer.textContent()) === ''; tries++) {
    await page.setInputFiles('input', []);
    await page.setInputFiles('input', cat);
    await page.waitForTimeout(1000);
  }
  assert.match((await answer.textContent()) ?? '', /^a cat.*\ncat \d\d %(\n[a-z -]+ \d+ %)*$/);
});

test('a package without its worker says so', async (t) => {
  const mounts = { '/ocelli/dist/worker.js': () => null, '/ocelli/': PACKAGE };
  const broken = await serve({ root: folder, mounts });
  t.after(() => broken.close());
  await assert.rejects(
    tag(`${broken.url}ocelli/`, { from: broken.url }),
    /the server answered 404 for .*\/dist\/worker\.js; tell with setBase/,
  );
});

test('a content security policy that forbids WebAssembly is named', async (t) => {
  const headers = { 'Content-Security-Policy': "script-src 'self'" };
  const strict = await serve({ root: folder, mounts: { '/ocelli/': PACKAGE }, headers });
  t.after(() => strict.close());
  await assert.rejects(
    tag(`${strict.url}ocelli/`, { from: strict.url }),
    /script-src needs 'wasm-unsafe-eval'/,
  );
});

test('a bundle names no folder of the machine that made it', () => {
  const scripts = readdirSync(DIST).filter((name) => name.endsWith('.js'));
  assert.ok(scripts.length > 0);
  for (const name of scripts) {
    assert.ok(!readFileSync(path.join(DIST, name), 'utf8').includes('file:///'), name);
  }
});
