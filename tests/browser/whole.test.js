// A holiday's pictures, from the folder to the files: dropped, tagged while somebody scrolls, searched, corrected, saved into a folder and
// as a zip, there again without the network, forgotten, and read back in. Nothing is lost.

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

/** So many on a desktop; a phone and Firefox are tried with fewer. */
const MANY = { desktop: IN_FIREFOX ? 40 : 200, phone: 40 };
const PHONE = { viewport: { width: 390, height: 780 }, hasTouch: true };

/** How a picture is called, in some folder. @param {number} i */
const nameOf = (i) => `day ${1 + (i % 3)}/p${i}.png`;

/** A folder of pictures. @param {import('node:test').TestContext} t @param {number} count */
function holiday(t, count) {
  const root = mkdtempSync(path.join(tmpdir(), 'ocelli-whole-'));
  t.after(() => rmSync(root, { recursive: true }));
  const folder = path.join(root, 'Holiday');
  for (let i = 0; i < count; i++) {
    const file = path.join(folder, nameOf(i));
    mkdirSync(path.dirname(file), { recursive: true });
    const colour = [(37 * i) % 256, (91 * i) % 256, (53 * i) % 256];
    writeFileSync(file, plain('', { width: 40 + (i % 7), height: 30, colour }).buffer);
  }
  return folder;
}

/** @param {Visit} visit @param {string} name */
const tile = (visit, name) => visit.page.getByRole('button', { name: new RegExp(`^${name}\\b`) });

/** @param {Visit} visit @param {number} count */
const done = ({ page }, count) =>
  page.waitForFunction(
    (all) => document.querySelector('.work-line')?.textContent === `${all} pictures`,
    count,
  );

/** Brings a picture's tile onto the screen. @param {Visit} visit @param {number} i */
async function find(visit, i) {
  const { page } = visit;
  await page.locator('picture-filter').scrollIntoViewIfNeeded();
  const wanted = tile(visit, `p${i}.png`);
  // A screenful less than there is, and time for its tiles to come and go.
  const scroll = (/** @type {number} */ screens) =>
    page.evaluate(
      (share) =>
        new Promise((resolve) => {
          scrollBy(0, share * innerHeight);
          setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(resolve)), 50);
        }),
      screens,
    );
  await scroll(0);
  for (let round = 0; round < 100 && (await wanted.count()) === 0; round++) await scroll(0.5);
  await wanted.scrollIntoViewIfNeeded();
  return wanted;
}

/** Saves in some form, and gives back the file. @param {Visit} visit @param {string} form */
async function save({ page }, form) {
  await page.locator('save-answers summary').click();
  const coming = page.waitForEvent('download');
  await page.getByRole('button', { name: form }).click();
  const bytes = readFileSync(await (await coming).path());
  await page.locator('save-answers').getByText('Saved what is known').waitFor();
  await page.keyboard.press('Escape');
  return bytes;
}

/**
 * @param {import('playwright-core').BrowserContextOptions} options
 * @param {import('node:test').TestContext} t
 * @param {number} count of pictures
 */
async function holidayVisit(options, t, count) {
  const visit = await Visit.begin(browser, site.url, { serviceWorkers: 'allow', ...options });
  await visit.page.addInitScript(() => {
    // A folder that somebody chooses is one of the page's own here.
    Object.assign(window, { showDirectoryPicker: () => navigator.storage.getDirectory() });
  });
  await visit.page.reload();
  await visit.ready();
  if (IN_FIREFOX) {
    // WebDriver BiDi picks no folders.
    await visit.pick(
      ...Array.from({ length: count }, (_, i) =>
        plain(`p${i}.png`, { width: 40 + (i % 7), height: 30, colour: [(37 * i) % 256, (91 * i) % 256, 9] }),
      ),
    );
  } else await visit.page.setInputFiles('#folder', holiday(t, count));
  return visit;
}

