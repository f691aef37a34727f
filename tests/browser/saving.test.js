// What was found out leaves the page: as pictures with keywords in them, and as files in a folder.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { unzipSync } from 'fflate';
import { IN_FIREFOX, openBrowser } from './support/browser.js';
import { plain } from './support/pictures.js';
import { openSite, Visit } from './support/site.js';

const browser = await openBrowser();
const site = await openSite();
test.after(async () => {
  await browser.close();
  await site.close();
});

/** A visit whose browser gives it a folder of its own where somebody would choose one. @param {string} [folder] its name */
async function withFolder(folder = 'chosen') {
  const visit = await Visit.begin(browser, site.url);
  await visit.page.addInitScript((name) => {
    Object.assign(window, {
      showDirectoryPicker: async () =>
        (await navigator.storage.getDirectory()).getDirectoryHandle(name, { create: true }),
    });
  }, folder);
  await visit.page.reload();
  await visit.drop(plain('sky.png'), { ...plain('film.gif'), mimeType: 'image/png' });
  for (const name of ['sky.png', 'film.gif']) await visit.settled(name);
  await visit.page.locator('save-answers summary').click();
  return visit;
}

/** The files of the folder, with their texts. @param {Visit} visit @returns {Promise<Record<string, string>>} */
const inFolder = (visit) =>
  visit.page.evaluate(async () => {
    const { showDirectoryPicker } = /** @type {any} */ (window);
    /** @type {Record<string, string>} */
    const all = {};
    for await (const [name, handle] of await (await showDirectoryPicker()).entries()) {
      all[name] = await (await handle.getFile()).text();
    }
    return all;
  });

/** @param {Visit} visit @param {string} title of a format @param {string | RegExp} said when it is done */
async function choose(visit, title, said) {
  await visit.page.getByRole('button', { name: title }).click();
  await visit.page.locator('.save-line').getByText(said).waitFor();
}

test('pictures are saved with their keywords in them, are the same pictures, and come back with them', async () => {
  const visit = await withFolder();
  const { page } = visit;
  const [wrong = ''] = (await visit.read('sky.png')).tags;
  await page.getByRole('button', { name: 'Edit caption and tags of sky.png' }).click();
  await page.getByRole('button', { name: `${wrong} is wrong: take it away` }).click();
  await page.getByLabel('Add tags').first().fill('x'.repeat(121));
  const cut = page.getByText('A tag has 120 letters at most: the rest is cut.');
  await cut.waitFor();
  await page.getByLabel('Add tags').first().fill('pets|Rex');
  await cut.waitFor({ state: 'hidden' });
  await page.keyboard.press('Enter');
  await page.getByRole('textbox', { name: 'Caption' }).fill('Rex, at last');
  await page.getByRole('button', { name: 'Done with sky.png' }).click();
  await visit.card('sky.png').locator('.tag', { hasText: 'Rex' }).waitFor();
  await page.locator('save-answers summary').click();
  const begun = page.waitForEvent('download');
  await choose(visit, 'Pictures with keywords in them', 'Saved what is known of 2 pictures.');
  const download = await begun;
  assert.equal(download.suggestedFilename(), 'ocelli-pictures.zip');
  const files = unzipSync(readFileSync(await download.path()));
  assert.deepEqual(Object.keys(files).toSorted(), ['film.gif', 'sky.png']);
  const { tags } = await visit.read('sky.png');
  const whole = Buffer.from(files['sky.png'] ?? []);
  const original = plain('sky.png').buffer;
  const added = whole.length - original.length;
  assert.ok(tags.includes('Rex') && whole.includes('<rdf:li>pets|Rex</rdf:li>'));
  assert.ok(added > 0 && tags.every((tag) => whole.includes(`<rdf:li>${tag}</rdf:li>`)));
  assert.deepEqual(Buffer.concat([whole.subarray(0, 33), whole.subarray(33 + added)]), original);

  for (const name of ['sky.png', 'film.gif']) {
    await page.getByRole('button', { name: `Remove ${name}` }).click();
  }
  await page.locator('body:not([data-pictures])').waitFor();
  await page.setInputFiles('#files', {
    name: 'Saved.zip',
    mimeType: 'application/zip',
    buffer: readFileSync(await download.path()),
  });
  await page.locator('.drop-said').getByText('Saved.zip: 2 pictures.').waitFor();
  const card = visit.card('sky.png');
  await card.locator('.tag', { hasText: 'Rex' }).getByText('yours').waitFor();
  await card.locator('.caption', { hasText: 'Rex, at last' }).waitFor({ state: 'attached' });
  await visit.settled('film.gif');
  const table = Buffer.from('picture,tags\nfilm.gif,Bella\n');
  await visit.drop({ name: 'Summer.csv', mimeType: 'text/csv', buffer: table });
  await page.locator('.drop-said').getByText('Read what files say of 1 picture.').waitFor();
  await visit.card('film.gif').locator('.tag', { hasText: 'Bella' }).getByText('yours').waitFor();
  assert.deepEqual((await visit.read('sky.png')).tags.toSorted(), tags.toSorted());
  assert.ok(!tags.includes(wrong));
  await visit.end();
});

