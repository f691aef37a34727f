/**
 * What pictures say of themselves, read one after the other once they have their tags, so that nobody waits for it. It is kept apart
 * from what people say here, which counts for more, and from what models find. What people have said here and saved in a picture comes
 * back with it: which tags it surely has, which it has not, and a caption of their own.
 *
 * @typedef {import('./pictures.js').Picture} Picture
 * @typedef {import('./files/embedded.js').Filed} Filed
 * @typedef {import('./corrections.js').Said} Said
 * @typedef {import('./session.js').Candidate} Candidate
 */

import { embeddedIn } from './files/embedded.js';
import { leafOf } from './labels.js';

/** @type {readonly string[]} */
const NONE = [];

/** Dispatches `change` when something was found. */
export class FileWords extends EventTarget {
  /** The label of what is called so. @type {(name: string) => string} */
  labelOf = String;
  /** @type {WeakMap<Picture, Filed>} */
  #filed = new WeakMap();
  /** Files that were read. @type {WeakSet<Blob>} */
  #read = new WeakSet();
  /** Pictures whose files are to be read, in the order in which they came. @type {Set<Picture>} */
  #waiting = new Set();
  #reading = false;
  /** @type {WeakMap<Filed, Candidate[]>} */
  #captions = new WeakMap();
  /** Sidecars, and whether each is called as one that is saved here. @type {WeakMap<Picture, { sidecar: Blob, isExact: boolean }>} */
  #sidecars = new WeakMap();

  /** @param {Picture} picture @returns {Filed | undefined} */
  of(picture) {
    return this.#filed.get(picture);
  }

  /** The keywords of a picture's file that nobody has taken away. @param {Picture} picture @param {Said | undefined} said */
  tagsOf(picture, said) {
    const filed = this.of(picture)?.tags ?? NONE;
    return said?.gone.some((label) => filed.includes(label))
      ? filed.filter((label) => !said.gone.includes(label))
      : filed;
  }

  /** The tags that a picture has not, as people say here or have said in its file. @param {Picture} picture @param {Said | undefined} said */
  goneOf(picture, said) {
    const filed = this.of(picture)?.gone ?? NONE;
    const [own, gone] = [said?.own ?? NONE, said?.gone ?? NONE];
    return filed.length === 0
      ? gone
      : [...new Set([...gone, ...filed.filter((label) => !own.includes(label))])];
  }

  /**
   * The caption that somebody has given a picture and saved in its file, unless they say something else here.
   * @param {Picture} picture
   * @param {Said | undefined} said
   * @returns {Candidate[] | null} the same as long as it is
   */
  captionsOf(picture, said) {
    const filed = this.of(picture);
    if (!filed?.captionIsOwn || typeof said?.caption === 'string') return null;
    const captions = this.#captions.get(filed) ?? [{ caption: filed.caption }];
    this.#captions.set(filed, captions);
    return captions;
  }

  /** What the keywords of a picture's file are below, by their labels. @param {Picture} picture @returns {ReadonlyMap<string, string>} */
  pathsOf(picture) {
    const paths = this.of(picture)?.paths ?? NONE;
    return new Map(paths.map((path) => [this.labelOf(leafOf(path)), path]));
  }

  /** @param {Picture} picture @param {Filed} filed as it was read on an earlier visit */
  put(picture, filed) {
    this.#filed.set(picture, filed);
  }

  /** Takes up what was read on an earlier visit, or in another tab. @param {Picture} picture @param {{ filed?: Filed, sidecar?: Blob }} known */
  restore(picture, { filed, sidecar }) {
    if (filed) this.put(picture, filed);
    // Whatever is read now is newer.
    if (sidecar && sidecar !== this.sidecarOf(picture)) {
      this.#sidecars.set(picture, { sidecar, isExact: false });
    }
  }

  /**
   * @param {Picture} picture
   * @param {Blob} sidecar that lies beside it
   * @param {boolean} isExact whether it is called as the one that is saved here, and so is what that takes the place of
   */
  putSidecar(picture, sidecar, isExact) {
    if (isExact || !this.#sidecars.get(picture)?.isExact) this.#sidecars.set(picture, { sidecar, isExact });
  }

  /** @param {Picture} picture @returns {Blob | undefined} what lies beside it, if that was read */
  sidecarOf(picture) {
    return this.#sidecars.get(picture)?.sidecar;
  }

  /** Whether a picture's file was looked at. @param {Picture} picture */
  hasRead({ file }) {
    return this.#read.has(file);
  }

  /**
   * Reads what was not read yet.
   * @param {readonly Picture[]} pictures whose files are here, and have been looked at by the tagger
   * @returns {Promise<ReadonlyMap<Picture, readonly string[]>>} tags that people have confirmed in the files, where that was not known yet:
   *   what they say of these here later counts for more
   */
  async read(pictures) {
    /** @type {Map<Picture, readonly string[]>} */
    const confirmed = new Map();
    for (const picture of pictures) this.#waiting.add(picture);
    if (this.#reading || pictures.length === 0) return confirmed;
    this.#reading = true;
    let found = false;
    // Those that come meanwhile are read as well.
    for (const picture of this.#waiting) {
      this.#waiting.delete(picture);
      if (this.#read.has(picture.file)) continue;
      this.#read.add(picture.file);
      // What is damaged says nothing.
      const filed = await embeddedIn(picture.file).catch(() => null);
      if (!filed) continue;
      const before = this.of(picture)?.own ?? NONE;
      const labelled = this.#labelled(filed);
      const own = (labelled.own ?? NONE).filter((label) => !before.includes(label));
      if (own.length > 0) confirmed.set(picture, own);
      this.#filed.set(picture, labelled);
      found = true;
    }
    this.#reading = false;
    if (found) this.dispatchEvent(new Event('change'));
    return confirmed;
  }

  /** Tags are saved as they are called. @param {Filed} filed @returns {Filed} */
  #labelled({ tags, own, gone, ...rest }) {
    const labels = (/** @type {readonly string[]} */ names) => [...new Set(names.map(this.labelOf))];
    return {
      tags: labels(tags),
      ...(own && { own: labels(own) }),
      ...(gone && { gone: labels(gone) }),
      ...rest,
    };
  }
}
