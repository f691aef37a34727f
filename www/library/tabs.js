/**
 * Tabs of the page that keep the same pictures: what one writes is told to the others, which take it over.
 *
 * Nothing that people say is lost between them, by one rule. Each tab knows of every picture what it last read or wrote: what both began
 * with. From there, what was said here and what is in the store are joined (`joining.js`), and that holds for both ways:
 *
 * - Before an entry is written, what lies in the store is read and joined, in the same transaction. So it does not matter whether a
 *   message came, or when.
 * - What was written is told by its keys alone. The other tabs read it from the store and join it with what was said in them; what they
 *   have said besides is news, and is written in turn. Once both say the same, nobody has any news.
 *
 * Other names, what was taught, pictures that were taken away and folders go the same way. Steps that are taken back (`editing.js`) are
 * joined as well, so that they undo what they did and not what came from another tab. A picture that only one tab knows needs nothing: the
 * others meet it on their next visit. Where browsers know no such channel, what is in the store is joined all the same.
 */

const NAME = 'ocelli-library';

/**
 * @typedef {object} News
 * @property {'pictures' | 'removed' | 'words' | 'removals' | 'folders' | 'forgotten'} what has changed in the store
 * @property {readonly string[]} [keys] of entries
 * @property {ReadonlyMap<string, string>} [moved] keys that some of them had before, by those that they have
 */

/** Dispatches `pictures`, `removed` and so on, when another tab has changed what they stand for. */
export class Tabs extends EventTarget {
  #channel = 'BroadcastChannel' in globalThis ? new BroadcastChannel(NAME) : null;

  constructor() {
    super();
    this.#channel?.addEventListener('message', ({ data }) => {
      // Another version of the page may tell what this one does not know.
      if (typeof data?.what === 'string') this.dispatchEvent(new CustomEvent(data.what, { detail: data }));
    });
  }

  /** @param {News} news */
  tell(news) {
    this.#channel?.postMessage(news);
  }

  /** @param {News['what']} what @param {(news: News) => void} heed */
  on(what, heed) {
    this.addEventListener(what, (event) => heed(/** @type {CustomEvent<News>} */ (event).detail));
  }

  /** Neither hears nor tells any more. */
  close() {
    this.#channel?.close();
    this.#channel = null;
  }
}
