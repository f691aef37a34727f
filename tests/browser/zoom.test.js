// The large view: a picture is made larger and moved about, by keys, buttons, wheel, dragging and two fingers.

import assert from 'node:assert/strict';
import test from 'node:test';
import { NOT_IN_FIREFOX, openBrowser } from './support/browser.js';
import { plain } from './support/pictures.js';
import { openSite, Visit } from './support/site.js';

const browser = await openBrowser();
const site = await openSite();
test.after(async () => {
  await browser.close();
  await site.close();
});

/** A visit whose large view is open. @param {import('playwright-core').BrowserContextOptions} [options] */
async function large(options) {
  const visit = await Visit.begin(browser, site.url, options);
  const { page } = visit;
  await visit.pick(
    ...Array.from({ length: 25 }, (_, i) =>
      plain(`p${i}.png`, { width: 900, height: 600, colour: [(40 * i) % 256, 90, 120] }),
    ),
  );
  await page.getByRole('button', { name: /^p0\.png/ }).click();
  await page.getByRole('dialog', { name: 'One picture' }).waitFor();
  const frame = page.locator('.detail .card-frame');
  await frame.locator('img').evaluate((image) => /** @type {HTMLImageElement} */ (image).decode());
  const state = () =>
    frame.evaluate((one) => ({
      scale: Number(one.style.getPropertyValue('--zoom')),
      x: parseFloat(one.style.getPropertyValue('--zoom-x')),
      y: parseFloat(one.style.getPropertyValue('--zoom-y')),
    }));
  return { visit, page, frame, state };
}

const WHOLE = { scale: 1, x: 0, y: 0 };

