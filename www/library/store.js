/**
 * What is kept of the pictures in this browser, in IndexedDB: a small copy of each, what the tagger knows of it, and its captions.
 * The originals stay where they are; of folders that were opened it is kept how to open them again.
 *
 * @typedef {import('../session.js').Candidate} Candidate
 * @typedef {import('../embeddings.js').Probe} Probe
 *
 * @typedef {object} Entry
 * @property {string} key what tells the picture from all others: what is in its file, and its path
 * @property {string} quick what tells its file from most others at once: its path, length and date
 * @property {number} size bytes of the file
 * @property {string | null} content the digest of what is in it; null where it was kept before that was read
 * @property {string | null} sample the same of a few places of it
 * @property {string} name
 * @property {string} path
 * @property {number} batch when it came, and others with it, in milliseconds
 * @property {number} index its place among them
 * @property {Blob} copy a small one
 * @property {Float32Array} embedding
 * @property {string} tagger the id of the probe of what has made it
 * @property {Candidate[]} captions best first
 * @property {string} captionModel what has written them
 * @property {import('../corrections.js').Said} [said] by people
 * @property {import('../files/embedded.js').Filed} [filed] what its file says
 * @property {number} [taken] when the file was last written, in milliseconds
 *
 * @typedef {object} Words of people
 * @property {ReadonlyMap<string, string>} names other names of tags
 * @property {readonly string[]} taught labels that were taught
 */

import { openDB } from 'idb';
import { readFiled } from '../files/embedded.js';
import { readSaid } from '../corrections.js';

const NAME = 'ocelli-library';
/** Of the first, pictures were told apart by path, length and date alone; the second kept no folders. */
const VERSION = 3;
const PICTURES = 'pictures';
const FOLDERS = 'folders';
const ABOUT = 'about';
const PROBE = 'probe';
const NAMES = 'names';
const TAUGHT = 'taught';
const REMOVED = 'removed';

export class LibraryStore {
  #database;

  /** @param {import('idb').IDBPDatabase} database */
  constructor(database) {
    this.#database = database;
  }

  /** @returns {Promise<LibraryStore | null>} null where the browser keeps nothing, as in some private windows */
  static async open() {
    try {
      /** @type {(why: Error) => void} */
      let giveUp = () => {};
      const given = new Promise((_, reject) => (giveUp = reject));
      const opening = openDB(NAME, VERSION, {
        async upgrade(fresh, before, _, transaction) {
          fresh.createObjectStore(FOLDERS, { autoIncrement: true });
          if (before === 0) {
            fresh.createObjectStore(PICTURES, { keyPath: 'key' });
            fresh.createObjectStore(ABOUT);
            return;
          }
          if (before > 1) return;
          const pictures = transaction.objectStore(PICTURES);
          for (let at = await pictures.openCursor(); at; at = await at.continue()) {
            await at.update(asOfSecond(at.value));
          }
        },
        // A new version of the page, in another window, is not to wait for this one.
        blocking: (_before, _after, event) => /** @type {IDBDatabase} */ (event.target).close(),
        blocked: () => giveUp(new Error('another window has it in its older form')),
      });
      await Promise.race([opening, given]).catch((error) => {
        opening.then((late) => late.close()).catch(() => {});
        throw error;
      });
      return new LibraryStore(await opening);
    } catch {
      return null;
    }
  }

  /** @returns {Promise<Entry[]>} the latest batch first, each in its order; those that are damaged are left out */
  async all() {
    const entries = await this.#database.getAll(PICTURES);
    for (const entry of entries) {
      if (entry?.said) entry.said = readSaid(entry.said);
      if (entry?.filed) entry.filed = readFiled(entry.filed);
    }
    return entries.filter(isEntry).sort((a, b) => b.batch - a.batch || a.index - b.index);
  }

  /** @returns {Promise<Probe | null>} of the tagger that was there last */
  async probe() {
    const probe = await this.#database.get(ABOUT, PROBE);
    return typeof probe?.id === 'string' && probe.answer instanceof Float32Array ? probe : null;
  }

