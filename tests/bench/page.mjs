// The page in numbers: `npm run bench:page [-- --only first-visit,many] [100,1000,5000]`, after `npm run build`.
//
// `first-visit`: the bytes of a first visit, and those before the first answer is possible (lib/first-visit.mjs).
// `many`: so many small pictures are picked at once, and both built-in models look at them. What is told is what a person feels: the time
// of a picture when half of them are done, how busy the page's own thread is meanwhile, its two longest tasks, and that of an empty page
// that is given as many files (a browser makes its list of them in one go, before a page hears of any), how the page scrolls then, how
// many elements there are, and the memory of its process, with and without the browser's own code; and once all is done, how long it
// takes until another threshold, other labels and a search by words have their effect. Times depend on the machine; how they grow does
// not.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { findChrome } from '../../scripts/lib/find.mjs';
import { Failure, main, ROOT, say } from '../../scripts/lib/run.mjs';
import { serve } from '../../scripts/serve.mjs';
import { plain } from '../browser/support/pictures.js';
import { firstVisit } from './lib/first-visit.mjs';
import { grid } from './lib/statistics.mjs';

const DIST = path.join(ROOT, 'dist');
const PICTURES = path.join(ROOT, 'target/bench/page');
const COUNTS = '100,1000';
/** Between two looks at how far it is, in milliseconds. */
const LOOK = 250;
/** How long is scrolled, and how far at a frame. */
const SCROLL = { ms: 3000, pixels: 120 };
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-background-networking'];

/** @type {Record<string, (executablePath: string, counts: number[]) => Promise<string>>} */
const PARTS = {
  'first-visit': (executablePath) => inBrowser(executablePath, (browser) => firstVisit(browser, DIST)),
  many,
};

await main(import.meta, async (args) => {
  const { values, positionals } = parseArgs({
    args,
    options: { only: { type: 'string' } },
    allowPositionals: true,
  });
  const chosen = values.only?.split(',') ?? Object.keys(PARTS);
  const unknown = chosen.find((name) => !Object.hasOwn(PARTS, name));
  if (unknown !== undefined) {
    throw new Failure(`There is no part \`${unknown}\`; the parts are ${Object.keys(PARTS).join(', ')}.`);
  }
  const counts = (positionals[0] ?? COUNTS).split(',').map(Number);
  if (!counts.every((count) => Number.isSafeInteger(count) && count > 0)) {
    throw new Failure('How many pictures? Give numbers, with commas between.');
  }
  if (!existsSync(path.join(DIST, 'index.html'))) throw new Failure('Run `npm run build` first.');
  const executablePath = findChrome();
  if (!executablePath) throw new Failure('There is no Chromium: run `npm run setup` first.');
  for (const name of chosen) say(`\n${await PARTS[name]?.(executablePath, counts)}`);
});

/**
 * @template T
 * @param {string} executablePath
 * @param {(browser: import('playwright-core').Browser) => Promise<T>} measure
 */
async function inBrowser(executablePath, measure) {
  const browser = await chromium.launch({ executablePath, args: FLAGS });
  try {
    return await measure(browser);
  } finally {
    await browser.close();
  }
}

/** @param {string} executablePath @param {number[]} counts of pictures @returns {Promise<string>} a table */
async function many(executablePath, counts) {
  const server = await serve({ root: DIST });
  const rows = [];
  try {
    for (const count of counts) {
      rows.push(await inBrowser(executablePath, (browser) => measure(browser, server.url, count)));
    }
  } finally {
    await server.close();
  }
  const head = [
    ...['pictures', 'all, s', 'ms each', 'thread busy', 'longest tasks, ms', 'empty page, ms'],
    ...['frame at 95 %, ms', 'elements', 'height, px', 'memory, MB', 'its own'],
    ...['threshold, ms', 'labels, ms', 'first search, ms'],
  ];
  const cells = rows.map((row) => [
    `${row.count}`,
    row.seconds.toFixed(1),
    row.each.toFixed(0),
    `${(100 * row.busy).toFixed(0)} %`,
    row.tasks.map((ms) => ms.toFixed(0)).join(', '),
    row.floor.toFixed(0),
    row.frame.toFixed(0),
    `${row.elements}`,
    `${row.height}`,
    row.memory.resident.toFixed(0),
    row.memory.own.toFixed(0),
    ...[row.threshold, row.labels, row.search].map((ms) => ms.toFixed(0)),
  ]);
  return grid([head, ...cells], cells[0]?.map((_, i) => i) ?? []);
}

/** Small pictures in as many colours. @param {number} count @returns {string[]} their files */
function pictures(count) {
  mkdirSync(PICTURES, { recursive: true });
  return Array.from({ length: count }, (_, i) => {
    const file = path.join(PICTURES, `${String(i).padStart(5, '0')}.png`);
    const colour = /** @type {[number, number, number]} */ ([(37 * i) % 256, (91 * i) % 256, (i >> 4) % 256]);
    if (!existsSync(file)) writeFileSync(file, plain(file, { width: 96, height: 72, colour }).buffer);
    return file;
  });
}

