// What models compute on, as somebody chooses: kept, told, and taken up by the models that are here, without a download that nobody wants.

import assert from 'node:assert/strict';
import test from 'node:test';
import { IN_FIREFOX, openBrowser } from './support/browser.js';
import { plain } from './support/pictures.js';
import { seededModels } from './support/seeded.js';
import { fewLabels, openSite, Visit } from './support/site.js';

const ID = 'somebody/vit';

const browser = await openBrowser({ gpu: true });
const seeded = seededModels();
const site = await openSite({
  ...fewLabels,
  'seeded/': seeded.mount,
  'hub/': (rest) => {
    const prefix = `${ID}/resolve/main/`;
    return rest.startsWith(prefix) ? seeded.mount(`classifying/${rest.slice(prefix.length)}`) : null;
  },
});
test.after(async () => {
  await browser.close();
  await site.close();
  seeded.remove();
});

/** A visit with a picture and a classifier. @param {string} id */
async function withClassifier(id) {
  const visit = await Visit.begin(browser, `${site.url}?base=${encodeURIComponent(`${site.url}hub/`)}`);
  await visit.ready();
  await visit.use('classify', id);
  const picker = visit.page.locator('#classify-picker');
  await picker.getByRole('button', { name: 'In use' }).waitFor();
  await visit.drop(plain('sky.png'));
  await visit.settled('sky.png');
  return {
    visit,
    choice: visit.page.getByLabel('Compute on'),
    /** What the classifier runs on. @param {RegExp} text */
    runs: (text) => picker.getByText(text).waitFor(),
    /** Nothing is said of it that is not said of the built-in models. */
    async runsAsOthers() {
      await picker.getByText(/^Runs /).waitFor({ state: 'hidden' });
      await picker.getByRole('button', { name: 'In use' }).waitFor();
    },
    /** Requests for files of models since the last time. */
    asked() {
      const all = visit.requests.filter(({ url }) => /\/(hub|seeded|models)\//.test(url)).length;
      visit.requests.length = 0;
      return all;
    },
  };
}

test(
  'a model that is kept is loaded again for another device, and nothing is downloaded',
  { skip: IN_FIREFOX && 'Firefox of Debian has no WebGPU' },
  async () => {
    const { visit, choice, runs, runsAsOthers, asked } = await withClassifier(ID);
    const { page } = visit;
    assert.equal(await choice.inputValue(), 'auto');
    await runs(/No GPU, because software stands in for a GPU here\./);
    const classes = await visit.card('sky.png').locator('.classes').innerText();
    await page.locator('stored-models').getByText(ID).waitFor();
    asked();
    await choice.selectOption('Graphics card');
    await runs(/^Runs on the graphics card, and with .* SIMD on .* threads?\. .*Pictures go through the GPU/);
    await choice.selectOption('Processor');
    await runsAsOthers();
    assert.equal(asked(), 0);
    assert.equal(await page.getByRole('button', { name: 'Load again' }).count(), 0);
    // What was answered stands.
    assert.equal(await visit.card('sky.png').locator('.classes').innerText(), classes);
    await visit.stillWorks(plain('red.png', { colour: [220, 20, 20] }));

    await page.reload();
    await visit.openModels();
    assert.equal(await choice.inputValue(), 'wasm', 'the next visit knows of it');
    await page.goto(`${page.url()}&device=webgpu`);
    await visit.openModels();
    assert.equal(await choice.inputValue(), 'webgpu', 'the address goes before');
    await visit.end();
  },
);

test('a model that is not kept waits until somebody wants it loaded again', async () => {
  const { visit, choice, runsAsOthers, asked } = await withClassifier('./seeded/classifying/');
  asked();
  await choice.selectOption('Processor');
  const line = visit.page.locator('compute-device [role=status]');
  await line.getByText('./seeded/classifying/ is not kept in this browser, and goes on as before.').waitFor();
  assert.equal(asked(), 0);
  const again = visit.page.getByRole('button', { name: 'Load again' });
  await again.focus();
  await visit.page.keyboard.press('Enter');
  await again.waitFor({ state: 'hidden' });
  await visit.holdsKeyboard(choice);
  await runsAsOthers();
  assert.ok(asked() > 0);
  await visit.stillWorks(plain('red.png', { colour: [220, 20, 20] }));
  await visit.end();
});
