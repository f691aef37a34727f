/**
 * Looking inside: which parts of a picture made an answer. Each map is computed once for a picture, a question and a
 * model; asking for another one ends the computation under way.
 */

/**
 * @typedef {import('ocelli').PatchMap} PatchMap
 * @typedef {import('./session.js').Picture} Picture
 * @typedef {import('./session.js').Session} Session
 *
 * @typedef {object} ExplainRequest what a map is asked for
 * @property {'tag' | 'word' | 'match' | 'class'} about
 * @property {string} text the tag as a sentence, the caption, or the text that was matched; of a class nothing
 * @property {number} [start] where in the caption the word begins
 *
 * @typedef {{ start: number, end: number, map: PatchMap }} Found a map, and the part of the text that it is for
 *
 * @typedef {object} RunningRequest an request under way
 * @property {Picture} picture
 * @property {string} key
 * @property {AbortController} controller
 * @property {Promise<Found[]>} found
 */

export class Explainer {
  #session;
  /** @type {WeakMap<object, WeakMap<Picture, Map<string, Found[]>>>} by model, picture and question */
  #known = new WeakMap();
  /** @type {RunningRequest | null} */
  #current = null;

  /** @param {Session} session */
  constructor(session) {
    this.#session = session;
  }

  /**
   * @param {Picture} picture
   * @param {ExplainRequest} request
   * @returns {Promise<PatchMap | null>} `null` where there is no model to ask, or the model saw no such word
   */
  async look(picture, request) {
    const { about, text, start = 0 } = request;
    const key = `${about} ${text}`;
    const known = this.#recall(picture, about);
    const found = known?.get(key);
    if (found) {
      this.leave();
      return at(found, start);
    }
    if (!known) return null;
    // The words of one caption come together: going from one to the next must not begin anew.
    if (this.#current?.picture !== picture || this.#current.key !== key) {
      this.leave();
      const controller = new AbortController();
      this.#current = { picture, key, controller, found: this.#find(picture, request, controller.signal) };
    }
    const current = this.#current;
    try {
      const maps = await current.found;
      known.set(key, maps);
      return at(maps, start);
    } finally {
      if (this.#current === current) this.#current = null;
    }
  }

  /** Ends the computation under way: nobody looks any more. */
  leave() {
    this.#current?.controller.abort();
    this.#current = null;
  }

  /** @param {ExplainRequest['about']} about */
  #engine(about) {
    const { tags, captions, matches, classes } = this.#session;
    return { tag: tags, word: captions, match: matches.queue, class: classes }[about].engine;
  }

  /** @param {Picture} picture @param {ExplainRequest['about']} about */
  #recall(picture, about) {
    const engine = this.#engine(about);
    if (!engine) return null;
    const pictures = this.#known.get(engine) ?? new WeakMap();
    this.#known.set(engine, pictures);
    const known = pictures.get(picture) ?? new Map();
    pictures.set(picture, known);
    return known;
  }

  /** @param {Picture} picture @param {ExplainRequest} request @param {AbortSignal} signal @returns {Promise<Found[]>} */
  async #find({ file }, { about, text }, signal) {
    const { tags, captions, matches, classes } = this.#session;
    if (about === 'word') return (await captions.engine?.attention(file, { caption: text, signal })) ?? [];
    const map = await {
      tag: () => tags.engine?.explain(file, text, { signal }),
      match: () => matches.queue.engine?.explain(file, text, { signal }),
      class: () => classes.engine?.rollout(file, { signal }),
    }[about]();
    return map ? [{ start: 0, end: 1, map }] : [];
  }
}

/** @param {Found[]} found @param {number} start @returns {PatchMap | null} the map of what stands there */
function at(found, start) {
  return found.find((one) => one.start <= start && start < one.end)?.map ?? null;
}
