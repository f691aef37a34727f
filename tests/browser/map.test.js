// The map: pictures that are alike lie near each other, always in the same places, and nothing is loaded for it before it is opened.

import assert from 'node:assert/strict';
import test from 'node:test';
import { openBrowser } from './support/browser.js';
import { plain } from './support/pictures.js';
import { openSite, Visit } from './support/site.js';

const browser = await openBrowser();
const site = await openSite();
test.after(async () => {
  await browser.close();
  await site.close();
});

const MANY = 30;

/** Two kinds: red ones and blue ones. @param {number} i */
const coloured = (i) =>
  plain(`${i % 2 ? 'red' : 'blue'}${i}.png`, {
    width: 48,
    height: 48,
    colour: i % 2 ? [250 - i, i, i] : [i, i, 250 - i],
  });

test('the map is made when it is asked for, is the same again, and opens pictures', async () => {
  const visit = await Visit.begin(browser, site.url, { viewport: { width: 1000, height: 800 } });
  const { page } = visit;
  await visit.pick(...Array.from({ length: MANY }, (_, i) => coloured(i)));
  await page.waitForFunction(
    (text) => document.querySelector('.work-line')?.textContent === text,
    `${MANY} pictures`,
  );
  await page.getByText(`Small copies of ${MANY} pictures`).waitFor();
  const workers = page.workers().length;
  await page.locator('picture-filter summary').click();
  const map = page.getByRole('dialog', { name: 'Map of the pictures' });
  const ready = map.getByText(`${MANY} pictures: those that are alike are near each other`);

  /** Where each picture is, as the keyboard finds it. */
  const walk = async () => {
    await page.getByRole('button', { name: 'Map of the pictures' }).click();
    await ready.waitFor();
    assert.equal(page.workers().length, workers, 'the worker has gone');
    const cursor = map.locator('.map-cursor');
    assert.ok(await cursor.evaluate((one) => one === document.activeElement));
    /** @type {Map<string, string>} */
    const places = new Map();
    for (let i = 0; i < 60; i++) {
      const [name, place] = await cursor.evaluate((one) => [one.title, one.style.transform]);
      places.set(name, place);
      await page.keyboard.press(
        ['ArrowLeft', 'ArrowUp', 'ArrowRight', 'ArrowDown'][Math.floor(i / 15)] ?? '',
      );
    }
    return places;
  };
  const first = await walk();
  assert.ok(first.size > 3, `${first.size} were reached`);
  await page.waitForTimeout(500);
  const drawn = await map.locator('canvas').evaluate((canvas) => {
    const { width, height } = canvas;
    const { data } = canvas.getContext('2d').getImageData(0, 0, width, height);
    const middle = { red: { x: 0, y: 0, n: 0 }, blue: { x: 0, y: 0, n: 0 } };
    for (let at = 0; at < data.length; at += 4) {
      if (data[at + 3] < 200) continue;
      const kind = data[at] > data[at + 2] ? middle.red : middle.blue;
      kind.x += (at / 4) % width;
      kind.y += Math.floor(at / 4 / width);
      kind.n += 1;
    }
    const { red, blue } = middle;
    const apart = Math.hypot(red.x / red.n - blue.x / blue.n, red.y / red.n - blue.y / blue.n);
    return { red: red.n, blue: blue.n, apart: apart / Math.hypot(width, height) };
  });
  assert.ok(drawn.red > 5000 && drawn.blue > 5000, JSON.stringify(drawn));
  assert.ok(drawn.apart > 0.2, JSON.stringify(drawn));
  await page.keyboard.press('Escape');
  await map.waitFor({ state: 'hidden' });
  const opener = page.getByRole('button', { name: 'Map of the pictures' });
  await visit.holdsKeyboard(opener);
  assert.deepEqual(await walk(), first, 'the same collection has the same map');

  const name = await map.locator('.map-cursor').getAttribute('title');
  await page.keyboard.press('Enter');
  const detail = page.getByRole('dialog', { name: 'One picture' });
  await detail.getByText(String(name), { exact: true }).first().waitFor();
  await page.keyboard.press('Escape');

  // Whoever closes it waits for nothing.
  await page.getByRole('button', { name: 'Map of the pictures' }).click();
  await page.keyboard.press('Escape');
  await map.waitFor({ state: 'hidden' });
  await page.waitForTimeout(300);
  assert.equal(page.workers().length, workers);
  await visit.end();
});
