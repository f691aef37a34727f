/**
 * Pictures that were taken away: those of folders stay away when their folder is opened again, until somebody wants them back; and what
 * was said of any of them is known again then. A picture is known by where it lay and by what is in its file, so that another one of its
 * name comes in.
 *
 * @typedef {import('./store.js').LibraryStore} LibraryStore
 * @typedef {import('../pictures.js').Picture} Picture
 *
 * @typedef {import('./entries.js').Told} Told
 *
 * @typedef {object} Removal
 * @property {string} path where it lay
 * @property {string} mark what was in its file
 * @property {number} at when, in milliseconds
 * @property {Told} told
 */

import { keyOf } from '../pictures.js';
import { canDigest, sampleOf } from './content.js';

/** Pictures that are remembered, the latest: of a mistake of so many nobody would want to know. */
const MOST = 50_000;

export class Removals {
  /** By their paths, the latest last. @type {Map<string, Removal>} */
  #gone = new Map();
  /** @type {LibraryStore | null} */
  #store = null;
  /** The change under way. @type {Promise<void>} */
  #turn = Promise.resolve();

  /** Takes up what was remembered on earlier visits. @param {LibraryStore} store */
  restore(store) {
    store.tabs.on('removals', () => this.#takeTurn(() => this.#read(store)));
    return this.#takeTurn(async () => {
      const early = [...this.#gone.values()];
      await this.#read(store);
      this.#store = store;
      await this.#put(early);
    });
  }

  /** @param {LibraryStore} store */
  async #read(store) {
    const kept = await store.removals().catch(() => null);
    if (kept) this.#gone = new Map(kept.map((one) => [one.path, one]));
  }

  /** @param {readonly Picture[]} pictures that were taken away @param {(picture: Picture) => Told} toldOf */
  add(pictures, toldOf = () => ({})) {
    const going = pictures.map((picture) => ({ picture, told: toldOf(picture) }));
    return this.#takeTurn(async () => {
      const at = Date.now();
      /** @type {Removal[]} */
      const fresh = [];
      for (const { picture, told } of going) {
        fresh.push({ path: picture.path, mark: markOf(picture, await sampleIn(picture)), at, told });
      }
      await this.#put(fresh);
    });
  }

  /** @param {readonly string[]} paths of pictures that are there again */
  forget(paths) {
    return this.#takeTurn(async () => this.#drop(paths.filter((path) => this.#gone.has(path))));
  }

  /**
   * What is remembered of a file, if it is a picture that was taken away.
   * @param {Blob} file
   * @param {string} path
   * @returns {Promise<Told | null>}
   */
  async of(file, path) {
    await this.#turn;
    const removal = this.#gone.get(path);
    if (!removal) return null;
    const key = keyOf(file, path);
    if (removal.mark === key) return removal.told;
    const sample = canDigest ? await sampleOf(file).catch(() => null) : null;
    return removal.mark === markOf({ key, size: file.size }, sample) ? removal.told : null;
  }

  /** Where nothing can be kept, it holds for this visit. @param {readonly Removal[]} fresh */
  async #put(fresh) {
    if (fresh.length === 0) return;
    for (const one of fresh) {
      this.#gone.delete(one.path);
      this.#gone.set(one.path, one);
    }
    await this.#store?.putRemovals(fresh).catch(() => {});
    await this.#drop([...this.#gone.keys()].slice(0, -MOST));
  }

  /** @param {readonly string[]} paths */
  async #drop(paths) {
    if (paths.length === 0) return;
    for (const path of paths) this.#gone.delete(path);
    await this.#store?.dropRemovals(paths).catch(() => {});
  }

  /** Changes what is remembered, one after the other. @param {() => Promise<void>} change */
  #takeTurn(change) {
    const done = this.#turn.then(change);
    this.#turn = done.catch(() => {});
    return done;
  }
}

/** @param {string} path @returns {boolean} whether it came with a folder */
export function isInFolder(path) {
  return path.includes('/');
}

/** @param {{ key: string, size: number }} file @param {string | null} sample null where nobody can tell what is in it */
function markOf({ key, size }, sample) {
  return sample === null ? key : `${size}|${sample}`;
}

/** @param {Picture} picture @returns {Promise<string | null>} */
async function sampleIn({ sample, file, size }) {
  // A small copy is not what lies in the folder.
  if (sample !== null || !canDigest || file.size !== size) return sample;
  return sampleOf(file).catch(() => null);
}
