/**
 * Pictures that have been seen before, known again by what is in their files: whatever they are called now, and wherever they lie.
 * A file that has the pixels of one that lay there, or of one that is not here, is that one, whatever another program has written into it
 * about the picture.
 * A file of the name, length and date of one that is kept is taken for it after a look at a few places; of others only those are read
 * that are as long as one that is known.
 *
 * @typedef {import('./pictures.js').Picture} Picture
 *
 * @typedef {object} Arrival a file that has come in
 * @property {Blob} file
 * @property {string} path
 * @property {number} index its place among those that came with it
 *
 * @typedef {object} Met
 * @property {Arrival} arrival
 * @property {Picture | null} picture what it is of; null where it was never seen
 * @property {string | null} content the digest of what is in the file, where it was read
 * @property {string | null} [pixels] that of its pixels, of a file that was never seen
 * @property {boolean} isIt whether it takes the place of that picture's copy, or is its file once more; otherwise it is another file of the
 *   same content
 * @property {boolean} [isTurned] whether it is turned otherwise than before
 * @property {boolean} [isAgain] whether the picture's own file was there already
 */

import { canDigest, digestsOf, sampleOf, unturned } from './library/content.js';
import { keyOf, takenAt } from './pictures.js';

/** Files of which places are looked at at a time. */
const TOGETHER = 8;

export class Recognition {
  /** @type {Map<number, Set<Picture>>} by the length of their files */
  #byLength = new Map();
  /** By where they lie. @type {Map<string, Set<Picture>>} */
  #byPath = new Map();
  /** Pictures of which there is only a copy. @type {Set<Picture>} */
  #copies = new Set();
  /** @type {WeakMap<Picture, Promise<Awaited<ReturnType<typeof digestsOf>> | null>>} */
  #reading = new WeakMap();

  /** @param {readonly Picture[]} pictures @param {{ copies?: boolean }} [how] `copies`: whether their files are only copies */
  learn(pictures, { copies = false } = {}) {
    for (const picture of pictures) {
      this.#place(picture);
      if (copies) this.#copies.add(picture);
    }
  }

  /** @param {readonly Picture[]} pictures that are no longer there */
  forget(pictures) {
    for (const picture of pictures) {
      this.#unplace(picture);
      this.#copies.delete(picture);
    }
  }

  /** @param {Picture} picture */
  #place(picture) {
    const [alike, there] = [this.#byLength.get(picture.size), this.#byPath.get(picture.path)];
    this.#byLength.set(picture.size, (alike ?? new Set()).add(picture));
    this.#byPath.set(picture.path, (there ?? new Set()).add(picture));
  }