/** @param {import('playwright-core').Browser} browser @param {string} url @param {number} count */
async function measure(browser, url, count) {
  const files = pictures(count);
  const page = await browser.newPage({
    viewport: { width: 1280, height: 900 },
    // What it keeps for another visit is not measured here.
    serviceWorkers: 'block',
  });
  await page.goto(url);
  await page.waitForFunction(() =>
    ['#tag-notice', '#caption-notice'].every(
      (notice) => document.querySelector(notice)?.getAttribute('data-status') === 'ready',
    ),
  );
  await watchTasks(page);
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable');
  const spent = async () => {
    const { metrics } = await session.send('Performance.getMetrics');
    return metrics.find(({ name }) => name === 'TaskDuration')?.value ?? 0;
  };
  const begin = performance.now();
  await page.setInputFiles('#files', files);
  const half = await reached(page, Math.floor(count * 0.4), count);
  const [from, taskFrom] = [performance.now(), await spent()];
  const late = await reached(page, Math.floor(count * 0.8), count);
  const [to, taskTo] = [performance.now(), await spent()];
  const frame = await scrolled(page);
  await reached(page, count, count);
  const found = await page.evaluate(() => ({
    tasks: globalThis.longTasks.sort((a, b) => b - a).slice(0, 2),
    elements: document.querySelectorAll('*').length,
    height: document.documentElement.scrollHeight,
  }));
  const seconds = (performance.now() - begin) / 1000;
  const memory = await memoryOf(browser);
  return {
    count,
    floor: await emptyPage(browser, files),
    seconds,
    each: (to - from) / Math.max(1, late - half),
    busy: (taskTo - taskFrom) / ((to - from) / 1000),
    frame,
    memory,
    ...found,
    ...(await effects(page, count)),
  };
}

/** Keeps how long the long tasks of a page's thread take from now on, in milliseconds. @param {import('playwright-core').Page} page */
function watchTasks(page) {
  return page.evaluate(() => {
    globalThis.longTasks = [];
    new PerformanceObserver((list) => {
      globalThis.longTasks.push(...list.getEntries().map(({ duration }) => duration));
    }).observe({ type: 'longtask' });
  });
}

/**
 * The longest task of a page that takes files, and does nothing with them.
 * @param {import('playwright-core').Browser} browser
 * @param {string[]} files
 */
async function emptyPage(browser, files) {
  const page = await browser.newPage();
  await page.setContent('<input type="file" multiple id="files">');
  await page.evaluate(() => {
    const input = /** @type {HTMLInputElement} */ (document.querySelector('#files'));
    // As every page does that may be given the same files again.
    input.addEventListener('change', () => (input.value = ''));
  });
  await watchTasks(page);
  await page.setInputFiles('#files', files);
  // Told of a while after it is over.
  await page.waitForTimeout(1000);
  const longest = await page.evaluate(() => Math.max(0, ...globalThis.longTasks));
  await page.close();
  return longest;
}

/** Waits until so many are done. @param {import('playwright-core').Page} page @param {number} wanted @param {number} all */
async function reached(page, wanted, all) {
  for (;;) {
    const line = await page.locator('.work-line').innerText();
    const [, done] = /^([\d,]+) of /.exec(line) ?? [];
    const number =
      done === undefined
        ? line.startsWith(all.toLocaleString('en'))
          ? all
          : 0
        : Number(done.replace(/,/g, ''));
    if (number >= wanted) return number;
    await page.waitForTimeout(LOOK);
  }
}

/** The time that all but a twentieth of the frames stay below while the page is scrolled. @param {import('playwright-core').Page} page */
async function scrolled(page) {
  const frames = await page.evaluate(({ ms, pixels }) => {
    /** @type {number[]} */
    const times = [];
    const begin = performance.now();
    return new Promise((resolve) => {
      let last = begin;
      const step = (/** @type {number} */ now) => {
        times.push(now - last);
        last = now;
        scrollBy(0, pixels);
        if (now - begin < ms) requestAnimationFrame(step);
        else resolve(times.slice(1));
      };
      requestAnimationFrame(step);
    });
  }, SCROLL);
  return frames.sort((a, b) => a - b)[Math.floor(frames.length * 0.95)] ?? 0;
}

/**
 * How long what people change takes to have its effect, in milliseconds.
 * @param {import('playwright-core').Page} page
 * @param {number} count
 */
async function effects(page, count) {
  const words = () => page.locator('.tile-word').allInnerTexts();
  const timed = async (
    /** @type {() => Promise<unknown>} */ change,
    /** @type {() => Promise<unknown>} */ seen,
  ) => {
    const begin = performance.now();
    await change();
    await seen();
    return performance.now() - begin;
  };
  await page.evaluate(() => scrollTo(0, 0));
  for (const panel of await page.locator('.settings details').all()) {
    await panel.evaluate((one) => one.toggleAttribute('open', true));
  }
  const search = await timed(
    async () => {
      await page.locator('#find').fill('a wall');
      await page.keyboard.press('Enter');
    },
    () => page.locator('picture-finder').getByText('“a wall”').waitFor(),
  );
  const threshold = await timed(
    async () => {
      await page.locator('#threshold').fill('99');
      await page.locator('#threshold').blur();
    },
    async () => {
      while ((await words()).some((word) => !/^(No tag|Not sure)$/.test(word))) await page.waitForTimeout(10);
    },
  );
  await page.locator('#threshold').fill('0');
  await page.locator('#threshold').blur();
  const labels = await timed(
    async () => {
      await page.locator('#labels').fill('this\nthat');
      await page.keyboard.press('Control+Enter');
      await page.locator('.work-line', { hasText: ' of ' }).waitFor();
    },
    () => reached(page, count, count),
  );
  return { search, threshold, labels };
}

/**
 * Of the page's process, in megabytes: all that is resident, the code of the browser in it, and what is its own, as the browser's task
 * manager counts it.
 * @param {import('playwright-core').Browser} browser
 */
async function memoryOf(browser) {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  const sizes = processInfo
    .filter(({ type }) => type === 'renderer')
    .map(({ id }) => {
      const status = readFileSync(`/proc/${id}/status`, 'utf8');
      const [resident = 0, own = 0, swapped = 0] = ['VmRSS', 'RssAnon', 'VmSwap'].map(
        (name) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) / 1000,
      );
      return { resident, own: own + swapped };
    });
  return sizes.reduce((most, one) => (one.resident > most.resident ? one : most));
}
