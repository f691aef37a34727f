/**
 * Keeps a model while it is loaded. Whatever the storage does (full, denied, taken by another tab), loading goes on:
 * after its first failure a writer writes nothing.
 *
 * @typedef {import('../../cache/index.js').Backend} Backend
 * @typedef {import('../../cache/index.js').Kept} Kept
 * @typedef {import('../../cache/index.js').Packed} Packed
 * @typedef {import('../../cache/index.js').Writer} Writer
 */

import { makeRecord } from '../../cache/index.js';

export class CacheWriter {
  #writer;
  #where;
  #about;
  #weights = 0;
  /** @type {import('../../cache/embeddings.js').Place | null} where the model is kept, once all of it is */
  place = null;

  /**
   * @private
   * @param {Writer | null} writer
   * @param {{ backend: Backend, name: string }} where
   * @param {{ kept: Kept, packed: Packed }} about
   */
  constructor(writer, where, about) {
    this.#writer = writer;
    this.#where = where;
    this.#about = about;
  }

  /**
   * @param {Backend} backend
   * @param {string} name
   * @param {{ kept: Kept, packed: Packed }} about
   * @returns {Promise<CacheWriter | null>} null where nothing can be kept
   */
  static async begin(backend, name, about) {
    const writer = await backend.writer(name).catch(() => null);
    return writer && new CacheWriter(writer, { backend, name }, about);
  }

  /** @param {Uint8Array} bytes */
  async write(bytes) {
    this.#weights += bytes.length;
    await this.#try((writer) => writer.write(bytes));
  }

  /**
   * Everything has come.
   *
   * @param {Uint8Array[]} small
   * @param {import('../../cache/index.js').FileVersion[]} versions
   */
  async commit(small, versions) {
    const { kept, packed } = this.#about;
    await this.#try(async (writer) => {
      const record = await makeRecord(kept, { ...packed, weights: this.#weights, small, versions });
      await writer.commit(record, small);
      this.#writer = null;
      this.place = { ...this.#where, record };
    });
  }

  /** Leaves nothing behind of what was not committed. */
  async abandon() {
    const writer = this.#writer;
    this.#writer = null;
    await writer?.abandon().catch(() => {});
  }

  /** @param {(writer: Writer) => Promise<void>} step */
  async #try(step) {
    if (!this.#writer) return;
    try {
      await step(this.#writer);
    } catch {
      await this.abandon();
    }
  }
}
