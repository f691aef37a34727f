// Asking about one picture: texts to match, whose model is loaded with the first question and not before.

import assert from 'node:assert/strict';
import test from 'node:test';
import { assertSentence, openBrowser, openSite, Visit } from './support/site.js';
import { plain } from './support/pictures.js';

const browser = await openBrowser();
const site = await openSite();
test.after(async () => {
  await browser.close();
  await site.close();
});

/** A visit with one picture that is done, its questions open. */
async function withPicture() {
  const visit = await Visit.begin(browser, site.url);
  await visit.drop(plain('sky.png'));
  await visit.settled('sky.png');
  const card = visit.card('sky.png');
  await card.getByText('Ask about this picture').click();
  return { visit, card };
}

test('texts are ordered by how well they fit', async () => {
  const { visit, card } = await withPicture();
  assert.equal(await visit.page.locator('#match-notice').getAttribute('data-status'), 'empty');
  await card.getByLabel('Which of these fits?').fill('a dog\n\n  a cat  \na <b>bird</b>');
  await card.getByRole('button', { name: 'Match texts with sky.png' }).click();
  await visit.page.waitForFunction(() => document.querySelector('.matches')?.childElementCount === 3);
  const texts = await card.locator('.matches .tag-label').allInnerTexts();
  assert.deepEqual([...texts].sort(), ['a <b>bird</b>', 'a cat', 'a dog']);
  const shares = (await card.locator('.matches .tag-score').allInnerTexts()).map((text) =>
    Number.parseInt(text.replace(/\D+/g, ''), 10),
  );
  assert.deepEqual(
    shares,
    [...shares].sort((a, b) => b - a),
    'best first',
  );
  await visit.end();
});

test('questions need a model, and one that is not there is said to be', async () => {
  const { visit, card } = await withPicture();
  const { page } = visit;
  await card.getByText('Questions need a model').waitFor();
  assert.equal(await card.getByLabel('A question').isVisible(), false);
  await page.getByText('Classes, matching, questions').click();
  await visit.use('answer', './missing/model/');
  await page.locator('#answer-notice[data-status="failed"]').waitFor();
  assertSentence(await page.locator('#answer-notice .notice-line').innerText());
  await page.locator('#answer-picker select').selectOption({ label: 'None' });
  await page.locator('#answer-picker').getByRole('button', { name: 'Use none' }).click();
  await card.getByText('Questions need a model').waitFor();
  await visit.stillWorks(plain('red.png', { colour: [220, 20, 20] }));
  await visit.end({ expected: [/Failed to load resource/] });
});
