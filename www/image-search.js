/**
 * ImageSearch pictures by what is in them: by words, or by another picture. Each picture is embedded once for a model; how
 * alike two things are is the cosine of their embeddings.
 *
 * @typedef {import('ocelli').Tagger} Tagger
 * @typedef {import('./session.js').Picture} Picture
 * @typedef {import('./session.js').Session} Session
 */

import { concernsPicture } from './session.js';
import { dot } from './vectors.js';

/** Below every cosine: where a picture goes that cannot be looked at. */
const LAST = -2;

export class ImageSearch {
  #session;
  /** @type {AbortController | null} */
  #current = null;

  /** @param {Session} session */
  constructor(session) {
    this.#session = session;
  }

  /**
   * The pictures in the order of what is looked for, the nearest first. A search under way is given up.
   * @param {string | Picture} wanted words, or a picture that the others are to be like
   * @param {(looked: number, all: number) => void} told how many pictures have been looked at
   * @returns {Promise<Picture[] | null>} `null` where there is no model to ask
   */
  async find(wanted, told) {
    this.leave();
    const tagger = this.#session.tags.engine;
    if (!tagger) return null;
    const controller = new AbortController();
    this.#current = controller;
    const { signal } = controller;
    const goal =
      typeof wanted === 'string'
        ? (await tagger.embedTexts([wanted], { signal }))[0]
        : await this.#embed(tagger, wanted, signal);
    /** @type {Map<Picture, number>} */
    const nearness = new Map();
    const pictures = [...this.#session.pictures];
    for (const [place, picture] of pictures.entries()) {
      told(place, pictures.length);
      const embedding = await this.#embed(tagger, picture, signal);
      nearness.set(picture, goal && embedding ? dot(goal, embedding) : LAST);
    }
    return pictures.sort((a, b) => (nearness.get(b) ?? LAST) - (nearness.get(a) ?? LAST));
  }

  /** Gives up the search under way. */
  leave() {
    this.#current?.abort();
    this.#current = null;
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
