// A visit to an example's page: a picture is given to it, and it says what it sees.

import path from 'node:path';
import { ROOT } from '../../../scripts/lib/run.mjs';

const CAT = path.join(ROOT, 'www/samples/cat.webp');

/** What every example writes of that picture. */
const RIGHT = /^a cat.*\na cat: [01]\.\d\d$/;

/** Longest wait for a page that loads a model, in milliseconds. */
const PATIENCE = 60_000;

/**
 * @param {import('playwright-core').BrowserContext} context
 * @param {string} url
 * @returns {Promise<{ seconds: number, threads: boolean }>} until the models were there
 */
export async function visit(context, url) {
  const page = await context.newPage();
  /** @type {string[]} */
  const complaints = [];
  /** @type {string[]} */
  const foreign = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('request', (request) => {
    const { protocol, origin } = new URL(request.url());
    if (/^http/.test(protocol) && origin !== new URL(url).origin) foreign.push(request.url());
  });
  try {
    const started = performance.now();
    await page.goto(url);
    const output = page.locator('pre');
    const says = async (/** @type {RegExp} */ wanted) => {
      const until = Date.now() + PATIENCE;
      for (;;) {
        const text = (await output.textContent().catch(() => '')) ?? '';
        if (wanted.test(text)) return;
        // Whatever is neither is a sentence that says what went wrong.
        const failed = !/^(Loading …|Ready\.)?$/.test(text);
        if (failed || Date.now() > until) {
          throw new Error([text || 'The page says nothing.', ...complaints].join(' | ').slice(0, 1500));
        }
        await page.waitForTimeout(100);
      }
    };
    await says(/^Ready\.$/);
    const seconds = (performance.now() - started) / 1000;
    await page.setInputFiles('input', CAT);
    await says(RIGHT);
    if (foreign.length > 0) throw new Error(`The page asked elsewhere: ${foreign.join(', ')}`);
    return { seconds, threads: await page.evaluate(() => crossOriginIsolated) };
  } finally {
    await page.close();
  }
}
