/**
 * The embeddings of labels that stay in the browser between visits, beside a model that is kept itself: read when labels
 * first come, and written when new ones have been computed. Whatever the storage does, tagging goes on.
 *
 * @typedef {import('../handles.js').TaggerHandle} TaggerHandle
 * @typedef {import('./load.js').Place} Place
 */

import { codeOf } from '../../shared/errors.js';
import { MAX_EMBEDDINGS, readEmbeddings, writeEmbeddings } from '../../cache/embeddings.js';

export class KeptEmbeddings {
  #place;
  #handle;
  #read = false;

  /** @param {Place} place @param {TaggerHandle} handle */
  constructor(place, handle) {
    this.#place = place;
    this.#handle = handle;
  }

  /** Hands what was kept to the model, the first time it is called. */
  async read() {
    if (this.#read) return;
    this.#read = true;
    const bytes = await readEmbeddings(this.#place).catch(() => null);
    if (!bytes) return;
    try {
      this.#handle.importEmbeddings(bytes);
    } catch (error) {
      // Damage costs the time to compute them again; a trap in the wasm is no damage.
      if (codeOf(error) === null) throw error;
    }
  }

  /** Keeps what the model has computed since the last time. */
  async write() {
    const bytes = this.#handle.exportEmbeddings(MAX_EMBEDDINGS);
    if (bytes) await writeEmbeddings(this.#place, bytes).catch(() => {});
  }
}
