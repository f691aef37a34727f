/**
 * Pictures that were taken away: those of folders stay away when their folder is opened again, until somebody wants them back. A picture
 * is known by where it lay and by what is in its file, so that another one of its name comes in.
 *
 * @typedef {import('./store.js').LibraryStore} LibraryStore
 * @typedef {import('../pictures.js').Picture} Picture
 */

import { joinedMap } from '../joining.js';
import { keyOf } from '../pictures.js';
import { canDigest, sampleOf } from './content.js';

/** Pictures that are remembered, the latest: of a mistake of so many nobody would want to know. */
const MOST = 50_000;

export class Removals {
  /** What was in the file, by its path. @type {Map<string, string>} */
  #gone = new Map();
  /** The same as it is kept. @type {ReadonlyMap<string, string>} */
  #kept = new Map();
  /** @type {LibraryStore | null} */
  #store = null;
  /** The change under way. @type {Promise<void>} */
  #turn = Promise.resolve();

  /** Takes up what was remembered on earlier visits. @param {LibraryStore} store */
  restore(store) {
    store.tabs.on('removals', () =>
      this.#takeTurn(async () => this.#join(this.#kept, await store.removed())),
    );
    return this.#next(async () => {
      this.#store = store;
      this.#join(this.#kept, await store.removed().catch(() => new Map()));
    });
  }

  /** Takes over what is kept, but for what was changed here since. @param {ReadonlyMap<string, string>} before @param {ReadonlyMap<string, string>} there */
  #join(before, there) {
    this.#gone = joinedMap(before, this.#gone, there);
    this.#kept = there;
  }

  /** @param {readonly Picture[]} pictures that were taken away */
  add(pictures) {
    return this.#next(async () => {
      const gone = new Map(this.#gone);
      for (const picture of pictures.filter(({ path }) => isInFolder(path))) {
        gone.set(picture.path, markOf(picture, await sampleIn(picture)));
      }
      this.#gone = new Map([...gone].slice(-MOST));
    });
  }

  /** @param {readonly string[]} paths of pictures that are wanted again */
  forget(paths) {
    return this.#next(async () => {
      const back = new Set(paths);
      this.#gone = new Map([...this.#gone].filter(([path]) => !back.has(path)));
    });
  }

  /**
   * Whether a file is a picture that was taken away.
   * @param {Blob} file
   * @param {string} path
   */
  async has(file, path) {
    await this.#turn;
    const mark = this.#gone.get(path);
    if (mark === undefined) return false;
    const key = keyOf(file, path);
    if (mark === key) return true;
    const sample = canDigest ? await sampleOf(file).catch(() => null) : null;
    return mark === markOf({ key, size: file.size }, sample);
  }

  /** Changes what is remembered, one after the other. @param {() => Promise<void>} change */
  #next(change) {
    return this.#takeTurn(async () => {
      await change();
      const now = this.#gone;
      // Where nothing can be kept, it holds for this visit.
      const written = await this.#store?.putRemoved(now, this.#kept).catch(() => null);
      if (written) this.#join(now, written);
    });
  }

  /** @param {() => Promise<void>} change */
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
