/**
 * What is kept of the pictures in this browser, in IndexedDB: a small copy of each, what the tagger knows of it, and its captions.
 * The originals stay where they are; of folders that were opened it is kept how to open them again.
 *
 * @typedef {import('../session.js').Candidate} Candidate
 * @typedef {import('../embeddings.js').Probe} Probe
 * @typedef {import('./removals.js').Removal} Removal
 *
 * @typedef {object} Entry
 * @property {string} key what tells the picture from all others: what is in its file, and its path
 * @property {string} quick what tells its file from most others at once: its path, length and date
 * @property {number} size bytes of the file
 * @property {string | null} content the digest of what is in it; null where it was kept before that was read
 * @property {string | null} sample the same of a few places of it
 * @property {string} [pixels] the same of its pixels
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
 * @property {import('../files/filed.js').Filed} [filed] what its file says, and sidecars beside it
 * @property {Blob} [sidecar] what lies beside it
 * @property {string} [lies] where that lies, if it came with its folder
 * @property {Blob} [packet] the XMP in its file
 * @property {number} [taken] when the file was last written, in milliseconds
 *
 * @typedef {object} Fresh what is to be written
 * @property {Entry} entry
 * @property {string | undefined} before the key that the same picture had, where it had one
 * @property {boolean} isSaid whether people have said something new of it: another tab that has taken it away does not know that
 * @property {(mine: Entry, there: Entry) => Entry} join with what another tab may have written meanwhile
 *
 * @typedef {object} Words of people
 * @property {ReadonlyMap<string, string>} names other names of tags
 * @property {readonly string[]} taught labels that were taught
 */

import { openDB } from 'idb';
import { readFiled } from '../files/filed.js';
import { readSaid } from '../corrections.js';
import { joinedWords } from '../joining.js';
import { Tabs } from './tabs.js';

const NAME = 'ocelli-library';
/** Of the first, pictures were told apart by path, length and date alone; the second kept no folders, the third nothing said of removals. */
const VERSION = 4;
const PICTURES = 'pictures';
const FOLDERS = 'folders';
const ABOUT = 'about';
const PROBE = 'probe';
const NAMES = 'names';
const TAUGHT = 'taught';
const REMOVALS = 'removals';
/** Marks by paths, as the third version had them. */
const REMOVED = 'removed';

export class LibraryStore {
  /** Those that have the same store: they are told of what is written here, and tell what they write. */
  tabs = new Tabs();
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
          const removals = fresh.createObjectStore(REMOVALS, { keyPath: 'path' });
          if (before < 3) fresh.createObjectStore(FOLDERS, { autoIncrement: true });
          if (before === 0) {
            fresh.createObjectStore(PICTURES, { keyPath: 'key' });
            fresh.createObjectStore(ABOUT);
            return;
          }
          const about = transaction.objectStore(ABOUT);
          for (const [path, mark] of textsOf(await about.get(REMOVED))) {
            await removals.put({ path, mark, at: 0, told: {} });
          }
          await about.delete(REMOVED);
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
    return entries.flatMap(readEntry).sort((a, b) => b.batch - a.batch || a.index - b.index);
  }

  /** @param {readonly string[]} keys @returns {Promise<Entry[]>} those that are there */
  async some(keys) {
    const pictures = this.#database.transaction(PICTURES).store;
    return (await Promise.all(keys.map((key) => pictures.get(key)))).flatMap(readEntry);
  }

  /** @returns {Promise<Probe | null>} of the tagger that was there last */
  async probe() {
    const probe = await this.#database.get(ABOUT, PROBE);
    return typeof probe?.id === 'string' && probe.answer instanceof Float32Array ? probe : null;
  }

  /** @returns {Promise<Words>} */
  async words() {
    return readWords(this.#database.transaction(ABOUT).store);
  }

  /**
   * @param {Words} words
   * @param {Words} before what was there when they were changed
   * @returns {Promise<Words>} those, and what another tab has changed meanwhile
   */
  async putWords(words, before) {
    const transaction = this.#database.transaction(ABOUT, 'readwrite');
    const joined = joinedWords(before, words, await readWords(transaction.store));
    await Promise.all([...writeWords(transaction.store, joined), transaction.done]);
    this.tabs.tell({ what: 'words' });
    return joined;
  }

  /**
   * Writes entries, each joined with what another tab has written of the same picture.
   * @param {readonly Fresh[]} fresh
   * @param {Probe | null} probe of the tagger that is there
   * @param {{ isFirst: boolean }} how `isFirst`: whether this tab knows of nothing that is kept
   * @returns {Promise<(Entry | null)[] | null>} as they were written, null for those that another tab has taken away; null where everything
   *   was forgotten there. Of these nothing is written
   */
  async put(fresh, probe, { isFirst }) {
    const transaction = this.#database.transaction([PICTURES, ABOUT], 'readwrite');
    const [pictures, about] = [transaction.objectStore(PICTURES), transaction.objectStore(ABOUT)];
    if (!isFirst && (await about.get(PROBE)) === undefined) return null;
    /** @type {(Entry | null)[]} */
    const written = [];
    for (const { entry, before, isSaid, join } of fresh) {
      const keys = new Set([before ?? entry.key, entry.key]);
      const there = (await Promise.all([...keys].map((key) => pictures.get(key)))).flatMap(readEntry);
      if (before !== undefined && there.length === 0 && !isSaid) {
        written.push(null);
        continue;
      }
      const whole = there.reduce((mine, other) => join(mine, other), entry);
      if (before !== undefined && before !== entry.key) await pictures.delete(before);
      await pictures.put(whole);
      written.push(whole);
    }
    await Promise.all([...(probe ? [about.put(probe, PROBE)] : []), transaction.done]);
    this.#tellOf(fresh.filter((_, i) => written[i]));
    return written;
  }

  /**
   * The same without a look at what is there, for a page that is about to go: it is on its way before this returns.
   * @param {readonly Fresh[]} fresh
   * @param {Probe | null} probe
   * @param {Words} words
   */
  async putAtOnce(fresh, probe, words) {
    const transaction = this.#database.transaction([PICTURES, ABOUT], 'readwrite');
    const [pictures, about] = [transaction.objectStore(PICTURES), transaction.objectStore(ABOUT)];
    const done = Promise.all([
      ...(probe ? [about.put(probe, PROBE)] : []),
      ...writeWords(about, words),
      ...fresh
        .flatMap(({ entry, before }) => (before === entry.key ? [] : (before ?? [])))
        .map((key) => pictures.delete(key)),
      ...fresh.map(({ entry }) => pictures.put(entry)),
      transaction.done,
    ]);
    transaction.commit();
    const tell = () => {
      this.#tellOf(fresh);
      this.tabs.tell({ what: 'words' });
    };
    // Nobody may be here to tell of it when it is done.
    tell();
    await done;
    tell();
  }

  /** @param {readonly Fresh[]} fresh that was written */
  #tellOf(fresh) {
    /** @type {Map<string, string>} */
    const moved = new Map();
    for (const { entry, before = entry.key } of fresh) {
      if (before !== entry.key) moved.set(entry.key, before);
    }
    this.tabs.tell({ what: 'pictures', keys: fresh.map(({ entry }) => entry.key), moved });
  }

  /** @param {readonly string[]} keys */
  async remove(keys) {
    const transaction = this.#database.transaction(PICTURES, 'readwrite');
    await Promise.all([...keys.map((key) => transaction.store.delete(key)), transaction.done]);
    this.tabs.tell({ what: 'removed', keys });
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
    this.tabs.tell({ what: 'folders' });
  }

  /** @returns {Promise<Removal[]>} pictures that were taken away, the latest last */
  async removals() {
    const all = await this.#database.getAll(REMOVALS);
    return all.flatMap(readRemoval).sort((a, b) => a.at - b.at);
  }

  /** @param {readonly Removal[]} removals */
  async putRemovals(removals) {
    const transaction = this.#database.transaction(REMOVALS, 'readwrite');
    await Promise.all([...removals.map((one) => transaction.store.put(one)), transaction.done]);
    this.tabs.tell({ what: 'removals' });
  }

  /** @param {readonly string[]} paths of pictures that are there again, or were taken away long ago */
  async dropRemovals(paths) {
    const transaction = this.#database.transaction(REMOVALS, 'readwrite');
    await Promise.all([...paths.map((path) => transaction.store.delete(path)), transaction.done]);
    this.tabs.tell({ what: 'removals' });
  }

  /** Forgets everything. */
  async clear() {
    const stores = [PICTURES, ABOUT, FOLDERS, REMOVALS];
    const transaction = this.#database.transaction(stores, 'readwrite');
    const cleared = stores.map((store) => transaction.objectStore(store).clear());
    await Promise.all([...cleared, transaction.done]);
    this.tabs.tell({ what: 'forgotten' });
  }
}

