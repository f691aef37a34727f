// Tasks that come with no model of their own: once one is chosen, questions are answered and pictures classified.

import assert from 'node:assert/strict';
import test from 'node:test';
import { openBrowser } from './support/browser.js';
import { fewLabels, openSite, painted, Visit } from './support/site.js';
import { plain } from './support/pictures.js';
import { seededModels } from './support/seeded.js';

const browser = await openBrowser();
const seeded = seededModels();
const site = await openSite({ ...fewLabels, 'seeded/': seeded.mount });
test.after(async () => {
  await browser.close();
  await site.close();
  seeded.remove();
});

/** A visit with one picture that is done. */
async function withPicture() {
  const visit = await Visit.withPicture(browser, site.url);
  return { visit, card: visit.card('sky.png') };
}

test('questions are answered in words, each in place of the last', async () => {
  const { visit, card } = await withPicture();
  const { page } = visit;
  await card.getByText('Ask about this picture').click();
  await visit.use('answer', './seeded/answering/');
  const question = card.getByLabel('A question');
  await question.fill('what is it?');
  await page.keyboard.press('Enter');
  const answer = card.locator('.answer');
  await answer.filter({ hasText: /\w/ }).waitFor();
  const first = await answer.innerText();
  await question.fill('why');
  await card.getByRole('button', { name: 'Answer the question about sky.png' }).click();
  await page.waitForFunction(
    ([element, before]) => /\w/.test(element?.textContent ?? '') && element?.textContent !== before,
    /** @type {const} */ ([await answer.elementHandle(), first]),
  );
  await visit.end();
});

test('pictures are classified as long as a model for it is in use, and show what it went by', async () => {
  const { visit, card } = await withPicture();
  const { page } = visit;
  const classes = card.locator('.classes');
  assert.equal(await classes.isVisible(), false);
  await visit.use('classify', './seeded/classifying/');
  const help = (/** @type {string} */ task) =>
    page.locator(`#${task}-picker .field-help`).first().innerText();
  assert.match(await help('classify'), /config\.json/);
  assert.doesNotMatch(await help('classify'), /tokenizer/);
  await classes.waitFor();
  assert.match(await classes.innerText(), /^Class: .+ (<1|\d+)%; .+ (<1|\d+)%; .+ (<1|\d+)%$/);
  await classes.hover();
  const map = card.locator('.map');
  await map.waitFor();
  assert.equal(await card.locator('.map-note').innerText(), 'Where the classifier looked');
  assert.ok((await painted(map)) > 0, 'the map has something to show');
  await visit.drop(plain('red.png', { colour: [220, 20, 20] }));
  await visit.settled('red.png');
  await visit.card('red.png').locator('.classes').waitFor();

  await page.locator('#classify-picker select').selectOption({ label: 'None' });
  await page.locator('#classify-picker').getByRole('button', { name: 'Use none' }).click();
  await classes.waitFor({ state: 'hidden' });
  await visit.end();
});
