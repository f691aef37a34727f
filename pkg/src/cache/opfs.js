/**
 * Entries in the origin private file system: a folder for each, with `weights`, `small-0` … `small-5` and, once all
 * of it is there, `record.json`; and later `embeddings`.
 *
 * Only workers can write fast there, through a handle that no other tab can hold at the same time: whoever comes
 * second keeps nothing, and disturbs nobody.
 *
 * @typedef {import('./index.js').Backend} Backend
 * @typedef {import('./index.js').Record} Record
 * @typedef {import('./index.js').Writer} Writer
 *
 * @typedef {object} SyncHandle
 * @property {(bytes: Uint8Array, options?: { at: number }) => number} read
 * @property {(bytes: Uint8Array, options?: { at: number }) => number} write
 * @property {(size: number) => void} truncate
 * @property {() => void} flush
 * @property {() => void} close
 */

import { isRecord } from './record.js';

const FOLDER = 'ocelli-models';
const RECORD = 'record.json';
const WEIGHTS = 'weights';
const EMBEDDINGS = 'embeddings';
/** The weights are read in pieces of this size, into one buffer. */
const PIECE = 4 << 20;

/** @returns {Promise<Backend | null>} */
export async function opfsBackend() {
  /** @type {any} */
  let root;
  try {
    root = await (await navigator.storage.getDirectory()).getDirectoryHandle(FOLDER, { create: true });
  } catch {
    // No such storage, or not for this page.
    return null;
  }

  /** @param {string} name @returns {Promise<Record | null>} */
  async function recordOf(name) {
    try {
      const folder = await root.getDirectoryHandle(name);
      const file = await (await folder.getFileHandle(RECORD)).getFile();
      const record = JSON.parse(await file.text());
      return isRecord(record) ? record : null;
    } catch {
      return null;
    }
  }

  /** @param {string} name @returns {Promise<File | null>} */
  async function embeddingsOf(name) {
    try {
      return await (await (await root.getDirectoryHandle(name)).getFileHandle(EMBEDDINGS)).getFile();
    } catch {
      return null;
    }
  }

  return {
    async find(name) {
      const record = await recordOf(name);
      if (!record) return null;
      const folder = await root.getDirectoryHandle(name);
      const weights = await folder.getFileHandle(WEIGHTS);
      if ((await weights.getFile()).size !== record.weights) return null;
      const small = record.small.map(async (_, i) => {
        const file = await (await folder.getFileHandle(`small-${i}`)).getFile();
        return new Uint8Array(await file.arrayBuffer());
      });
      return { record, small: await Promise.all(small), chunks: () => pieces(weights, record.weights) };
    },

    async writer(name) {
      const folder = await root.getDirectoryHandle(name, { create: true });
      // Without its record an entry is nothing, whatever becomes of what follows.
      await folder.removeEntry(RECORD).catch(() => {});
      const file = await folder.getFileHandle(WEIGHTS, { create: true });
      /** @type {SyncHandle} */
      const handle = await file.createSyncAccessHandle();
      return new OpfsWriter(root, name, folder, handle);
    },

    async list() {
      const entries = [];
      for await (const name of root.keys()) {
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
      const folder = await root.getDirectoryHandle(name);
      await folder.getFileHandle(RECORD);
      await putFile(folder, EMBEDDINGS, parts);
    },

    async remove(name) {
      // The record goes first: where the rest cannot be removed now, because a tab reads it, it is nothing.
      const folder = await root.getDirectoryHandle(name).catch(() => null);
      await folder?.removeEntry(RECORD).catch(() => {});
      await root.removeEntry(name, { recursive: true }).catch(() => {});
    },
  };
}

/** @implements {Writer} */
class OpfsWriter {
  #root;
  #name;
  #folder;
  #weights;
  #at = 0;
  #open = true;

  /** @param {any} root @param {string} name @param {any} folder @param {SyncHandle} weights */
  constructor(root, name, folder, weights) {
    this.#root = root;
    this.#name = name;
    this.#folder = folder;
    this.#weights = weights;
    weights.truncate(0);
  }

  /** @param {Uint8Array} bytes */
  async write(bytes) {
    put(this.#weights, bytes, this.#at);
    this.#at += bytes.length;
  }

  /** @param {Record} record @param {Uint8Array[]} small */
  async commit(record, small) {
    this.#weights.flush();
    this.#close();
    for (const [i, bytes] of small.entries()) await putFile(this.#folder, `small-${i}`, [bytes]);
    await putFile(this.#folder, RECORD, [new TextEncoder().encode(JSON.stringify(record))]);
  }

  async abandon() {
    this.#close();
    await this.#root.removeEntry(this.#name, { recursive: true }).catch(() => {});
  }

  #close() {
    if (this.#open) this.#weights.close();
    this.#open = false;
  }
}

/** @param {any} folder @param {string} name @param {Uint8Array[]} parts one after the other */
async function putFile(folder, name, parts) {
  /** @type {SyncHandle} */
  const handle = await (await folder.getFileHandle(name, { create: true })).createSyncAccessHandle();
  try {
    handle.truncate(0);
    let at = 0;
    for (const bytes of parts) {
      put(handle, bytes, at);
      at += bytes.length;
    }
    handle.flush();
  } finally {
    handle.close();
  }
}

/** @param {SyncHandle} handle @param {Uint8Array} bytes @param {number} at */
function put(handle, bytes, at) {
  // A full disk may take a part and report no error.
  if (handle.write(bytes, { at }) !== bytes.length) throw new Error('The storage is full.');
}

/**
 * @param {any} file
 * @param {number} size
 * @returns {AsyncGenerator<Uint8Array, void, void>}
 */
async function* pieces(file, size) {
  /** @type {SyncHandle | null} */
  let handle = null;
  try {
    // Where the mode is unknown, only one tab can read at a time: then the slower way below does.
    handle = await file.createSyncAccessHandle({ mode: 'read-only' });
  } catch {
    // Read as any other file is.
  }
  try {
    const buffer = new Uint8Array(Math.min(PIECE, size));
    const blob = handle ? null : await file.getFile();
    for (let at = 0; at < size; at += PIECE) {
      const length = Math.min(PIECE, size - at);
      if (!handle) {
        yield new Uint8Array(await blob.slice(at, at + length).arrayBuffer());
        continue;
      }
      const piece = buffer.subarray(0, length);
      const read = handle.read(piece, { at });
      yield piece.subarray(0, read);
      if (read < length) return;
    }
  } finally {
    handle?.close();
  }
}