  /** @returns {Promise<Words>} */
  async words() {
    const [names, taught] = await Promise.all([
      this.#database.get(ABOUT, NAMES),
      this.#database.get(ABOUT, TAUGHT),
    ]);
    const isText = (/** @type {unknown} */ one) => typeof one === 'string';
    const pairs = names instanceof Map ? [...names] : [];
    return {
      names: new Map(pairs.filter((pair) => pair.every(isText))),
      taught: Array.isArray(taught) ? taught.filter(isText) : [],
    };
  }

  /** @param {Words} words */
  async putWords({ names, taught }) {
    await this.#database.put(ABOUT, names, NAMES);
    await this.#database.put(ABOUT, taught, TAUGHT);
  }

  /**
   * @param {readonly Entry[]} entries
   * @param {Probe} probe of the tagger that is there
   * @param {readonly string[]} [gone] keys that the same pictures had before
   */
  async put(entries, probe, gone = []) {
    const transaction = this.#database.transaction([PICTURES, ABOUT], 'readwrite');
    const pictures = transaction.objectStore(PICTURES);
    await Promise.all([
      transaction.objectStore(ABOUT).put(probe, PROBE),
      ...gone.map((key) => pictures.delete(key)),
      ...entries.map((entry) => pictures.put(entry)),
      transaction.done,
    ]);
  }

  /** @param {string} key */
  async remove(key) {
    await this.#database.delete(PICTURES, key);
  }

  /** @returns {Promise<FileSystemDirectoryHandle[]>} folders that were opened, the latest first */
  async folders() {
    const all = await this.#database.getAll(FOLDERS);
    return all.filter((one) => one?.kind === 'directory' && typeof one.name === 'string').reverse();
  }

  /** @param {readonly FileSystemDirectoryHandle[]} folders all that are kept, the latest first */
  async putFolders(folders) {
    const transaction = this.#database.transaction(FOLDERS, 'readwrite');
    const store = transaction.objectStore(FOLDERS);
    await Promise.all([
      store.clear(),
      ...[...folders].reverse().map((folder) => store.add(folder)),
      transaction.done,
    ]);
  }

  /** @returns {Promise<[path: string, mark: string][]>} pictures that were taken away, and what was in their files */
  async removed() {
    const removed = await this.#database.get(ABOUT, REMOVED);
    const isText = (/** @type {unknown} */ one) => typeof one === 'string';
    return removed instanceof Map ? [...removed].filter((pair) => pair.every(isText)) : [];
  }

  /** @param {ReadonlyMap<string, string>} removed */
  async putRemoved(removed) {
    await this.#database.put(ABOUT, removed, REMOVED);
  }

  /** Forgets everything. */
  async clear() {
    const transaction = this.#database.transaction([PICTURES, ABOUT, FOLDERS], 'readwrite');
    await Promise.all([
      transaction.objectStore(FOLDERS).clear(),
      transaction.objectStore(PICTURES).clear(),
      transaction.objectStore(ABOUT).clear(),
      transaction.done,
    ]);
  }
}

/** @param {any} entry as the first version of the page kept it */
function asOfSecond(entry) {
  const size = Number(String(entry?.key).split('|').at(-2));
  return { ...entry, quick: entry?.key, size, content: null, sample: null };
}

/** @param {any} entry @returns {entry is Entry} */
function isEntry(entry) {
  const texts = [entry?.key, entry?.quick, entry?.name, entry?.path, entry?.tagger, entry?.captionModel];
  return (
    texts.every((text) => typeof text === 'string') &&
    [entry.content, entry.sample].every((one) => one === null || typeof one === 'string') &&
    Number.isFinite(entry.size) &&
    Number.isFinite(entry.batch) &&
    Number.isFinite(entry.index) &&
    (entry.taken === undefined || Number.isFinite(entry.taken)) &&
    entry.copy instanceof Blob &&
    entry.embedding instanceof Float32Array &&
    Array.isArray(entry.captions) &&
    entry.captions.every((/** @type {any} */ one) => typeof one?.caption === 'string')
  );
}
