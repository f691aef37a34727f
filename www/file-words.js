/**
 * What pictures say of themselves, read one after the other once they have their tags, so that nobody waits for it. It is kept apart
 * from what people say here, and from what models find.
 *
 * @typedef {import('./pictures.js').Picture} Picture
 * @typedef {import('./files/embedded.js').Filed} Filed
 */

import { embeddedIn } from './files/embedded.js';

/** Dispatches `change` when something was found. */
export class FileWords extends EventTarget {
  /** @type {WeakMap<Picture, Filed>} */
  #filed = new WeakMap();
  /** Files that were read. @type {WeakSet<Blob>} */
  #read = new WeakSet();
  #reading = false;

  /** @param {Picture} picture @returns {Filed | undefined} */
  of(picture) {
    return this.#filed.get(picture);
  }

  /** @param {Picture} picture @param {Filed} filed as it was read on an earlier visit */
  put(picture, filed) {
    this.#filed.set(picture, filed);
  }

  /** Whether a picture's file was looked at. @param {Picture} picture */
  hasRead({ file }) {
    return this.#read.has(file);
  }

  /** Reads what was not read yet. @param {readonly Picture[]} pictures whose files are here, and have been looked at by the tagger */
  async read(pictures) {
    if (this.#reading || pictures.length === 0) return;
    this.#reading = true;
    let found = false;
    for (const picture of pictures) {
      if (this.#read.has(picture.file)) continue;
      this.#read.add(picture.file);
      // What is damaged says nothing.
      const filed = await embeddedIn(picture.file).catch(() => null);
      if (!filed) continue;
      this.#filed.set(picture, filed);
      found = true;
    }
    this.#reading = false;
    if (found) this.dispatchEvent(new Event('change'));
  }
}
