// The page as an app: it works without a network after one visit, has threads where the host sends no headers, changes to a new
// version as a whole, and takes pictures that others hand over.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { serve } from '../../scripts/serve.mjs';
import { openBrowser } from './support/browser.js';
import { plain } from './support/pictures.js';
import { DIST, openSite, PATIENCE, Visit } from './support/site.js';

const browser = await openBrowser();
test.after(() => browser.close());

/** @type {import('playwright-core').BrowserContextOptions} */
const ALLOWED = { serviceWorkers: 'allow' };

/** A host that cannot be told to send headers. */
const BARE = {
  'Cross-Origin-Opener-Policy': null,
  'Cross-Origin-Embedder-Policy': null,
  'Cross-Origin-Resource-Policy': null,
};

/** Browsers say that there is no network; a page outside of the site has no icon. */
const WITHOUT_NETWORK = [/ERR_CONNECTION_REFUSED/, /ERR_INTERNET_DISCONNECTED/];

/** What Firefox says of requests that were under way when the page was loaded anew. */
const INTERRUPTED = /ServiceWorker intercepted the request/;

/** A picture that the built-in model is sure of. @param {string} name */
const sample = (name) => ({
  name,
  mimeType: 'image/webp',
  buffer: readFileSync(path.join(DIST, 'samples', name)),
});

