// A Chromium that has WebGPU, in software.

import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';
import { findChrome } from '../../../scripts/lib/find.mjs';

const FLAGS = [
  '--no-sandbox',
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** @returns {Promise<import('playwright-core').Browser>} */
export async function openBrowserWithGpu() {
  const executablePath = findChrome();
  assert.ok(executablePath, 'no Chromium was found: run `npm run setup`, or set CHROME_PATH');
  return chromium.launch({ executablePath, args: FLAGS });
}
