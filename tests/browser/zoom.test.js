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
  await page.getByRole('button', { name: /^Edit caption/ }).click();
  await page.getByLabel('Add tags').first().fill('a');
  await page.keyboard.type('+0-');
  assert.deepEqual(await state(), WHOLE, 'what is typed zooms nothing');
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
