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

/** How far the page was: nothing could be done, pictures could be given to it and were shown, answers were possible. */
const STAGES = /** @type {const} */ (['opening', 'open', 'answering']);

/** @typedef {{ kind: string, bytes: number, stage: number }} Reply `stage`: the place of `STAGES` that the page was at */

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
  let stage = 0;
  let last = performance.now();
  const server = await serve({
    root,
    onReply({ url = '/', socket }) {
      const bytes = socket.bytesWritten - (written.get(socket) ?? 0);
      written.set(socket, socket.bytesWritten);
      replies.push({ kind: kindOf(url), bytes, stage });
      last = performance.now();
    },
  });
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    const begin = performance.now();
    await page.goto(server.url, { waitUntil: 'commit' });
    // The element takes pictures from the moment on at which it is there.
    await page.waitForSelector('drop-zone #files', { state: 'attached' });
    stage = STAGES.indexOf('open');
    const open = (performance.now() - begin) / 1000;
    const ready = (/** @type {string} */ notice) =>
      page.waitForFunction(
        (one) => document.querySelector(one)?.getAttribute('data-status') === 'ready',
        notice,
      );
    await ready('#tag-notice');
    stage = STAGES.indexOf('answering');
    const seconds = (performance.now() - begin) / 1000;
    await ready('#caption-notice');
    while (performance.now() - last < QUIET) await page.waitForTimeout(100);
    return table(replies, { open, seconds });
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

/** @param {Reply[]} replies @param {{ open: number, seconds: number }} times until pictures were taken, and until an answer was possible */
function table(replies, { open, seconds }) {
  const row = (/** @type {string} */ name, /** @type {Reply[]} */ some) => {
    const megabytes = (/** @type {Reply[]} */ few) =>
      (few.reduce((sum, { bytes }) => sum + bytes, 0) / 1e6).toFixed(3);
    const until = STAGES.map((_, last) => megabytes(some.filter((reply) => reply.stage <= last)));
    return [name, `${some.length}`, ...until];
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
  const head = ['first visit', 'replies', 'until pictures, MB', 'until an answer, MB', 'whole, MB'];
  return `${grid([head, ...rows], [1, 2, 3, 4])}\nPictures were taken and shown after ${open.toFixed(1)} s, and the first answer was possible after ${seconds.toFixed(1)} s.`;
}
