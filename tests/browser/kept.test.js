// Pictures of earlier visits are known again by what is in their files, and what an earlier version of the page kept is not lost.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { strFromU8, unzipSync } from 'fflate';
import { xmpPacket } from 'ocelli';
import { withXmpInPng } from '../../www/files/xmp-png.js';
import { rated } from '../www/support/files.js';
import { IN_FIREFOX, openBrowser } from './support/browser.js';
import { plain, tiff } from './support/pictures.js';
import { openSite, Visit } from './support/site.js';

const browser = await openBrowser();
const site = await openSite();
test.after(async () => {
  await browser.close();
  await site.close();
});

/** Why folders are not tried there. */
const noFolders = { skip: IN_FIREFOX && 'WebDriver BiDi picks no folders' };

/** Enough to be kept. */
const MANY = 26;

/** @param {number} number @returns {Buffer} a picture of a colour of its own, as long as all others */
function picture(number) {
  const { buffer } = plain('', {
    width: 24,
    height: 24,
    colour: [(53 * number) % 256, (9 * number) % 256, 90],
  });
  return Buffer.concat([buffer, Buffer.alloc(400 - buffer.length)]);
}

/** A visit whose library keeps a folder. @param {import('node:test').TestContext} t */
async function withKept(t) {
  const root = mkdtempSync(path.join(tmpdir(), 'ocelli-kept-'));
  t.after(() => rmSync(root, { recursive: true }));
  const folder = path.join(root, 'Trip');
  mkdirSync(folder);
  for (let i = 0; i < MANY; i++) writeFileSync(path.join(folder, `p${i}.png`), picture(i));
  const visit = await Visit.begin(browser, site.url);
  const { page } = visit;
  await page.setInputFiles('#folder', folder);
  await page.getByText(`Small copies of ${MANY} pictures`).waitFor();
  await tile(visit, 'p2.png').click({ modifiers: ['Control'] });
  await page.locator('selection-bar').getByLabel('Tag').fill('Grandma');
  await page.keyboard.press('Enter');
  await tile(visit, 'p2.png: Grandma').waitFor();
  await page.locator('selection-bar').getByRole('button', { name: 'Done' }).click();
  await kept(visit, (entries) => entries.some(({ said }) => said?.own.includes('Grandma')));
  return { visit, folder, root };
}

/** Waits until so many pictures are there, and done. @param {Visit} visit @param {number} [count] */
const allDone = ({ page }, count = MANY) =>
  page.waitForFunction(
    (text) => document.querySelector('.work-line')?.textContent === text,
    `${count} pictures`,
  );

/** @param {Visit} visit @param {string} name */
const tile = (visit, name) => visit.page.getByRole('button', { name: new RegExp(`^${name}\\b`) });

/** Waits until what is kept is as it should be. @param {Visit} visit @param {(entries: any[]) => boolean} isRight */
async function kept({ page }, isRight) {
  for (let round = 0; round < 600; round++) {
    const entries = await page.evaluate(async () => {
      const wait = (request) =>
        new Promise((resolve, reject) => {
          request.onsuccess = () => resolve(request.result);
          request.onerror = () => reject(request.error);
        });
      const database = await wait(indexedDB.open('ocelli-library'));
      const all = await wait(database.transaction('pictures').objectStore('pictures').getAll());
      database.close();
      return all.map(({ copy, embedding, ...rest }) => ({
        ...rest,
        copy: copy.size,
        known: embedding.length,
      }));
    });
    if (isRight(entries)) return entries;
    await page.waitForTimeout(100);
  }
  throw new Error('it is never kept so');
}

test(
  'files that were renamed or moved are neither looked at again nor lose their corrections',
  noFolders,
  async (t) => {
    const { visit, folder, root } = await withKept(t);
    const { page } = visit;
    mkdirSync(path.join(root, 'Summer', 'day 1'), { recursive: true });
    for (let i = 0; i < MANY; i++) {
      renameSync(path.join(folder, `p${i}.png`), path.join(root, 'Summer/day 1', `s${i}.png`));
    }
    await page.reload();
    await tile(visit, 'p2.png: Grandma').waitFor();
    await allDone(visit);
    await page.evaluate(() => {
      const line = document.querySelector('.work-line');
      const lines = (window.lines = []);
      new MutationObserver(() => lines.push(line?.textContent)).observe(line, {
        childList: true,
        characterData: true,
        subtree: true,
      });
    });
    await page.setInputFiles('#folder', path.join(root, 'Summer'));
    await tile(visit, 's2.png: Grandma').waitFor();
    const entries = await kept(visit, (all) => all.every(({ name }) => name.startsWith('s')));
    assert.equal(entries.length, MANY, 'nothing of the old names is left');
    assert.ok(entries.every(({ path: where }) => where.startsWith('Summer/day 1/')));
    assert.deepEqual(entries.find(({ name }) => name === 's2.png').said.own, ['Grandma']);
    assert.deepEqual(await page.evaluate(() => window.lines), [], 'nothing was to be done');
    assert.equal(await page.locator('.work-line').innerText(), `${MANY} pictures`);
    await visit.end();
  },
);

