/**
 * Pictures that were taken away: those of folders stay away when their folder is opened again, until somebody wants them back; and what
 * was said of any of them is known again then. A picture is known by what is in its file, wherever that lies now; where it lay, by its
 * pixels as well, whatever another program has written into it. So another one of its name comes in.
 *
 * @typedef {import('./store.js').LibraryStore} LibraryStore
 * @typedef {import('../pictures.js').Picture} Picture
 *
 * @typedef {import('./entries.js').Told} Told
 *
 * @typedef {object} Removal
 * @property {string} path where it lay
 * @property {string} mark what was in its file
 * @property {string} [pixels] the digest of its pixels, where it is known
 * @property {number} at when, in milliseconds
 * @property {Told} told
 */

import { keyOf } from '../pictures.js';
import { canDigest, digestsOf, sampleOf, unturned } from './content.js';

/** Pictures that are remembered, the latest: of a mistake of so many nobody would want to know. */
const MOST = 50_000;

export class Removals {
  /** By their paths, the latest last. @type {Map<string, Removal>} */
  #gone = new Map();
  /** The same by their marks, and how long their files were; null where they have changed. @type {{ marks: Map<string, Removal>, sizes: Set<number> } | null} */
  #byMark = null;
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
    if (!kept) return;
    this.#gone = new Map(kept.map((one) => [one.path, one]));
    this.#byMark = null;
  }

  /** @param {readonly Picture[]} pictures that were taken away @param {(picture: Picture) => Told} toldOf */
  add(pictures, toldOf = () => ({})) {
    const going = pictures.map((picture) => ({ picture, told: toldOf(picture) }));
    return this.#takeTurn(async () => {
      const at = Date.now();
      /** @type {Removal[]} */
      const fresh = [];
      for (const { picture, told } of going) {
        const mark = markOf(picture, await sampleIn(picture));
        const pixels = await pixelsIn(picture);
        fresh.push({ path: picture.path, mark, at, told, ...(pixels !== null && { pixels }) });
      }
      await this.#put(fresh);
    });
  }

  /** @param {readonly string[]} paths of pictures that are there again */
  forget(paths) {
    return this.#takeTurn(async () => this.#drop(paths.filter((path) => this.#gone.has(path))));
  }

  /**
   * What is remembered of a file, if it is a picture that was taken away: from there, or from elsewhere.
   * @param {Blob} file
   * @param {string} path
   * @returns {Promise<Removal | null>}
   */
  async of(file, path) {
    await this.#turn;
    const removal = this.#gone.get(path);
    const key = keyOf(file, path);
    if (removal?.mark === key) return removal;
    const { marks, sizes } = this.#known();
    if (!canDigest || (!removal && !sizes.has(file.size))) return null;
    const sample = await sampleOf(file).catch(() => null);
    const mark = markOf({ key, size: file.size }, sample);
    if (removal?.mark === mark) return removal;
    if (removal?.pixels !== undefined) {
      const { pixels } = (await digestsOf(file).catch(() => null)) ?? {};
      if (pixels && unturned(pixels) === unturned(removal.pixels)) return removal;
    }
    return marks.get(mark) ?? null;
  }

  /** What is known of files, wherever they lie. */
  #known() {
    if (this.#byMark) return this.#byMark;
    const all = [...this.#gone.values()];
    return (this.#byMark = {
      marks: new Map(all.map((one) => [one.mark, one])),
      sizes: new Set(all.map(({ mark }) => Number.parseInt(mark, 10))),
    });
  }

  /** Where nothing can be kept, it holds for this visit. @param {readonly Removal[]} fresh */
  async #put(fresh) {
    if (fresh.length === 0) return;
    for (const one of fresh) {
      this.#gone.delete(one.path);
      this.#gone.set(one.path, one);
    }
    this.#byMark = null;
    await this.#store?.putRemovals(fresh).catch(() => {});
    await this.#drop([...this.#gone.keys()].slice(0, -MOST));
  }

  /** @param {readonly string[]} paths */
  async #drop(paths) {
    if (paths.length === 0) return;
    for (const path of paths) this.#gone.delete(path);
    this.#byMark = null;
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

/** @param {Picture} picture @returns {Promise<string | null>} null where nobody can tell */
async function pixelsIn({ pixels, file, size }) {
  if (pixels || !canDigest || file.size !== size) return pixels ?? null;
  return (await digestsOf(file).catch(() => null))?.pixels ?? null;
}