test('keys and buttons zoom and move the picture, and lead on where it is whole', async () => {
  const { visit, page, frame, state } = await large();
  const place = page.getByRole('dialog', { name: 'One picture' }).locator('.detail-place');
  assert.deepEqual(await state(), WHOLE);
  await page.keyboard.press('+');
  await page.keyboard.press('+');
  assert.equal((await state()).scale, 2.25);
  await page.locator('#announcer', { hasText: '2.3 times as large' }).waitFor({ state: 'attached' });
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowDown');
  const moved = await state();
  assert.ok(moved.x < 0 && moved.y < 0, JSON.stringify(moved));
  for (let i = 0; i < 20; i++) await page.keyboard.press('ArrowRight');
  const { width } = (await frame.boundingBox()) ?? { width: 0 };
  assert.ok(Math.abs((await state()).x) <= (1.25 * width) / 2 + 1, 'never out of the frame');
  assert.equal(await place.innerText(), '1 of 25', 'arrows move it and lead nowhere');
  await page.keyboard.press('0');
  assert.deepEqual(await state(), WHOLE);
  await page.keyboard.press('ArrowRight');
  await page.waitForFunction(() => document.querySelector('.detail-place')?.textContent === '2 of 25');

  const [out, fit, more] = ['Zoom out', 'Fit the whole picture', 'Zoom in'].map((name) =>
    page.getByRole('button', { name }),
  );
  assert.ok(await out.isDisabled());
  for (let i = 0; i < 12 && (await more.isEnabled()); i++) await more.click();
  const { scale } = await state();
  assert.ok(scale >= 4 && scale < 40, String(scale));
  await fit.click();
  assert.deepEqual(await state(), WHOLE);
  assert.ok(await more.evaluate((button) => button === document.activeElement), 'the keyboard stays');
  const ground = await out.evaluate((button) => getComputedStyle(button).backgroundColor);
  assert.match(ground, /^rgb\(/, 'a button over a picture hides what is below it');

  // Whatever was used last, arrows lead on, but for what uses them itself.
  const at = (/** @type {string} */ text) =>
    page.waitForFunction((now) => document.querySelector('.detail-place')?.textContent === now, text);
  await page.keyboard.press('ArrowLeft');
  await at('1 of 25');
  await page.getByRole('button', { name: /^Edit caption/ }).click();
  await page.getByLabel('Add tags').first().blur();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  await at('3 of 25');
  await page.getByRole('button', { name: 'Previous' }).click();
  await page.getByRole('button', { name: 'Previous' }).click();
  await at('1 of 25');
  // Somebody tags one after the other: the keyboard is in the field, where arrows lead on as long as it is empty.
  const field = page.getByLabel('Add tags').first();
  assert.ok(await field.evaluate((input) => input === document.activeElement));
  await page.keyboard.press('ArrowRight');
  await at('2 of 25');
  assert.ok(await field.evaluate((input) => input === document.activeElement));
  await page.keyboard.type('ab');
  await page.keyboard.press('ArrowLeft');
  assert.equal(await place.innerText(), '2 of 25', 'what is typed uses them');
  await field.fill('');
  await page.getByRole('button', { name: /^Done with/ }).click();
  const word = page.locator('.detail .word');
  await word.first().focus();
  await page.keyboard.press('ArrowRight');
  assert.ok(await word.nth(1).evaluate((button) => button === document.activeElement));
  assert.equal(await place.innerText(), '2 of 25', 'a word of the caption uses them');
  await page.getByRole('button', { name: /^Edit caption/ }).click();
  await page.getByLabel('Add tags').first().fill('a');
  await page.keyboard.type('+0-');
  assert.deepEqual(await state(), WHOLE, 'what is typed zooms nothing');
  await page.getByText('Ask about this picture').click();
  await page.getByRole('button', { name: 'Choose a model for answering questions' }).click();
  await page.getByRole('dialog', { name: 'One picture' }).waitFor({ state: 'hidden' });
  await visit.holdsKeyboard(page.locator('#answer-picker select'));
  await visit.end();
});

test('the wheel zooms where the pointer is, dragging moves, and the whole picture lets the page scroll', async () => {
  const { visit, page, frame, state } = await large();
  const box = await frame.boundingBox();
  assert.ok(box);
  const [x, y] = [box.x + box.width / 4, box.y + box.height / 2];
  await page.mouse.move(x, y);
  await page.mouse.wheel(0, -300);
  await page.waitForFunction(() => document.querySelector('.card-frame')?.hasAttribute('data-zoomed'));
  const near = await state();
  // A quarter of the frame from its left edge stays where it is.
  assert.ok(Math.abs(near.x - (near.scale - 1) * (box.width / 4)) < 2, JSON.stringify(near));
  await page.mouse.down();
  await page.mouse.move(x + 40, y + 10, { steps: 4 });
  await page.mouse.up();
  const dragged = await state();
  assert.ok(Math.abs(dragged.x - near.x - 40) < 2 && Math.abs(dragged.y - 10) < 2, JSON.stringify(dragged));
  await page.mouse.wheel(0, 3000);
  await page.waitForFunction(() => !document.querySelector('.card-frame')?.hasAttribute('data-zoomed'));
  assert.deepEqual(await state(), WHOLE);
  // With the original's own pixels.
  assert.equal(await frame.locator('img').evaluate((image) => image.naturalWidth), 900);
  await visit.end();
});

test('a few pictures are made large as well, and go back to where they were', async () => {
  const visit = await Visit.begin(browser, site.url, { viewport: { width: 390, height: 780 } });
  const { page } = visit;
  await visit.pick(...['a.png', 'b.png', 'c.png'].map((name) => plain(name)));
  for (const name of ['a.png', 'b.png', 'c.png']) await visit.settled(name);
  const dialog = page.getByRole('dialog', { name: 'One picture' });
  const enlarge = (/** @type {string} */ name) => page.getByRole('button', { name: `Enlarge ${name}` });
  await enlarge('a.png').click();
  await dialog.getByText('1 of 3').waitFor();
  await page.keyboard.press('+');
  await dialog.locator('.card-frame[data-zoomed]').waitFor();
  await page.keyboard.press('0');
  await page.keyboard.press('ArrowRight');
  await dialog.getByText('2 of 3').waitFor();
  assert.equal(await dialog.locator('.card-name').innerText(), 'b.png');
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });
  assert.deepEqual(await page.locator('#cards .card-name').allInnerTexts(), ['a.png', 'b.png', 'c.png']);
  await visit.holdsKeyboard(enlarge('b.png'));

  // In a narrow window the settings are a sheet that lies a tap away.
  await enlarge('b.png').click();
  await dialog.getByText('Ask about this picture').click();
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });
  // Its picture is no button while it is asked about.
  await visit.holdsKeyboard(page.getByRole('button', { name: 'Edit caption and tags of b.png' }));
  await visit.card('b.png').getByText('Ask about this picture').click();
  await enlarge('b.png').click();
  await dialog.getByText('Ask about this picture').click();
  await dialog.getByRole('button', { name: 'Choose a model for answering questions' }).click();
  await dialog.waitFor({ state: 'hidden' });
  await visit.holdsKeyboard(page.locator('#answer-picker select'));
  await page.keyboard.press('Escape');
  await page.locator('#settings').waitFor({ state: 'hidden' });
  await page.getByRole('button', { name: 'Settings' }).click();
  const sheet = await page.locator('#settings').boundingBox();
  assert.ok(sheet && sheet.y > 60 && Math.round(sheet.y + sheet.height) === 780, JSON.stringify(sheet));
  await page.getByText('Labels', { exact: true }).click();
  await page.getByLabel('One label on each line').waitFor();
  await page.locator('.settings-head').getByRole('button', { name: 'Close' }).click();
  await page.locator('#settings').waitFor({ state: 'hidden' });
  await visit.end();
});

test('two fingers zoom, one moves', { skip: NOT_IN_FIREFOX.touch }, async () => {
  const phone = { viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true };
  const { visit, page, frame, state } = await large(phone);
  const box = await frame.boundingBox();
  assert.ok(box);
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  const cdp = await page.context().newCDPSession(page);
  const touch = (type, ...points) =>
    cdp.send('Input.dispatchTouchEvent', {
      type,
      touchPoints: points.map(([px, py], id) => ({ x: px, y: py, id })),
    });
  await touch('touchStart', [x - 30, y], [x + 30, y]);
  for (let i = 1; i <= 6; i++) await touch('touchMove', [x - 30 - 10 * i, y], [x + 30 + 10 * i, y]);
  await touch('touchEnd');
  const { scale } = await state();
  assert.ok(scale > 2 && scale < 4, String(scale));
  const before = await state();
  await touch('touchStart', [x, y]);
  for (let i = 1; i <= 4; i++) await touch('touchMove', [x + 10 * i, y]);
  await touch('touchEnd');
  assert.ok((await state()).x > before.x + 20, JSON.stringify(await state()));
  await visit.end();
});
