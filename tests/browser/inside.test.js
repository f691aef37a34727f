// Looking inside: tags and words that show where in the picture they were found, by pointer, keyboard and finger.

import assert from 'node:assert/strict';
import test from 'node:test';
import { NOT_IN_FIREFOX, openBrowser } from './support/browser.js';
import { assertSentence, openSite, painted, Visit } from './support/site.js';

const browser = await openBrowser();
const site = await openSite();
test.after(async () => {
  await browser.close();
  await site.close();
});

/**
 * A visit with one picture that is done.
 * @param {import('playwright-core').BrowserContextOptions} [options]
 */
async function withPicture(options) {
  const visit = await Visit.withPicture(browser, site.url, { options, size: { width: 120, height: 80 } });
  const card = visit.card('sky.png');
  return { visit, card, map: card.locator('.map'), note: card.locator('.map-note') };
}

test('pointing at a tag shows its map over the picture, and going away removes it', async () => {
  const { visit, card, map, note } = await withPicture();
  const tag = card.locator('button.tag').first();
  const label = await tag.locator('.tag-label').innerText();
  await tag.hover();
  await map.waitFor();
  assert.equal(await note.innerText(), `What speaks for “${label}”`);
  assert.ok((await painted(map)) > 0, 'the map has something to show');
  const shape = await map.evaluate((canvas) => {
    const { width, height } = /** @type {HTMLCanvasElement} */ (canvas);
    return width / height;
  });
  assert.ok(Math.abs(shape - 1.5) < 0.02, `the map has the picture's shape: ${shape}`);
  await visit.page.getByRole('status').filter({ hasText: label }).waitFor({ state: 'attached' });

  await visit.page.keyboard.press('Escape');
  await map.waitFor({ state: 'hidden' });
  await visit.page.mouse.move(2, 2);
  await tag.hover();
  await map.waitFor();
  await visit.page.mouse.move(2, 2);
  await map.waitFor({ state: 'hidden' });
  assert.equal(await note.isVisible(), false);
  await visit.end();
});

test('a press keeps the map, another press or Escape removes it', async () => {
  const { visit, card, map } = await withPicture();
  const tag = card.locator('button.tag').nth(1);
  await tag.click();
  await visit.page.mouse.move(2, 2);
  await map.waitFor();
  assert.equal(await tag.getAttribute('aria-pressed'), 'true');
  await tag.click();
  await map.waitFor({ state: 'hidden' });
  assert.equal(await tag.getAttribute('aria-pressed'), 'false');

  await tag.click();
  await map.waitFor();
  await visit.page.keyboard.press('Escape');
  await map.waitFor({ state: 'hidden' });
  await visit.end();
});

test('from the keyboard: tags by Tab, words of the caption by arrows', async () => {
  const { visit, card, map, note } = await withPicture();
  const { page } = visit;
  const { caption } = await visit.read('sky.png');
  const words = await card.locator('.word').allInnerTexts();
  assert.deepEqual(words, caption.split(/\s+/));
  assert.ok(words.length > 1, `the caption has several words: ${caption}`);
  assert.equal(await card.locator('.word[tabindex="0"]').count(), 1, 'one stop for all words');

  // The element before the card's first stop: Tab goes on from there.
  await page.locator('#pictures').focus();
  const word = card.locator('.word').first();
  for (let presses = 0; presses < 20; presses++) {
    if (await word.evaluate((element) => element === document.activeElement)) break;
    await page.keyboard.press('Tab');
  }
  await map.waitFor();
  assert.equal(await note.innerText(), `Where the captioner looked for “${words[0]}”`);
  const first = await map.evaluate((canvas) => /** @type {HTMLCanvasElement} */ (canvas).toDataURL());
  await page.keyboard.press('End');
  await note.filter({ hasText: `“${words.at(-1)}”` }).waitFor();
  const last = await map.evaluate((canvas) => /** @type {HTMLCanvasElement} */ (canvas).toDataURL());
  assert.notEqual(first, last, 'each word has a map of its own');

  await page.keyboard.press('Tab');
  await note.filter({ hasText: 'What speaks for' }).waitFor();
  await page.keyboard.press('Escape');
  await map.waitFor({ state: 'hidden' });
  await visit.end();
});

test('a tap shows the map and another tap removes it', { skip: NOT_IN_FIREFOX.touch }, async () => {
  const phone = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };
  const { visit, card, map } = await withPicture(phone);
  const tag = card.locator('button.tag').first();
  await tag.tap();
  await map.waitFor();
  await tag.tap();
  await map.waitFor({ state: 'hidden' });
  await card.locator('.word').first().tap();
  await map.waitFor();
  await visit.end();
});

test('what cannot be asked is said in the card, and the rest goes on', async () => {
  const { visit, card, note } = await withPicture();
  await visit.ask(['cat', 'dog'], 'a photo of a {}.');
  await card.locator('.tags').filter({ hasText: 'cat' }).waitFor();
  await visit.settled('sky.png');
  await visit.use('tag', './missing/model/');
  await visit.page.locator('#tag-notice[data-status="failed"]').waitFor();
  await card.locator('button.tag').first().hover();
  await note.filter({ hasNotText: 'Looking' }).waitFor();
  assertSentence(await note.innerText());
  await visit.end({ expected: [/Failed to load resource/] });
});
