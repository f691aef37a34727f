// The full-size check: `npm run check:full`.
//
// CLIP B/32 and BLIP base with seeded weights (605 and 896 MB, made by make.py), served from this machine in the
// hub's layout, loaded through the page in a real Chromium, and asked; the answers are compared with the
// reference's. Prints times and peak memory. By hand only: it takes minutes and gigabytes.

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { openBrowser } from '../browser/support/browser.js';
import { openSite, Visit } from '../browser/support/site.js';
import { checkGpu } from './gpu.mjs';

const FULL = fileURLToPath(new URL('../../target/full', import.meta.url));
/** Longest wait for one step: a full-size model on two slow cores. */
const PATIENCE = 20 * 60_000;
/** The page shows whole percents: half of one for rounding, and the bound of 1e-3 for probabilities. */
const PERCENT_BOUND = 0.6;

if (!existsSync(path.join(FULL, 'expected.json'))) {
  console.error(
    'The models of the full-size check are not here yet. With the packages of tests/golden/requirements.txt, run: python tests/full/make.py',
  );
  process.exit(1);
}
const expected = JSON.parse(readFileSync(path.join(FULL, 'expected.json'), 'utf8'));

/**
 * The largest resident set that any renderer started from here ever had, in megabytes; null where the system
 * does not tell (only Linux does).
 * @returns {number | null}
 */
function peakMemory() {
  if (!existsSync('/proc/self/status')) return null;
  /** @type {Map<number, { parent: number, renderer: boolean, peak: number }>} */
  const processes = new Map();
  for (const name of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const status = readFileSync(`/proc/${name}/status`, 'utf8');
      processes.set(Number(name), {
        parent: Number(/PPid:\s+(\d+)/.exec(status)?.[1]),
        renderer: readFileSync(`/proc/${name}/cmdline`, 'utf8').includes('--type=renderer'),
        peak: Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1000,
      });
    } catch {
      // The process has ended meanwhile.
    }
  }
  /** @param {number} pid @returns {boolean} */
  const ours = (pid) => pid === process.pid || (processes.has(pid) && ours(processes.get(pid).parent));
  const peaks = [...processes]
    .filter(([pid, { renderer }]) => renderer && ours(pid))
    .map(([, { peak }]) => peak);
  return Math.max(0, ...peaks);
}

/** @param {string} what @param {number} since @param {string} [more] */
function report(what, since, more = '') {
  const memory = peakMemory();
  const seconds = ((performance.now() - since) / 1000).toFixed(1);
  console.log(`${what.padEnd(44)} ${seconds.padStart(7)} s   peak ${memory?.toFixed(0) ?? '?'} MB   ${more}`);
}

/**
 * @param {Visit} visit
 * @param {'tag' | 'caption'} task
 * @param {string} id
 */
async function load(visit, task, id) {
  const start = performance.now();
  const picker = visit.page.locator(`#${task}-picker`);
  await visit.openModels();
  const listed = await picker.locator(`option[value="${id}"]`).count();
  if (listed) {
    await picker.locator('select').selectOption(id);
    await picker.getByRole('button', { name: /use/ }).click();
  } else {
    await visit.use(task, id);
  }
  const notice = visit.page.locator(`#${task}-notice`);
  // The model from before may still be the ready one for a moment.
  for (const statuses of [['loading'], ['ready', 'failed']]) {
    await visit.page.waitForFunction(
      ({ task, statuses }) => statuses.includes(document.querySelector(`#${task}-notice`)?.dataset.status),
      { task, statuses },
    );
  }
  assert.equal(await notice.getAttribute('data-status'), 'ready', await notice.innerText());
  report(`${id} loaded`, start);
}

/** @param {string} name */
function picture(name) {
  const buffer = readFileSync(path.join(FULL, 'images', name));
  return { name, mimeType: 'image/png', buffer };
}

const browser = await openBrowser();
const site = await openSite({ 'hub/': FULL });
try {
  const visit = await Visit.begin(
    browser,
    `${site.url}?dtype=f32&base=${encodeURIComponent(`${site.url}hub/`)}`,
  );
  visit.page.context().setDefaultTimeout(PATIENCE);
  visit.page.setDefaultTimeout(PATIENCE);
  await visit.ready();

  await load(visit, 'tag', expected.clip.model);
  await load(visit, 'caption', expected.blip.model);
  await visit.ask(expected.clip.labels, expected.clip.template);

  for (const [index, { file, scores }] of expected.clip.images.entries()) {
    const start = performance.now();
    await visit.drop(picture(file));
    await visit.settled(file);
    const answer = await visit.read(file);
    report(`${file}: tags and caption`, start);
    assert.deepEqual(answer.errors, []);

    const wanted = new Map(expected.clip.labels.map((label, i) => [label, 100 * scores[i]]));
    const best = [...wanted].sort((a, b) => b[1] - a[1])[0][0];
    assert.equal(answer.tags[0], best, `${file}: the best tag`);
    for (const [i, label] of answer.tags.entries()) {
      const shown = answer.scores[i] === '<1%' ? 0.5 : Number.parseFloat(answer.scores[i]);
      const off = Math.abs(shown - wanted.get(label));
      assert.ok(
        off <= PERCENT_BOUND,
        `${file}: ${label} ${answer.scores[i]}, the reference says ${wanted.get(label)}`,
      );
    }
    const caption = expected.blip.images[index].free.caption.trim();
    // The page lets a caption run to 30 tokens; the reference's stops earlier.
    assert.ok(
      answer.caption.startsWith(caption),
      `${file}: "${answer.caption}", the reference says "${caption}"`,
    );
    console.log(
      `  ${answer.tags[0]} ${answer.scores[0]}; "${answer.caption.slice(0, 60)}…": as the reference`,
    );
  }
  await visit.end();
  console.log('All answers are the reference’s.');
} finally {
  await browser.close();
  await site.close();
}

await checkGpu();