test('two pictures of the same name, length and date are kept as two', noFolders, async (t) => {
  const { visit, root } = await withKept(t);
  const { page } = visit;
  const then = new Date(2020, 1, 1);
  for (const [place, number] of /** @type {const} */ ([
    ['one', 100],
    ['two', 101],
  ])) {
    const folder = path.join(root, place, 'DCIM');
    mkdirSync(folder, { recursive: true });
    const file = path.join(folder, 'IMG_1.png');
    writeFileSync(file, picture(number));
    utimesSync(file, then, then);
    await page.setInputFiles('#folder', folder);
    await allDone(visit, number - 73);
  }
  const entries = await kept(visit, (all) => all.length === MANY + 2);
  const twins = entries.filter(({ name }) => name === 'IMG_1.png');
  assert.equal(twins.length, 2);
  assert.equal(twins[0].quick, twins[1].quick);
  assert.notEqual(twins[0].content, twins[1].content);
  await page.reload();
  await allDone(visit, MANY + 2);
  await page.setInputFiles('#folder', path.join(root, 'one', 'DCIM'));
  await page.waitForTimeout(1000);
  await allDone(visit, MANY + 2);
  await visit.end();
});

test('what an earlier version of the page kept is there, and known again', noFolders, async (t) => {
  const { visit, folder } = await withKept(t);
  const { page } = visit;
  const before = await visit.tiles();
  await page.goto(new URL('licences.txt', site.url).href);
  await page.evaluate(async () => {
    const wait = (request) =>
      new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
    const now = await wait(indexedDB.open('ocelli-library'));
    const read = (store, how) => wait(now.transaction(store).objectStore(store)[how]());
    const pictures = await read('pictures', 'getAll');
    const [about, keys] = [await read('about', 'getAll'), await read('about', 'getAllKeys')];
    now.close();
    await wait(indexedDB.deleteDatabase('ocelli-library'));
    const opening = indexedDB.open('ocelli-library', 1);
    opening.onupgradeneeded = () => {
      const store = opening.result.createObjectStore('pictures', { keyPath: 'key' });
      for (const one of pictures) {
        const { quick, ...rest } = one;
        for (const late of ['size', 'content', 'sample']) delete rest[late];
        store.put({ ...rest, key: quick });
      }
      const other = opening.result.createObjectStore('about');
      about.forEach((value, i) => other.put(value, keys[i]));
    };
    (await wait(opening)).close();
  });
  await page.goto(site.url);
  await tile(visit, 'p2.png: Grandma').waitFor();
  await allDone(visit);
  await visit.tilesSay(before);
  const old = await kept(visit, (all) => all.length === MANY);
  assert.ok(old.every(({ content, size }) => content === null && size === 400));
  // The files themselves tell the rest.
  await page.setInputFiles('#folder', folder);
  const entries = await kept(visit, (all) => all.every(({ content }) => content !== null));
  assert.equal(entries.length, MANY);
  assert.deepEqual(entries.find(({ name }) => name === 'p2.png').said.own, ['Grandma']);
  // Of a plain file the browser wants an icon.
  await visit.end({ expected: [/404/] });
});

