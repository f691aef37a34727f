// Folders that were opened are opened again with one click, and of their files only what is new is looked at. A folder of the browser's own
// stands in for one of the machine, which no test can pick.

import assert from 'node:assert/strict';
import test from 'node:test';
import { IN_FIREFOX, openBrowser } from './support/browser.js';
import { plain } from './support/pictures.js';
import { forgetEverything, openSite, Visit } from './support/site.js';

const browser = await openBrowser();
const site = await openSite();
test.after(async () => {
  await browser.close();
  await site.close();
});

/** Enough to be kept. */
const MANY = 26;
/** Larger than a small copy. */
const SIZE = { width: 640, height: 480 };
const skip = IN_FIREFOX && 'Firefox picks no folders that can be opened again';

/** @param {string} name @param {number} number @returns {{ name: string, bytes: number[] }} a picture of a colour of its own */
const file = (name, number) => ({
  name,
  bytes: [...plain(name, { ...SIZE, colour: [(53 * number) % 256, (9 * number) % 256, 90] }).buffer],
});

/** Writes into the folder Trip. @param {Visit} visit @param {{ name: string, bytes: number[] }[]} files */
const write = ({ page }, files) =>
  page.evaluate(async (all) => {
    const root = await navigator.storage.getDirectory();
    for (const { name, bytes } of all) {
      let folder = await root.getDirectoryHandle('Trip', { create: true });
      const parts = name.split('/');
      for (const part of parts.slice(0, -1)) folder = await folder.getDirectoryHandle(part, { create: true });
      const writable = await (await folder.getFileHandle(parts.at(-1), { create: true })).createWritable();
      await writable.write(new Uint8Array(bytes));
      await writable.close();
    }
  }, files);

/** How the folder Trip is picked, and how often somebody was asked whether it may be read. @param {Visit} visit */
const standIn = ({ page }) =>
  page.addInitScript(() => {
    window.asked = [];
    window.answer = 'granted';
    window.showDirectoryPicker = async () =>
      (await navigator.storage.getDirectory()).getDirectoryHandle('Trip');
    FileSystemHandle.prototype.requestPermission = async function ({ mode }) {
      window.asked.push(`${this.name} ${mode} ${navigator.userActivation.isActive}`);
      return window.answer;
    };
  });

/** A visit whose library keeps the folder. */
async function withFolder() {
  const visit = await Visit.begin(browser, site.url);
  await standIn(visit);
  await write(
    visit,
    Array.from({ length: MANY }, (_, i) => file(i < 20 ? `p${i}.png` : `day 2/p${i}.png`, i)),
  );
  await visit.page.reload();
  await visit.page.getByRole('button', { name: 'Choose a folder' }).click();
  await visit.page.getByText(`Small copies of ${MANY} pictures`).waitFor();
  return visit;
}

/** @param {Visit} visit */
const again = ({ page }) => page.getByRole('button', { name: 'Open the folder Trip again' });
/** @param {Visit} visit @param {string} text */
const said = ({ page }, text) => page.locator('.drop-said').getByText(text, { exact: true }).waitFor();
/** @param {Visit} visit @param {number} count */
const allDone = ({ page }, count) =>
  page.waitForFunction(
    (text) => document.querySelector('.work-line')?.textContent === text,
    `${count} pictures`,
  );
/** @param {Visit} visit */
const asked = ({ page }) => page.evaluate(() => window.asked.splice(0));

