/**
 * Pictures by what is in them: by words, with a plus and a minus between them, or by another picture. Each picture is embedded once
 * for a model; the package's index compares them, and knows where nothing fits.
 *
 * @typedef {import('ocelli').Index} Index
 * @typedef {import('ocelli').Tagger} Tagger
 * @typedef {import('./session.js').Picture} Picture
 * @typedef {import('./session.js').Session} Session
 *
 * @typedef {object} Found
 * @property {Picture[]} order all pictures, the nearest first
 * @property {number} fitting how many of them fit; all where nobody can tell
 * @property {boolean} canTell
 */

import { copiesAmong } from './copies.js';
import { Groups } from './groups.js';
import { concernsPicture } from './queues.js';

/** The least standard score of what fits words: see `SearchOptions.cutoff` of the package. */
const FITS = 3;

export class ImageSearch {
  #session;
  #Index;
  /** @type {AbortController | null} */
  #current = null;
  /** What is compared, and by which tagger it is known. @type {{ tagger: Tagger, index: Index, held: Map<string, Float32Array> } | null} */
  #library = null;

  /** @param {Session} session @param {{ create: typeof import('ocelli').Index.create }} Index the package's class, or a stand-in */
  constructor(session, Index) {
    this.#session = session;
    this.#Index = Index;
  }

  /**
   * The pictures in the order of what is looked for. A search under way is given up.
   * @param {string | Picture} wanted words, or a picture that the others are to be like
   * @param {(looked: number, all: number) => void} told how many pictures have been looked at
   * @returns {Promise<Found | null>} `null` where there is no model to ask
   */
  async find(wanted, told) {
    this.leave();
    const tagger = this.#session.tags.engine;
    if (!tagger) return null;
    const controller = new AbortController();
    this.#current = controller;
    const { signal } = controller;
    const pictures = [...this.#session.pictures];
    const index = await this.#fill(tagger, pictures, told, signal);
    const asked = { topK: Math.max(1, index.size), signal };
    const isText = typeof wanted === 'string';
    const hits =
      index.size === 0
        ? []
        : await index.search(
            isText ? wanted : { id: wanted.id },
            isText ? { ...asked, cutoff: null } : asked,
          );
    const canTell = isText && hits.every(({ standardScore }) => standardScore !== null);
    const fits = hits.filter(({ standardScore }) => !canTell || (standardScore ?? 0) >= FITS);
    const ordered = [...new Set([...fits, ...hits])];
    const places = new Map(ordered.map(({ id }, place) => [id, place]));
    // A picture that cannot be looked at comes last.
    const place = (/** @type {Picture} */ { id }) => places.get(id) ?? ordered.length;
    return {
      order: pictures.sort((a, b) => place(a) - place(b)),
      fitting: canTell ? fits.length : pictures.length,
      canTell,
    };
  }

  /**
   * Groups of pictures that are nearly the same: to the model, or as copies of each other.
   * @param {(picture: Picture) => Blob | null} copyOf their small copies, where they are made already
   * @param {(looked: number, all: number) => void} told how many of them have been looked at
   * @returns {Promise<Picture[][]>}
   */
  async duplicates(copyOf, told) {
    this.leave();
    const tagger = this.#session.tags.engine;
    if (!tagger) return [];
    const controller = new AbortController();
    this.#current = controller;
    const { signal } = controller;
    const pictures = [...this.#session.pictures];
    const index = await this.#fill(tagger, pictures, () => {}, signal);
    if (index.size < 2) return [];
    const byId = new Map(pictures.map((picture) => [picture.id, picture]));
    const alike = await index.duplicates({ signal });
    const looks = pictures.flatMap((picture) => {
      const vector = this.#session.embeddings.known(tagger, picture);
      return vector ? [{ picture, copy: copyOf(picture) ?? picture.file, vector }] : [];
    });
    const copies = await copiesAmong(looks, { told, signal });
    /** @type {Groups<Picture>} */
    const groups = new Groups();
    for (const [first, ...others] of [
      ...alike.map((ids) => ids.flatMap((id) => byId.get(id) ?? [])),
      ...copies,
    ]) {
      for (const other of others) if (first) groups.join(first, other);
    }
    return groups.all();
  }

  /** Gives up the search under way. */
  leave() {
    this.#current?.abort();
    this.#current = null;
  }

  /**
   * The index, with what is known of the pictures, and what is not found out.
   * @param {Tagger} tagger
   * @param {readonly Picture[]} pictures
   * @param {(looked: number, all: number) => void} told
   * @param {AbortSignal} signal
   */
  async #fill(tagger, pictures, told, signal) {
    if (this.#library?.tagger !== tagger) {
      this.#library?.index.dispose();
      this.#library = null;
      const index = await this.#Index.create({ model: tagger, signal });
      this.#library = { tagger, index, held: new Map() };
    }
    const { index, held } = this.#library;
    const there = new Set(pictures.map(({ id }) => id));
    const gone = [...held.keys()].filter((id) => !there.has(id));
    if (gone.length > 0) await index.remove(gone);
    for (const id of gone) held.delete(id);
    /** @type {{ id: string, vector: Float32Array }[]} */
    const fresh = [];
    for (const [place, picture] of pictures.entries()) {
      const known = this.#session.embeddings.known(tagger, picture);
      if (!known) told(place, pictures.length);
      const vector = known ?? (await this.#embed(tagger, picture, signal));
      if (vector && held.get(picture.id) !== vector) fresh.push({ id: picture.id, vector });
    }
    if (fresh.length > 0) await index.addVectors(fresh);
    for (const { id, vector } of fresh) held.set(id, vector);
    return index;
  }

  /**
   * @param {Tagger} tagger
   * @param {Picture} picture
   * @param {AbortSignal} signal
   * @returns {Promise<Float32Array | null>} `null` for a damaged picture, whose card says so
   */
  async #embed(tagger, picture, signal) {
    if (this.#session.tags.jobs.get(picture)?.status === 'failed') return null;
    try {
      return await this.#session.embeddings.of(tagger, picture, signal);
    } catch (error) {
      if (concernsPicture(error)) return null;
      throw error;
    }
  }
}