/** @param {unknown} kept @returns {Map<string, string>} what of it is texts by texts */
function textsOf(kept) {
  const pairs = kept instanceof Map ? [...kept] : [];
  return new Map(pairs.filter((pair) => pair.every((one) => typeof one === 'string')));
}

/** @param {{ get(key: string): Promise<any> }} about @returns {Promise<Words>} */
async function readWords(about) {
  const [names, taught] = await Promise.all([about.get(NAMES), about.get(TAUGHT)]);
  return {
    names: textsOf(names),
    taught: Array.isArray(taught) ? taught.filter((one) => typeof one === 'string') : [],
  };
}

/** @param {{ put(value: unknown, key: string): Promise<unknown> }} about @param {Words} words */
function writeWords(about, { names, taught }) {
  return [about.put(names, NAMES), about.put(taught, TAUGHT)];
}

/** @param {any} entry as the first version of the page kept it */
function asOfSecond(entry) {
  const size = Number(String(entry?.key).split('|').at(-2));
  return { ...entry, quick: entry?.key, size, content: null, sample: null };
}

/** @param {any} entry as it is in the store @returns {Entry[]} none where it is damaged */
function readEntry(entry) {
  readTold(entry);
  return isEntry(entry) ? [entry] : [];
}

/** @param {any} removal as it is in the store @returns {Removal[]} none where it is damaged */
function readRemoval(removal) {
  readTold(removal?.told);
  const { path, mark, at, told } = removal ?? {};
  const isText = [path, mark, removal?.pixels ?? ''].every((text) => typeof text === 'string');
  const isWhole = isText && Number.isFinite(at);
  return isWhole && told && isTold(told) ? [removal] : [];
}

/** @param {any} told what people and files say of a picture, in the store */
function readTold(told) {
  if (told?.said) told.said = readSaid(told.said);
  if (told?.filed) told.filed = readFiled(told.filed);
}

/** @param {any} told */
function isTold({ sidecar, packet, lies }) {
  const isBlob = [sidecar, packet].every((one) => one === undefined || one instanceof Blob);
  return isBlob && (lies === undefined || typeof lies === 'string');
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
    isTold(entry) &&
    (entry.pixels === undefined || typeof entry.pixels === 'string') &&
    entry.embedding instanceof Float32Array &&
    Array.isArray(entry.captions) &&
    entry.captions.every((/** @type {any} */ one) => typeof one?.caption === 'string')
  );
}