test(
  'files go into a folder, where nothing is lost',
  { skip: IN_FIREFOX && 'it has no choice of folders' },
  async () => {
    const visit = await withFolder();
    const { page } = visit;
    await page.getByLabel('Into a folder').check();
    await choose(visit, 'Sidecars for photo programs', 'Wrote 2 files into “chosen”.');
    const first = await inFolder(visit);
    assert.deepEqual(Object.keys(first).toSorted(), ['film.gif.xmp', 'sky.png.xmp']);

    // What others write meanwhile stays.
    await page.evaluate(async () => {
      const folder = await /** @type {any} */ (window).showDirectoryPicker();
      /** @param {string} name @param {(text: string) => string} change */
      const rewrite = async (name, change) => {
        const handle = await folder.getFileHandle(name, { create: true });
        const text = await (await handle.getFile()).text();
        const writable = await handle.createWritable();
        await writable.write(change(text));
        await writable.close();
      };
      await rewrite('sky.png.xmp', (text) =>
        text
          .replace('<rdf:Bag>', '<rdf:Bag><rdf:li>Rex</rdf:li>')
          .replace('rdf:about=""', 'rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="4"')
          .replace(/x-default">[^<]*/, 'x-default">theirs'),
      );
      await rewrite('film.gif.xmp', () => '<damaged');
      await rewrite('sky.txt', () => 'somebody’s own words');
    });
    await choose(visit, 'Sidecars for photo programs', /Wrote 1 file .* 1 file, film\.gif\.xmp\./);
    const second = await inFolder(visit);
    assert.equal(second['film.gif.xmp'], '<damaged');
    const merged = second['sky.png.xmp'] ?? '';
    assert.match(merged, /xmp:Rating="4"/);
    const subjects = /<dc:subject[^>]*>.*?<\/dc:subject>/s.exec(merged)?.[0] ?? '';
    const { tags, caption } = await visit.read('sky.png');
    const items = [...subjects.matchAll(/<rdf:li[^>]*>([^<]*)/g)].map(([, word]) => word);
    assert.deepEqual(items, ['Rex', ...tags]);
    assert.ok(merged.includes('x-default">theirs<') && !merged.includes(`x-default">${caption}<`));

    await choose(visit, 'One text a picture', /Wrote 2 files .* 1 file, sky\.txt\./);
    await page.getByRole('button', { name: 'How they are written' }).click();
    await page.getByLabel('Keep captions that pictures have already').uncheck();
    await choose(visit, 'Sidecars for photo programs', /Wrote 1 file .* 1 file, film\.gif\.xmp\./);
    const third = (await inFolder(visit))['sky.png.xmp'] ?? '';
    assert.ok(third.includes(`x-default">${caption}<`) && !third.includes('theirs'));
    await page.getByLabel('Texts hold').selectOption('tags');
    await page.getByLabel('Before each text').fill('sks, ');
    await page.getByLabel('Replace texts that a folder has already').check();
    await choose(visit, 'One text a picture', 'Wrote 3 files');
    const texts = await inFolder(visit);
    assert.equal(texts['sky.txt'], `sks, ${tags.join(', ')}`);
    const lines = (texts['metadata.jsonl'] ?? '').trim().split('\n');
    assert.deepEqual(
      lines.map((line) => JSON.parse(line)).find((one) => one.file_name === 'sky.png'),
      { file_name: 'sky.png', text: texts['sky.txt'], caption: '', tags },
    );

    await choose(visit, 'Alternative texts for web pages', 'Wrote 1 file into');
    assert.ok((await inFolder(visit))['ocelli.html']?.includes(`<img src="sky.png" alt="${caption}" />`));
    await choose(visit, 'Pictures with keywords in them', 'Wrote 2 files into');
    // Chromium's own complaint about damaged XML comes in a style that the page's policy forbids.
    await visit.end({ expected: [/Applying inline style/] });
  },
);

test(
  'whoever chooses no folder is told nothing',
  { skip: IN_FIREFOX && 'it has no choice of folders' },
  async () => {
    const visit = await withFolder();
    const { page } = visit;
    await page.evaluate(() => {
      Object.assign(window, {
        showDirectoryPicker: () => Promise.reject(new DOMException('', 'AbortError')),
      });
    });
    await page.getByLabel('Into a folder').check();
    await page.getByRole('button', { name: 'Table for spreadsheets' }).click();
    await page.getByLabel('Download').check();
    await choose(visit, 'Table for spreadsheets', 'Saved what is known of 2 pictures.');
    await visit.end();
  },
);
