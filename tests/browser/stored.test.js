// Models of the hub are kept in the browser's own storage: the second visit asks the network for nothing, and what is
// kept can be forgotten.

import assert from 'node:assert/strict';
import path from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { openBrowser } from './support/browser.js';
import { fewLabels, openSite, Visit } from './support/site.js';
import { plain } from './support/pictures.js';

const MODELS = fileURLToPath(new URL('../golden/trained', import.meta.url));
const ID = 'somebody/clip';

/** A hub that has the built-in tagger under another name. @param {string} rest */
function hub(rest) {
  const prefix = `${ID}/resolve/main/`;
  return rest.startsWith(prefix) ? path.join(MODELS, 'clip-tiny', rest.slice(prefix.length)) : null;
}

const browser = await openBrowser();
const site = await openSite({ ...fewLabels, 'hub/': hub });
test.after(async () => {
  await browser.close();
  await site.close();
});

/** Opens the page and loads the hub's model; what was asked of the hub meanwhile. @param {Visit} visit */
async function load(visit) {
  await visit.page.goto(`${site.url}?base=${encodeURIComponent(`${site.url}hub/`)}`);
  await visit.ready();
  visit.requests.length = 0;
  const picker = visit.page.locator('#tag-picker');
  await visit.openModels();
  await picker.locator('select').selectOption({ label: 'Another model…' });
  await picker.locator('input').fill(ID);
  await picker.getByRole('button').click();
  await picker.getByRole('button', { name: 'In use' }).waitFor();
  return visit.requests.filter(({ url }) => url.includes('/hub/')).length;
}

test('the second load needs no network, and a forgotten model is fetched again', async () => {
  const visit = await Visit.begin(browser, site.url);
  const stored = visit.page.locator('stored-models');
  assert.equal(await load(visit), 4);
  await stored.getByText(ID).waitFor();
  assert.match((await stored.textContent()) ?? '', /tags, int8, \d+\.\d MB/);

  assert.equal(await load(visit), 0, 'nothing is asked of the hub');
  await visit.stillWorks(plain('kept.png'));

  await stored.getByRole('button', { name: `Forget ${ID}` }).click();
  await stored.waitFor({ state: 'hidden' });
  assert.equal(await load(visit), 4);
  await visit.end();
});

/** How many bytes of labels' embeddings are kept in each entry. @param {Visit} visit */
function embeddings(visit) {
  return visit.page.evaluate(async () => {
    const root = await (await navigator.storage.getDirectory()).getDirectoryHandle('ocelli-models');
    const sizes = [];
    for await (const folder of root.values()) {
      const file = await folder.getFileHandle('embeddings').catch(() => null);
      sizes.push(file ? (await file.getFile()).size : 0);
    }
    return sizes;
  });
}

test("labels' embeddings are kept beside the model, and go with it", async () => {
  const visit = await Visit.begin(browser, site.url);
  await load(visit);
  await visit.stillWorks(plain('first.png'));
  const kept = await embeddings(visit);
  assert.ok(kept.length === 1 && kept[0] > 1000, `${kept}`);

  await load(visit);
  await visit.stillWorks(plain('second.png'));
  assert.deepEqual(await embeddings(visit), kept, 'no label was new');

  const stored = visit.page.locator('stored-models');
  await stored.getByRole('button', { name: `Forget ${ID}` }).click();
  await stored.waitFor({ state: 'hidden' });
  assert.deepEqual(await embeddings(visit), []);
  await visit.end();
});

test('an entry that was damaged is fetched again', async () => {
  const visit = await Visit.begin(browser, site.url);
  assert.equal(await load(visit), 4);
  await visit.page.evaluate(async () => {
    const root = await (await navigator.storage.getDirectory()).getDirectoryHandle('ocelli-models');
    for await (const folder of root.values()) {
      const file = await folder.getFileHandle('weights');
      const writable = await file.createWritable({ keepExistingData: true });
      await writable.write({ type: 'write', position: 5000, data: new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]) });
      await writable.close();
    }
  });
  assert.equal(await load(visit), 4, 'the damage is found, and the model downloaded');
  assert.equal(await load(visit), 0);
  await visit.end();
});
