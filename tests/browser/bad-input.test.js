// Pictures and labels that cannot be used: each is answered with its sentence, and the page goes on.

import assert from 'node:assert/strict';
import test from 'node:test';
import { openBrowser } from './support/browser.js';
import { assertSentence, openSite, Visit } from './support/site.js';
import { badPictures, plain } from './support/pictures.js';

const browser = await openBrowser();
const site = await openSite();
test.after(async () => {
  await browser.close();
  await site.close();
});

test('pictures that cannot be read say why on their own card; their neighbours are tagged', async (t) => {
  const visit = await Visit.begin(browser, site.url);
  const bad = badPictures();
  const dot = plain('dot.png', { width: 1, height: 1 });
  await visit.drop(...bad.map(({ file }) => file), dot, plain('good.png'));
  await visit.settled('good.png');
  // A single pixel is a picture: it gets its tags like any other.
  await visit.settled('dot.png');

  for (const { code, file } of bad) {
    await t.test(`${file.name}: ${code}`, async () => {
      await visit.settled(file.name, 'failed');
      const { errors, tags } = await visit.read(file.name);
      assert.deepEqual(
        errors.map((error) => error.code),
        [code],
        'both models fail alike: it is said once',
      );
      assertSentence(errors[0].sentence);
      assert.deepEqual(tags, []);
      const ask = visit.card(file.name).getByText('Ask about this picture');
      assert.equal(await ask.isVisible(), false, 'what cannot be read cannot be asked about');
    });
  }

  await t.test('other labels do not make them readable', async () => {
    await visit.ask(['cat', 'dog']);
    await visit.page.waitForFunction(() => document.querySelectorAll('.tags > li').length === 4, null, {
      timeout: 30_000,
    });
    await visit.settled('letter.doc', 'failed');
  });

  await t.test('one is tried again and fails again, another is removed', async () => {
    await visit.page.getByRole('button', { name: 'Try again with letter.doc' }).click();
    await visit.settled('letter.doc', 'failed');
    await visit.page.getByRole('button', { name: 'Remove empty.jpg' }).click();
    await visit.card('empty.jpg').waitFor({ state: 'detached' });
  });

  await visit.stillWorks(plain('afterwards.png'));
  await visit.end();
});

test('labels that cannot be used are named beside the labels; the tags so far stay', async (t) => {
  const visit = await Visit.begin(browser, site.url);
  await visit.drop(plain('kept.png'));
  await visit.settled('kept.png');
  const before = await visit.read('kept.png');

  /** @type {[string, string[], string | undefined, string][]} */
  const cases = [
    ['no labels', [], undefined, 'labels-empty'],
    ['only white space', ['  ', '\t', ''], undefined, 'labels-empty'],
    ['a label of 5,000 characters', ['cat', 'x'.repeat(5_000)], undefined, 'label-too-long'],
    ['10,001 labels', Array.from({ length: 10_001 }, (_, i) => `label ${i}`), undefined, 'labels-too-many'],
    ['a template without a place', ['cat'], 'a photo of nothing', 'template-invalid'],
    ['an empty template', ['cat'], '', 'template-invalid'],
    ['a template with two places', ['cat'], '{} and {}', 'template-invalid'],
  ];
  for (const [what, labels, template = 'a photo of a {}.', code] of cases) {
    await t.test(`${what}: ${code}`, async () => {
      await visit.ask(labels, template);
      await visit.page.locator(`#labels-error[data-code="${code}"]`).waitFor();
      assertSentence((await visit.labelError()).sentence);
      assert.deepEqual(await visit.read('kept.png'), before, 'nothing is lost');
      await visit.settled('kept.png');
      await visit.ask(['cat', 'dog'], 'a photo of a {}.');
      await visit.page.locator('#labels-error').waitFor({ state: 'hidden' });
      await visit.settled('kept.png');
      await visit.page.getByRole('button', { name: 'Restore the first labels' }).click();
      await visit.page.waitForFunction(
        (first) => document.querySelector('.tags .tag-label')?.textContent === first,
        before.tags[0],
      );
      await visit.settled('kept.png');
    });
  }

  await visit.stillWorks(plain('afterwards.png'));
  await visit.end();
});

test('10,000 labels are read under one’s eyes and can be stopped', async () => {
  const visit = await Visit.begin(browser, site.url);
  await visit.drop(plain('patient.png'));
  await visit.settled('patient.png');
  const before = await visit.read('patient.png');
  await visit.ask(Array.from({ length: 10_000 }, (_, i) => `thing number ${i}`));
  await visit.page
    .locator('work-bar')
    .getByText(/Reading labels: [\d,]+ of 10,000/)
    .waitFor();
  await visit.page.getByRole('button', { name: 'Stop' }).click();
  await visit.settled('patient.png', 'stopped');
  const { tags } = await visit.read('patient.png');
  assert.deepEqual(tags, before.tags, 'the tags from before are still there');

  await visit.page.getByRole('button', { name: 'Restore the first labels' }).click();
  await visit.settled('patient.png');
  await visit.stillWorks(plain('afterwards.png'));
  await visit.end();
});
