/**
 * Embeddings of labels, kept within the entry of the model that made them. What they are is the wasm's to know; before
 * them stands a seal, which is right only if nothing of them has changed, nor the entry's record: its files, its dtype,
 * its packing, the time it was kept.
 *
 * @typedef {import('./index.js').Backend} Backend
 * @typedef {import('./index.js').Record} Record
 *
 * @typedef {object} Place where a model is kept
 * @property {Backend} backend
 * @property {string} name
 * @property {Record} record
 */

import { sha256 } from './index.js';

/** How many bytes of embeddings are kept beside a model: 10,000 labels, the most of one call, of 768 numbers each. */
export const MAX_EMBEDDINGS = 32 << 20;

/** Bytes of a seal: a hash in hexadecimal letters. */
const SEAL = 64;

/**
 * The embeddings kept at a place, or null where there are none or they are damaged.
 *
 * @param {Place} place
 * @returns {Promise<Uint8Array | null>}
 */
export async function readEmbeddings({ backend, name, record }) {
  const file = await backend.readEmbeddings(name, SEAL + MAX_EMBEDDINGS);
  if (!file) return null;
  const bytes = file.subarray(SEAL);
  const found = new TextDecoder().decode(file.subarray(0, SEAL));
  return found === (await seal(record, bytes)) ? bytes : null;
}

/**
 * Keeps embeddings in place of those kept before. Rejects where the model itself is not kept any more.
 *
 * @param {Place} place
 * @param {Uint8Array} bytes
 */
export async function writeEmbeddings({ backend, name, record }, bytes) {
  await backend.writeEmbeddings(name, [new TextEncoder().encode(await seal(record, bytes)), bytes]);
}

/** @param {Record} record @param {Uint8Array} bytes */
async function seal(record, bytes) {
  return sha256(new TextEncoder().encode(JSON.stringify([record, await sha256(bytes)])));
}
