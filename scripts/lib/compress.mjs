// Compressed copies beside the files of a folder, for hosts that send such: `page.js.br` and `page.js.gz` beside `page.js`.

import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { ROOT } from './run.mjs';
import { filesBelow } from './stamp.mjs';

/** What compresses; pictures have been, and maps are fetched by developers alone. */
const COMPRESSIBLE = /\.(css|html|js|json|safetensors|svg|tsv|txt|wasm|webmanifest)$/;

/** Copies are kept where they are so much smaller than the file. */
const WORTH = 0.95;

/**
 * From so many bytes on, brotli's best quality takes its time: of the four variants of the wasm a minute in place of five
 * seconds, for an eighth of their size.
 */
const LARGE = 1 << 20;

/** How each kind of copy is made, by the end of its name. @type {Record<string, (bytes: Buffer) => Promise<Buffer>>} */
const METHODS = {
  '.br': (bytes) =>
    promisify(brotliCompress)(bytes, {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: bytes.length < LARGE ? 11 : 9,
        [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
      },
    }),
  '.gz': (bytes) => promisify(gzip)(bytes, { level: 9 }),
};

/**
 * Writes the copies, and keeps them by what they are made from, so that the next build makes those of changed files alone.
 *
 * @param {string} folder
 * @param {string} cache a folder of its own
 * @returns {Promise<Record<string, number>>} how many bytes all files have: `plain`, and as each kind of copy, where there is one
 */
export async function compressBelow(
  folder,
  cache = path.join(ROOT, 'node_modules/.cache/ocelli-compressed'),
) {
  mkdirSync(cache, { recursive: true });
  /** @type {Set<string>} */
  const used = new Set();
  /** @type {Record<string, number>} */
  const sizes = { plain: 0 };
  const names = filesBelow('.', folder).filter((name) => COMPRESSIBLE.test(name));
  const jobs = names.flatMap((name) => {
    const file = path.join(folder, name);
    const bytes = readFileSync(file);
    const digest = createHash('sha256').update(bytes).digest('hex');
    sizes.plain = (sizes.plain ?? 0) + bytes.length;
    return Object.entries(METHODS).map(async ([end, method]) => {
      const kept = path.join(cache, digest + end);
      used.add(path.basename(kept));
      const copy = readKept(kept) ?? (await method(bytes));
      const worth = copy.length <= WORTH * bytes.length;
      writeFileSync(kept, copy);
      if (worth) writeFileSync(file + end, copy);
      sizes[end] = (sizes[end] ?? 0) + (worth ? copy.length : bytes.length);
    });
  });
  await Promise.all(jobs);
  for (const name of readdirSync(cache)) if (!used.has(name)) rmSync(path.join(cache, name));
  return sizes;
}

/** @param {string} file */
function readKept(file) {
  try {
    return readFileSync(file);
  } catch {
    return null;
  }
}