  /** @param {Picture} picture */
  #unplace(picture) {
    this.#byLength.get(picture.size)?.delete(picture);
    this.#byPath.get(picture.path)?.delete(picture);
  }

  /** Whether the picture's own file is here, and not just a copy of it. @param {Picture} picture */
  hasOriginal(picture) {
    return !this.#copies.has(picture);
  }

  /** Whether a file may be one that came earlier. @param {Blob} file @param {string} path @param {number} batch with which it comes */
  mayKnow({ size }, path, batch) {
    // Those that are not here may have been moved, and written into as well.
    if (this.#copies.size > 0) return true;
    return [this.#byLength.get(size), this.#byPath.get(path)].some((known) => {
      const [first] = known ?? [];
      return first !== undefined && first.batch !== batch;
    });
  }

  /** Whether a file is the original of a picture that is here, and lies where it lay. @param {Blob} file @param {string} path */
  async isHere(file, path) {
    const key = keyOf(file, path);
    const like = [...(this.#byLength.get(file.size) ?? [])].filter(
      (picture) => !this.#copies.has(picture) && picture.key === key,
    );
    if (like.length === 0) return false;
    const sample = canDigest ? await sampleOf(file).catch(() => null) : null;
    const samples = await Promise.all(like.map((picture) => this.sampleOf(picture)));
    return samples.includes(sample);
  }

  /** Whether a picture that is here has what is in a file. @param {Blob} file */
  async hasTwin(file) {
    const like = [...(this.#byLength.get(file.size) ?? [])];
    if (like.length === 0 || !canDigest) return false;
    const sample = await sampleOf(file).catch(() => null);
    const samples = await Promise.all(like.map((picture) => this.sampleOf(picture)));
    return sample !== null && samples.includes(sample);
  }

  /** Whether the file of a picture can be read, and was not. @param {Picture} picture */
  isUnread(picture) {
    return canDigest && picture.content === null && this.hasOriginal(picture) && !this.#reading.has(picture);
  }

  /** The digest of a picture's file, with which its sample is there, too. @param {Picture} picture @returns {Promise<string | null>} null where nobody can tell */
  async contentOf(picture) {
    if (picture.content !== null) return picture.content;
    if (!canDigest || !this.hasOriginal(picture)) return null;
    // A file that was moved meanwhile cannot be read.
    const reading = this.#reading.get(picture) ?? digestsOf(picture.file).catch(() => null);
    this.#reading.set(picture, reading);
    const digests = await reading;
    picture.sample ??= digests?.sample ?? null;
    picture.pixels = digests?.pixels ?? null;
    return (picture.content = digests?.content ?? null);
  }

  /** The sample of a picture's file. @param {Picture} picture @returns {Promise<string | null>} */
  async sampleOf(picture) {
    if (picture.sample !== null || !canDigest || !this.hasOriginal(picture)) return picture.sample;
    picture.sample = await sampleOf(picture.file).catch(() => null);
    return picture.sample;
  }

  /**
   * What the files are of, one after the other as they are found out. Those that are where they were come first.
   * @param {readonly Arrival[]} arrivals
   * @returns {AsyncGenerator<Met>}
   */
  async *meet(arrivals) {
    /** @type {Arrival[]} */
    const rest = [];
    for (let at = 0; at < arrivals.length; at += TOGETHER) {
      const some = arrivals.slice(at, at + TOGETHER);
      const same = await Promise.all(some.map((arrival) => this.#inPlace(arrival)));
      for (const [i, arrival] of some.entries()) {
        const picture = same[i];
        // Two files can both look like one.
        if (picture && this.#copies.has(picture)) {
          this.#arrive(picture, arrival);
          yield { arrival, picture, content: null, isIt: true };
        } else rest.push(arrival);
      }
    }
    for (const arrival of rest) {
      const { size } = arrival.file;
      const isLike = this.#copies.size > 0 || this.#byLength.has(size) || this.#byPath.has(arrival.path);
      // Nothing of it needs to be read.
      if (!isLike) yield { arrival, picture: null, content: null, isIt: false };
      else yield await this.#byContent(arrival);
    }
  }

  /** The copy of the picture that a file is, by its name, length and date. @param {Arrival} arrival @returns {Promise<Picture | null>} */
  async #inPlace({ file, path }) {
    const key = keyOf(file, path);
    const like = [...(this.#byLength.get(file.size) ?? [])].filter(
      (picture) => this.#copies.has(picture) && picture.key === key,
    );
    if (like.length === 0) return null;
    // Those of earlier versions of the page have no sample.
    const sample = canDigest ? await sampleOf(file).catch(() => null) : null;
    return like.find((one) => one.sample === null || sample === null || one.sample === sample) ?? null;
  }

  /** @param {Arrival} arrival @returns {Promise<Met>} */
  async #byContent(arrival) {
    const digests = canDigest ? await digestsOf(arrival.file).catch(() => null) : null;
    const { content = null, pixels = null } = digests ?? {};
    const key = keyOf(arrival.file, arrival.path);
    /** @type {Picture | null} */
    let twin = null;
    for (const picture of this.#byLength.get(arrival.file.size) ?? []) {
      if (content === null || (await this.contentOf(picture)) !== content) continue;
      if (this.#copies.has(picture)) {
        this.#arrive(picture, arrival);
        return { arrival, picture, content, isIt: true };
      }
      if (picture.key === key) return { arrival, picture, content, isIt: true, isAgain: true };
      twin ??= picture;
    }
    const before = twin || pixels === null ? null : await this.#rewritten(arrival.path, pixels);
    if (before) {
      this.#unplace(before);
      const { size } = arrival.file;
      const isTurned = before.pixels !== pixels;
      Object.assign(before, {
        size,
        content,
        pixels,
        sample: digests?.sample ?? null,
        taken: takenAt(arrival.file),
      });
      this.#arrive(before, arrival);
      this.#place(before);
      return { arrival, picture: before, content, isIt: true, isTurned };
    }
    return { arrival, picture: twin, content, pixels, isIt: false };
  }

  /** The picture that lies where a file lies, or is not here, and has its pixels. @param {string} path @param {string} pixels */
  async #rewritten(path, pixels) {
    const there = [...(this.#byPath.get(path) ?? [])];
    for (const picture of there) await this.contentOf(picture);
    const isIt = (/** @type {Picture} */ { pixels: known }) => known && unturned(known) === unturned(pixels);
    return [...there, ...this.#copies].find(isIt) ?? null;
  }

  /** Puts an original in the place of its copy. @param {Picture} picture @param {Arrival} arrival */
  #arrive(picture, { file, path }) {
    this.#copies.delete(picture);
    picture.file = file;
    const key = keyOf(file, path);
    if (picture.key === key) return;
    this.#unplace(picture);
    Object.assign(picture, { key, path, name: path.split('/').at(-1) ?? path });
    this.#place(picture);
  }
}