for (const [device, options] of Object.entries({ desktop: {}, phone: PHONE })) {
  const count = MANY[/** @type {keyof typeof MANY} */ (device)];
  test(
    `a holiday comes in, is put right and leaves as files, on a ${device}`,
    { skip: IN_FIREFOX && device === 'phone' && 'the same as on a desktop there' },
    async (t) => {
      const visit = await holidayVisit(options, t, count);
      const { page } = visit;
      // Scrolled while it works.
      await page.locator('.tile').first().waitFor();
      for (let step = 0; step < 6; step++) await page.mouse.wheel(0, 300);
      await done(visit, count);

      const eleven = await find(visit, 11);
      await eleven.click();
      await page.getByRole('button', { name: 'Edit caption and tags' }).click();
      await page.getByLabel('Add tags').fill('Grandma’s garden, 海');
      await page.keyboard.press('Enter');
      await page.getByRole('button', { name: 'Yours: 海' }).waitFor();
      const wrong = page.getByRole('button', { name: /is wrong: take it away$/ }).first();
      const label = (await wrong.getAttribute('aria-label'))?.replace(' is wrong: take it away', '');
      await wrong.click();
      await page.getByRole('textbox', { name: 'Caption' }).fill('Where we had tea');
      await page.getByRole('textbox', { name: 'Caption' }).blur();
      await page.getByRole('button', { name: 'Close', exact: true }).click();

      await page.getByLabel('Find pictures by words').fill('grandma’s garden');
      await page.keyboard.press('Enter');
      await page.locator('picture-finder').getByText(`of ${count}`).waitFor();
      await tile(visit, 'p11.png').waitFor();
      await page.locator('picture-finder').getByRole('button', { name: 'Show all' }).click();

      // WebDriver BiDi tells of no downloads.
      const list = IN_FIREFOX ? [] : JSON.parse((await save(visit, 'List for programs')).toString());
      if (!IN_FIREFOX) {
        assert.equal(list.length, count);
        const saved = list.find((/** @type {any} */ { picture }) => picture.endsWith('p11.png'));
        assert.deepEqual(saved.tags.slice(0, 2), ['Grandma’s garden', '海']);
        assert.deepEqual(saved.gone, [label]);
        assert.equal(saved.caption, 'Where we had tea');
        const sidecars = unzipSync(new Uint8Array(await save(visit, 'Sidecars for photo programs')));
        assert.equal(Object.keys(sidecars).length, count);
        const sidecar = Object.entries(sidecars).find(([name]) => name.endsWith('p11.png.xmp'));
        assert.match(Buffer.from(sidecar?.[1] ?? []).toString(), /海[^]*Where we had tea/);
      }

      await page.locator('save-answers summary').click();
      await page.getByLabel('Into a folder').check();
      await page.getByRole('button', { name: 'Sidecars for photo programs' }).click();
      await page.locator('save-answers').getByText(`Wrote ${count} files`).waitFor();
      await page.keyboard.press('Escape');

      // What was said last is written within seconds.
      await page.locator('.kept-line', { hasText: `${count} pictures` }).waitFor();
      await page.waitForTimeout(4000);
      if (!IN_FIREFOX) {
        await page.context().setOffline(true);
        await page.reload();
        await done(visit, count);
        await (await find(visit, 11)).and(page.locator('[aria-label*="海"]')).waitFor();
        await page.context().setOffline(false);
      }

      // Somebody begins anew, with the files alone.
      await forgetEverything(visit);
      await visit.ready();
      assert.equal(await page.locator('.tile').count(), 0);
      if (IN_FIREFOX) await visit.end();
      else {
        await page.setInputFiles('#folder', holiday(t, count));
        await done(visit, count);
        await page.setInputFiles('#answers', {
          name: 'ocelli.json',
          mimeType: 'application/json',
          buffer: Buffer.from(JSON.stringify(list)),
        });
        await page.locator('undo-line').getByText('Read what files say of 1 picture.').waitFor();
        const again = JSON.parse((await save(visit, 'List for programs')).toString());
        assert.deepEqual(again, list, 'nothing is lost');
        await visit.end({ expected: [/ERR_INTERNET_DISCONNECTED/] });
      }
    },
  );
}
