// Asking about one picture: texts to match, whose model is loaded with the first question and not before.

import assert from 'node:assert/strict';
import test from 'node:test';
import { openBrowser } from './support/browser.js';
import { assertSentence, openSite, painted, Visit } from './support/site.js';
import { plain } from './support/pictures.js';

const browser = await openBrowser();
const site = await openSite();
test.after(async () => {
  await browser.close();
  await site.close();
});

/** A visit with one picture that is done, its questions open. */
async function withPicture() {
  const visit = await Visit.withPicture(browser, site.url);
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

test('a matched text shows its map: pointed at, from the keyboard, and kept by a press', async () => {
  const { visit, card } = await withPicture();
  const { page } = visit;
  const long = 'a red car beside a green car behind a blue car before a yellow car under a black car';
  const map = card.locator('.map');
  const note = card.locator('.map-note');
  await card.getByLabel('Which of these fits?').fill(`a blue sky\n${long}`);
  await card.getByRole('button', { name: 'Match texts with sky.png' }).click();
  const lines = card.locator('.matches button');
  await lines.nth(1).waitFor();
  const texts = await card.locator('.matches .tag-label').allInnerTexts();

  await lines.first().hover();
  await map.waitFor();
  const short = (/** @type {string} */ text) =>
    text === long ? 'a red car beside a green car behind a blue car before a…' : text;
  assert.equal(await note.innerText(), `What makes it match “${short(texts[0])}”`);
  assert.ok((await painted(map)) > 0, 'the map has something to show');
  const first = await map.evaluate((canvas) => /** @type {HTMLCanvasElement} */ (canvas).toDataURL());
  await page.mouse.move(2, 2);
  await map.waitFor({ state: 'hidden' });

  await card.getByRole('button', { name: 'Match texts with sky.png' }).focus();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  assert.equal(await lines.nth(1).evaluate((line) => line === document.activeElement), true);
  await note.filter({ hasText: `“${short(texts[1])}”` }).waitFor();
  await map.waitFor();
  const second = await map.evaluate((canvas) => /** @type {HTMLCanvasElement} */ (canvas).toDataURL());
  assert.notEqual(first, second, 'each text has a map of its own');
  await page.keyboard.press('Escape');
  await map.waitFor({ state: 'hidden' });

  await page.keyboard.press('Enter');
  await map.waitFor();
  assert.equal(await lines.nth(1).getAttribute('aria-pressed'), 'true');
  await visit.end();
});

test('a matching that takes long can be given up, and asked for again', async () => {
  const { visit, card } = await withPicture();
  const texts = card.getByLabel('Which of these fits?');
  const match = card.getByRole('button', { name: 'Match texts with sky.png' });
  // Not typed, as Chromium takes minutes to type ten thousand lines.
  await texts.evaluate((field) => {
    /** @type {HTMLTextAreaElement} */ (field).value = Array.from(
      { length: 10_000 },
      (_, place) => `a photo of ${place} things on a table`,
    ).join('\n');
  });
  await match.click();
  await card.getByText('Comparing').waitFor();
  await card.getByRole('button', { name: 'Cancel' }).click();
  await card.getByText('Comparing').waitFor({ state: 'detached' });
  assert.equal(await match.evaluate((element) => element === document.activeElement), true);
  assert.equal(await card.locator('.matches').isVisible(), false);

  await texts.fill('a blue sky');
  await match.click();
  await card.locator('.matches button').waitFor();
  await visit.end();
});

test('a matcher that cannot be loaded is said to be, in the card too, and the built-in one is a press away', async () => {
  const { visit, card } = await withPicture();
  const { page } = visit;
  await visit.use('match', './missing/model/');
  const notice = page.locator('#match-notice');
  await notice.and(page.locator('[data-status="failed"]')).waitFor();
  await card.getByLabel('Which of these fits?').fill('a blue sky');
  await card.getByRole('button', { name: 'Match texts with sky.png' }).click();
  await card.getByText('The model was not loaded.').waitFor();
  await notice.getByRole('button', { name: 'Use the built-in model' }).click();
  await card.locator('.matches button').waitFor();
  await visit.end({ expected: [/Failed to load resource/] });
});

test('questions need a model: the card leads to it, and one that is not there is said to be', async () => {
  const { visit, card } = await withPicture();
  const { page } = visit;
  const none = card.getByText('Answering questions needs a model of its own.');
  await none.waitFor();
  assert.equal(await card.getByLabel('A question').isVisible(), false);
  assert.equal(
    await card.getByRole('button', { name: 'Answer the question about sky.png' }).isVisible(),
    false,
  );
  const choose = card.getByRole('button', { name: /^Choose a model for answering questions \([\d,]+ MB\)$/ });
  assert.match(await choose.innerText(), /^Choose a model \([\d,]+ MB\)$/);
  await choose.click();
  const select = page.locator('#answer-picker select');
  assert.equal(await select.evaluate((element) => element === document.activeElement), true);
  assert.ok(
    (await select.locator('option').allInnerTexts()).some((text) => /^Answers, [\d,]+ MB$/.test(text)),
  );
  await visit.use('answer', './missing/model/');
  await page.locator('#answer-notice[data-status="failed"]').waitFor();
  assertSentence(await page.locator('#answer-notice .notice-line').innerText());
  await card.getByLabel('A question').fill('what is it?');
  await page.keyboard.press('Enter');
  await card.getByText('The model was not loaded.').waitFor();
  await select.selectOption({ label: 'None' });
  await page.locator('#answer-picker').getByRole('button', { name: 'Use none' }).click();
  await none.waitFor();
  await visit.stillWorks(plain('red.png', { colour: [220, 20, 20] }));
  await visit.end({ expected: [/Failed to load resource/] });
});

test('a prompt is found with the models at work, in the way that somebody wants, and can be stopped', async () => {
  const visit = await Visit.withPicture(browser, site.url);
  const card = visit.card('sky.png');
  await card.getByText('A prompt for image generators').click();
  const find = card.getByRole('button', { name: 'Find a prompt' });
  const prompt = card.getByRole('textbox', { name: 'Prompt' });
  await find.click();
  const copy = card.getByRole('button', { name: 'Copy the prompt' });
  await copy.waitFor();
  await copy.evaluate(
    (element) =>
      new Promise((resolve) => {
        new IntersectionObserver(
          ([seen], watch) => {
            if ((seen?.intersectionRatio ?? 0) < 1) return;
            watch.disconnect();
            resolve(null);
          },
          { threshold: 1 },
        ).observe(element);
      }),
  );
  await card.getByRole('button', { name: 'Stop' }).waitFor({ state: 'hidden' });
  const quick = await prompt.inputValue();
  const caption = await card.locator('.caption').innerText();
  assert.ok(quick.startsWith(`${caption}, `), quick);
  await card.getByLabel('How it is found').selectOption('negative');
  await find.click();
  await visit.page.waitForFunction((before) => {
    const field = document.querySelector('find-prompt textarea');
    return field instanceof HTMLTextAreaElement && field.value !== '' && field.value !== before;
  }, quick);
  assert.ok(!(await prompt.inputValue()).includes(caption));
  await card.getByLabel('How it is found').selectOption('best');
  await find.click();
  await card.getByRole('button', { name: 'Stop' }).click();
  await card.getByRole('button', { name: 'Stop' }).waitFor({ state: 'hidden' });
  assert.equal(await card.locator('find-prompt [role=status]').innerText(), '');
  await visit.end();
});
