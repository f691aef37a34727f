// The four builds of the wasm, each in the page: same answers, and the page says which one runs and why.

import assert from 'node:assert/strict';
import test from 'node:test';
import { serve } from '../../scripts/serve.mjs';
import { drawings, STYLES } from './support/pictures.js';
import { openBrowser } from './support/browser.js';
import { DIST, openSite, Visit } from './support/site.js';

/**
 * Relaxed SIMD rounds a product and its sum once, plain SIMD twice. The last bit decides now and then which of two steps
 * an input of the next layer becomes, so that two variants are as far from each other as each is from f32: a score
 * may move by a few hundredths.
 */
const SCORES_DIFFER = 8;

const browser = await openBrowser();
const site = await openSite();
test.after(async () => {
  await browser.close();
  await site.close();
});

const [{ file }] = drawings(STYLES.trained[0]);

/** Tags, scores and caption of one picture, and what the page says that it runs on. */
async function answers(url) {
  const visit = await Visit.begin(browser, url);
  await visit.ready();
  const runs = await visit.page.textContent('#tag-picker');
  await visit.drop(file);
  await visit.settled(file.name);
  const { caption, tags, scores, errors } = await visit.read(file.name);
  assert.deepEqual(errors, []);
  const fetched = visit.requests.filter((request) => request.url.endsWith('.wasm')).map(({ url }) => url);
  await visit.end();
  return { caption, tags, scores, runs, fetched: new Set(fetched) };
}

test('all four variants give the same answers', async () => {
  const words = {
    simd128: /plain SIMD on one thread/,
    relaxed: /relaxed SIMD on one thread/,
    'simd128-threads': /plain SIMD on 2 threads/,
    'relaxed-threads': /relaxed SIMD on 2 threads/,
  };
  const found = [];
  for (const [variant, expected] of Object.entries(words)) {
    const threads = variant.endsWith('threads') ? '&threads=2' : '';
    const answer = await answers(`${site.url}?variant=${variant}${threads}`);
    assert.match(answer.runs, expected);
    assert.equal(answer.fetched.size, 1, `${variant}: only its own wasm is fetched`);
    found.push(answer);
  }
  const [first, ...others] = found;
  assert.equal(first.tags.length, 7, 'as many as are seen at a glance');
  const percent = (score) => (score === '<1%' ? 0 : Number.parseInt(score, 10));
  for (const { caption, tags, scores } of others) {
    assert.equal(caption, first.caption);
    assert.deepEqual(tags, first.tags);
    scores.forEach((score, i) => {
      const difference = Math.abs(percent(score) - percent(first.scores[i]));
      assert.ok(difference <= SCORES_DIFFER, `${tags[i]}: ${score} and ${first.scores[i]}`);
    });
  }
  assert.equal(new Set(found.flatMap(({ fetched }) => [...fetched])).size, 4);
});

test('the page chooses threads where it is isolated, and one where it is not', async () => {
  const isolated = await answers(site.url);
  assert.match(
    isolated.runs,
    /Runs with relaxed SIMD on \d+ threads\. This browser has relaxed SIMD, and threads can share memory./,
  );
  const one = await answers(`${site.url}?threads=1`);
  assert.match(one.runs, /one thread, because no more was asked for/);

  const headers = {
    'Cross-Origin-Opener-Policy': 'unsafe-none',
    'Cross-Origin-Embedder-Policy': 'unsafe-none',
  };
  const plain = await serve({ root: DIST, headers });
  try {
    const visit = await Visit.begin(browser, plain.url);
    await visit.ready();
    assert.match(
      await visit.page.textContent('#tag-picker'),
      /one thread, because the page is not cross-origin isolated/,
    );
    await visit.end();
  } finally {
    await plain.close();
  }
});