test('a picture that the browser cannot show is shown all the same, and there again', async () => {
  const visit = await Visit.begin(browser, site.url);
  const { page } = visit;
  await visit.pick(tiff('scan.tiff', { width: 64, height: 48, colour: [200, 30, 30] }));
  await visit.settled('scan.tiff');
  const isShown = () =>
    page.waitForFunction(() => {
      const image = document.querySelector('picture-card img');
      if (!image?.complete || image.naturalWidth !== 64 || image.naturalHeight !== 48) return false;
      const context = new OffscreenCanvas(1, 1).getContext('2d');
      context.drawImage(image, 0, 0);
      const [red, green, blue] = context.getImageData(0, 0, 1, 1).data;
      return red > 180 && green < 60 && blue < 60;
    });
  await isShown();
  await page.getByRole('button', { name: 'Edit caption and tags of scan.tiff' }).click();
  await page.getByLabel('Add tags').first().fill('Grandpa');
  await page.keyboard.press('Enter');
  await page.locator('.kept-line', { hasText: '1 picture' }).waitFor();
  const [entry] = await kept(visit, (all) => all.length === 1);
  assert.ok(entry.copy > 0);
  await page.reload();
  await visit.settled('scan.tiff');
  assert.ok((await visit.read('scan.tiff')).tags.includes('Grandpa'));
  await isShown();
  await visit.end();
});

/** Saves sidecars of all that is there. @param {Visit} visit @returns {Promise<Record<string, string>>} their texts, by their names */
async function savedSidecars({ page }) {
  await page.locator('save-answers summary').click();
  const saving = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Sidecars for photo programs' }).click();
  const files = unzipSync(readFileSync(await (await saving).path()));
  await page.locator('.save-line').getByText('Saved what').waitFor();
  await page.locator('save-answers summary').click();
  return Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, strFromU8(bytes)]));
}

test(
  'whoever comes back and saves at once has it all, and a sidecar that is deleted says nothing more',
  noFolders,
  async (t) => {
    const { visit, folder } = await withKept(t);
    const { page } = visit;
    const stars = rated(xmpPacket({ subjects: ['Stars'] }), 5);
    const written = withXmpInPng(picture(200), new TextEncoder().encode(stars));
    writeFileSync(path.join(folder, 'stars.png'), /** @type {Uint8Array} */ (written));
    const sidecar = path.join(folder, 'p1.png.xmp');
    writeFileSync(sidecar, xmpPacket({ subjects: ['Outside'] }));
    await page.setInputFiles('#folder', folder);
    await allDone(visit, MANY + 1);
    await tile(visit, 'p1.png: Outside').waitFor();
    await kept(visit, (all) => all.some(({ packet }) => packet) && all.some(({ lies }) => lies));
    await page.reload();
    await tile(visit, 'p1.png').waitFor();
    const early = await savedSidecars(visit);
    await allDone(visit, MANY + 1);
    assert.deepEqual(early, await savedSidecars(visit));
    assert.match(early['Trip/stars.png.xmp'] ?? '', /xmp:Rating="5"[^]*Stars/);
    assert.match(early['Trip/p1.png.xmp'] ?? '', /Outside/);
    const warned = () => page.locator('.save-line').textContent();
    assert.match(await warned(), /these take their place/, 'another may have come since');

    rmSync(sidecar);
    await page.setInputFiles('#folder', folder);
    await page
      .getByText('1 sidecar is there no more, and what it said is not known any more.')
      .first()
      .waitFor();
    await tile(visit, 'p1.png: Outside').waitFor({ state: 'hidden' });
    await kept(visit, (all) => all.every(({ lies }) => !lies));
    await page.reload();
    await allDone(visit, MANY + 1);
    assert.ok(!(await visit.tiles()).join().includes('Outside'));
    assert.doesNotMatch((await savedSidecars(visit))['Trip/p1.png.xmp'] ?? '', /Outside/);
    await page.setInputFiles('#folder', folder);
    await page.waitForTimeout(1000);
    await savedSidecars(visit);
    assert.doesNotMatch(await warned(), /these take their place/, 'all of the folder was read');
    await visit.end();
  },
);

test('what is in sidecars of others is in those that are saved on the next visit, and undoes nothing', async () => {
  const visit = await Visit.begin(browser, site.url);
  const { page } = visit;
  const theirs = rated(xmpPacket({ subjects: ['Grandma', 'boat'], description: 'At sea' }), 4);
  const files = [
    plain('sea.png'),
    { name: 'sea.png.xmp', mimeType: 'application/xml', buffer: Buffer.from(theirs) },
  ];
  await visit.pick(...files);
  await page.getByText('Read what files say of 1 picture.').first().waitFor();
  await page.getByRole('button', { name: 'Edit caption and tags of sea.png' }).click();
  await page.getByRole('button', { name: 'boat is wrong: take it away' }).click();
  await page.getByRole('button', { name: 'Done with sea.png' }).click();
  await page.locator('.kept-line', { hasText: '1 picture' }).waitFor();
  await page.waitForTimeout(2000);
  await page.reload();
  await visit.settled('sea.png');
  await visit.pick(...files);
  await page.locator('drop-zone').getByText('The files say nothing that is not known here.').waitFor();
  assert.deepEqual((await visit.read('sea.png')).tags.slice(0, 1), ['Grandma']);
  assert.ok(!(await visit.read('sea.png')).tags.includes('boat'));
  await page.reload();
  await visit.settled('sea.png');
  const packet = (await savedSidecars(visit))['sea.png.xmp'] ?? '';
  assert.match(packet, /xmp:Rating="4"/);
  assert.match(packet, /Grandma/);
  assert.doesNotMatch(packet, /<rdf:li>boat<\/rdf:li>[^]*<\/dc:subject>/);
  await visit.end();
});

