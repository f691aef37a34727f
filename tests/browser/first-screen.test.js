// The first screen: samples to try, the picture with its answers in view after a drop, one download for all of them, and
// a word that says so where the model is not sure.

import assert from 'node:assert/strict';
import test from 'node:test';
import { openBrowser } from './support/browser.js';
import { fewLabels, openSite, sureFrom, Visit } from './support/site.js';
import { plain } from './support/pictures.js';

const browser = await openBrowser();
const site = await openSite();
const unsure = await openSite({ ...fewLabels, ...sureFrom(1) });
test.after(async () => {
  await browser.close();
  await site.close();
  await unsure.close();
});

const DEVICES = {
  desktop: { viewport: { width: 1280, height: 800 } },
  phone: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
};

/** How long the page may take to come to rest. */
const REST_TRIES = 20;
const REST_MS = 100;

/** Asserts that an element is inside of the window, once scrolling has come to rest. @param {Visit} visit @param {string} selector */
async function inView(visit, selector) {
  const seen = (/** @type {Element} */ element) => {
    const { top, bottom } = element.getBoundingClientRect();
    return { top, bottom, height: innerHeight, inside: top >= -1 && bottom <= innerHeight + 1 };
  };
  const element = visit.page.locator(selector).first();
  let found = await element.evaluate(seen);
  for (let tries = 0; tries < REST_TRIES && !found.inside; tries++) {
    await visit.page.waitForTimeout(REST_MS);
    found = await element.evaluate(seen);
  }
  const { top, bottom, height, inside } = found;
  assert.ok(inside, `${selector} goes from ${top} to ${bottom} of ${height}`);
}

for (const [device, options] of Object.entries(DEVICES)) {
  test(`${device}: after a drop the picture and its answers are in view`, async () => {
    const visit = await Visit.withPicture(browser, site.url, { options });
    for (const part of ['.card-frame img', '.words', '.tags > :first-child', '.tags > :nth-child(3)']) {
      await inView(visit, part);
    }
    await visit.end();
  });
}

test('a picture that comes while one has scrolled away from the first is brought into view', async () => {
  const visit = await Visit.withPicture(browser, site.url, { options: DEVICES.desktop });
  await visit.page.evaluate(() => scrollTo(0, document.body.scrollHeight));
  await visit.drop(plain('second.png', { colour: [200, 40, 40] }));
  await visit.settled('second.png');
  await inView(visit, '.card-frame img');
  await visit.end();
});

test('a sample is tried by the keyboard, and tagged as any picture', async () => {
  const visit = await Visit.begin(browser, site.url);
  const samples = visit.page.getByRole('list', { name: 'Or try one of these' }).getByRole('button');
  assert.ok((await samples.count()) >= 3);
  for (const name of await samples.evaluateAll((all) => all.map((one) => one.querySelector('img')?.alt))) {
    assert.match(name ?? '', /^Try an? /);
  }
  await samples.first().focus();
  await visit.page.keyboard.press('Enter');
  await visit.page.locator('picture-card[data-state="done"]').waitFor();
  assert.ok((await visit.page.locator('.tag').count()) > 0);
  // The same again is no other picture.
  await samples.first().click();
  await visit.page.locator('#announcer').getByText('cat.webp is here already').waitFor();
  assert.equal(await visit.page.locator('picture-card').count(), 1);
  assert.ok(
    await visit.page.locator('picture-card').evaluate((card) => card.contains(document.activeElement)),
  );
  await visit.end();
});

test('one model is downloaded once for tags, captions and matches, in one worker', async () => {
  const visit = await Visit.withPicture(browser, `${site.url}?threads=1`);
  const card = visit.card('sky.png');
  await card.getByText('Ask about this picture').click();
  await card.getByLabel('Which of these fits?').fill('a cat\na dog');
  await card.getByRole('button', { name: /^Match texts/ }).click();
  await card.locator('.matches button').first().waitFor();
  const weights = visit.requests.filter(({ url }) => url.endsWith('model.safetensors'));
  assert.equal(weights.length, 1);
  assert.equal(visit.page.workers().length, 1);
  await visit.end();
});

test('where the model is not sure, the page says so and offers a stronger one', async () => {
  const visit = await Visit.withPicture(browser, unsure.url);
  const card = visit.card('sky.png');
  await card.getByText('Not sure what this is: the caption is a guess.').waitFor();
  assert.equal(await card.locator('.tag').count(), 0, 'no word is better than a wrong one');
  const offer = visit.page.locator('larger-model');
  await offer.getByText('Not sure of this picture.').waitFor();
  await offer.getByText(/ times as long as with the built-in model, here at most about /).waitFor();
  await offer.getByRole('button', { name: /^Better tags, \d+ MB$/ }).waitFor();
  await offer.getByRole('button', { name: 'Other models' }).click();
  const picker = visit.page.locator('#tag-picker select');
  await picker.waitFor();
  assert.ok(await picker.evaluate((select) => select === document.activeElement));
  assert.equal(
    visit.requests.some(({ url }) => /siglip/i.test(url)),
    false,
    'nothing is fetched unasked',
  );
  await offer.getByRole('button', { name: 'Not now' }).click();
  await offer.waitFor({ state: 'hidden' });
  // Labels of one's own are one's own question: they are answered.
  await visit.page.locator('#labels-panel').evaluate((panel) => /** @type {any} */ (panel.open = true));
  await visit.ask(['cat', 'dog']);
  await visit.page.waitForFunction(() => document.querySelectorAll('.tag').length === 2);
  await card.getByText(/^Perhaps none of these/).waitFor();
  await visit.end();
});

test('labels of one’s own are answered, and doubted where the picture shows something else', async () => {
  const site = await openSite({});
  const visit = await Visit.begin(browser, site.url);
  const samples = visit.page.getByRole('list', { name: 'Or try one of these' }).getByRole('button');
  await samples.nth(6).click();
  await visit.page.locator('picture-card[data-state="done"]').waitFor();
  const doubt = visit.page.getByText('Perhaps none of these: it looks more like “ladybug”.');
  await visit.page.locator('#labels-panel').evaluate((panel) => /** @type {any} */ (panel.open = true));
  await visit.ask(['cat', 'motorcycle']);
  await doubt.waitFor();
  // The same by another name.
  await visit.ask(['ladybird', 'motorcycle']);
  await visit.page.getByText('ladybird', { exact: true }).first().waitFor();
  await doubt.waitFor({ state: 'hidden' });
  // What implies a label fits it.
  await visit.ask(['beetle', 'motorcycle']);
  await visit.page.getByText('beetle', { exact: true }).first().waitFor();
  await doubt.waitFor({ state: 'hidden' });
  await visit.end();
  await site.close();
});
