/**
 * The library: what is known of many pictures is kept in this browser, and is there again on the next visit, without the network
 * and without computing it anew. It watches the session and writes what has been found out, some pictures at a time.
 *
 * @typedef {import('./store.js').LibraryStore} LibraryStore
 * @typedef {import('./store.js').Entry} Entry
 * @typedef {import('../session.js').Picture} Picture
 * @typedef {import('../session.js').Session} Session
 * @typedef {import('../thumbnails.js').Thumbnails} Thumbnails
 */

/** Milliseconds between two writes, and pictures of one. */
const PAUSE = 1500;
const AT_ONCE = 64;

/** Dispatches `change` when more or less is kept. */
export class Library extends EventTarget {
  /** Pictures that are kept. @type {Map<Picture, Entry>} */
  #kept = new Map();
  #session;
  #thumbnails;
  #store;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #writing = false;
  /** Other names of tags, as they are kept. @type {ReadonlyMap<string, string>} */
  #names = new Map();
  /** What was taught, as far as it is kept. @type {import('../lessons.js').Lessons['examples']} */
  #taught = new Map();
  /** Whether somebody wants nothing to be kept on this visit. */
  #off = false;
  /** Why nothing more is kept, in a sentence. @type {string} */
  trouble = '';

  /** @param {Session} session @param {Thumbnails} thumbnails @param {LibraryStore} store */
  constructor(session, thumbnails, store) {
    super();
    this.#session = session;
    this.#thumbnails = thumbnails;
    this.#store = store;
  }

  /** How many pictures are kept. */
  get size() {
    return this.#kept.size;
  }

  /** About how many bytes they take: their copies and embeddings. */
  get bytes() {
    let sum = 0;
    for (const { copy, embedding } of this.#kept.values()) sum += copy.size + embedding.byteLength;
    return sum;
  }

  /**
   * Gives the session what was kept on earlier visits.
   * @returns {Promise<number>} how many pictures came back
   */
  async restore() {
    const [entries, probe, words] = await Promise.all([
      this.#store.all(),
      this.#store.probe(),
      this.#store.words(),
    ]);
    const { corrections, lessons } = this.#session;
    corrections.rename(words.names);
    this.#names = words.names;
    if (entries.length === 0 || !probe) return 0;
    const pictures = this.#session.restore(entries, probe);
    const shows = (/** @type {string} */ label) =>
      pictures.filter((picture) => corrections.of(picture)?.own.includes(label));
    if (words.taught.length > 0) {
      lessons.put(new Map(words.taught.map((label) => [label, shows(label)])));
    }
    this.#taught = lessons.examples;
    for (const [i, picture] of pictures.entries()) {
      const entry = /** @type {Entry} */ (entries[i]);
      this.#kept.set(picture, entry);
      this.#thumbnails.adopt(picture, entry.copy);
    }
    this.#changed();
    return pictures.length;
  }

  /** Writes what has been found out, soon. */
  note() {
    if (this.#off) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.#write();
    }, PAUSE);
  }

  /** @param {Picture} picture that was taken away */
  async remove(picture) {
    const entry = this.#kept.get(picture);
    this.#kept.delete(picture);
    if (entry) await this.#forget(entry.key).catch(() => {});
    this.#changed();
  }

  /** Forgets a key, unless another picture has it, too: the same file can be here twice. @param {string} key */
  async #forget(key) {
    if (![...this.#kept.values()].some((one) => one.key === key)) await this.#store.remove(key);
  }

  /** The key under which a picture was kept, where it has another now. @param {Picture} picture @param {Entry} entry */
  #keyBefore(picture, { key }) {
    const before = this.#kept.get(picture)?.key;
    return before === undefined || before === key ? [] : [before];
  }

