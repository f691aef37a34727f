// Many pictures: whole folders come in, the page stays as small as its screen, and each picture opens.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { unzipSync } from 'fflate';
import { IN_FIREFOX, openBrowser } from './support/browser.js';
import { plain } from './support/pictures.js';
import { forgetEverything, openSite, Visit } from './support/site.js';

const browser = await openBrowser();
const site = await openSite();
test.after(async () => {
  await browser.close();
  await site.close();
});

/** Why folders are not tried there. */
const noFolders = { skip: IN_FIREFOX && 'WebDriver BiDi picks and drops no folders' };

/** More than are shown as cards, and more than fit a screen. */
const MANY = 60;

/** A picture of a colour of its own. @param {string} name @param {number} number */
const coloured = (name, number) =>
  plain(name, { width: 48, height: 36, colour: [(40 * number) % 256, (90 * number) % 256, 120] });

/** A folder with pictures in it and below it, and with what else folders have. @param {import('node:test').TestContext} t */
function folderOf(t) {
  const root = mkdtempSync(path.join(tmpdir(), 'ocelli-library-'));
  t.after(() => rmSync(root, { recursive: true }));
  const folder = path.join(root, 'Holiday');
  mkdirSync(path.join(folder, 'day 2', 'deep', 'deeper'), { recursive: true });
  const files = {
    'a.png': coloured('a.png', 1).buffer,
    'b10.png': coloured('b.png', 2).buffer,
    'b9.png': coloured('b.png', 3).buffer,
    'notes.txt': 'no picture',
    '.hidden.png': coloured('h.png', 4).buffer,
    'day 2/c.PNG': coloured('c.png', 5).buffer,
    'day 2/deep/deeper/d.png': coloured('d.png', 6).buffer,
    'day 2/deep/film.mp4': 'no picture',
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(path.join(folder, name), content);
  return folder;
}

/** By their names, 9 before 10; a folder is where its name is. */
const IN_ORDER = ['a.png', 'b9.png', 'b10.png', 'c.PNG', 'd.png'];

/** @param {Visit} visit */
const names = (visit) => visit.page.locator('.card-name').allInnerTexts();

test(
  'a folder that is picked brings the pictures in it and below it, and one line for the rest',
  noFolders,
  async (t) => {
    const visit = await Visit.begin(browser, site.url);
    const folder = folderOf(t);
    await visit.page.setInputFiles('#folder', folder);
    for (const name of IN_ORDER) await visit.settled(name);
    assert.deepEqual((await names(visit)).toSorted(), IN_ORDER.toSorted());
    const said = visit.page.locator('.drop-said');
    assert.equal(await said.innerText(), '3 other files passed over.');
    await visit.page.setInputFiles('#folder', folder);
    await said.getByText(/^3 other files passed over\. \d+ pictures are here already\.$/).waitFor();
    assert.deepEqual((await names(visit)).toSorted(), IN_ORDER.toSorted(), 'none twice');
    await visit.end();
  },
);

test('a folder that is dropped does so too', noFolders, async (t) => {
  const visit = await Visit.begin(browser, site.url);
  const session = await visit.page.context().newCDPSession(visit.page);
  const data = { items: [], files: [folderOf(t)], dragOperationsMask: 1 };
  for (const type of /** @type {const} */ (['dragEnter', 'dragOver', 'drop'])) {
    await session.send('Input.dispatchDragEvent', { type, x: 300, y: 300, data });
  }
  for (const name of IN_ORDER) await visit.settled(name);
  assert.deepEqual(await names(visit), IN_ORDER);
  assert.equal(await visit.page.locator('.drop-said').innerText(), '3 other files passed over.');
  await visit.end();
});

/** A visit with many pictures. @param {import('playwright-core').BrowserContextOptions} [options] */
async function withMany(options) {
  const visit = await Visit.begin(browser, site.url, options);
  await visit.pick(...Array.from({ length: MANY }, (_, i) => coloured(`p${i}.png`, i)));
  await visit.page.locator('.tile').first().waitFor();
  return visit;
}

/** @param {Visit} visit @param {string} name */
const tile = (visit, name) => visit.page.getByRole('button', { name: new RegExp(`^${name}\\b`) });

test('many pictures are tiles, of which those near the screen exist, and are looked at first', async () => {
  const visit = await withMany();
  const { page } = visit;
  const count = await page.locator('.tile').count();
  assert.ok(count < MANY, `${count} tiles of ${MANY} pictures`);
  assert.equal(await page.locator('picture-card').count(), 0);
  const list = page.getByRole('list', { name: 'Pictures' });
  assert.equal(await list.getByRole('listitem').first().getAttribute('aria-setsize'), String(MANY));
  // Its copy and its word come to what is on screen.
  await page.waitForFunction(() => document.querySelectorAll('.tile img[src]').length > 0);
  await tile(visit, 'p0.png').and(page.locator('[data-state=done]')).waitFor();
  // And at the other end as well, before all between are done.
  await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
  const last = tile(visit, `p${MANY - 1}.png`);
  await last.and(page.locator('[data-state=done]')).waitFor();
  const line = await page.locator('.work-line').innerText();
  assert.match(line, new RegExp(`^\\d+ of ${MANY} done`), 'the last picture did not wait for all others');
  await page.waitForFunction(
    (all) => document.querySelector('.work-line')?.textContent === `${all} pictures`,
    MANY,
  );
  await visit.end();
});

test('a tile opens, neighbours follow, and the keyboard comes back to where it was', async () => {
  const visit = await withMany();
  const { page } = visit;
  const first = tile(visit, 'p0.png');
  await first.focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowUp');
  const focused = () => page.evaluate(() => document.activeElement?.getAttribute('title'));
  assert.equal(await focused(), 'p1.png');
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'One picture' });
  await dialog.waitFor();
  await visit.settled('p1.png');
  const { tags, caption } = await visit.read('p1.png');
  assert.ok(tags.length > 0 && caption !== '');
  assert.equal(await dialog.locator('.detail-place').innerText(), `2 of ${MANY}`);
  await page.keyboard.press('ArrowRight');
  await visit.settled('p2.png');
  assert.equal(await page.locator('picture-card').count(), 1);
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });
  await visit.holdsKeyboard(tile(visit, 'p2.png'));
  await page.keyboard.press('End');
  assert.equal(await focused(), `p${MANY - 1}.png`);
  await page.keyboard.press('Home');
  assert.equal(await focused(), 'p0.png');
  // One tab stop for all of them.
  assert.equal(await page.locator('.tile[tabindex="0"]').count(), 1);
  await visit.end();
});

