// WebKitGTK, driven over WebDriver (W3C), which needs no library for the few commands that are used here.

import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { which } from '../../../scripts/lib/run.mjs';
import { ROOT } from '../../../scripts/lib/run.mjs';

const CAT = path.join(ROOT, 'www/samples/cat.webp');
const PORT = 41_190;
/** The key under which WebDriver names elements. */
const ELEMENT = 'element-6066-11e4-a52e-4f735466cecf';

/** The browser that comes with the library, or null. */
export function findMiniBrowser() {
  const library = '/usr/lib/x86_64-linux-gnu';
  if (!existsSync(library) || !which('WebKitWebDriver') || !which('Xvfb')) return null;
  const folder = readdirSync(library).find((name) => existsSync(path.join(library, name, 'MiniBrowser')));
  return folder ? path.join(library, folder, 'MiniBrowser') : null;
}

/**
 * Visits an example's page, as `visit.mjs` does.
 * @param {string} url
 * @returns {Promise<{ version: string, seconds: number, threads: boolean }>}
 */
export async function visitInWebKit(url) {
  const display = `:${90 + (process.pid % 100)}`;
  const screen = spawn('Xvfb', [display, '-screen', '0', '1024x768x24'], { stdio: 'ignore' });
  const env = { ...process.env, DISPLAY: display, WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1' };
  const driver = spawn('WebKitWebDriver', [`--port=${PORT}`], { stdio: 'ignore', env, detached: true });
  try {
    return await drive(url);
  } finally {
    try {
      if (driver.pid) process.kill(-driver.pid, 'SIGKILL');
    } catch {
      // It ended by itself.
    }
    screen.kill('SIGKILL');
  }
}

/** @param {string} url */
async function drive(url) {
  /** @param {string} method @param {string} command @param {object} [body] @returns {Promise<any>} */
  const ask = async (method, command, body) => {
    const init = { method, ...(body && { body: JSON.stringify(body) }) };
    const response = await fetch(`http://127.0.0.1:${PORT}${command}`, init);
    const { value } = /** @type {any} */ (await response.json());
    if (!response.ok) throw new Error(`${command}: ${value?.message ?? response.status}`);
    return value;
  };
  const wait = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms));
  for (let tries = 0; ; tries++) {
    const there = await ask('GET', '/status').catch(() => null);
    if (there) break;
    if (tries > 50) throw new Error('WebKitWebDriver does not answer.');
    await wait(200);
  }
  const browser = { binary: findMiniBrowser(), args: ['--automation'] };
  const { sessionId, capabilities } = await ask('POST', '/session', {
    capabilities: { alwaysMatch: { 'webkitgtk:browserOptions': browser } },
  });
  const session = `/session/${sessionId}`;
  const script = (/** @type {string} */ text) =>
    ask('POST', `${session}/execute/sync`, { script: text, args: [] });
  const says = async (/** @type {RegExp} */ wanted) => {
    for (let tries = 0; tries < 600; tries++) {
      const text = await script("return document.querySelector('pre')?.textContent ?? ''");
      if (wanted.test(text)) return;
      if (!/^(Loading …|Ready\.)?$/.test(text)) throw new Error(text);
      await wait(100);
    }
    throw new Error('The page says nothing.');
  };
  try {
    const started = performance.now();
    await ask('POST', `${session}/url`, { url });
    await says(/^Ready\.$/);
    const seconds = (performance.now() - started) / 1000;
    const input = await ask('POST', `${session}/element`, { using: 'css selector', value: 'input' });
    await ask('POST', `${session}/element/${input[ELEMENT]}/value`, { text: CAT });
    await says(/^a cat.*\na cat: [01]\.\d\d$/);
    return {
      version: capabilities.browserVersion,
      seconds,
      threads: await script('return globalThis.crossOriginIsolated === true'),
    };
  } finally {
    await ask('DELETE', session).catch(() => {});
  }
}
