/**
 * Folders that were opened, and can be opened again: their handles, the latest first. Reading one is asked for by whoever opens it.
 *
 * @typedef {import('./store.js').LibraryStore} LibraryStore
 */

/** Folders that are kept: with more, a choice of files is quicker. */
const MOST = 5;

/** Dispatches `change` when others are kept. */
export class Folders extends EventTarget {
  /** @type {readonly FileSystemDirectoryHandle[]} */
  #kept = [];
  /** Those that were opened on this visit. @type {Set<FileSystemDirectoryHandle>} */
  #opened = new Set();
  /** @type {LibraryStore | null} */
  #store = null;
  /** The change under way. @type {Promise<void>} */
  #turn = Promise.resolve();

  /** Those of earlier visits that were not opened on this one. */
  get closed() {
    return this.#kept.filter((folder) => !this.#opened.has(folder));
  }

  /** Takes up what was kept on earlier visits. @param {LibraryStore} store */
  restore(store) {
    return this.#next(async () => {
      const early = this.#kept;
      this.#store = store;
      this.#kept = await store.folders().catch(() => []);
      // What was opened meanwhile goes before.
      for (const folder of [...early].reverse()) await this.#put(folder);
    });
  }

  /** Keeps a folder that has been opened. @param {FileSystemDirectoryHandle} folder */
  keep(folder) {
    this.#opened.add(folder);
    return this.#next(() => this.#put(folder));
  }

  /** @param {FileSystemDirectoryHandle} folder that is not to be opened again */
  forget(folder) {
    return this.#next(async () => {
      this.#kept = this.#kept.filter((one) => one !== folder);
    });
  }

  /** @param {FileSystemDirectoryHandle} folder in the place of what was kept of it before */
  async #put(folder) {
    const same = await Promise.all(this.#kept.map((one) => one.isSameEntry(folder).catch(() => false)));
    this.#kept = [folder, ...this.#kept.filter((_, i) => !same[i])].slice(0, MOST);
  }

  /** Changes what is kept, one after the other. @param {() => Promise<void>} change */
  #next(change) {
    const done = this.#turn.then(async () => {
      await change();
      this.#changed();
      // Where nothing can be kept, it holds for this visit.
      await this.#store?.putFolders(this.#kept).catch(() => {});
    });
    this.#turn = done.catch(() => {});
    return done;
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }
}

/**
 * Asks whether a folder may be read, where that is not known. Browsers ask people only upon a click or a key.
 * @param {FileSystemDirectoryHandle} folder
 * @returns {Promise<boolean>}
 */
export async function mayRead(folder) {
  // Neither the types nor every browser know of permissions.
  const { requestPermission } = /** @type {any} */ (folder);
  if (!requestPermission) return true;
  return (await requestPermission.call(folder, { mode: 'read' }).catch(() => 'denied')) === 'granted';
}