test('what a dropped picture says of itself is shown, found, used and kept', async () => {
  const visit = await Visit.begin(browser, site.url);
  const { page } = visit;
  const content = { subjects: ['Grandma’s garden'], description: 'The old well' };
  const packet = new TextEncoder().encode(xmpPacket(content));
  const { buffer, ...rest } = plain('well.png');
  const whole = withXmpInPng(buffer, packet);
  assert.ok(whole);
  await visit.pick(
    { ...rest, buffer: Buffer.from(whole) },
    ...Array.from({ length: MANY }, (_, i) => ({
      name: `p${i}.png`,
      mimeType: 'image/png',
      buffer: picture(i),
    })),
  );
  await allDone(visit, MANY + 1);
  await tile(visit, 'well.png: Grandma’s garden').click();
  const card = visit.card('well.png');
  await card.locator('.tag', { hasText: 'Grandma’s garden' }).getByText('from the file').waitFor();
  await card.locator('.caption', { hasText: 'The old well' }).waitFor({ state: 'attached' });
  await card.locator('caption-view').getByText('from the file').waitFor();
  // What somebody says instead comes first, and what the file says can be had back.
  await card.getByRole('button', { name: 'Edit caption and tags of well.png' }).click();
  await card.getByRole('textbox', { name: 'Caption' }).fill('A well');
  await card.getByRole('button', { name: 'Done with well.png' }).click();
  await card.locator('.caption', { hasText: 'A well' }).waitFor({ state: 'attached' });
  await card.getByText('The file says: The old well').waitFor();
  await card.getByRole('button', { name: 'Use what the file says as the caption of well.png' }).click();
  await card.locator('.caption', { hasText: 'The old well' }).waitFor({ state: 'attached' });
  for (let step = 0; step < 2; step++) await page.getByRole('button', { name: 'Undo' }).click();
  await page.getByRole('button', { name: 'Close' }).click();
  const entries = await kept(visit, (all) => all.length === MANY + 1 && all.some(({ filed }) => filed));
  assert.deepEqual(entries.find(({ filed }) => filed).filed, {
    tags: content.subjects,
    caption: content.description,
  });
  assert.equal(
    entries.find(({ name }) => name === 'well.png').said?.own.length ?? 0,
    0,
    'nobody here has said so',
  );
  await page.reload();
  await tile(visit, 'well.png: Grandma’s garden').waitFor();
  await allDone(visit, MANY + 1);
  await page.getByLabel('Find pictures by words').fill('old well');
  await page.keyboard.press('Enter');
  await page.locator('picture-finder').getByText('“old well”').waitFor();
  assert.match((await page.locator('.tile').first().getAttribute('aria-label')) ?? '', /^well\.png/);
  await visit.end();
});

test(
  'a picture that another program has written into is there once, with what was said of it',
  noFolders,
  async (t) => {
    const { visit, folder } = await withKept(t);
    const { page } = visit;
    const before = await kept(visit, (all) => all.every(({ pixels }) => typeof pixels === 'string'));
    const file = path.join(folder, 'p2.png');
    const words = new TextEncoder().encode(xmpPacket({ subjects: ['rated elsewhere'] }));
    writeFileSync(file, withXmpInPng(readFileSync(file), words) ?? '');
    await page.setInputFiles('#folder', folder);
    const entries = await kept(visit, (all) => all.some(({ filed }) => filed));
    assert.equal(entries.length, before.length);
    const entry = entries.find(({ name }) => name === 'p2.png');
    assert.deepEqual(entry.filed.tags, ['rated elsewhere']);
    assert.deepEqual(entry.said?.own, ['Grandma']);
    await allDone(visit);
    await tile(visit, 'p2.png: Grandma').waitFor();
    await visit.end();
  },
);
