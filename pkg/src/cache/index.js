/**
 * Models kept between visits: the packed weights as the wasm made them, and the small files beside them.
 *
 * One entry is one model from one address, packed for one dtype by one version of the packing. Its record is
 * written last: an entry without one is half-written, never used, and replaced by the next that is kept. What is
 * read back is checked: the small files against the record's checksums here, the weights by the wasm, against
 * those that they carry. Where nothing can be kept, everything works as if nothing had been kept.
 *
 * @typedef {import('../shared/types.js').ModelFiles} ModelFiles
 *
 * @typedef {object} Kept who an entry is, for people
 * @property {string} id the model's id, or its folder's address
 * @property {string | null} revision the hub revision that was asked for; null for the model's usual one
 *
 * @typedef {'all' | import('../shared/protocol.js').Tower | Exclude<import('../shared/protocol.js').Task, 'tag' | 'embed' | 'encode-text'>} Part what is
 *   kept of a model: all of one that serves several tasks, of CLIP one tower or both, of others what the task needs
 *
 * @typedef {object} Packed how the weights were packed
 * @property {Part} part
 * @property {string} dtype
 * @property {number} packing the version of the packing
 *
 * @typedef {Kept & Packed & { date: string, weights: number, small: SmallFile[], versions?: FileVersion[] }} Record `weights`
 *   counts the bytes of the packed weights, `date` is when they were kept
 *
 * @typedef {object} FileVersion a file of the model, as the server had it
 * @property {string} url
 * @property {string} version its ETag, or when it was changed last
 *
 * @typedef {object} SmallFile
 * @property {number} bytes
 * @property {string} sha256
 *
 * @typedef {object} Entry something kept, ready to be read
 * @property {Record} record
 * @property {Uint8Array[]} small configuration, preprocessor and, where the model has them, tokenizers, words and labels; those
 *   that it does without are empty; checked
 * @property {() => AsyncGenerator<Uint8Array, void, void>} chunks the packed weights; each chunk is valid until the next
 *
 * @typedef {object} Writer
 * @property {(bytes: Uint8Array) => Promise<void>} write the next bytes of the packed weights
 * @property {(record: Record, small: Uint8Array[]) => Promise<void>} commit
 * @property {() => Promise<void>} abandon leaves nothing; never rejects
 *
 * @typedef {object} Backend one of the browser's storages
 * @property {(name: string) => Promise<{ record: Record, small: Uint8Array[], chunks: Entry['chunks'] } | null>} find
 * @property {(name: string) => Promise<Writer>} writer
 * @property {() => Promise<{ name: string, record: Record, embeddings: number }[]>} list `embeddings` counts the bytes of
 *   those kept in the entry
 * @property {(name: string, limit: number) => Promise<Uint8Array | null>} readEmbeddings what was written last; null where
 *   there is nothing, or more than `limit` bytes
 * @property {(name: string, parts: Uint8Array[]) => Promise<void>} writeEmbeddings in place of what was there. Rejects where
 *   there is no such entry
 * @property {(name: string) => Promise<void>} remove
 */

import { cacheBackend } from './cache-api.js';
import { opfsBackend } from './opfs.js';
import { platform } from '../shared/platform.js';

/**
 * The storage of this browser, or null where there is none.
 *
 * @returns {Promise<Backend | null>}
 */
export async function openBackend() {
  if (platform.openCache) return platform.openCache();
  return (await opfsBackend()) ?? (await cacheBackend());
}

/**
 * The name of an entry: a hash of everything that makes it another one.
 *
 * @param {ModelFiles} files
 * @param {Packed} packed
 */
export async function entryName(files, { part, dtype, packing }) {
  const { config, preprocessor, tokenizer, weights } = files;
  const addresses = [config, preprocessor, tokenizer, weights].flatMap((file) => (file ? [file.url] : []));
  // What was kept without a check is not what is asked for with one.
  const checked = config.access?.integrity ? [config.access.integrity] : [];
  return sha256(new TextEncoder().encode(JSON.stringify([packing, dtype, part, ...addresses, ...checked])));
}

/**
 * An entry whose small files are what they were, or null.
 *
 * @param {Backend} backend
 * @param {string} name
 * @returns {Promise<Entry | null>}
 */
export async function findEntry(backend, name) {
  const found = await backend.find(name);
  if (!found || found.small.length !== found.record.small.length) return null;
  for (const [i, bytes] of found.small.entries()) {
    const expected = found.record.small[i];
    if (bytes.length !== expected?.bytes || (await sha256(bytes)) !== expected.sha256) return null;
  }
  return found;
}

/**
 * Clears away what earlier versions have packed in a way that is no longer read. What later ones have packed stays: they may
 * run in another tab.
 *
 * @param {Backend} backend
 * @param {number} packing the version of the packing
 */
export async function removeOutdated(backend, packing) {
  for (const { name, record } of await backend.list()) {
    if (record.packing < packing) await backend.remove(name);
  }
}

/**
 * @param {Kept} kept
 * @param {Packed & { weights: number, small: Uint8Array[], versions: FileVersion[] }} what
 * @returns {Promise<Record>}
 */
export async function makeRecord({ id, revision }, { part, dtype, packing, weights, small, versions }) {
  const files = small.map(async (bytes) => ({ bytes: bytes.length, sha256: await sha256(bytes) }));
  const date = new Date().toISOString();
  return { id, revision, part, dtype, packing, date, weights, small: await Promise.all(files), versions };
}

/** @param {Uint8Array} bytes @returns {Promise<string>} 64 hexadecimal letters */
export async function sha256(bytes) {
  const digest = await crypto.subtle.digest('SHA-256', /** @type {Uint8Array<ArrayBuffer>} */ (bytes));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