test(
  'the next visit opens a folder again with a click, and looks only at what is new',
  { skip },
  async () => {
    const visit = await withFolder();
    const { page } = visit;
    assert.equal(await again(visit).count(), 0, 'it is open');
    await page.reload();
    await allDone(visit, MANY);
    await again(visit).waitFor();
    assert.deepEqual(await asked(visit), [], 'nobody is asked before the click');
    await write(visit, [file('fresh.png', 100), file('p3.png', 101)]);

    await page.evaluate(() => (window.answer = 'denied'));
    await again(visit).click();
    await said(visit, 'The folder Trip may not be read.');
    await page.evaluate(() => (window.answer = 'granted'));
    await page.evaluate(() => {
      const line = document.querySelector('.work-line');
      const lines = (window.lines = []);
      const how = { childList: true, characterData: true, subtree: true };
      new MutationObserver(() => lines.push(line?.textContent)).observe(line, how);
    });
    await again(visit).focus();
    await page.keyboard.press('Enter');
    await said(visit, `Trip: 2 new pictures, ${MANY - 1} pictures known already.`);
    assert.deepEqual(await asked(visit), ['Trip read true', 'Trip read true']);
    await again(visit).waitFor({ state: 'hidden' });
    await allDone(visit, MANY + 2);
    const lines = await page.evaluate(() => window.lines);
    const least = Math.min(...lines.flatMap((line) => /^(\d+) of/.exec(line ?? '')?.[1] ?? []).map(Number));
    assert.ok(least >= MANY, `what was known is done: ${lines.join('; ')}`);

    // Its originals are what is looked at.
    for (const name of ['p5.png', 'p22.png']) {
      await page.getByRole('button', { name: new RegExp(`^${name}\\b`) }).click();
      const picture = visit.card(name).locator('map-view img');
      await picture.waitFor();
      assert.equal(await picture.evaluate((image) => image.decode().then(() => image.naturalWidth)), 640);
      await page.getByRole('button', { name: 'Close' }).click();
    }
    // Whoever picks it again sees only what has come since.
    await page.getByRole('button', { name: 'Choose a folder' }).click();
    await said(visit, `Trip: no new picture, ${MANY + 1} pictures known already.`);
    await allDone(visit, MANY + 2);

    await page.getByText(`Small copies of ${MANY + 2} pictures`).waitFor();

    // What was taken away stays away, until it is wanted again, with what was said of it.
    await page.getByRole('button', { name: /^p5\.png\b/ }).click();
    const detail = page.locator('photo-detail');
    await detail.getByRole('button', { name: /^Edit caption and tags/ }).click();
    await detail.getByLabel('Add tags').fill('Rex');
    await page.keyboard.press('Enter');
    await detail.getByRole('button', { name: 'Done' }).click();
    await detail.locator('.tag-label').getByText('Rex', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Remove p5.png' }).click();
    await page.getByRole('button', { name: 'Close', exact: true }).click();
    await page.getByText(`Small copies of ${MANY + 1} pictures`).waitFor();
    const left = page.locator('.drop-left').getByText('1 removed picture was left out.');
    await page.getByRole('button', { name: 'Choose a folder' }).click();
    await left.waitFor();
    await said(visit, `Trip: no new picture, ${MANY} pictures known already.`);
    await page.reload();
    await allDone(visit, MANY + 1);
    await again(visit).click();
    await left.waitFor();
    await allDone(visit, MANY + 1);
    await page.getByRole('button', { name: 'Bring them back' }).click();
    await allDone(visit, MANY + 2);
    await left.waitFor({ state: 'hidden' });
    await page.getByRole('button', { name: /^p5\.png\b/ }).click();
    await detail.locator('.tag-label').getByText('Rex', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Close', exact: true }).click();
    await page.evaluate(async () => {
      const root = await navigator.storage.getDirectory();
      const folder = await root.getDirectoryHandle('Trip');
      for (const name of ['p6.png', 'p7.png']) await folder.removeEntry(name);
    });
    await page.getByRole('button', { name: 'Choose a folder' }).click();
    await said(
      visit,
      `Trip: no new picture, ${MANY - 1} pictures known already. 2 pictures are not in it any more; what is known of them stays here.`,
    );

    await forgetEverything(visit);
    await visit.ready();
    assert.equal(await again(visit).count(), 0, 'the folder is forgotten as well');
    await visit.end();
  },
);

/** Keeps what is kept as an older version of the page did. @param {Visit} visit @param {2 | 3} version */
async function asOf({ page }, version) {
  await page.goto(new URL('licences.txt', site.url).href);
  await page.evaluate(async (version) => {
    const wait = (request) =>
      new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
    const now = await wait(indexedDB.open('ocelli-library'));
    const read = (store, how) => wait(now.transaction(store).objectStore(store)[how]());
    const pictures = await read('pictures', 'getAll');
    const [about, keys] = [await read('about', 'getAll'), await read('about', 'getAllKeys')];
    const [folders, removals] = [await read('folders', 'getAll'), await read('removals', 'getAll')];
    now.close();
    await wait(indexedDB.deleteDatabase('ocelli-library'));
    const opening = indexedDB.open('ocelli-library', version);
    opening.onupgradeneeded = () => {
      const store = opening.result.createObjectStore('pictures', { keyPath: 'key' });
      for (const one of pictures) store.put(one);
      const other = opening.result.createObjectStore('about');
      about.forEach((value, i) => other.put(value, keys[i]));
      if (version < 3) return;
      const opened = opening.result.createObjectStore('folders', { autoIncrement: true });
      for (const folder of folders) opened.add(folder);
      other.put(new Map(removals.map(({ path, mark }) => [path, mark])), 'removed');
    };
    (await wait(opening)).close();
  }, version);
  await page.goto(site.url);
}

test('what older versions kept is not lost, and folders can be forgotten alone', { skip }, async () => {
  const visit = await withFolder();
  const { page } = visit;
  await page.getByRole('button', { name: /^p5\.png\b/ }).click();
  await page.getByRole('button', { name: 'Remove p5.png' }).click();
  await page.getByRole('button', { name: 'Close', exact: true }).click();
  await page.getByText(`Small copies of ${MANY - 1} pictures`).waitFor();
  await asOf(visit, 3);
  await allDone(visit, MANY - 1);
  await again(visit).click();
  await page.locator('.drop-left').getByText('1 removed picture was left out.').waitFor();
  await page.getByRole('button', { name: 'Bring them back' }).click();
  await page.getByText(`Small copies of ${MANY} pictures`).waitFor();

  await asOf(visit, 2);
  await allDone(visit, MANY);
  assert.equal(await again(visit).count(), 0);
  await page.getByRole('button', { name: 'Choose a folder' }).click();
  await said(visit, `Trip: no new picture, ${MANY} pictures known already.`);
  await page.reload();
  await again(visit).waitFor();
  await page.getByRole('button', { name: 'Forget the folder Trip' }).click();
  await again(visit).waitFor({ state: 'hidden' });
  await visit.holdsKeyboard(page.getByRole('button', { name: 'Choose pictures', exact: true }));
  await page.reload();
  await allDone(visit, MANY);
  assert.equal(await again(visit).count(), 0);
  await page.evaluate(async () =>
    (await navigator.storage.getDirectory()).removeEntry('Trip', { recursive: true }),
  );
  // Of a plain file the browser wants an icon.
  await visit.end({ expected: [/404/] });
});

test('a folder that is gone says so', { skip }, async () => {
  const visit = await Visit.begin(browser, site.url);
  const { page } = visit;
  await standIn(visit);
  await write(visit, [file('a.png', 1)]);
  await page.reload();
  await page.getByRole('button', { name: 'Choose a folder' }).click();
  await visit.settled('a.png');
  await page.reload();
  await again(visit).waitFor();
  await page.evaluate(async () =>
    (await navigator.storage.getDirectory()).removeEntry('Trip', { recursive: true }),
  );
  await again(visit).click();
  await said(visit, 'The folder Trip is not where it was.');
  await visit.end();
});

test('what is saved into a part of the folder lies beside the pictures there', { skip }, async () => {
  const visit = await Visit.begin(browser, site.url);
  const { page } = visit;
  await standIn(visit);
  await write(visit, [file('a.png', 1), file('day 2/b.png', 2)]);
  await page.reload();
  await page.getByRole('button', { name: 'Choose a folder' }).click();
  for (const name of ['a.png', 'b.png']) await visit.settled(name);
  const card = visit.card('b.png');
  await card.getByRole('button', { name: /^Edit caption and tags/ }).click();
  await card.getByLabel('Add tags').fill('Rex, Minka');
  await page.keyboard.press('Enter');
  await card.getByRole('textbox', { name: 'Caption' }).fill('Both by the sea');
  await card.getByRole('button', { name: 'Done' }).click();
  await page.evaluate(() => {
    window.trip = window.showDirectoryPicker;
    const trip = window.showDirectoryPicker;
    window.showDirectoryPicker = async () => (await trip()).getDirectoryHandle('day 2');
  });
  await page.locator('save-answers summary').click();
  await page.getByLabel('Into a folder').check();
  await page.getByRole('button', { name: 'Sidecars for photo programs' }).click();
  const line =
    'Wrote 1 file into “day 2”. 1 picture of other folders is left out: choose the folder above for all.';
  await page.locator('.save-line').getByText(line).waitFor();
  const there = await page.evaluate(async () => {
    const names = [];
    for await (const name of (await window.showDirectoryPicker()).keys()) names.push(name);
    return names.sort();
  });
  assert.deepEqual(there, ['b.png', 'b.png.xmp']);

  // What another program takes out of it then is gone here as well, though it was said here.
  await page.evaluate(async () => {
    const handle = await (await window.showDirectoryPicker()).getFileHandle('b.png.xmp');
    const text = await (await handle.getFile()).text();
    const writable = await handle.createWritable();
    await writable.write(text.replaceAll(/<rdf:li>Rex<\/rdf:li>/g, '').replace('by the sea', 'at home'));
    await writable.close();
    window.showDirectoryPicker = window.trip;
  });
  await page.getByRole('button', { name: 'Choose a folder' }).click();
  await card.locator('.caption').getByText('Both at home').waitFor({ state: 'attached' });
  const { tags } = await visit.read('b.png');
  assert.ok(tags.includes('Minka') && !tags.includes('Rex'), tags.join(', '));
  await visit.end();
});
