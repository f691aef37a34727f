/** The folder of the indexes that are kept under names. */

import { createReadStream, openSync, closeSync, fsyncSync, writeSync } from 'node:fs';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { cacheFolder } from './cache.js';

/** @typedef {import('../cache/index-store.js').Files} Files */

/** Bytes that are read at once. */
const PIECE = 4 << 20;

/**
 * @param {string} [folder]
 * @returns {Promise<Files | null>} null where the folder cannot be made
 */
export async function indexFolder(folder = path.join(cacheFolder(), 'indexes')) {
  try {
    await mkdir(folder, { recursive: true });
  } catch {
    return null;
  }
  const at = (/** @type {string} */ file) => path.join(folder, file);
  return {
    names: () => readdir(folder),
    async open(file) {
      const { size } = await stat(at(file));
      return { size, chunks: () => pieces(at(file)) };
    },
    async create(file) {
      const fd = openSync(at(file), 'w');
      return {
        write(bytes) {
          for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done);
        },
        async close() {
          try {
            fsyncSync(fd);
          } finally {
            closeSync(fd);
          }
        },
      };
    },
    remove: (file) => rm(at(file), { force: true }),
  };
}

/** @param {string} file @returns {AsyncGenerator<Uint8Array, void, void>} */
async function* pieces(file) {
  yield* createReadStream(file, { highWaterMark: PIECE });
}
