// What people who had never seen the page stumbled over.

import assert from 'node:assert/strict';
import test from 'node:test';
import { NOT_IN_FIREFOX, openBrowser } from './support/browser.js';
import { plain } from './support/pictures.js';
import { forgetEverything, openSite, Visit } from './support/site.js';

const browser = await openBrowser();
const site = await openSite();
test.after(async () => {
  await browser.close();
  await site.close();
});

const PHONE = { viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true };

/** @param {number} count @returns {import('./support/pictures.js').File[]} pictures of colours of their own */
const some = (count) =>
  Array.from({ length: count }, (_, i) =>
    plain(`p${i}.png`, { width: 48, height: 36, colour: [(40 * i) % 256, (90 * i) % 256, 120] }),
  );

/** @param {string} name */
const damaged = (name) => ({ name, mimeType: 'image/jpeg', buffer: Buffer.from(`no picture: ${name}`) });

/** Waits until all is done. @param {Visit} visit @param {string} line */
const until = ({ page }, line) =>
  page.waitForFunction((text) => document.querySelector('.work-line')?.textContent === text, line);

/** @param {Visit} visit @param {string} name */
const tile = (visit, name) => visit.page.getByRole('button', { name: new RegExp(`^${name}\\b`) });

test('how far the work is stays in sight, and covers nothing that has the keyboard', async () => {
  const visit = await Visit.begin(browser, site.url, { viewport: { width: 700, height: 600 } });
  const { page } = visit;
  await visit.pick(...some(80));
  await page.locator('body[data-working] .tile').first().waitFor();
  await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
  const box = await page.locator('work-bar').boundingBox();
  assert.ok(box && box.y >= 0 && box.y < 60, `the line is at ${box?.y}`);
  await page.locator('.tile[tabindex="0"]').focus();
  for (let i = 0; i < 3; i++) await page.keyboard.press('PageDown');
  for (let i = 0; i < 3; i++) await page.keyboard.press('PageUp');
  // What comes and goes above the pictures while they are looked at moves them for a moment.
  await page.waitForFunction(() => {
    const head = document.querySelector('.pictures-head')?.getBoundingClientRect().bottom;
    const held = document.activeElement?.getBoundingClientRect().top;
    return Number(held) >= Number(head) - 1;
  });
  await visit.end();
});

test('files that could not be read are counted, shown alone, tried again and taken away', async () => {
  const visit = await Visit.begin(browser, site.url);
  const { page } = visit;
  await visit.pick(...some(25), damaged('x.jpg'), damaged('y.jpg'), damaged('z.jpg'));
  await until(visit, '28 pictures, 3 could not be read');
  await page.getByRole('button', { name: 'Show the pictures that could not be read' }).click();
  await page.waitForFunction(() => document.querySelectorAll('.tile').length === 3);
  await page.locator('picture-filter summary', { hasText: 'Filter: 3' }).waitFor();
  await page.locator('.filter-state').getByText('3 pictures: could not be read', { exact: true }).waitFor();
  assert.equal(await page.getByLabel('Still to be said').isVisible(), false, 'nothing lies over them');
  await page.locator('picture-filter summary').click();
  await page.waitForFunction(() => document.querySelector('#filter-want')?.value === 'failed');
  await page.getByRole('button', { name: 'Try them again' }).click();
  await until(visit, '28 pictures, 3 could not be read');
  await page.waitForFunction(() => document.querySelectorAll('.tile').length > 3);
  await page.getByRole('button', { name: 'Show the pictures that could not be read' }).click();
  await page.locator('.kept-line').getByText('3 files that could not be read are not kept.').waitFor();
  await page.getByRole('button', { name: 'Remove them' }).click();
  await until(visit, '25 pictures');
  await page.getByRole('button', { name: 'Undo' }).click();
  await until(visit, '28 pictures, 3 could not be read');
  await visit.end();
});

test('labels that were applied are there on the next visit, until the first ones are again', async () => {
  const visit = await Visit.begin(browser, site.url);
  const { page } = visit;
  await visit.ready();
  const labels = page.getByLabel('One label on each line');
  const first = await labels.inputValue();
  await visit.ask(['pets|cats|Minka', 'a boat'], 'a drawing of a {}.');
  await page.reload();
  await visit.ready();
  assert.equal(await labels.inputValue(), 'pets|cats|Minka\na boat');
  assert.equal(await page.locator('#template').inputValue(), 'a drawing of a {}.');
  await visit.drop(plain('sky.png'));
  await visit.settled('sky.png');
  assert.deepEqual((await visit.read('sky.png')).tags.toSorted(), ['Minka', 'a boat']);
  await page.getByRole('button', { name: 'Restore the first labels' }).click();
  assert.equal(await labels.inputValue(), first);
  // Those beside the first ones stay beside them.
  await labels.fill(`${first}\npets|cats|Minka`);
  await page.getByRole('button', { name: 'Apply labels' }).click();
  await page.reload();
  await visit.ready();
  assert.equal(await labels.inputValue(), `${first}\npets|cats|Minka`);
  await page.getByRole('button', { name: 'Restore the first labels' }).click();
  await page.reload();
  await visit.ready();
  assert.equal(await labels.inputValue(), first);
  await visit.end();
});

