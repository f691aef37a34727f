/**
 * What is kept of the pictures in this browser, in IndexedDB: a small copy of each, what the tagger knows of it, and its captions.
 * The originals stay where they are.
 *
 * @typedef {import('../session.js').Candidate} Candidate
 * @typedef {import('../embeddings.js').Probe} Probe
 *
 * @typedef {object} Entry
 * @property {string} key what tells the file from others: its path, length and date
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
 * @property {number} [taken] when the file was last written, in milliseconds
 *
 * @typedef {object} Words of people
 * @property {ReadonlyMap<string, string>} names other names of tags
 * @property {readonly string[]} taught labels that were taught
 */

import { openDB } from 'idb';
import { readSaid } from '../corrections.js';

const NAME = 'ocelli-library';
const VERSION = 1;
const PICTURES = 'pictures';
const ABOUT = 'about';
const PROBE = 'probe';
const NAMES = 'names';
const TAUGHT = 'taught';

export class LibraryStore {
  #database;

  /** @param {import('idb').IDBPDatabase} database */
  constructor(database) {
    this.#database = database;
  }

  /** @returns {Promise<LibraryStore | null>} null where the browser keeps nothing, as in some private windows */
  static async open() {
    try {
      const database = await openDB(NAME, VERSION, {
        upgrade(fresh) {
          fresh.createObjectStore(PICTURES, { keyPath: 'key' });
          fresh.createObjectStore(ABOUT);
        },
      });
      return new LibraryStore(database);
    } catch {
      return null;
    }
  }

  /** @returns {Promise<Entry[]>} the latest batch first, each in its order; those that are damaged are left out */
  async all() {
    const entries = await this.#database.getAll(PICTURES);
    for (const entry of entries) if (entry?.said) entry.said = readSaid(entry.said);
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

  /** @param {readonly Entry[]} entries @param {Probe} probe of the tagger that is there */
  async put(entries, probe) {
    const transaction = this.#database.transaction([PICTURES, ABOUT], 'readwrite');
    const pictures = transaction.objectStore(PICTURES);
    await Promise.all([
      transaction.objectStore(ABOUT).put(probe, PROBE),
      ...entries.map((entry) => pictures.put(entry)),
      transaction.done,
    ]);
  }

  /** @param {string} key */
  async remove(key) {
    await this.#database.delete(PICTURES, key);
  }

  /** Forgets everything. */
  async clear() {
    const transaction = this.#database.transaction([PICTURES, ABOUT], 'readwrite');
    await Promise.all([
      transaction.objectStore(PICTURES).clear(),
      transaction.objectStore(ABOUT).clear(),
      transaction.done,
    ]);
  }
}

/** @param {any} entry @returns {entry is Entry} */
function isEntry(entry) {
  const texts = [entry?.key, entry?.name, entry?.path, entry?.tagger, entry?.captionModel];
  return (
    texts.every((text) => typeof text === 'string') &&
    Number.isFinite(entry.batch) &&
    Number.isFinite(entry.index) &&
    (entry.taken === undefined || Number.isFinite(entry.taken)) &&
    entry.copy instanceof Blob &&
    entry.embedding instanceof Float32Array &&
    Array.isArray(entry.captions) &&
    entry.captions.every((/** @type {any} */ one) => typeof one?.caption === 'string')
  );
}
