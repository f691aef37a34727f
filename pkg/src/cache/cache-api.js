/**
 * Entries in the Cache API, where there is no file system: `<name>/weights`, `<name>/small-0` … `<name>/small-5` and,
 * once all of it is there, `<name>/record.json`; and later `<name>/embeddings`.
 *
 * @typedef {import('./index.js').Backend} Backend
 * @typedef {import('./index.js').Record} Record
 */

import { isRecord } from './record.js';

const CACHE = 'ocelli-models';
/** Addresses of entries: only names, of a host that there can never be. */
const HOST = 'https://ocelli.invalid/';

/** @returns {Promise<Backend | null>} */
export async function cacheBackend() {
  /** @type {Cache} */
  let cache;
  try {
    cache = await caches.open(CACHE);
  } catch {
    return null;
  }
  const address = (/** @type {string} */ name, /** @type {string} */ file) => `${HOST}${name}/${file}`;

  /** @param {string} name @returns {Promise<Record | null>} */
  async function recordOf(name) {
    try {
      const record = await (await cache.match(address(name, 'record.json')))?.json();
      return isRecord(record) ? record : null;
    } catch {
      return null;
    }
  }

  /** @param {string} name @returns {Promise<Blob | null>} */
  async function embeddingsOf(name) {
    try {
      return (await (await cache.match(address(name, 'embeddings')))?.blob()) ?? null;
    } catch {
      return null;
    }
  }

  /** @param {string} name */
  async function remove(name) {
    for (const file of [
      'record.json',
      'embeddings',
      'weights',
      'small-0',
      'small-1',
      'small-2',
      'small-3',
      'small-4',
      'small-5',
    ]) {
      await cache.delete(address(name, file)).catch(() => false);
    }
  }

  return {
    async find(name) {
      const record = await recordOf(name);
      const weights = await cache.match(address(name, 'weights'));
      if (!record || !weights?.body) return null;
      const { body } = weights;
      const small = record.small.map(async (_, i) => {
        const file = await cache.match(address(name, `small-${i}`));
        return new Uint8Array((await file?.arrayBuffer()) ?? new ArrayBuffer(0));
      });
      return { record, small: await Promise.all(small), chunks: () => stream(body) };
    },

    async writer(name) {
      await cache.delete(address(name, 'record.json'));
      const { readable, writable } = new TransformStream();
      const stored = cache.put(address(name, 'weights'), new Response(readable));
      stored.catch(() => {});
      const writer = writable.getWriter();
      writer.closed.catch(() => {});
      return {
        write: (bytes) => Promise.race([writer.write(bytes), stored]),
        async commit(record, small) {
          await writer.close();
          await stored;
          for (const [i, bytes] of small.entries()) {
            await cache.put(
              address(name, `small-${i}`),
              new Response(/** @type {Uint8Array<ArrayBuffer>} */ (bytes)),
            );
          }
          await cache.put(address(name, 'record.json'), new Response(JSON.stringify(record)));
        },
        async abandon() {
          await writer.abort().catch(() => {});
          await stored.catch(() => {});
          await remove(name);
        },
      };
    },

    async list() {
      const entries = [];
      for (const { url } of await cache.keys()) {
        if (!url.startsWith(HOST) || !url.endsWith('/record.json')) continue;
        const name = url.slice(HOST.length, -'/record.json'.length);
        const record = await recordOf(name);
        if (!record) continue;
        const embeddings = (await embeddingsOf(name))?.size ?? 0;
        entries.push({ name, record, embeddings });
      }
      return entries;
    },

    async readEmbeddings(name, limit) {
      const file = await embeddingsOf(name);
      return file && file.size <= limit ? new Uint8Array(await file.arrayBuffer()) : null;
    },

    async writeEmbeddings(name, parts) {
      if (!(await recordOf(name))) throw new Error('The model is not kept.');
      const body = new Blob(/** @type {Uint8Array<ArrayBuffer>[]} */ (parts));
      await cache.put(address(name, 'embeddings'), new Response(body));
    },

    remove,
  };
}

/**
 * @param {ReadableStream<Uint8Array>} body
 * @returns {AsyncGenerator<Uint8Array, void, void>}
 */
async function* stream(body) {
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