/** @param {import('node:test').TestContext} t @returns {string} an empty folder, for as long as the test runs */
function scratch(t) {
  const folder = mkdtempSync(path.join(tmpdir(), 'ocelli-offline-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

/**
 * A site, for as long as the test runs.
 * @param {import('node:test').TestContext} t
 * @param {...Parameters<typeof openSite>} given
 */
async function siteFor(t, ...given) {
  const site = await openSite(...given);
  t.after(() => site.close());
  return site;
}

/** Addresses of all that is kept. @param {Visit} visit @returns {Promise<string[]>} */
const kept = ({ page }) =>
  page.evaluate(async () => {
    const names = await caches.keys();
    const lists = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()));
    return lists.flat().map(({ url }) => url);
  });

/** How often the page is asked whether it has come to something. It may be loaded anew meanwhile, and then not answer at all. */
const TRY_MS = 100;
const ANSWER_MS = 10_000;

/** @param {() => Promise<boolean>} what @param {string} words for it */
async function until(what, words) {
  const end = performance.now() + PATIENCE;
  while (performance.now() < end) {
    if (await Promise.race([what().catch(() => false), setTimeout(ANSWER_MS, false, { ref: false })])) return;
    await setTimeout(TRY_MS);
  }
  assert.fail(`never: ${words}`);
}

/** Waits until files are kept: that ends a little after they have been used. @param {Visit} visit @param {...RegExp} wanted */
const untilKept = (visit, ...wanted) =>
  until(async () => {
    const urls = await kept(visit);
    return wanted.every((one) => urls.some((url) => one.test(url)));
  }, `kept: ${wanted}`);

/** @param {Visit} visit */
const untilControlled = (visit) =>
  until(() => visit.page.evaluate(() => navigator.serviceWorker.controller !== null), 'controlled');

test('after one visit the page works without a network', async (t) => {
  const site = await siteFor(t, {});
  const visit = await Visit.begin(browser, site.url, ALLOWED);
  await visit.stillWorks(sample('cat.webp'));
  await untilKept(visit, /\.wasm$/, /model\.safetensors/, /everyday\.[0-9a-f]+\.tsv$/, /cat\.webp/);
  const urls = await kept(visit);
  assert.ok(!urls.some((url) => url.endsWith('.map')), 'maps are not kept');
  assert.equal(urls.filter((url) => url.endsWith('.wasm')).length, 1, 'nor is what is not used');
  await site.close();

  await visit.page.goto(`${site.url}?threads=2`);
  assert.ok(await visit.page.evaluate(() => crossOriginIsolated));
  await visit.stillWorks(sample('coffee.webp'));
  const samples = await visit.page
    .locator('.sample img')
    .evaluateAll((all) => all.every((one) => /** @type {HTMLImageElement} */ (one).naturalWidth > 0));
  assert.ok(samples, 'samples are there');
  await visit.end({ expected: WITHOUT_NETWORK });
});

test('where the host sends no headers, the page is loaded anew once and has threads', async (t) => {
  const site = await siteFor(t, undefined, { headers: BARE });
  const visit = await Visit.begin(browser, `${site.url}?sw=off`, ALLOWED);
  let loads = 0;
  visit.page.on('load', () => loads++);
  await visit.page.goto(site.url, { waitUntil: 'commit' });
  await until(async () => loads === 2, 'loaded anew');
  assert.ok(await visit.page.evaluate(() => crossOriginIsolated));
  await visit.stillWorks(plain('sky.png'));
  await visit.page.locator('#models-panel > summary').click();
  await visit.page
    .getByText(/\d threads/)
    .first()
    .waitFor();
  await visit.page.reload();
  await visit.ready();
  assert.ok(await visit.page.evaluate(() => crossOriginIsolated));
  assert.equal(loads, 3);
  await visit.end();
});

test('nobody who has begun is interrupted, and pictures that the system opens are taken', async (t) => {
  const site = await siteFor(t, undefined, { headers: BARE });
  const visit = await Visit.begin(browser, `${site.url}?sw=off`, ALLOWED);
  const { page } = visit;
  assert.equal(await page.evaluate(async () => (await navigator.serviceWorker.getRegistrations()).length), 0);
  await page.addInitScript(() => {
    const workers = navigator.serviceWorker;
    // The empty page that Firefox begins with has none.
    if (!workers) return;
    const register = workers.register.bind(workers);
    const given = /** @type {any} */ (globalThis);
    workers.register = async (...args) => {
      await new Promise((resolve) => (given.goOn = resolve));
      return register(...args);
    };
    Object.defineProperty(globalThis, 'launchQueue', {
      value: { setConsumer: (/** @type {unknown} */ consumer) => (given.launch = consumer) },
    });
  });
  await page.goto(site.url);
  await page.evaluate(
    async (bytes) => {
      const file = new File([new Uint8Array(bytes)], 'opened.png', { type: 'image/png' });
      await /** @type {any} */ (globalThis).launch({ files: [{ getFile: async () => file }] });
    },
    [...plain('opened.png').buffer],
  );
  await visit.settled('opened.png');
  await page.evaluate(() => /** @type {any} */ (globalThis).goOn());
  await untilControlled(visit);
  await page.waitForTimeout(500);
  assert.equal(await visit.card('opened.png').count(), 1, 'the page is still the same');
  assert.equal(await page.evaluate(() => crossOriginIsolated), false);
  await visit.end();
});

/** @param {string} file @returns {string} as the list of files has it */
const digestOf = (file) => `sha256-${createHash('sha256').update(readFileSync(file)).digest('base64')}`;

/** Makes of a build its successor: another title, another name of the style, another sample. @param {string} dist */
function succeed(dist) {
  const read = (/** @type {string} */ name) => readFileSync(path.join(dist, name), 'utf8');
  const style = readdirSync(dist).find((name) => name.endsWith('.css')) ?? '';
  const index = path.join(dist, 'index.html');
  const picture = path.join(dist, 'samples/cat.webp');
  const old = [digestOf(index), digestOf(picture)];
  renameSync(path.join(dist, style), path.join(dist, 'page.12345678.css'));
  writeFileSync(picture, readFileSync(path.join(dist, 'samples/house.webp')));
  const html = read('index.html')
    .replace(style, 'page.12345678.css')
    .replace(/<title>.*?</, '<title>Next<');
  writeFileSync(index, html);
  const list = read('service-worker.js')
    .replace(style, 'page.12345678.css')
    .replace(old[0] ?? '', digestOf(index))
    .replace(old[1] ?? '', digestOf(picture));
  writeFileSync(path.join(dist, 'service-worker.js'), list);
  return style;
}

test('a new version waits until it is wanted, and takes over as a whole', async (t) => {
  const dist = scratch(t);
  cpSync(DIST, dist, { recursive: true, filter: (name) => !/\.(map|br|gz)$/.test(name) });
  const site = await siteFor(t, {}, { dist });
  const visit = await Visit.begin(browser, site.url, ALLOWED);
  const { page } = visit;
  await untilControlled(visit);
  // On a slow machine the engine does not wait for the service worker, and is kept on the next visit.
  await visit.ready();
  await page.reload();
  await untilKept(visit, /cat\.webp/, /model\.safetensors/);
  const before = await kept(visit);
  const style = succeed(dist);
  await page.evaluate(async () => void (await (await navigator.serviceWorker.getRegistration())?.update()));
  const line = page.getByRole('status').filter({ hasText: 'A new version is here.' });
  await line.waitFor();

  // It waits, whatever happens.
  await page.reload();
  await line.waitFor();
  assert.notEqual(await page.title(), 'Next');
  assert.ok(await page.evaluate(() => document.styleSheets.length > 0));

  await line.getByRole('button', { name: 'Reload' }).focus();
  await page.keyboard.press('Enter');
  await until(async () => (await page.title()) === 'Next', 'the next version').catch(async (error) => {
    const states = page.evaluate(async () => {
      const { active, waiting, installing } = (await navigator.serviceWorker.getRegistration()) ?? {};
      return [active, waiting, installing].map((worker) => worker?.state ?? 'none').join(', ');
    });
    throw new Error(`${error.message} (active, waiting, installing: ${await states})`);
  });
  await untilKept(visit, /page\.12345678\.css$/, /cat\.webp/);
  const after = await kept(visit);
  assert.ok(before.some((url) => url.endsWith(style)) && !after.some((url) => url.endsWith(style)));
  for (const name of ['index.html', 'cat.webp']) {
    const [was, is] = [before, after].map((urls) => urls.filter((url) => url.includes(name)));
    assert.equal(is?.length, 1, name);
    assert.notDeepEqual(is, was, name);
  }
  const weights = (/** @type {string[]} */ urls) => urls.filter((url) => url.includes('model.safetensors'));
  assert.deepEqual(weights(after), weights(before), 'what has not changed stays');
  assert.equal(await line.count(), 0);
  // As long as requests are under way the old version answers: then the page is loaded anew twice.
  await visit.end({ expected: [/MIME type/, INTERRUPTED] });
});

test('a page that is of another version than its service worker is loaded anew, once', async (t) => {
  const site = await siteFor(t);
  const visit = await Visit.begin(browser, site.url, ALLOWED);
  const { page } = visit;
  await untilControlled(visit);
  await visit.ready();
  let loads = 0;
  page.on('framenavigated', () => loads++);
  await page.reload();
  await visit.ready();
  assert.equal(loads, 1, 'its own version is no other');

  await page.addInitScript(() => {
    new MutationObserver((_, observer) => {
      if (!document.head) return;
      observer.disconnect();
      const other = Object.assign(document.createElement('script'), { src: 'main.0.js', async: true });
      document.head.append(other);
    }).observe(document, { childList: true, subtree: true });
  });
  await page.reload().catch(() => {});
  await page.getByRole('status').filter({ hasText: 'A new version is here.' }).waitFor();
  await visit.ready();
  assert.equal(loads, 3, 'once');
  await visit.end({ expected: [/404|MIME type/] });
});

test('pictures that another app shares are taken, once', async (t) => {
  const outside = path.join(scratch(t), 'outside.html');
  writeFileSync(outside, '<!doctype html><title>outside</title>');
  const site = await siteFor(t, { 'outside.html': () => outside });
  const visit = await Visit.begin(browser, site.url, ALLOWED);
  const { page } = visit;
  await untilControlled(visit);
  await page.goto(`${site.url}outside.html`);
  await page.evaluate(
    (bytes) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([new Uint8Array(bytes)], 'geteilt ü.png', { type: 'image/png' }));
      const input = Object.assign(document.createElement('input'), { type: 'file', name: 'pictures' });
      input.files = transfer.files;
      const form = document.createElement('form');
      Object.assign(form, { action: 'share', method: 'post', enctype: 'multipart/form-data' });
      form.append(input);
      document.body.append(form);
      form.submit();
    },
    [...plain('shared.png').buffer],
  );
  await visit.settled('geteilt ü.png');
  assert.equal(page.url(), site.url);
  await page.reload();
  await visit.ready();
  assert.equal(await visit.card('geteilt ü.png').count(), 0);
  assert.ok(!(await page.evaluate(() => caches.keys())).some((name) => name.includes('shared')));
  await page.context().close();
});