test('after everything was forgotten, the page is as on a first visit', async () => {
  const visit = await Visit.begin(browser, site.url);
  const { page } = visit;
  await visit.pick(...some(26));
  await page.getByText('Small copies of 26 pictures').waitFor();
  await visit.ask(['a cat', 'a boat']);
  await tile(visit, 'p1.png').click({ modifiers: ['Control'] });
  await page.locator('selection-bar').getByLabel('Tag').fill('Rex');
  await page.keyboard.press('Enter');
  await tile(visit, 'p1.png: Rex').waitFor();
  const forget = page.locator('kept-pictures').getByRole('button', { name: 'Forget everything' }).first();
  await forget.click();
  await page.getByRole('button', { name: 'Keep it' }).click();
  assert.ok(await forget.evaluate((button) => button === document.activeElement));
  assert.equal(await page.locator('body[data-pictures]').count(), 1, 'nothing is forgotten yet');
  const refusals = 'https://ocelli.invalid/refusals.json';
  await page.evaluate(async (address) => {
    await (await caches.open('ocelli-gpu')).put(address, new Response('{}'));
  }, refusals);
  await forgetEverything(visit);
  await visit.ready();
  const isKept = await page.evaluate(async (address) => Boolean(await caches.match(address)), refusals);
  assert.equal(isKept, false, 'what was found out about GPUs is forgotten as well');
  await page.keyboard.press('Control+z');
  assert.equal(await page.locator('.tile, picture-card').count(), 0);
  await page.locator('undo-line').getByText('There is nothing to take back.').waitFor();
  assert.notEqual(await page.getByLabel('One label on each line').inputValue(), 'a cat\na boat');
  const kept = await page.evaluate(async () => {
    const opening = indexedDB.open('ocelli-library');
    await new Promise((resolve) => (opening.onsuccess = resolve));
    const counting = opening.result.transaction('pictures').objectStore('pictures').count();
    await new Promise((resolve) => (counting.onsuccess = resolve));
    return counting.result;
  });
  assert.equal(kept, 0);
  await visit.end();
});

test(
  'a phone is told of nothing to drop, and its selection leaves the pictures in sight',
  { skip: NOT_IN_FIREFOX.touch },
  async () => {
    const visit = await Visit.begin(browser, site.url, PHONE);
    const { page } = visit;
    await visit.ready();
    assert.doesNotMatch(await page.locator('drop-zone').innerText(), /drop/i);
    await page.getByRole('button', { name: 'Choose pictures' }).waitFor();
    await visit.pick(...some(26));
    await until(visit, '26 pictures');
    await page.locator('#select').click();
    await page.locator('selection-bar').waitFor();
    const box = await page.locator('selection-bar').boundingBox();
    assert.ok(box && box.height <= 150, `the bar is ${box?.height} pixels high`);
    assert.ok(box.y + box.height <= 781);
    await visit.end();
  },
);

for (const [device, options] of /** @type {const} */ ([
  ['desktop', { viewport: { width: 1280, height: 860 } }],
  ['phone', PHONE],
])) {
  test(`${device}: letters twice as large break no word of a button, and leave the window`, async () => {
    const visit = await Visit.begin(browser, site.url, { ...options, bypassCSP: true });
    const { page } = visit;
    await visit.pick(...some(26));
    await until(visit, '26 pictures');
    await page.addStyleTag({ content: 'html { font-size: 200%; }' });
    await page.locator('#select').click();
    await tile(visit, 'p1.png').click();
    await page.evaluate(() => document.querySelectorAll('details').forEach((one) => (one.open = true)));
    const broken = await page.evaluate(() =>
      [...document.querySelectorAll('button, summary')]
        .filter((one) => one.checkVisibility())
        .flatMap((one) => {
          const walker = document.createTreeWalker(one, NodeFilter.SHOW_TEXT);
          const words = [];
          while (walker.nextNode()) {
            for (const { 0: word, index } of (walker.currentNode.data ?? '').matchAll(/[^\s-]+/g)) {
              const range = document.createRange();
              range.setStart(walker.currentNode, index);
              range.setEnd(walker.currentNode, index + word.length);
              const lines = new Set([...range.getClientRects()].map(({ top }) => Math.round(top)));
              if (lines.size > 1 && word.length < 16) words.push(word);
            }
          }
          return words;
        }),
    );
    assert.deepEqual(broken, []);
    const { wide, window } = await page.evaluate(() => ({
      wide: document.documentElement.scrollWidth,
      window: document.documentElement.clientWidth,
    }));
    assert.ok(wide <= window, `${wide} in ${window}`);
    await visit.end();
  });
}

test('a long grid has the whole width of a wide window', async () => {
  const visit = await Visit.begin(browser, site.url, { viewport: { width: 1600, height: 900 } });
  const { page } = visit;
  await visit.ready();
  assert.ok(await page.locator('#labels-panel').evaluate((panel) => panel.hasAttribute('open')));
  await visit.pick(...some(40));
  await page.locator('.tile').first().waitFor();
  const grid = await page.locator('photo-grid').boundingBox();
  assert.ok(grid && grid.width > 1450 && grid.y < 480, JSON.stringify(grid));
  await page.locator('#labels-panel > summary').click();
  await page.getByLabel('One label on each line').waitFor();
  await visit.end();
});