  /** Finds out what is in the file of a picture. @param {Picture} picture */
  async #read(picture) {
    const { recognition } = this.#session;
    await recognition.contentOf(picture);
    await recognition.sampleOf(picture);
  }

  /** Forgets everything that is kept, and keeps no more. */
  async forget() {
    this.#off = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#kept.clear();
    await this.#store.clear();
    this.#changed();
  }

  /** Whether leaving the page loses nothing that somebody wants kept. */
  get isWhole() {
    if (this.#off) return true;
    const { pictures } = this.#session;
    // Damaged pictures, of which nothing is known, are not among them.
    return this.#session.tally().open === 0 && !pictures.some((one) => this.#isNews(one));
  }

  async #write() {
    const { probe } = this.#session.embeddings;
    if (this.#writing || this.#off || !probe || this.trouble !== '') return;
    this.#writing = true;
    const news = this.#session.pictures.filter((picture) => this.#isNews(picture));
    // Copies of what is not on screen, where there is something to keep of it.
    this.#thumbnails.want(news.slice(0, AT_ONCE), { later: true });
    const ready = news.filter((picture) => this.#entryOf(picture)).slice(0, AT_ONCE);
    for (const picture of ready) await this.#read(picture);
    // Something may have been taken away, or another model chosen, while files were read.
    const found = this.#off ? [] : ready.flatMap((picture) => this.#entryOf(picture) ?? []);
    try {
      const { names } = this.#session.corrections;
      const { examples } = this.#session.lessons;
      if (names !== this.#names || examples !== this.#taught) {
        await this.#store.putWords({ names, taught: [...examples.keys()] });
        this.#names = names;
        this.#taught = examples;
      }
      if (found.length > 0) {
        await this.#store.put(
          found.map(({ entry }) => entry),
          probe,
          found.flatMap(({ picture, entry }) => this.#keyBefore(picture, entry)),
        );
      }
      for (const { picture, entry } of found) {
        // Taken away, or forgotten, while it was written.
        if (!this.#off && this.#session.pictures.includes(picture)) this.#kept.set(picture, entry);
        else await this.#forget(entry.key);
      }
    } catch (error) {
      const full = error instanceof DOMException && error.name === 'QuotaExceededError';
      this.trouble = full
        ? 'This browser has no more room: what comes now is not kept.'
        : 'This browser keeps nothing here.';
    }
    this.#writing = false;
    if (found.length > 0 || this.trouble !== '') this.#changed();
    if (news.length > 0) this.note();
  }

  /** Whether more is known of a picture than is kept. @param {Picture} picture */
  #isNews(picture) {
    const captions = this.#session.captions.jobs.get(picture);
    const { tags, embeddings } = this.#session;
    if (!tags.engine || captions?.status !== 'done' || !embeddings.has(tags.engine, picture)) return false;
    // What nobody can make a copy of is not kept.
    if (this.#thumbnails.of(picture) === '') return false;
    const kept = this.#kept.get(picture);
    const same =
      kept?.captions === captions.result &&
      kept.said === this.#session.corrections.of(picture) &&
      kept.filed === this.#session.fileWords.of(picture) &&
      kept.quick === picture.key &&
      kept.content === picture.content &&
      !this.#session.recognition.isUnread(picture);
    return !same || kept.embedding !== embeddings.known(tags.engine, picture);
  }

  /** @param {Picture} picture */
  #entryOf(picture) {
    const { tags, captions, embeddings } = this.#session;
    const copy = this.#thumbnails.copyOf(picture);
    const embedding = tags.engine && embeddings.known(tags.engine, picture);
    const result = captions.jobs.get(picture)?.result;
    const said = this.#session.corrections.of(picture);
    const filed = this.#session.fileWords.of(picture);
    if (!copy || !embedding || !result) return null;
    /** @type {Entry} */
    const entry = {
      key: picture.content === null ? picture.key : `${picture.content}|${picture.path}`,
      quick: picture.key,
      size: picture.size,
      content: picture.content,
      sample: picture.sample,
      name: picture.name,
      path: picture.path,
      batch: picture.batch,
      index: picture.index,
      copy,
      embedding,
      tagger: embeddings.probe?.id ?? '',
      captions: result,
      captionModel: captions.model?.id ?? '',
      taken: picture.taken,
      ...(said && { said }),
      ...(filed && { filed }),
    };
    return { picture, entry };
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }
}
