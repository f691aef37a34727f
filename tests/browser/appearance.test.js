// The page on a desktop and on a phone, by day and by night: accessible by axe's rules, never wider than its
// window, and at rest where motion is not wanted.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import test from 'node:test';
import { openBrowser } from './support/browser.js';
import { assertSentence, openSite, Visit } from './support/site.js';
import { plain } from './support/pictures.js';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const browser = await openBrowser();
const site = await openSite();
test.after(async () => {
  await browser.close();
  await site.close();
});

const DEVICES = {
  desktop: { viewport: { width: 1280, height: 860 } },
  phone: { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true },
};

/** Asserts that axe finds nothing, and that nothing is wider than the window. @param {Visit} visit @param {string} when */
async function inspect(visit, when) {
  const { violations, passes } = await visit.page.evaluate(async (source) => {
    // Evaluated from outside, so that the page's own policy need not allow it.
    if (!('axe' in globalThis)) (0, eval)(source);
    const report = await globalThis.axe.run(document, {
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
    });
    return {
      passes: report.passes.length,
      violations: report.violations.map(
        ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`,
      ),
    };
  }, axe);
  assert.ok(passes > 15, 'axe did look at the page');
  assert.deepEqual(violations, [], `${when}: axe found`);

  const { wide, window } = await visit.page.evaluate(() => ({
    wide: document.documentElement.scrollWidth,
    window: document.documentElement.clientWidth,
  }));
  assert.ok(wide <= window, `${when}: the page is ${wide} pixels wide in a window of ${window}`);
}

for (const [device, options] of Object.entries(DEVICES)) {
  for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
    test(`${device}, ${colorScheme}: idle, with results, with a map, with errors`, async () => {
      // The page's policy forbids evaluation, which is how axe gets in.
      const visit = await Visit.begin(browser, site.url, { ...options, colorScheme, bypassCSP: true });
      await visit.ready();
      await inspect(visit, 'idle');

      const long = `${'a-very-long-name-without-any-place-to-break-'.repeat(4)}.png`;
      await visit.drop(plain(long), {
        name: 'letter.doc',
        mimeType: 'application/msword',
        buffer: Buffer.from('Dear'),
      });
      await visit.settled(long);
      await visit.settled('letter.doc', 'failed');
      await visit.page.evaluate(() =>
        document.querySelectorAll('details').forEach((panel) => (panel.open = true)),
      );
      await visit.ask(['pneumonoultramicroscopicsilicovolcanoconiosis'.repeat(6), 'cat']);
      await visit.page.waitForFunction(() => document.querySelector('.tags')?.childElementCount === 2);
      await inspect(visit, 'with results');

      const card = visit.card(long);
      await card.getByLabel('Which of these fits?').fill(`a cat\n${'a very long text '.repeat(12)}`);
      await card.getByRole('button', { name: `Match texts with ${long}` }).click();
      await card.locator('.matches button').last().click();
      await card.locator('.map').waitFor();
      await inspect(visit, 'with a map');

      await visit.use('tag', './missing/model/');
      await visit.page.locator('#tag-notice[data-status="failed"]').waitFor();
      assertSentence(await visit.page.locator('#tag-notice .notice-line').innerText());
      await visit.ask([]);
      await inspect(visit, 'with errors');
      await visit.end({ expected: [/Failed to load resource/] });
    });
  }
}

/** More than are shown as cards. */
const MANY = 30;

for (const [device, options] of Object.entries(DEVICES)) {
  test(`${device}: many pictures, one of them open, and what can be saved`, async () => {
    const visit = await Visit.begin(browser, site.url, { ...options, bypassCSP: true });
    const { page } = visit;
    const long = 'a-very-long-name-without-any-place-to-break-'.repeat(4);
    await visit.pick(...Array.from({ length: MANY }, (_, i) => plain(`${i} ${long}.png`)));
    await page.waitForFunction(
      (all) => document.querySelector('.work-line')?.textContent === `${all} pictures`,
      MANY,
    );
    await page.locator('kept-pictures').getByText(`copies of ${MANY} pictures`).waitFor();
    await inspect(visit, 'a grid');
    await page.locator('save-answers summary').click();
    await inspect(visit, 'what can be saved');
    await page.keyboard.press('Escape');
    await page.locator('.tile').nth(3).click();
    await visit.settled(`3 ${long}.png`);
    await inspect(visit, 'one is open');
    await page.getByRole('button', { name: 'Edit caption and tags' }).click();
    await inspect(visit, 'one is edited');
    await page.getByLabel('Add tags').fill('mine');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Yours: mine' }).waitFor();
    await page.getByRole('button', { name: 'Close', exact: true }).click();
    await page.locator('picture-filter summary').click();
    await page.getByRole('button', { name: 'mine 1' }).click();
    await inspect(visit, 'some are shown');
    await page.locator('#select').click();
    await page.locator('.tile').first().click();
    await inspect(visit, 'one is selected');
    await visit.end();
  });
}

test('nothing moves where reduced motion is asked for', async () => {
  const visit = await Visit.begin(browser, site.url, { reducedMotion: 'reduce' });
  await visit.drop(plain('still.png'));
  await visit.settled('still.png');
  const moving = await visit.page.evaluate(() => document.getAnimations().length);
  assert.equal(moving, 0);
  await visit.end();
});

test('text can be twice as large without being cut off', async () => {
  const visit = await Visit.begin(browser, site.url, { viewport: { width: 640, height: 900 } });
  await visit.page.evaluate(() => (document.documentElement.style.fontSize = '200%'));
  await visit.drop(plain('large.png'));
  await visit.settled('large.png');
  const { wide, window } = await visit.page.evaluate(() => ({
    wide: document.documentElement.scrollWidth,
    window: innerWidth,
  }));
  assert.ok(wide <= window);
  await visit.end();
});
