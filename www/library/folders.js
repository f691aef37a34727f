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

  /** All of them. */
  get all() {
    return [...new Set([...this.#kept, ...this.#opened])];
  }

  /** Takes up what was kept on earlier visits. @param {LibraryStore} store */
  restore(store) {
    store.tabs.on('folders', () => this.#takeTurn(() => this.#look()));
    return this.#next(async () => {
      const early = this.#kept;
      this.#store = store;
      await this.#look();
      // What was opened meanwhile goes before.
      for (const folder of [...early].reverse()) await this.#put(folder);
    });
  }

  /** Takes over what is kept, which another tab may have changed. */
  async #look() {
    const there = await this.#store?.folders().catch(() => null);
    if (!there) return;
    const known = await Promise.all(there.map((folder) => this.#known(folder)));
    this.#kept = there.map((folder, i) => known[i] ?? folder);
    this.#changed();
  }

  /** What is known as the same folder here. @param {FileSystemDirectoryHandle} folder */
  async #known(folder) {
    const { all } = this;
    const same = await Promise.all(all.map((one) => one.isSameEntry(folder).catch(() => false)));
    return all.find((_, i) => same[i]);
  }

  /** Keeps a folder that has been opened. @param {FileSystemDirectoryHandle} folder */
  keep(folder) {
    this.#opened.add(folder);
    return this.#next(() => this.#put(folder));
  }

  /** @param {FileSystemDirectoryHandle} folder that is not to be opened again */
  forget(folder) {
    return this.#next(async () => {
      const same = await Promise.all(this.#kept.map((one) => one.isSameEntry(folder).catch(() => false)));
      this.#kept = this.#kept.filter((one, i) => one !== folder && !same[i]);
    });
  }

  /** @param {FileSystemDirectoryHandle} folder in the place of what was kept of it before */
  async #put(folder) {
    const { all } = this;
    const same = await Promise.all(all.map((one) => one.isSameEntry(folder).catch(() => false)));
    const others = new Set(all.filter((one, i) => one !== folder && !same[i]));
    this.#kept = [folder, ...this.#kept.filter((one) => others.has(one))].slice(0, MOST);
    // One that was chosen twice is one folder.
    for (const one of this.#opened) if (one !== folder && !others.has(one)) this.#opened.delete(one);
  }

  /** Changes what is kept, one after the other. @param {() => Promise<void>} change */
  #next(change) {
    return this.#takeTurn(async () => {
      await this.#look();
      await change();
      this.#changed();
      // Where nothing can be kept, it holds for this visit.
      await this.#store?.putFolders(this.#kept).catch(() => {});
    });
  }

  /** @param {() => Promise<void>} change */
  #takeTurn(change) {
    const done = this.#turn.then(change);
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
