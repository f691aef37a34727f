/**
 * Models kept in a folder: one for each entry, with `weights`, `small-0` and so on and, once all of it is there,
 * `record.json`; and later `embeddings`. As in a browser's file system (`cache/opfs.js`), an entry without its record is
 * nothing.
 *
 * @typedef {import('../cache/index.js').Backend} Backend
 * @typedef {import('../cache/index.js').Record} Record
 */

import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { isRecord } from '../cache/record.js';

/** The weights are read in pieces of this size. */
const PIECE = 4 << 20;
/** Names of entries: hashes, and nothing that leads elsewhere. */
const NAME = /^[0-9a-f]{64}$/;

/** Where models are kept: `OCELLI_CACHE`, or the user's folder for such things. */
export function cacheFolder() {
  const { OCELLI_CACHE, XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  if (OCELLI_CACHE) return path.resolve(OCELLI_CACHE);
  if (process.platform === 'win32' && LOCALAPPDATA) return path.join(LOCALAPPDATA, 'ocelli', 'Cache');
  if (process.platform === 'darwin') return path.join(homedir(), 'Library', 'Caches', 'ocelli');
  return path.join(XDG_CACHE_HOME || path.join(homedir(), '.cache'), 'ocelli');
}

/**
 * @param {string} [root]
 * @returns {Promise<Backend | null>} null where the folder cannot be made
 */
export async function folderBackend(root = cacheFolder()) {
  try {
    await mkdir(root, { recursive: true });
  } catch {
    return null;
  }
  const at = (/** @type {string} */ name, /** @type {string[]} */ ...rest) => path.join(root, name, ...rest);

  /** @param {string} name @returns {Promise<Record | null>} */
  async function recordOf(name) {
    try {
      const record = JSON.parse(await readFile(at(name, 'record.json'), 'utf8'));
      return isRecord(record) ? record : null;
    } catch {
      return null;
    }
  }

  const sizeOf = (/** @type {string} */ file) =>
    stat(file).then(
      ({ size }) => size,
      () => 0,
    );
  const remove = (/** @type {string} */ name) => rm(at(name), { recursive: true, force: true });

  return {
    async find(name) {
      const record = await recordOf(name);
      if (!record || (await sizeOf(at(name, 'weights'))) !== record.weights) return null;
      const small = record.small.map(async (_, i) => new Uint8Array(await readFile(at(name, `small-${i}`))));
      return { record, small: await Promise.all(small), chunks: () => pieces(at(name, 'weights')) };
    },

    async writer(name) {
      // Two programs may keep the same model at once: each writes into a folder of its own.
      const part = `${name}.part-${process.pid}-${Date.now()}`;
      await mkdir(at(part), { recursive: true });
      const weights = await open(at(part, 'weights'), 'w');
      return {
        async write(bytes) {
          await weights.writeFile(bytes);
        },
        async commit(record, small) {
          await weights.close();
          for (const [i, bytes] of small.entries()) await writeFile(at(part, `small-${i}`), bytes);
          await writeFile(at(part, 'record.json'), JSON.stringify(record));
          await remove(name);
          await rename(at(part), at(name));
        },
        async abandon() {
          await weights.close().catch(() => {});
          await remove(part).catch(() => {});
        },
      };
    },

    async list() {
      const entries = [];
      for (const name of (await readdir(root)).filter((one) => NAME.test(one))) {
        const record = await recordOf(name);
        if (record) entries.push({ name, record, embeddings: await sizeOf(at(name, 'embeddings')) });
      }
      return entries;
    },

    async readEmbeddings(name, limit) {
      const file = at(name, 'embeddings');
      const size = await sizeOf(file);
      return size > 0 && size <= limit ? new Uint8Array(await readFile(file)) : null;
    },

    async writeEmbeddings(name, parts) {
      if (!(await recordOf(name))) throw new Error('The model is not kept.');
      const part = at(name, `embeddings.part-${process.pid}`);
      await writeFile(part, parts);
      await rename(part, at(name, 'embeddings'));
    },

    remove,
  };
}

/**
 * @param {string} file
 * @returns {AsyncGenerator<Uint8Array, void, void>}
 */
async function* pieces(file) {
  yield* createReadStream(file, { highWaterMark: PIECE });
}
