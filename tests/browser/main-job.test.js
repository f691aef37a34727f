// The main job, end to end: pictures are dropped on the page, each gets tags and a caption that mean
// something, and nothing leaves the machine.

import assert from 'node:assert/strict';
import test from 'node:test';
import { NOT_IN_FIREFOX, openBrowser } from './support/browser.js';
import { openSite, Visit } from './support/site.js';
import { drawings, photographs, photosAreHere, plain, STYLES } from './support/pictures.js';

const browser = await openBrowser();
// With all the labels that come with the built-in model.
const site = await openSite({});
test.after(async () => {
  await browser.close();
  await site.close();
});

/** What is right too, where the model is not sure which kind it is. @type {Record<string, string[]>} */
const BROADER = {
  accordion: ['musical instrument'],
  butterfly: ['insect'],
  pizza: ['food'],
  rocket: ['spacecraft'],
  banana: ['fruit'],
};

/** @typedef {{ label: string, file: import('./support/pictures.js').File }} Expectation */

/**
 * Drops pictures, waits for all, and counts how many are understood.
 * @param {Visit} visit
 * @param {Expectation[]} expectations
 * @param {import('node:test').TestContext} t
 */
async function understood(visit, expectations, t) {
  await visit.drop(...expectations.map(({ file }) => file));
  let tagged = 0;
  let described = 0;
  for (const { label, file } of expectations) {
    await visit.settled(file.name);
    const { caption, tags, scores, errors } = await visit.read(file.name);
    assert.deepEqual(errors, []);
    assert.ok(tags.length <= 7, 'as many as are seen at a glance');
    assert.ok(scores.every((score) => /^(<1|\d{1,3})%$/.test(score)));
    assert.ok(caption.length > 0);
    t.diagnostic(`${file.name}: ${tags[0]} ${scores[0]} (${tags.slice(1).join(', ')}) "${caption}"`);
    // Where the model is unsure of the kind, the broader word is the right answer.
    const right = [label, ...(BROADER[label] ?? [])];
    if (right.some((word) => tags.includes(word))) tagged += 1;
    if (right.some((word) => caption.toLowerCase().includes(word))) described += 1;
  }
  return { tagged, described };
}

test(
  'three photographs',
  { skip: !photosAreHere && 'the photographs (../shared/data) are not here' },
  async (t) => {
    const visit = await Visit.begin(browser, site.url);
    const expectations = photographs(['butterfly', 'accordion', 'banana']);
    const { tagged, described } = await understood(visit, expectations, t);
    // The built-in models are small: most, not all, is what can honestly be asked of them.
    assert.ok(
      tagged >= 2,
      `only ${tagged} of 3 photographs have their label, or a broader one, among the tags`,
    );
    assert.ok(described >= 2, `only ${described} of 3 photographs are named by their caption`);
    await visit.end();
  },
);

test('three drawings of each style that the built-in model was trained on', async (t) => {
  const visit = await Visit.begin(browser, site.url);
  const expectations = STYLES.trained.flatMap(drawings);
  assert.equal(expectations.length, 12);
  const { tagged, described } = await understood(visit, expectations, t);
  // One in 1,400 labels would be right by chance, five guesses in 12 drawings: far less than one.
  assert.ok(tagged >= 10, `only ${tagged} of 12 drawings have their label, or a broader one, among the tags`);
  assert.ok(described >= 8, `only ${described} of 12 drawings are named by their caption`);
  await visit.end();
});

test('three drawings of a style that it never saw: answers, though nobody promises right ones', async (t) => {
  const visit = await Visit.begin(browser, site.url);
  const expectations = STYLES.unseen.flatMap(drawings);
  assert.equal(expectations.length, 3);
  await understood(visit, expectations, t);
  await visit.end();
});

test('a page without models to download asks for its own files only, workers included', async () => {
  const visit = await Visit.begin(browser, site.url);
  await visit.ready();
  await visit.drop(plain('blue.png'));
  await visit.settled('blue.png');
  const files = visit.requests.map(({ url }) => new URL(url).pathname.split('/').pop() ?? '');
  // If the recorder did not hear the workers, the assertion in end() would prove nothing.
  assert.ok(
    files.includes('model.safetensors') && files.some((file) => file.endsWith('.wasm')),
    files.join(' '),
  );
  assert.ok(
    visit.requests.filter(({ url }) => url.startsWith('http')).every(({ url }) => url.startsWith(site.url)),
  );
  await visit.end();
});

test('the caption is written piece by piece', { skip: NOT_IN_FIREFOX.workers }, async () => {
  const visit = await Visit.begin(browser, `${site.url}?threads=1`);
  await visit.ready();
  // On one thread: those of a pool never come to their messages.
  // The built-in model may write a whole caption between two frames: its messages are held up to be seen.
  await visit.holdUpMessages(60);
  await visit.page.evaluate(() => {
    /** @type {Set<string>} */
    const seen = new Set();
    Object.assign(globalThis, { seen });
    new MutationObserver(() => {
      const caption = document.querySelector('.caption[data-writing]');
      if (caption?.textContent) seen.add(caption.textContent);
    }).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
  });
  await visit.drop(plain('blue.png'));
  await visit.settled('blue.png');
  const { caption } = await visit.read('blue.png');
  const seen = await visit.page.evaluate(() => [.../** @type {any} */ (globalThis).seen]);
  assert.ok(
    seen.length > 1 && seen.every((part) => caption.startsWith(part)),
    `${seen} are parts of ${caption}`,
  );
  await visit.end();
});
