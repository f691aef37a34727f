// Pictures are found by words and by likeness; nothing is lost, and there is a way back.

import assert from 'node:assert/strict';
import test from 'node:test';
import { NOT_IN_FIREFOX, openBrowser } from './support/browser.js';
import { openSite, Visit } from './support/site.js';
import { plain } from './support/pictures.js';

const browser = await openBrowser();
const site = await openSite();
test.after(async () => {
  await browser.close();
  await site.close();
});

test('pictures are ordered by words and by likeness, and go back to where they were', async () => {
  const visit = await Visit.begin(browser, site.url);
  const { page } = visit;
  const files = [
    plain('blue.png', { colour: [20, 20, 220] }),
    plain('red.png', { colour: [220, 20, 20] }),
    plain('also blue.png', { colour: [22, 20, 218], width: 60 }),
  ];
  await visit.drop(...files.slice(0, 2));
  await visit.settled('red.png');
  assert.equal(await page.getByLabel('Find pictures by words').isVisible(), false, 'two need no search');
  await visit.drop(files[2]);
  await visit.settled('also blue.png');
  const names = () => page.locator('.card-name').allInnerTexts();
  const came = ['also blue.png', 'blue.png', 'red.png'];
  assert.deepEqual(await names(), came);

  const like = page.getByRole('button', { name: 'put first what is like red.png' });
  await like.click();
  await page.locator('picture-finder').getByText('Ordered by likeness to red.png').waitFor();
  assert.equal((await names())[0], 'red.png', 'nothing is more like a picture than itself');
  assert.equal(await like.evaluate((element) => element === document.activeElement), true);

  await page.getByRole('button', { name: 'Show all' }).click();
  await page.getByRole('button', { name: 'Show all' }).waitFor({ state: 'hidden' });
  assert.deepEqual(await names(), came);

  await page.getByLabel('Find pictures by words').fill('a red wall');
  await page.keyboard.press('Enter');
  const finder = page.locator('picture-finder');
  await finder.getByText('“a red wall”').waitFor();
  await page.getByLabel('Find pictures by words').fill('a group of lawyers in a courtroom');
  await page.keyboard.press('Enter');
  await finder
    .getByText(
      'Nothing surely fits “a group of lawyers in a courtroom”: these are all pictures, the nearest first.',
    )
    .waitFor();
  assert.deepEqual([...(await names())].sort(), came, 'none is lost');
  await visit.end();
});

test(
  'a search that takes long says how far it is, and can be stopped',
  { skip: NOT_IN_FIREFOX.workers },
  async () => {
    // On one thread: those of a pool never come to their messages.
    const visit = await Visit.begin(browser, `${site.url}?threads=1`);
    const { page } = visit;
    const files = ['one.png', 'two.png', 'three.png'].map((name, place) =>
      plain(name, { colour: [220, 20 + 80 * place, 20] }),
    );
    await visit.ready();
    // The built-in model is too quick to be seen: its messages are held up. What is known of the pictures is not compared twice.
    await visit.holdUpMessages(150);
    await visit.drop(...files);
    const finder = page.locator('picture-finder');
    const field = page.getByLabel('Find pictures by words');
    await field.fill('a red wall');
    await page.keyboard.press('Enter');
    await finder.getByText('Comparing the pictures: 1 of 3').waitFor();
    await finder.getByRole('button', { name: 'Stop' }).click();
    await finder.getByText('Comparing').waitFor({ state: 'detached' });
    assert.equal(await finder.getByRole('button', { name: 'Stop' }).isVisible(), false);
    assert.equal(await field.evaluate((element) => element === document.activeElement), true);
    assert.deepEqual(await page.locator('.card-name').allInnerTexts(), ['one.png', 'two.png', 'three.png']);

    await page.keyboard.press('Enter');
    await finder.getByText('“a red wall”').waitFor();
    await finder.getByText('Comparing').waitFor({ state: 'detached' });
    await page.locator('picture-card').first().waitFor();
    for (const { name } of files) await visit.settled(name);
    await visit.end();
  },
);
