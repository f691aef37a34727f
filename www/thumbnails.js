/**
 * Small copies of the pictures, for the grid: made in a worker, those on screen first, and kept as files of a few kilobytes, so that
 * no picture is in memory in its own size. Dispatches `change` with the picture whose copy is there.
 *
 * @typedef {import('./session.js').Picture} Picture
 */

/** Pixels of the shorter edge: enough for a tile on a dense screen. */
const EDGE = 320;
/** Pictures that the worker has at a time: it decodes one while the next is on its way. */
const UNDER_WAY = 2;

export class Thumbnails extends EventTarget {
  /** @type {Map<Picture, { address: string, blob: Blob | null, pixels: { width: number, height: number } | null }>} each copy; an empty address where there can be none */
  #made = new Map();
  /** @type {Map<string, Picture>} by id */
  #asked = new Map();
  /** @type {Picture[]} */
  #wanted = [];
  /** Wanted when nothing is urgent. @type {Picture[]} */
  #later = [];
  /** @type {Worker | null} */
  #worker = null;

  /** @param {Picture} picture @returns {string | undefined} undefined while it is to come, empty where there is none */
  of(picture) {
    return this.#made.get(picture)?.address;
  }

  /** @param {Picture} picture @returns {Blob | null} its copy, once it is there */
  copyOf(picture) {
    return this.#made.get(picture)?.blob ?? null;
  }

  /** The size of the picture itself; null where it is not known. @param {Picture} picture */
  pixelsOf(picture) {
    return this.#made.get(picture)?.pixels ?? null;
  }

  /** Takes over a copy that was made on an earlier visit. @param {Picture} picture @param {Blob} copy empty where none could be made */
  adopt(picture, copy) {
    const blob = copy.size > 0 ? copy : null;
    this.#made.set(picture, { address: blob ? URL.createObjectURL(blob) : '', blob, pixels: null });
  }

  /**
   * What is wanted now, most urgent first; what was wanted before, and not begun, no longer is.
   * @param {readonly Picture[]} pictures
   * @param {{ later?: boolean }} [options] `later`: once nothing else is wanted
   */
  want(pictures, { later = false } = {}) {
    const open = pictures.filter((picture) => !this.#made.has(picture) && !this.#asked.has(picture.id));
    if (later) this.#later = open;
    else this.#wanted = open;
    this.#next();
  }

  /** @param {Picture} picture that is no longer there */
  forget(picture) {
    const address = this.#made.get(picture)?.address;
    if (address) URL.revokeObjectURL(address);
    this.#made.delete(picture);
    this.#asked.delete(picture.id);
  }

  #next() {
    while (this.#asked.size < UNDER_WAY) {
      const picture = this.#wanted.shift() ?? this.#later.shift();
      if (!picture) return;
      if (this.#made.has(picture) || this.#asked.has(picture.id)) continue;
      this.#asked.set(picture.id, picture);
      this.#worker ??= this.#begin();
      this.#worker.postMessage({ id: picture.id, file: picture.file, edge: EDGE });
    }
  }

  #begin() {
    const worker = new Worker(new URL('./thumbnail-worker.js', import.meta.url), { type: 'module' });
    worker.addEventListener('message', ({ data: { id, blob, pixels } }) => {
      const picture = this.#asked.get(id);
      this.#asked.delete(id);
      if (picture) {
        this.#made.set(picture, { address: blob ? URL.createObjectURL(blob) : '', blob, pixels });
        this.dispatchEvent(new CustomEvent('change', { detail: picture }));
      }
      this.#next();
    });
    return worker;
  }
}