test('a picture that is removed while it is open gives its place to the next', async () => {
  const visit = await withMany();
  const { page } = visit;
  await tile(visit, 'p3.png').click();
  const dialog = page.getByRole('dialog', { name: 'One picture' });
  await dialog.getByRole('button', { name: 'Remove p3.png' }).click();
  await dialog.getByText('p4.png', { exact: true }).waitFor();
  assert.equal(await dialog.locator('.detail-place').innerText(), `4 of ${MANY - 1}`);
  await dialog.getByRole('button', { name: 'Close' }).click();
  await dialog.waitFor({ state: 'hidden' });
  assert.equal(await tile(visit, 'p3.png').count(), 0);
  await visit.end();
});

test('what was found out is saved in the form that somebody wants', noFolders, async (t) => {
  const visit = await Visit.begin(browser, site.url);
  const { page } = visit;
  await page.setInputFiles('#folder', folderOf(t));
  for (const name of IN_ORDER) await visit.settled(name);
  await page.locator('save-answers summary').click();
  const begun = page.waitForEvent('download');
  await page.getByRole('button', { name: /^List for programs/ }).click();
  const download = await begun;
  assert.equal(download.suggestedFilename(), 'ocelli.json');
  const rows = JSON.parse(readFileSync(await download.path(), 'utf8'));
  assert.deepEqual(
    rows.map(({ picture }) => picture).toSorted(),
    ['a.png', 'b10.png', 'b9.png', 'day 2/c.PNG', 'day 2/deep/deeper/d.png']
      .map((name) => `Holiday/${name}`)
      .toSorted(),
  );
  assert.ok(rows.every(({ tags, caption }) => tags.length > 0 && caption.length > 0));
  await page.getByText('Saved what is known of 5 pictures.').waitFor();
  await page.setViewportSize({ width: 1200, height: 560 });
  await page.locator('save-answers summary').click();
  await page.locator('save-answers summary').click();
  // It is never longer than the window, and scrolls within.
  await page.waitForFunction(() => {
    const menu = document.querySelector('.save-formats');
    return (
      menu && menu.getBoundingClientRect().bottom <= innerHeight && menu.scrollHeight > menu.clientHeight
    );
  });
  const archive = page.waitForEvent('download');
  await page.getByRole('button', { name: /^Sidecars/ }).click();
  const files = unzipSync(readFileSync(await (await archive).path()));
  assert.ok(Object.keys(files).includes('Holiday/day 2/c.PNG.xmp'));
  await page.keyboard.press('Escape');
  assert.equal(await page.getByRole('button', { name: /^Sidecars/ }).isVisible(), false);
  await visit.end();
});

