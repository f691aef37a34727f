/**
 * The library: what is known of many pictures is kept in this browser, and is there again on the next visit, without the network
 * and without computing it anew. It watches the session and writes what has been found out, some pictures at a time, and what people say
 * at once; and it takes over what other tabs write (`tabs.js`).
 *
 * @typedef {import('./store.js').LibraryStore} LibraryStore
 * @typedef {import('./store.js').Entry} Entry
 * @typedef {import('./store.js').Fresh} Fresh
 * @typedef {import('./tabs.js').News} News
 * @typedef {import('../session.js').Picture} Picture
 * @typedef {import('../session.js').Session} Session
 * @typedef {import('../thumbnails.js').Thumbnails} Thumbnails
 *
 * @typedef {{ picture: Picture, entry: Entry }} Found what is to be kept of a picture
 */

import { joinedSaid } from '../joining.js';
import { entryKey, entryOf, isNews, joinedEntry, modelsOf } from './entries.js';
import { KeptWords } from './kept-words.js';

/** Milliseconds until what models have found is written, and what people have said: several labels can come in one go. */
const PAUSE = { found: 1500, said: 100 };
/** Pictures of one write. */
const AT_ONCE = 64;

/** Dispatches `change` when more or less is kept, and `forgotten` when another tab has forgotten everything. */
export class Library extends EventTarget {
  /** Pictures that are kept, each as it was last read or written. @type {Map<Picture, Entry>} */
  #kept = new Map();
  #session;
  #thumbnails;
  #store;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #writing = false;
  /** Whether people have said what is not written. */
  #isUrgent = false;
  /** Other names of tags, and what was taught. */
  #words;
  /** What brings pictures back that another tab has taken away, by their keys. @type {Map<string, () => void>} */
  #away = new Map();
  /** What is being written, or taken over from other tabs. @type {Promise<void>} */
  #turn = Promise.resolve();
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
    this.#words = new KeptWords(session, store);
    store.tabs.on('pictures', ({ keys = [], moved }) => this.#next(() => this.#takeOver(keys, moved)));
    store.tabs.on('removed', ({ keys = [] }) => this.#next(async () => this.#letGo(new Set(keys))));
    store.tabs.on('words', () => this.#next(() => this.#words.read()));
    store.tabs.on('forgotten', () => this.#next(async () => this.#end()));
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

  /** How many pictures would be gone if the page went now, as they were not looked at yet. */
  get missing() {
    if (this.#off || this.trouble !== '') return 0;
    const held = this.#heldKeys;
    const isMissing = (/** @type {Picture} */ one) =>
      !this.#kept.has(one) && !held.has(entryKey(one)) && !this.#session.hasFailed(one);
    return this.#session.pictures.filter(isMissing).length;
  }

  /**
   * Gives the session what was kept on earlier visits.
   * @returns {Promise<number>} how many pictures came back
   */
  async restore() {
    const [entries, probe] = await Promise.all([this.#store.all(), this.#store.probe()]);
    const pictures = entries.length > 0 && probe ? this.#session.restore(entries, probe) : [];
    for (const [i, picture] of pictures.entries()) {
      const entry = /** @type {Entry} */ (entries[i]);
      this.#kept.set(picture, entry);
      this.#thumbnails.adopt(picture, entry.copy);
    }
    await this.#words.read();
    if (pictures.length > 0) this.#changed();
    return pictures.length;
  }

  /** Writes what has been found out, soon. @param {{ said?: boolean }} [what] `said`: people have said something */
  note({ said = false } = {}) {
    if (this.#off) return;
    if (said && !this.#isUrgent) {
      this.#isUrgent = true;
      clearTimeout(this.#timer);
      this.#timer = undefined;
    }
    this.#timer ??= setTimeout(() => void this.flush(), this.#isUrgent ? PAUSE.said : PAUSE.found);
  }

  /** Writes it now. */
  async flush() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#write();
  }

  /** Has all that can be written on its way before this returns, as the page is about to go. */
  leave() {
    if (this.#off || this.trouble !== '') return;
    const found = this.#news.flatMap((picture) => this.#foundOf(picture));
    if (found.length === 0 && this.#words.isWhole) return;
    const { now, kept } = this.#words;
    const before = found.map(({ picture }) => /** @type {const} */ ([picture, this.#kept.get(picture)]));
    const fresh = found.map((one) => this.#fresh(one));
    const done = this.#store.putAtOnce(fresh, this.#session.embeddings.probe, now);
    for (const { picture, entry } of found) this.#kept.set(picture, entry);
    this.#words.kept = now;
    done.catch(() => {
      this.#words.kept = kept;
      // It is written again if the page stays.
      for (const [picture, entry] of before) {
        if (entry) this.#kept.set(picture, entry);
        else this.#kept.delete(picture);
      }
    });
  }

  /** @param {readonly Picture[]} pictures that were taken away */
  async remove(pictures) {
    const keys = pictures.flatMap((picture) => this.#kept.get(picture)?.key ?? []);
    for (const picture of pictures) this.#kept.delete(picture);
    await this.#forget(keys).catch(() => {});
    this.#changed();
  }

  /** Forgets keys, but for those that other pictures have, too: the same file can be here twice. @param {readonly string[]} keys */
  async #forget(keys) {
    const held = this.#heldKeys;
    const free = keys.filter((key) => !held.has(key));
    if (free.length > 0) await this.#store.remove(free);
  }

  get #heldKeys() {
    return new Set([...this.#kept.values()].map(({ key }) => key));
  }

  /** Finds out what is in the file of a picture. @param {Picture} picture */
  async #read(picture) {
    const { recognition } = this.#session;
    await recognition.contentOf(picture);
    await recognition.sampleOf(picture);
  }

  /** Forgets everything that is kept, and keeps no more. */
  async forget() {
    this.#stop();
    await this.#store.clear();
    this.#changed();
  }

  #stop() {
    this.#off = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#kept.clear();
  }

  /** Another tab has forgotten everything. */
  #end() {
    // Where nothing is kept, nothing is forgotten.
    if (this.#off || (this.#kept.size === 0 && this.#words.isEmpty)) return;
    this.#stop();
    this.dispatchEvent(new Event('forgotten'));
  }

  /** Whether leaving the page loses nothing that somebody wants kept. */
  get isWhole() {
    if (this.#off) return true;
    // Damaged pictures, of which nothing is known, are not among them.
    return this.#session.tally().open === 0 && this.#news.length === 0;
  }

  async #write() {
    if (this.#writing || this.#off || this.trouble !== '') return;
    this.#writing = true;
    const isUrgent = this.#isUrgent;
    this.#isUrgent = false;
    // What people have said waits for nothing else.
    const news = isUrgent ? this.#news.filter((picture) => this.#isSaid(picture)) : this.#news;
    // Copies of what is not on screen, where there is something to keep of it.
    this.#thumbnails.want(news.slice(0, AT_ONCE), { later: true });
    const ready = news.filter((picture) => this.#foundOf(picture).length > 0).slice(0, AT_ONCE);
    /** @type {Picture[]} */
    const read = [];
    for (const picture of ready) {
      if (this.#isUrgent && !isUrgent) break;
      await this.#read(picture);
      read.push(picture);
    }
    let written = 0;
    try {
      written = await this.#inTurn(() => this.#put(read));
      await this.#inTurn(async () => (this.#off ? undefined : this.#words.write()));
    } catch (error) {
      const full = error instanceof DOMException && error.name === 'QuotaExceededError';
      this.trouble = full
        ? 'This browser has no more room: what comes now is not kept.'
        : 'This browser keeps nothing here.';
    }
    this.#writing = false;
    if (written > 0 || this.trouble !== '') this.#changed();
    if (this.#isUrgent || this.#news.length > 0) this.note();
  }

  /** @param {readonly Picture[]} pictures @returns {Promise<number>} how many were written */
  async #put(pictures) {
    // Something may have been taken away, or another model chosen, while files were read.
    const found = this.#off ? [] : pictures.flatMap((picture) => this.#foundOf(picture));
    if (found.length === 0) return 0;
    const fresh = found.map((one) => this.#fresh(one));
    const { probe } = this.#session.embeddings;
    const written = await this.#store.put(fresh, probe, { isFirst: this.#kept.size === 0 });
    if (!written) {
      this.#end();
      return 0;
    }
    /** Taken away, or forgotten, while they were written. @type {string[]} */
    const gone = [];
    /** Taken away in another tab. @type {Set<string>} */
    const lost = new Set();
    for (const [i, { picture, entry }] of found.entries()) {
      const whole = written[i];
      if (!whole) lost.add(this.#kept.get(picture)?.key ?? entry.key);
      else if (this.#off || !this.#session.pictures.includes(picture)) gone.push(entry.key);
      else this.#join(picture, entry, whole);
    }
    await this.#forget(gone);
    if (lost.size > 0) this.#letGo(lost);
    return found.length;
  }

  /** @param {Found} found @returns {Fresh} */
  #fresh({ picture, entry }) {
    const before = this.#kept.get(picture);
    return {
      entry,
      before: before?.key,
      isSaid: this.#isSaid(picture),
      join: (mine, there) => joinedEntry(before, mine, there),
    };
  }

  /**
   * Takes over what is in the store of a picture, but for what was said here since.
   * @param {Picture} picture
   * @param {Entry} before as it was when that was begun with
   * @param {Entry} there
   */
  #join(picture, before, there) {
    const { corrections, fileWords } = this.#session;
    const now = corrections.of(picture);
    const said = joinedSaid(before.said, now, there.said);
    // What models have found here stays what it is.
    this.#kept.set(picture, { ...there, ...modelsOf(before) });
    const { filed, sidecar, lies, packet } = there;
    if (fileWords.of(picture) === before.filed) fileWords.restore(picture, { filed });
    if (fileWords.sidecarOf(picture) === before.sidecar) fileWords.restore(picture, { sidecar, lies });
    if (fileWords.packetOf(picture) === before.packet) fileWords.restore(picture, { packet });
    if (said !== now) corrections.put(picture, said);
  }

  /** What another tab has written. @param {readonly string[]} keys @param {News['moved']} [moved] */
  async #takeOver(keys, moved = new Map()) {
    for (const key of [...keys, ...moved.values()]) this.#away.get(key)?.();
    const there = new Map((await this.#store.some(keys)).map((entry) => [entry.key, entry]));
    const now = new Map([...moved].map(([key, before]) => [before, there.get(key)]));
    for (const [picture, kept] of [...this.#kept]) {
      const entry = there.get(kept.key);
      const elsewhere = now.get(kept.key);
      if (entry) this.#join(picture, kept, { ...entry, quick: kept.quick });
      else if (elsewhere) this.#move(picture, kept, elsewhere);
    }
    this.#words.findExamples();
  }

  /** A picture lies elsewhere, as another tab has met it. @param {Picture} picture @param {Entry} kept @param {Entry} there */
  #move(picture, kept, there) {
    this.#join(picture, kept, there);
    // It lies where it lies here, too: that is written anew.
    if (picture.key !== kept.quick || this.#session.recognition.hasOriginal(picture)) {
      this.#kept.delete(picture);
      this.note();
      return;
    }
    const { quick, content, sample, name, path } = there;
    Object.assign(picture, { key: quick, content, sample, name, path });
  }

  /** What another tab has taken away goes here, unless something was said of it since. @param {ReadonlySet<string>} keys */
  #letGo(keys) {
    const going = [...this.#kept].filter(([, { key }]) => keys.has(key));
    for (const [picture, entry] of going) {
      this.#kept.delete(picture);
      if (this.#session.corrections.of(picture) !== entry.said) {
        this.note({ said: true });
        continue;
      }
      const back = this.#session.remove(picture);
      this.#away.set(entry.key, () => {
        this.#away.delete(entry.key);
        back();
        this.#kept.set(picture, entry);
      });
    }
    if (going.length > 0) this.#changed();
  }

  /** Takes over what another tab has told. @param {() => Promise<void>} change */
  #next(change) {
    // What cannot be read is joined when it is written.
    this.#inTurn(async () => (this.#off ? undefined : change())).catch(() => {});
  }

  /**
   * What is read and what is written goes one after the other: what both began with does not change in between.
   * @template Result
   * @param {() => Promise<Result>} change
   * @returns {Promise<Result>}
   */
  #inTurn(change) {
    const done = this.#turn.then(change);
    this.#turn = done.then(
      () => {},
      () => {},
    );
    return done;
  }

  /** Pictures of which more is known than is kept. */
  get #news() {
    const session = this.#session;
    return session.pictures.filter((one) => isNews(session, one, this.#kept.get(one)));
  }

  /** Whether people have said of a picture what is not kept. @param {Picture} picture */
  #isSaid(picture) {
    return this.#kept.get(picture)?.said !== this.#session.corrections.of(picture);
  }

  /** @param {Picture} picture @returns {Found[]} none where not enough is known of it */
  #foundOf(picture) {
    const entry = entryOf(this.#session, this.#thumbnails, picture, this.#kept.get(picture));
    return entry ? [{ picture, entry }] : [];
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }
}
