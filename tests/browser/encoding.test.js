// Prompts as image generators take them: asked for on the page, computed by a text encoder that nobody downloads unasked.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { openBrowser } from './support/browser.js';
import { fewLabels, openSite, Visit } from './support/site.js';

const GOLDEN = fileURLToPath(new URL('../golden', import.meta.url));
/** A small text encoder with seeded weights. @type {Record<string, string>} */
const FILES = {
  'config.json': 'prompts/openai/config.json',
  'model.safetensors': 'prompts/openai/model.safetensors',
  'tokenizer.json': 'text/clip-tokenizer.json',
};

const browser = await openBrowser();
const site = await openSite({
  ...fewLabels,
  'encoder/': (rest) => (FILES[rest] ? path.join(GOLDEN, FILES[rest]) : null),
});
test.after(async () => {
  await browser.close();
  await site.close();
});

test('a prompt is saved as numbers, once somebody asks for them', async () => {
  const visit = await Visit.begin(browser, site.url);
  const { page } = visit;
  await visit.ready();
  await page.locator('#models-panel > summary').click();
  await page.getByText('Prompts for image generators, as numbers').click();
  const asked = () => visit.requests.filter(({ url }) => url.includes('/encoder/')).length;
  await page.getByLabel('Text encoder').fill('./encoder/');
  const encode = page.getByRole('button', { name: 'Download the model and encode' });
  await encode.click();
  assert.ok(
    await page.getByLabel('Prompt', { exact: true }).evaluate((field) => field === document.activeElement),
  );
  assert.equal(asked(), 0, 'nothing is fetched for no prompt');
  await page.getByLabel('Prompt', { exact: true }).fill('a (red:1.3) bus');
  await page.getByLabel('Negative prompt').fill('blurry');
  const saving = page.waitForEvent('download');
  await encode.click();
  const saved = await saving;
  assert.equal(saved.suggestedFilename(), 'prompt.safetensors');
  const bytes = readFileSync(await saved.path());
  const head = JSON.parse(bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE())).toString());
  assert.equal(head.hidden_states.shape[0], 14);
  assert.deepEqual(head.negative_hidden_states.shape, head.hidden_states.shape);
  await page.getByText('Saved prompt.safetensors: 14 tokens').waitFor();
  const before = asked();
  const again = page.waitForEvent('download');
  await encode.click();
  await again;
  assert.equal(asked(), before, 'the model is there');
  await page.getByLabel('Text encoder').fill('./nothing/');
  await encode.click();
  await page
    .locator('encode-prompt [role=status]', { hasText: /\.$/ })
    .filter({ hasNotText: 'Saved' })
    .waitFor();
  await visit.end({ expected: [/404/] });
});
