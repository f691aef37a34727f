// Every way that a picture, a label or a wish takes into the page.

import assert from 'node:assert/strict';
import test from 'node:test';
import { openBrowser } from './support/browser.js';
import { openSite, Visit } from './support/site.js';
import { plain } from './support/pictures.js';

const browser = await openBrowser();
const site = await openSite();
test.after(async () => {
  await browser.close();
  await site.close();
});

test('pictures are picked, pasted and dropped, several at once, before the model is ready too', async () => {
  const visit = await Visit.begin(browser, site.url);
  // No waiting for the models here: early pictures queue up.
  await visit.pick(plain('one.png'), plain('two.png', { colour: [200, 30, 30] }));
  await visit.paste(plain('three.png', { colour: [30, 200, 30] }));
  await visit.drop(plain('four.png', { colour: [240, 240, 20] }), plain('five.png', { colour: [0, 0, 0] }));
  for (const name of ['one.png', 'two.png', 'three.png', 'four.png', 'five.png']) await visit.settled(name);

  const names = await visit.page.locator('.card-name').allInnerTexts();
  assert.deepEqual(names, ['four.png', 'five.png', 'three.png', 'one.png', 'two.png'], 'newest batch first');
  assert.equal(await visit.page.locator('.work-line').innerText(), '5 pictures');
  await visit.end();
});

test('the same file may come twice, and names are text, never markup', async () => {
  const visit = await Visit.begin(browser, site.url);
  const name = '<img src=x onerror=alert(1)>.png';
  await visit.drop(plain(name));
  await visit.settled(name);
  await visit.ask(['<b>bold</b>', '<script>alert(2)</script>']);
  await visit.page.locator('.tag-label', { hasText: '<b>bold</b>' }).waitFor();
  assert.equal(await visit.page.locator('.cards img[src=x], .cards b, .cards script').count(), 0);
  await visit.drop(plain('twice.png'));
  await visit.drop(plain('twice.png'));
  await visit.page.waitForFunction(() => document.querySelectorAll('picture-card').length === 3);
  await visit.end();
});

test('a drop without pictures says so where it was dropped, and changes nothing', async () => {
  const visit = await Visit.begin(browser, site.url);
  await visit.page.evaluate(() => {
    const dataTransfer = new DataTransfer();
    dataTransfer.setData('text/plain', 'only words');
    document
      .querySelector('main')
      ?.dispatchEvent(new DragEvent('drop', { bubbles: true, cancelable: true, dataTransfer }));
  });
  await visit.page.getByRole('status').filter({ hasText: 'no picture file' }).waitFor({ state: 'attached' });
  const said = visit.page.locator('.drop-said');
  await said.getByText('That held no picture file.').waitFor();
  // What was saved here, under a name of somebody's own.
  const saved = JSON.stringify([{ picture: 'sky.png', tags: ['Rex'] }]);
  await visit.drop({ name: 'Summer.json', mimeType: 'application/json', buffer: Buffer.from(saved) });
  await said.getByText('Open the picture first, then this file.').waitFor();
  assert.equal(await visit.page.locator('picture-card').count(), 0);
  await visit.end();
});

test('other labels and another template tag every picture anew; the old tags stay until then', async () => {
  const visit = await Visit.begin(browser, site.url);
  await visit.drop(plain('blue.png'), plain('red.png', { colour: [220, 20, 20] }));
  await visit.settled('blue.png');
  await visit.settled('red.png');
  const caption = (await visit.read('blue.png')).caption;
  const before = (await visit.read('blue.png')).tags.length;
  assert.ok(
    before > 2 && before <= 7,
    `${before} tags: more than the two to come, and as many as are seen at a glance`,
  );

  await visit.ask(['  a banana ', '', 'a bicycle'], 'a picture of {}');
  // Never an empty card on the way: the list changes from these tags to two in one step.
  await visit.page.waitForFunction(() =>
    [...document.querySelectorAll('.tags')].every((list) => {
      if (list.childElementCount === 0) throw new Error('a card lost its tags');
      return list.childElementCount === 2;
    }),
  );
  const { tags, scores } = await visit.read('red.png');
  assert.deepEqual(
    [...tags].sort(),
    ['a banana', 'a bicycle'],
    'labels are trimmed, empty lines are spacing',
  );
  assert.equal(
    scores.reduce((sum, score) => sum + Number.parseInt(score.replace('<', ''), 10), 0) >= 99,
    true,
    `the scores of all labels make up one hundred per cent: ${scores}`,
  );
  assert.equal((await visit.read('blue.png')).caption, caption, 'captions do not depend on labels');

  await visit.page.getByRole('button', { name: 'Restore the first labels' }).click();
  await visit.page.waitForFunction(
    (count) => document.querySelector('.tags')?.childElementCount === count,
    before,
  );
  await visit.end();
});

test('everything can be done from the keyboard', async () => {
  const visit = await Visit.begin(browser, site.url);
  const { page } = visit;
  await visit.ready();
  /** Presses Tab until a control has the focus. @param {import('playwright-core').Locator} control */
  const tabTo = async (control) => {
    for (let presses = 0; presses < 60; presses++) {
      await page.keyboard.press('Tab');
      if (await control.evaluate((element) => element === document.activeElement)) return;
    }
    assert.fail(`Tab never reached ${control}`);
  };

  await tabTo(page.getByRole('link', { name: 'Skip to the pictures' }));
  const dialog = page.waitForEvent('filechooser');
  await tabTo(page.getByRole('button', { name: 'Choose pictures' }));
  await page.keyboard.press('Enter');
  await (await dialog).setFiles([plain('first.png'), plain('second.png', { colour: [9, 90, 9] })]);
  await visit.settled('first.png');
  await visit.settled('second.png');

  await tabTo(page.getByLabel('One label on each line'));
  await page.keyboard.press('Control+A');
  await page.keyboard.type('a banana\na bicycle');
  await page.keyboard.press('Control+Enter');
  await page.waitForFunction(() => document.querySelector('.tags')?.childElementCount === 2);

  await tabTo(page.getByRole('button', { name: 'Remove first.png' }));
  await page.keyboard.press('Space');
  await visit.card('first.png').waitFor({ state: 'detached' });
  const focused = () =>
    page.evaluate(
      () => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent,
    );
  assert.equal(await focused(), 'Remove second.png', 'the focus goes to the neighbour');
  await page.keyboard.press('Enter');
  assert.equal(
    await focused(),
    'Choose pictures',
    'and from the last picture back to where pictures come in',
  );
  assert.equal(await page.locator('picture-card').count(), 0);
  await visit.end();
});

test('caption and tags are copied as text', async () => {
  const visit = await Visit.begin(browser, site.url, { permissions: ['clipboard-read', 'clipboard-write'] });
  await visit.drop(plain('copy.png'));
  await visit.settled('copy.png');
  await visit.page.getByRole('button', { name: 'Copy caption and tags of copy.png' }).click();
  await visit.page.getByText('Copied').first().waitFor();
  const text = await visit.page.evaluate(() => navigator.clipboard.readText());
  const { caption, tags, scores } = await visit.read('copy.png');
  assert.equal(text, `${caption}\n${tags.map((tag, i) => `${tag} ${scores[i]}`).join(', ')}`);
  await visit.end();
});
