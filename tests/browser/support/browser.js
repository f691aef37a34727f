// The browser that the tests run in.

import assert from 'node:assert/strict';
import { chromium, firefox } from 'playwright-core';
import { findChrome, findFirefox } from '../../../scripts/lib/find.mjs';

/** @typedef {import('playwright-core').Browser} Browser */

/** Without a GPU, and with software in the place of one. */
const NO_GPU = ['--disable-gpu'];
const SOFTWARE_GPU = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'];

const FLAGS = [
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Whether the tests run in Firefox: `OCELLI_BROWSER=firefox`. */
export const IN_FIREFOX = process.env.OCELLI_BROWSER === 'firefox';

/** Why some tests are left out there: what WebDriver BiDi has no words for. */
export const NOT_IN_FIREFOX = {
  workers: IN_FIREFOX && 'WebDriver BiDi runs nothing within workers',
  touch: IN_FIREFOX && 'touches that WebDriver BiDi makes become no clicks',
};

/** @param {{ gpu?: boolean }} [options] whether pages are offered WebGPU, in software @returns {Promise<Browser>} */
export async function openBrowser({ gpu = false } = {}) {
  if (IN_FIREFOX) {
    const executablePath = findFirefox();
    assert.ok(executablePath, 'no Firefox was found: run `npm run setup`, or set FIREFOX_PATH');
    // Over WebDriver BiDi, which Firefox speaks as it comes.
    return firefox.launch({ executablePath, channel: 'moz-firefox' });
  }
  const executablePath = findChrome();
  assert.ok(executablePath, 'no Chromium was found: run `npm run setup`, or set CHROME_PATH');
  return chromium.launch({ executablePath, args: [...FLAGS, ...(gpu ? SOFTWARE_GPU : NO_GPU)] });
}