test('other labels are answered for all that is on screen', async () => {
  const visit = await withMany();
  const { page } = visit;
  await page.waitForFunction(
    (all) => document.querySelector('.work-line')?.textContent === `${all} pictures`,
    MANY,
  );
  await visit.ask(['a banana', 'a bicycle']);
  await page.waitForFunction(() =>
    [...document.querySelectorAll('.tile')].every((tile) =>
      /: a (banana|bicycle)/.test(tile.ariaLabel ?? ''),
    ),
  );
  await visit.end();
});

test('many pictures are there again on the next visit, until they are forgotten', noFolders, async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'ocelli-library-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const write = (/** @type {string} */ name, /** @type {number} */ number) =>
    writeFileSync(path.join(folder, name), coloured(name, number).buffer);
  for (let i = 0; i < MANY; i++) write(`p${i}.png`, i);
  const visit = await Visit.begin(browser, site.url);
  const { page } = visit;
  const kept = page.locator('kept-pictures');
  const all = (/** @type {number} */ count) =>
    page.waitForFunction(
      (text) => document.querySelector('.work-line')?.textContent === text,
      `${count} pictures`,
    );
  await page.setInputFiles('#folder', folder);
  await kept.getByText(`Small copies of ${MANY} pictures`).waitFor();
  const before = await visit.tiles();
  await page.reload();
  await page.locator('.tile').first().waitFor();
  await all(MANY);
  await visit.tilesSay(before);
  assert.ok((await page.locator('.tile img[src]').count()) > 0);
  // Of the folder's files only what is new is new.
  write('fresh.png', 200);
  await page.setInputFiles('#folder', folder);
  await all(MANY + 1);
  await kept.getByText(`Small copies of ${MANY + 1} pictures`).waitFor();
  assert.match((await visit.tiles())[0] ?? '', /^fresh\.png: /);

  // Whoever leaves amid the work is told what they have to choose again.
  const more = 10;
  const second = mkdtempSync(path.join(tmpdir(), 'ocelli-library-'));
  t.after(() => rmSync(second, { recursive: true }));
  for (let i = 0; i < more; i++) {
    const { buffer } = plain('', { width: 40, height: 40, colour: [200, 12 * i, 9] });
    writeFileSync(path.join(second, `more${i}.png`), buffer);
  }
  await page.setInputFiles('#folder', second);
  await page.locator('.work-line', { hasText: / of \d+ done/ }).waitFor();
  await page.reload();
  const unseen = page
    .locator('drop-zone')
    .getByText(/not looked at yet when the page was left: choose (it|them) again\./);
  await unseen.waitFor();
  const left = Number.parseInt(await unseen.innerText(), 10);
  assert.ok(left > 0 && left <= more, `${left} of ${more}`);
  assert.match(await page.locator('#announcer').innerText(), /not looked at yet/);
  await all(MANY + 1 + more - left);
  await page.setInputFiles('#folder', second);
  await all(MANY + 1 + more);
  await kept.getByText(`Small copies of ${MANY + 1 + more} pictures`).waitFor();
  assert.equal(await unseen.count(), 0, 'it is said until pictures come in');

  await forgetEverything(visit);
  await visit.ready();
  assert.equal(await page.locator('.tile, picture-card').count(), 0);
  await visit.end();
});

test('a raw file is looked at by the JPEG in it, and saved under its own name', async () => {
  const visit = await Visit.begin(browser, site.url);
  const { page } = visit;
  const jpeg = Buffer.from(
    await page.evaluate(async () => {
      const canvas = document.createElement('canvas');
      const paint = canvas.getContext('2d');
      if (!paint) throw new Error('no canvas');
      paint.fillStyle = '#3060c0';
      paint.fillRect(0, 0, canvas.width, canvas.height);
      const blob = await new Promise((resolve) => canvas.toBlob(resolve, 'image/jpeg'));
      return [...new Uint8Array(await blob.arrayBuffer())];
    }),
  );
  // Fuji's: where its JPEG is stands at its beginning.
  const head = Buffer.alloc(120);
  head.write('FUJIFILMCCD-RAW 0201', 'latin1');
  head.writeUInt32BE(head.length, 84);
  head.writeUInt32BE(jpeg.length, 88);
  await visit.pick(
    { name: 'DSC1.RAF', mimeType: '', buffer: Buffer.concat([head, jpeg]) },
    { name: 'DSC2.RAF', mimeType: '', buffer: head },
  );
  await visit.settled('DSC1.RAF');
  await visit.card('DSC2.RAF').locator('.error').first().waitFor();
  assert.ok((await visit.card('DSC1.RAF').locator('.tag-label').count()) > 0);
  assert.equal(await visit.card('DSC2.RAF').locator('.error').count(), 1, 'without one it says so');
  await visit.end();
});
