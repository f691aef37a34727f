/**
 * Small copies of the pictures, for the grid: made in a worker, those on screen first, and kept as files of a few kilobytes, so that
 * no picture is in memory in its own size. Dispatches `change` with the picture whose copy is there.
 *
 * @typedef {import('./session.js').Picture} Picture
 * @typedef {import('ocelli').DecodedImage} DecodedImage
 *
 * @typedef {object} Copy
 * @property {Blob | null} blob null where there can be none
 * @property {{ width: number, height: number } | null} pixels the size of the picture itself, where it is known
 */

/** Pixels of the shorter edge: enough for a tile on a dense screen. */
const EDGE = 320;
/** Pixels of the longer edge of what is decoded for a tile, and for a whole screen. */
const DECODED = 1280;
const LARGE = 2560;
/** Pictures that the worker has at a time: it decodes one while the next is on its way. */
const UNDER_WAY = 2;

export class Thumbnails extends EventTarget {
  #decode;
  /** @type {Map<Picture, Copy & { address: string }>} each copy; an empty address where there can be none */
  #made = new Map();
  /** Those that are being made. @type {Set<Picture>} */
  #asked = new Set();
  /** Of these, those that the worker has. */
  #underWay = 0;
  /** The decoding of what the browser cannot show, one after the other. @type {Promise<void>} */
  #decoding = Promise.resolve();
  /** @type {Picture[]} */
  #wanted = [];
  /** Wanted when nothing is urgent. @type {Picture[]} */
  #later = [];
  /** @type {Worker | null} */
  #worker = null;
  /** What the worker was asked, by number. @type {Map<number, (copy: Copy) => void>} */
  #calls = new Map();
  #lastCall = 0;

  /** @param {import('./decoding.js').Decode} decode what decodes pictures that the browser cannot show */
  constructor(decode) {
    super();
    this.#decode = decode;
  }

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
    const open = pictures.filter((picture) => this.#isOpen(picture));
    if (later) this.#later = open;
    else this.#wanted = open;
    this.#next();
  }

  /**
   * A copy as large as a screen, of a picture that the browser cannot show.
   * @param {Picture} picture
   * @returns {Promise<Blob | null>} null where nobody can read it
   */
  async large({ file }) {
    const decoded = await this.#decode(file, LARGE);
    return decoded && (await this.#copy(decoded, LARGE)).blob;
  }

  /** @param {Picture} picture that is no longer there */
  forget(picture) {
    const address = this.#made.get(picture)?.address;
    if (address) URL.revokeObjectURL(address);
    this.#made.delete(picture);
    this.#asked.delete(picture);
  }

  /** Makes a copy anew. @param {Picture} picture that looks otherwise now */
  again(picture) {
    this.forget(picture);
    this.#later.unshift(picture);
    this.#next();
  }

  /** @param {Picture} picture whether nothing was done for it yet */
  #isOpen(picture) {
    return !this.#made.has(picture) && !this.#asked.has(picture);
  }

  #next() {
    while (this.#underWay < UNDER_WAY) {
      const picture = this.#wanted.shift() ?? this.#later.shift();
      if (!picture) return;
      if (this.#isOpen(picture)) void this.#make(picture);
    }
  }

  /** @param {Picture} picture */
  async #make(picture) {
    this.#asked.add(picture);
    this.#underWay += 1;
    const copy = await this.#copy(picture.file, EDGE);
    this.#underWay -= 1;
    if (copy.blob) this.#finish(picture, copy);
    // Until a model is there that decodes it, the worker has others to do.
    else this.#decoding = this.#decoding.then(() => this.#makeDecoded(picture));
    this.#next();
  }

  /** @param {Picture} picture */
  async #makeDecoded(picture) {
    if (!this.#asked.has(picture)) return;
    const decoded = await this.#decode(picture.file, DECODED);
    this.#finish(picture, decoded ? await this.#copy(decoded, EDGE) : { blob: null, pixels: null });
  }

  /** @param {Picture} picture @param {Copy} copy */
  #finish(picture, { blob, pixels }) {
    // It may have gone meanwhile.
    if (!this.#asked.delete(picture)) return;
    this.#made.set(picture, { address: blob ? URL.createObjectURL(blob) : '', blob, pixels });
    this.dispatchEvent(new CustomEvent('change', { detail: picture }));
  }

  /** @param {Blob | DecodedImage} picture @param {number} edge pixels of the shorter edge @returns {Promise<Copy>} */
  #copy(picture, edge) {
    this.#worker ??= this.#begin();
    this.#lastCall += 1;
    this.#worker.postMessage({ id: this.#lastCall, picture, edge });
    return new Promise((resolve) => this.#calls.set(this.#lastCall, resolve));
  }

  #begin() {
    const worker = new Worker(new URL('./thumbnail-worker.js', import.meta.url), { type: 'module' });
    worker.addEventListener('message', ({ data: { id, ...copy } }) => {
      this.#calls.get(id)?.(copy);
      this.#calls.delete(id);
    });
    return worker;
  }
}