test('requests to others, for parts and for files that are not the page’s go to the network as they are', async (t) => {
  /** @type {string[]} */
  const seen = [];
  const folder = scratch(t);
  writeFileSync(path.join(folder, 'config.json'), '{}');
  const onReply = (/** @type {import('node:http').IncomingMessage} */ request) =>
    seen.push(request.url ?? '');
  const hub = await serve({ root: folder, headers: { 'Access-Control-Allow-Origin': '*' }, onReply });
  t.after(() => hub.close());
  const site = await siteFor(t, { 'mine/': folder }, { onReply });
  const visit = await Visit.begin(browser, site.url, ALLOWED);
  await untilControlled(visit);
  await visit.ready();
  const ask = (/** @type {string} */ url, /** @type {Record<string, string>} */ headers = {}) =>
    visit.page.evaluate(
      async ({ url, headers }) => {
        const response = await fetch(url, { headers });
        await response.arrayBuffer();
        return { status: response.status, type: response.type };
      },
      { url, headers },
    );
  seen.length = 0;
  for (let i = 0; i < 2; i++) {
    assert.deepEqual(await ask(`${hub.url}config.json?${i}`), { status: 200, type: 'cors' });
    assert.equal((await ask(`${site.url}mine/config.json?${i}`)).status, 200);
    assert.equal((await ask(`${site.url}models/ocelli/words.json`, { Range: 'bytes=0-9' })).status, 206);
  }
  assert.equal(seen.filter((url) => url.includes('config.json?')).length, 4);
  assert.equal(seen.filter((url) => url.endsWith('words.json')).length, 2);
  assert.ok(!(await kept(visit)).some((url) => url.startsWith(hub.url) || url.includes('/mine/')));
  await visit.end({ origins: [new URL(hub.url).origin] });
});
