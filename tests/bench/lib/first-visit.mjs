// What a first visit to the page costs: the bytes that the server writes to its sockets, headers too, whoever asks for them (the
// page, its workers, its service worker).

import path from 'node:path';
import { serve } from '../../../scripts/serve.mjs';
import { grid } from './statistics.mjs';

/** Where nothing is asked for so long, in milliseconds, the visit's downloads are over. */
const QUIET = 3000;

/** What files are, by how their names end; the model's by their folder. */
const KINDS = /** @type {const} */ ({
  '.wasm': 'WebAssembly',
  '.js': 'scripts',
  '.css': 'page',
  '.html': 'page',
  '.woff2': 'page',
  '.svg': 'page',
  '.png': 'page',
  '.webp': 'pictures',
});

/** @typedef {{ kind: string, bytes: number, early: boolean }} Reply `early`: before the first answer was possible */

/**
 * @param {import('playwright-core').Browser} browser
 * @param {string} root of the built page
 * @returns {Promise<string>} a table
 */
export async function firstVisit(browser, root) {
  /** @type {Reply[]} */
  const replies = [];
  /** What was written to each socket before. @type {WeakMap<import('node:net').Socket, number>} */
  const written = new WeakMap();
  let early = true;
  let last = performance.now();
  const server = await serve({
    root,
    onReply({ url = '/', socket }) {
      const bytes = socket.bytesWritten - (written.get(socket) ?? 0);
      written.set(socket, socket.bytesWritten);
      replies.push({ kind: kindOf(url), bytes, early });
      last = performance.now();
    },
  });
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    const begin = performance.now();
    await page.goto(server.url);
    const ready = (/** @type {string} */ notice) =>
      page.waitForFunction(
        (one) => document.querySelector(one)?.getAttribute('data-status') === 'ready',
        notice,
      );
    await ready('#tag-notice');
    early = false;
    const seconds = (performance.now() - begin) / 1000;
    await ready('#caption-notice');
    while (performance.now() - last < QUIET) await page.waitForTimeout(100);
    return table(replies, seconds);
  } finally {
    await context.close();
    await server.close();
  }
}

/** @param {string} url of a request */
function kindOf(url) {
  const { pathname } = new URL(url, 'http://localhost');
  if (pathname.includes('/models/')) return 'model';
  const end = pathname.endsWith('/') ? '.html' : path.extname(pathname);
  return end in KINDS ? KINDS[/** @type {keyof typeof KINDS} */ (end)] : 'other';
}

/** @param {Reply[]} replies @param {number} seconds until the first answer was possible */
function table(replies, seconds) {
  const row = (/** @type {string} */ name, /** @type {Reply[]} */ some) => {
    const megabytes = (/** @type {Reply[]} */ few) =>
      (few.reduce((sum, { bytes }) => sum + bytes, 0) / 1e6).toFixed(3);
    return [name, `${some.length}`, megabytes(some.filter((reply) => reply.early)), megabytes(some)];
  };
  const kinds = [...new Set(replies.map(({ kind }) => kind))].sort();
  const rows = [
    ...kinds.map((kind) =>
      row(
        kind,
        replies.filter((reply) => reply.kind === kind),
      ),
    ),
    row('all', replies),
  ];
  const head = ['first visit', 'replies', 'until an answer, MB', 'whole, MB'];
  return `${grid([head, ...rows], [1, 2, 3])}\nThe first answer was possible after ${seconds.toFixed(1)} s.`;
}
